"""Records in from and out to a practice system that has only pages, with where each came from."""
