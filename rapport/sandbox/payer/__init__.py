"""
A clearinghouse and the payers behind it, played by one program on one machine.

`python -m rapport.sandbox.payer --help` starts it; README.md lists what it answers. It imports
nothing of the product: what it knows about X12 it knows by itself, so the two can disagree.
"""
