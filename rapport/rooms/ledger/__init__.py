"""The ledger: who owes what to whom, as entries that are only ever added."""
