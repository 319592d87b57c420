"""What the roster tells."""

from __future__ import annotations

PATIENT_CREATED = "patient.created"
PATIENT_UPDATED = "patient.updated"
