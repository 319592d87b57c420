"""One concept each. A room enters only rooms below it, by their doors."""
