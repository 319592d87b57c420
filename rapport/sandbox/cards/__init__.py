"""
A card processor, played by one program on one machine, in the shapes of Stripe's public API.

`python -m rapport.sandbox.cards --help` starts it; README.md lists what it answers. It imports nothing
of the product, keeps no card number, and has never seen the service it stands for.
"""
