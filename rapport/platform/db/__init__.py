"""The store: embedded PostgreSQL, its roles, and how a transaction gets its scope."""
