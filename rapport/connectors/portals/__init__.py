"""Drivers of portals: data-only definitions, and the one program that carries them out."""
