"""What the exchange with portals tells. Ids and codes; never a value of a record."""

from __future__ import annotations

SYNC_COMPLETED = "connector.sync_completed"
"""A run was published. The object is the run."""
NEEDS_ATTENTION = "connector.needs_attention"
"""Somebody has to do something. The object is the attention item."""
WRITE_CONFIRMED = "connector.write_confirmed"
"""What was written was found again in the portal. The object is the write."""
IN_DOUBT = "connector.in_doubt"
"""A form left, and nobody knows yet what became of it. The object is the write."""
FRESHNESS_MISSED = "connector.freshness_missed"
"""A kind of record is older than was promised. The object is the connection; `changed` names the kind."""
WRITE_FAILED = "connector.write_failed"
"""A write ended in another way: refused, conflicting or absent. The object is the write."""
