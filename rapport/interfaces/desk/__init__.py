"""The pages: the first page, the docs; later the staff application."""
