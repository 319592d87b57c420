"""What coding tells."""

from __future__ import annotations

SERVICE_CODE_CREATED = "service_code.created"
SERVICE_CODE_UPDATED = "service_code.updated"
