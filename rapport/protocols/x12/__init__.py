"""HIPAA X12 005010: bytes to records and back. Pure: no clock, no network, no database."""
