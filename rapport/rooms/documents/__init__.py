"""Documents: files that are kept whole, and the short-lived links that give them out."""
