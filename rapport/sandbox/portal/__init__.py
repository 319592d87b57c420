"""A practice system that has pages for people and no API: what connectors are written and tested against."""
