"""The journal of writes into portals."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord
from rapport.rooms.exchange.states import OPEN_WRITES, WRITE_MOVES, WriteState

from .connections import Connection


class Write(PracticeRecord):
    """
    One thing to be written into a portal, once. What it says is frozen when it is made.

    The state changes through `move` and nowhere else, and each move leaves a row of history.
    """

    connection = PracticeForeignKey(Connection)
    """The connection."""
    patient = PracticeForeignKey("roster.Patient", null=True)
    """Whom it is about."""
    ability = models.CharField(max_length=60)
    """`appointments.create`, `claims.submit`, …"""
    read_back = models.CharField(max_length=60)
    """The ability that finds it again."""
    key = models.CharField(max_length=128)
    """The caller's idempotency key: one row for each."""
    payload_digest = models.BinaryField()
    """Keyed digest of what is to be written: the same key with another payload is refused."""
    values_sealed = models.BinaryField()
    """What is to be written, sealed: {values, seen}."""
    remote_id = models.CharField(max_length=200, blank=True)
    """The record in the portal: given for a change, found for something new."""
    parent_id = models.CharField(max_length=200, blank=True)
    """The record in the portal under which one is made, and among whose it is found again."""
    known_before = ArrayField(models.CharField(max_length=200), null=True)
    """Of those under it, or of exports: the ones that looked the same before the first send, and are not this one."""
    makes_new = models.BooleanField()
    """Whether a record is made; False: one is changed."""
    key_fields = ArrayField(models.CharField(max_length=40), default=list)
    """The fields by which it is found again."""
    natural_key = models.BinaryField()
    """Keyed digest of kind and key fields, or of the record changed: one open write for each."""
    settle_seconds = models.IntegerField()
    """How long the portal may take to show it."""
    attended = models.BooleanField()
    """It cannot be undone: a person approves it first."""
    approved_by = models.UUIDField(null=True)
    """Who did."""
    approved_at = models.DateTimeField(null=True)
    """When."""
    asked_by = models.UUIDField()
    """Who asked for the write."""
    state = models.CharField(max_length=12, default=WriteState.INTENDED.value)
    """See `states.WriteState`."""
    state_changed_at = models.DateTimeField()
    """When it got there."""
    fence = models.IntegerField(default=0)
    """Counts takers: one that slept cannot write over what another found."""
    leased_until = models.DateTimeField(null=True)
    """A worker is at it. What it has let out is over by then, even if the worker has lost the database since."""
    retry_at = models.DateTimeField(null=True)
    """Not before this."""
    sends = models.IntegerField(default=0)
    """How often the form may have left: three at most, and again only after it was proved absent."""
    reads = models.IntegerField(default=0)
    """Complete lists since the last send that did not have it."""
    claimed = models.BooleanField(default=False)
    """The portal said after the last send that it was done."""
    found_sealed = models.BinaryField(null=True)
    """What the portal had in its place when last looked at, sealed."""
    differs = ArrayField(models.CharField(max_length=40), default=list)
    """Fields in which that differs from what was meant."""
    message_sealed = models.BinaryField(null=True)
    """The portal's own words when it refused, sealed."""
    reason = models.CharField(max_length=30, blank=True)
    """Why it stands where it stands: `existed`, a reason, `by_person` …"""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="write_state_known", condition=Q(state__in=[s.value for s in WriteState])
            ),
            models.UniqueConstraint(fields=["practice", "connection", "key"], name="write_key_once"),
            models.UniqueConstraint(
                fields=["practice", "connection", "natural_key"], name="write_open_once",
                condition=Q(state__in=[s.value for s in OPEN_WRITES]),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["practice", "connection", "-created_at", "id"], name="write_by_time"),
            models.Index(
                fields=["practice", "state", "retry_at"], name="write_open",
                condition=Q(state__in=[s.value for s in (*OPEN_WRITES, WriteState.ABSENT)]),
            ),
        ]  # fmt: skip

    def move(
        self, to: WriteState, *, by: UUID, at: datetime, fence: int | None = None, **values: object
    ) -> bool:
        """
        Go to another state, if the state in the database allows it, and write down who and when.

        :param fence: only if this is still the number of the latest taker
        :return: False when it was too late
        """
        sources = [state for state, targets in WRITE_MOVES.items() if to in targets]
        rows = Write.objects.filter(practice_id=self.practice_id, id=self.id, state__in=sources)
        if fence is not None:
            rows = rows.filter(fence=fence)
        moved = rows.update(state=to.value, state_changed_at=at, **values) == 1
        self.refresh_from_db()
        if moved:
            WriteHistory.objects.create(
                practice_id=self.practice_id, write=self, state=to.value, reason=self.reason, by=by, at=at
            )
        return moved


class WriteHistory(PracticeRecord):
    """One move of one write. Rows are added, and never changed or removed."""

    write = PracticeForeignKey(Write)
    """The write."""
    state = models.CharField(max_length=12)
    """Where it led."""
    reason = models.CharField(max_length=30, blank=True)
    """Why."""
    by = models.UUIDField()
    """Who."""
    at = models.DateTimeField()
    """When it happened here."""

    class Meta:
        indexes = [models.Index(fields=["practice", "write", "at"], name="write_history_by_time")]
