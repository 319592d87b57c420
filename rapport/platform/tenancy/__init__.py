"""Practices, and the base of every table that belongs to one."""
