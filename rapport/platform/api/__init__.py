"""The rules every route obeys: problems, paging, idempotency, versions, limits."""
