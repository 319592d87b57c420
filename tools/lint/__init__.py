"""House lints: rules of this code base that no public tool knows. `python -m tools.lint`."""
