"""Implementation guides as tables, and what walks a transaction set along one."""
