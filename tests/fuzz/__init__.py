"""Any bytes at all, through every reader of X12: `./run fuzz`, and a short replay of it in every test run."""
