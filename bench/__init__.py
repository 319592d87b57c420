"""Measurements: what the product costs, as ratios to a bare server of the same kind."""
