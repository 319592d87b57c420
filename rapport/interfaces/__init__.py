"""Rooms put together: REST, pages, command line."""
