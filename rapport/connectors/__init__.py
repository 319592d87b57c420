"""Drivers for the outside. Each supplies a port of a room and knows nothing else of it."""
