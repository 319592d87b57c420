"""What charting tells. Psychotherapy notes tell nothing."""

from __future__ import annotations

NOTE_CREATED = "note.created"
NOTE_SIGNED = "note.signed"
"""The author signed; a supervisor may have to approve yet."""
NOTE_RETURNED = "note.returned"
NOTE_COSIGNED = "note.cosigned"
NOTE_LOCKED = "note.locked"
"""The last signature is there: the note is part of the record, and its PDF exists."""
NOTE_UNLOCKED = "note.unlocked"
NOTE_ADDENDED = "note.addended"
NOTE_VOIDED = "note.voided"
