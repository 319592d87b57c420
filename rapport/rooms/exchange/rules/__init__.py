"""Plain values: who has to do what, how old is too old, how a write is found again."""
