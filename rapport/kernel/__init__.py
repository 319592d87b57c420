"""Plain values every floor may use. Standard library only, no I/O."""
