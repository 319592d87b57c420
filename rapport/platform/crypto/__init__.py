"""The installation's keys, and what is made with them: seals, digests, signatures."""
