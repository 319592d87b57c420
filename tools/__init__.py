"""House lints and contracts, each with tests."""
