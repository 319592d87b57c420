"""Rules of coverage that need no database."""
