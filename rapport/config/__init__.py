"""Settings, URLs, and the wiring of connectors to ports."""
