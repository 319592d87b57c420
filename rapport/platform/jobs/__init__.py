"""Work after the request: durable, retried, with a dead-letter list."""
