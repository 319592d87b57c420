"""Tables of telehealth."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q

from rapport.kernel.problems import StateConflict
from rapport.platform.access.scope import Scope
from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord

from .states import MOVES, Action, SessionState

PERSONS = ("host", "patient")
"""Whom a link lets in."""


class Session(VersionedRecord):
    """A meeting at a distance. It belongs to one appointment, and follows it."""

    appointment = PracticeForeignKey("scheduling.Appointment")
    """The appointment."""
    patient = PracticeForeignKey("roster.Patient")
    """Who is met; for who may see the row."""
    host = PracticeForeignKey("roster.Clinician")
    """Who starts and ends it."""
    state = models.CharField(
        max_length=9,
        choices=[(state.value, state.value) for state in SessionState],
        default=SessionState.SCHEDULED.value,
    )
    """Where it stands; see `states`."""
    opens_at = models.DateTimeField()
    """From then on people may come."""
    closes_at = models.DateTimeField()
    """Then the links end."""
    started_at = models.DateTimeField(null=True)
    """When the host first opened it."""
    ended_at = models.DateTimeField(null=True)
    """When it was last closed."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "appointment"], name="session_per_appointment"
            ),
            models.CheckConstraint(
                name="session_state_known",
                condition=Q(state__in=[state.value for state in SessionState]),
            ),
            models.CheckConstraint(
                name="session_window_in_order", condition=Q(closes_at__gt=F("opens_at"))
            ),
        ]

    def move(self, action: Action, *, scope: Scope, at: datetime, **columns: Any) -> None:
        """
        Carry out an action by one conditional UPDATE, and write it down.

        :raises StateConflict: the state *in the database* does not allow it
        """
        move = MOVES[action]
        values = {
            **columns,
            "state": move.target.value,
            "version": self.version + 1,
            "updated_at": at,
        }
        moved = 0
        if self.state in move.sources:
            moved = (
                Session.objects.visible_to(scope)
                .filter(id=self.id, version=self.version, state__in=move.sources)
                .update(**values)
            )
        if moved != 1:
            raise StateConflict(
                f"A session that is {self.state} does not allow this.",
                current_state=self.state,
                action=action.value,
                allowed_from=sorted(move.sources),
            )
        for name, value in values.items():
            setattr(self, name, value)
        self.note(action.value, scope=scope, at=at)

    def note(self, action: str, *, scope: Scope, at: datetime, person: str = "") -> None:
        """Add a row to the session's history."""
        SessionHistory.objects.create(
            practice_id=scope.practice_id,
            session_id=self.id,
            patient_id=self.patient_id,
            action=action,
            state=self.state,
            person=person,
            by_type=scope.actor_type,
            by_id=scope.actor_id,
            at=at,
        )


class SessionHistory(PracticeRecord):
    """One thing that happened to one session. Rows are added, and never changed or removed."""

    session = PracticeForeignKey(Session)
    """To which."""
    patient = PracticeForeignKey("roster.Patient")
    """Whose; for who may see the row."""
    action = models.CharField(max_length=20)
    """`create`, `reschedule`, `hand_over`, `knock`, or a word of `states.Action`."""
    state = models.CharField(max_length=9)
    """State from then on."""
    person = models.CharField(max_length=7, blank=True)
    """Whose link was used, when one was."""
    by_type = models.CharField(max_length=10)
    """Kind of actor; `link` when somebody came by a link."""
    by_id = models.UUIDField()
    """Actor; the link itself when somebody came by one."""
    at = models.DateTimeField()
    """When."""

    class Meta:
        indexes = [models.Index(fields=["practice", "session", "at"], name="session_history_order")]


class Link(PracticeRecord):
    """
    One person's way into one session: a token of 256 random bits.

    Found by its digest. The token itself is kept sealed, so that it can be shown again to those
    who hand it on; nobody who reads the table can use it.
    """

    session = PracticeForeignKey(Session)
    """Into which."""
    patient = PracticeForeignKey("roster.Patient")
    """The session's patient; for who may see the row."""
    person = models.CharField(max_length=7)
    """`host` or `patient`."""
    digest = models.BinaryField()
    """Digest of the token, by which it is found."""
    token_sealed = models.BinaryField()
    """The token, sealed under the installation's key and bound to this row."""
    expires_at = models.DateTimeField()
    """Then it opens nothing."""
    revoked_at = models.DateTimeField(null=True)
    """From then on it opens nothing: the session was cancelled, or another link took its place."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "session", "person"],
                name="link_one_per_person",
                condition=Q(revoked_at=None),
            )
        ]
