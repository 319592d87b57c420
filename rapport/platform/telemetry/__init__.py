"""Logs that hold no person, and figures for the operator."""
