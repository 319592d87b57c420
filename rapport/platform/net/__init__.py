"""The one way out: an HTTP client that goes to public addresses only."""
