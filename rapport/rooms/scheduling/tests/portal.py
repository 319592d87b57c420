"""A connected practice, and what its portal says of a patient, a visit and a note."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from rapport.platform.outbox.models import OutboxEvent
from rapport.platform.tenancy import services as tenancy
from rapport.platform.tenancy.source import SourceRef
from rapport.rooms.roster import mirroring as roster
from tests.support import props
from tests.support.cast import House

SYSTEM = "sandbox-portal"
AS_OF = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ANA = {
    "external_id": "P-100", "first_name": "Ana", "last_name": "Rivera", "birth_on": "1990-04-12",
    "sex": "female", "email": "Ana@example.org", "phone": "(503) 555-0123", "status": "active",
    "clinician": "C-1",
}  # fmt: skip
MAYA = {"first_name": "Maya", "last_name": "Chen", "credentials": "PhD", "status": "active"}
VISIT = {
    "patient": "P-100", "clinician": "C-1", "start_local": "2026-11-30T09:00", "duration_minutes": 50,
    "service_code": "90837", "status": "scheduled", "location": "Main office", "telehealth": "false",
}  # fmt: skip
NOTE = {
    "patient": "P-100", "clinician": "C-1", "service_on": "2026-11-25", "type": "progress",
    "status": "draft", "signed_at": None,
}  # fmt: skip


@dataclass
class Portal:
    """A practice whose portal is read by the test."""

    house: House

    def __post_init__(self) -> None:
        props.service_code(self.house)
        props.location(self.house)
        with self.house.entered() as scope:
            tenancy.connect(scope=scope, now=timezone.now())
        self.say(roster.mirror_clinician, "C-1", MAYA)
        self.say(roster.mirror_patient, "p1", ANA)

    def ref(self, remote_id: str) -> SourceRef:
        return SourceRef(SYSTEM, remote_id, AS_OF)

    def say(self, mirror: Any, remote_id: str, values: dict[str, Any], **more: Any) -> Any:
        """The portal says this of a record."""
        with self.house.entered() as scope:
            return mirror(
                scope=scope, source=self.ref(remote_id), values=values, now=timezone.now(), **more
            )

    def lose(self, gone: Any, remote_id: str) -> Any:
        """The portal has a record no more."""
        with self.house.entered() as scope:
            return gone(scope=scope, source=self.ref(remote_id), now=timezone.now())

    def told(self) -> list[str]:
        """Types of all events so far, in order."""
        with self.house.entered() as scope:
            rows = OutboxEvent.objects.visible_to(scope).order_by("position")
            return [row.type for row in rows]
