"""The command line: start, look after, and ask Rapport from a terminal."""
