"""The mirror of a portal's records: each with where it comes from, and each reading with what became of it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord
from rapport.rooms.exchange.states import OPEN_EXPORTS, RUN_MOVES, ExportState, RunState

from .connections import Connection


class Mirror(PracticeRecord):
    """One kind of record of one connection: how fresh it is, and what its page looked like."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    kind = models.CharField(max_length=30)
    """`patients`, `appointments`, …"""
    fresh_at = models.DateTimeField(null=True)
    """The mirror shows the portal as it was at this instant, or later."""
    whole_at = models.DateTimeField(null=True)
    """When the last reading of everything began that was published."""
    tried_at = models.DateTimeField(null=True)
    """When a reading began last, whatever became of it."""
    late_since = models.DateTimeField(null=True)
    """Older than promised since; null: it is fresh enough."""
    fingerprint = models.CharField(max_length=80, blank=True)
    """Digest of the page's shape at the last run that was published."""
    shape = models.JSONField(default=dict)
    """That shape; empty: nothing to compare with."""
    coverage = models.JSONField(default=dict)
    """Field -> share of rows with a value, in that run."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "connection", "kind"], name="mirror_kind_once")
        ]


class SyncRun(PracticeRecord):
    """One reading of one kind of record, piece by piece, and what became of it."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    kind = models.CharField(max_length=30)
    """What was read."""
    near = models.BooleanField(default=False)
    """Only the days around today; False: everything."""
    state = models.CharField(max_length=12, default=RunState.RUNNING.value)
    """See `states.RunState`."""
    state_changed_at = models.DateTimeField()
    """When it got there."""
    began_at = models.DateTimeField()
    """When the first piece was asked for."""
    ended_at = models.DateTimeField(null=True)
    """When it was settled."""
    checkpoint = models.IntegerField(default=0)
    """How many pieces are in the mirror: a worker that takes over begins behind them."""
    pieces = models.JSONField(default=list)
    """The pieces, each with its first and last day and its patient; fixed when the run begins."""
    verdict = models.CharField(max_length=10, blank=True)
    """What became of the page's shape: the worst of the pieces."""
    proof = models.CharField(max_length=20, blank=True)
    """What proved that a list was whole."""
    reason = models.CharField(max_length=30, blank=True)
    """Why nothing was published."""
    tier = models.CharField(max_length=10, blank=True)
    """How it was read: `http`, `dom`, …"""
    epoch = models.IntegerField(default=0)
    """The session's epoch."""
    revision = models.IntegerField(default=0)
    """The definition's revision."""
    pages = models.IntegerField(default=0)
    """Answers of the portal that it took."""
    rows = models.IntegerField(default=0)
    """Records read."""
    created = models.IntegerField(default=0)
    """Records that were new."""
    changed = models.IntegerField(default=0)
    """Records that had changed."""
    gone = models.IntegerField(default=0)
    """Records that two whole readings missed."""
    held = models.IntegerField(default=0)
    """Changes that a room held for a person to look at."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="run_state_known", condition=Q(state__in=[s.value for s in RunState])
            )
        ]
        indexes = [
            models.Index(fields=["practice", "connection", "-began_at", "id"], name="run_by_time"),
            models.Index(fields=["practice", "connection", "kind", "state"], name="run_by_kind"),
        ]

    def move(self, to: RunState, *, at: datetime, **values: object) -> bool:
        """
        Settle the run, if it is not settled.

        :return: False when it was too late
        """
        sources = [state for state, targets in RUN_MOVES.items() if to in targets]
        moved = SyncRun.objects.filter(
            practice_id=self.practice_id, id=self.id, state__in=sources
        ).update(state=to.value, state_changed_at=at, ended_at=at, **values)
        self.refresh_from_db()
        return moved == 1


class Shadow(PracticeRecord):
    """The last copy of one record of a portal, and where it comes from."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    kind = models.CharField(max_length=30)
    """`patients`, `appointments`, …"""
    remote_id = models.CharField(max_length=200)
    """The portal's own id of it."""
    values_sealed = models.BinaryField()
    """The record in the names of the contract, sealed."""
    raw_sealed = models.BinaryField(null=True)
    """Texts as the portal has them where the record has another, sealed; null: there is none."""
    digest = models.BinaryField()
    """Keyed digest of the record, to see a change without opening it."""
    absent = models.JSONField(default=dict)
    """Field -> why there is no value."""
    day_on = models.DateField(null=True)
    """Its day, of a kind whose records are looked for by it."""
    part = models.CharField(max_length=200, blank=True)
    """Of a list that is asked for by patient: the portal's id of that patient."""
    page_signature = models.CharField(max_length=300)
    """The answer it was read from: method, path and what was asked."""
    page_sha256 = models.CharField(max_length=64)
    """Digest of that answer."""
    read_at = models.DateTimeField()
    """When the portal gave it."""
    changed_at = models.DateTimeField()
    """Since when it was seen to be as it is."""
    epoch = models.IntegerField()
    """The session's epoch."""
    tier = models.CharField(max_length=10)
    """How it was read."""
    revision = models.IntegerField()
    """The definition's revision."""
    first_run_id = models.UUIDField()
    """The run that saw it first, or the write that made it."""
    last_run_id = models.UUIDField()
    """The run that saw it last; the write, until one has."""
    misses = models.IntegerField(default=0)
    """Whole readings in a row that did not have it."""
    gone_at = models.DateTimeField(null=True)
    """Taken for removed since; null: it is there."""
    held_code = models.CharField(max_length=40, blank=True)
    """Why a room did not take the last change over; it is offered again."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "connection", "kind", "remote_id"], name="shadow_once"
            )
        ]
        indexes = [
            models.Index(fields=["practice", "connection", "kind", "day_on"], name="shadow_by_day")
        ]


class PartRead(PracticeRecord):
    """When the list of one patient was read last, of a kind that is asked for patient by patient."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    kind = models.CharField(max_length=30)
    """`policies`, …"""
    part = models.CharField(max_length=200)
    """The portal's id of the patient."""
    read_at = models.DateTimeField()
    """When the portal gave it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "connection", "kind", "part"], name="part_once")
        ]


class ExportOrder(PracticeRecord):
    """An export that was ordered on schedule, and what became of it: a second witness of a list."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    kind = models.CharField(max_length=30)
    """Of which list."""
    state = models.CharField(max_length=12, default=ExportState.ORDERED.value)
    """See `states.ExportState`."""
    state_changed_at = models.DateTimeField()
    """When it got there."""
    reason = models.CharField(max_length=30, blank=True)
    """Why it failed."""
    write_id = models.UUIDField()
    """The write that orders it."""
    artefact_id = models.UUIDField(null=True)
    """Its file; null: it was not seen at the portal yet."""
    asked_at = models.DateTimeField()
    """Before anything was sent: what it shows is no older."""
    fetched_at = models.DateTimeField(null=True)
    """When the file was here: what it shows is no newer."""
    rows = models.IntegerField(default=0)
    """Records in it."""
    unsettled = models.IntegerField(default=0)
    """Records of which nothing can be said, since they changed meanwhile."""
    differing = models.IntegerField(default=0)
    """Records that it has otherwise than the list."""
    marks = ArrayField(models.CharField(max_length=32), default=list)
    """Keyed digests of record and field, one for each difference: the next export is compared with them."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="export_state_known", condition=Q(state__in=[s.value for s in ExportState])
            ),
            models.UniqueConstraint(
                fields=["practice", "connection", "kind"], name="export_open_once",
                condition=Q(state__in=[s.value for s in OPEN_EXPORTS]),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["practice", "connection", "kind", "-asked_at"], name="export_by_time")
        ]


class DriftReport(PracticeRecord):
    """What a page looked like before and after. Rows are added, and never changed or removed."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    capability = models.CharField(max_length=60)
    """The ability it concerns."""
    verdict = models.CharField(max_length=10)
    """`additive`, `healed`, `suspect` or `breaking`."""
    reason = models.CharField(max_length=30, blank=True)
    """Why it was refused, if it was."""
    fingerprint = models.CharField(max_length=80, blank=True)
    """Digest of the shape after."""
    findings = models.JSONField(default=list)
    """What was noticed: [{place, seen, expected, note}]. Names and shapes, no values."""
    shape_before = models.JSONField(default=dict)
    """The shape that was published last."""
    shape_after = models.JSONField(default=dict)
    """The shape now."""
    picture_id = models.UUIDField(null=True)
    """Document with a picture of the page, every value painted over."""
    revision = models.IntegerField(default=0)
    """The definition's revision."""
    at = models.DateTimeField()
    """When it was seen."""

    class Meta:
        indexes = [models.Index(fields=["practice", "connection", "-at", "id"], name="drift_by_time")]


class Artefact(PracticeRecord):
    """A file of the portal: wanted, then kept as a document, known by its digest."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    ability = models.CharField(max_length=60)
    """`notes.pdf`, `remittances.file`, …"""
    remote_id = models.CharField(max_length=200)
    """The portal's own id of it."""
    patient = PracticeForeignKey("roster.Patient", null=True)
    """Whom it is about, where whoever asked for it knows."""
    document_id = models.UUIDField(null=True)
    """The document; null: it was not fetched yet."""
    sha256 = models.CharField(max_length=64, blank=True)
    """Of its bytes, hex."""
    page_signature = models.CharField(max_length=300, blank=True)
    """The answer it came in."""
    reason = models.CharField(max_length=30, blank=True)
    """Why it was not fetched, at the last try."""
    tries = models.IntegerField(default=0)
    """How often it was not."""
    retry_at = models.DateTimeField(null=True)
    """Not before this."""
    asked_at = models.DateTimeField()
    """When it was asked for."""
    fetched_at = models.DateTimeField(null=True)
    """When the portal gave it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "connection", "ability", "remote_id", "sha256"], name="artefact_once"
            )
        ]
        indexes = [
            models.Index(fields=["practice", "connection", "-asked_at", "id"], name="artefact_by_time")
        ]
