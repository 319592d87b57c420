"""Rules of scheduling that need no database."""
