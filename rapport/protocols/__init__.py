"""Bytes to records and back. No database, no clock, no network."""
