"""Claims: from a signed visit to a file at the clearinghouse, and what was answered to it."""
