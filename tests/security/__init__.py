"""Sweeps over every route and every table: a new one that nobody thought of fails here."""
