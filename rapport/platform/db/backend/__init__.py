"""Django database backend: PostgreSQL with the driver's own timestamp loader."""
