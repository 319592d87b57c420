"""Rapport: the open practice platform for behavioural health."""
