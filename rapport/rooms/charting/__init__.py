"""Charting: clinical notes, from draft to a signed document that never changes."""
