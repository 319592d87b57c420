"""The hot calls over HTTP, beside a bare ASGI server on the same PostgreSQL, in one run."""
