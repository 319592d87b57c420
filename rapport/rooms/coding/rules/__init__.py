"""Rules of coding that need no database."""
