"""A practice's account at a portal, its secrets, and what stands in its way."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from rapport.kernel.problems import StateConflict
from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord
from rapport.rooms.exchange.states import MOVES, Action, ConnectionState


class Connection(VersionedRecord):
    """
    One user of a practice at one portal, made for this purpose by the practice itself.

    The state changes through `move` and nowhere else.
    """

    definition = models.CharField(max_length=80)
    """Name of the definition, e.g. `sandbox-portal`."""
    revision = models.IntegerField(default=0)
    """Revision of the definition that was used last."""
    base_url = models.CharField(max_length=300)
    """Scheme and host of the practice's portal."""
    identity = models.JSONField(default=dict)
    """What is not secret: practice code, user name."""
    account_digest = models.BinaryField()
    """Keyed digest of definition, host and identity: one live connection for each account."""
    consent_by = models.UUIDField()
    """Who said that the practice's contract permits automation."""
    consent_at = models.DateTimeField()
    """When they said so."""
    consent_words = models.TextField()
    """The words they agreed to."""
    state = models.CharField(max_length=10, default=ConnectionState.LINKING.value)
    """See `states.ConnectionState`."""
    state_changed_at = models.DateTimeField()
    """When it got there."""
    reason = models.CharField(max_length=30, blank=True)
    """Of `attention`: the reason or matter, see `rules.matters`."""
    quiet_from = models.CharField(max_length=5, blank=True)
    """`HH:MM` in the practice's zone; between the two no scheduled work is done."""
    quiet_to = models.CharField(max_length=5, blank=True)
    """End of the quiet hours."""
    exports_every_hours = models.IntegerField(default=24)
    """How often exports of the portal are ordered and compared with its lists; 0: never."""
    calibration = models.JSONField(default=dict)
    """What calibrating found for this practice: other labels, other columns."""
    permitted = models.JSONField(default=dict)
    """Ability -> whether the portal's user has it, as far as it was asked."""
    probed_at = models.DateTimeField(null=True)
    """When it was asked last."""
    sign_in_not_before = models.DateTimeField(null=True)
    """No sign-in goes out before this."""
    look_at = models.DateTimeField(null=True)
    """When a list is looked at in a browser next; null: none was yet."""
    looked_revision = models.IntegerField(default=0)
    """The definition's revision at the last look."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="connection_state_known",
                condition=Q(state__in=[s.value for s in ConnectionState]),
            ),
            models.UniqueConstraint(
                fields=["practice", "account_digest"], name="connection_account_once",
                condition=~Q(state="withdrawn"),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["practice", "-created_at", "id"], name="connection_by_creation")]

    def move(self, action: Action, *, by: UUID, at: datetime, reason: str = "") -> bool:
        """
        Carry out an action, and write down who did it and when.

        :return: False when it was in that state already, for the same reason
        :raises StateConflict: the state in the database does not allow it
        """
        move = MOVES[action]
        if self.state == move.target and self.reason == reason:
            return False
        moved = Connection.objects.filter(
            practice_id=self.practice_id, id=self.id, state__in=move.sources
        ).update(
            state=move.target.value, state_changed_at=at, reason=reason, updated_at=at,
            version=F("version") + 1,
        )  # fmt: skip
        self.refresh_from_db(fields=["state", "state_changed_at", "reason", "version", "updated_at"])
        if moved != 1:
            raise StateConflict(
                f"A connection that is {self.state} cannot {action.value.replace('_', ' ')}.",
                current_state=self.state,
                allowed_from=sorted(move.sources),
            )
        ConnectionHistory.objects.create(
            practice_id=self.practice_id, connection=self, action=action.value, state=self.state,
            reason=reason, by=by, at=at,
        )  # fmt: skip
        return True

    def allows(self, action: Action) -> bool:
        """Tell whether the state as it was read allows an action."""
        return self.state in MOVES[action].sources


class ConnectionHistory(PracticeRecord):
    """One move of one connection. Rows are added, and never changed or removed."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    action = models.CharField(max_length=20)
    """What happened."""
    state = models.CharField(max_length=10)
    """Where it led."""
    reason = models.CharField(max_length=30, blank=True)
    """Why."""
    by = models.UUIDField()
    """Who: a user, a key, or the practice itself for what a portal answered."""
    at = models.DateTimeField()
    """When it happened here."""

    class Meta:
        indexes = [models.Index(fields=["practice", "connection", "at"], name="connection_history_by_time")]


class Secret(PracticeRecord):
    """Something that only the portal may learn. Sealed, never returned, each opening audited."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    kind = models.CharField(max_length=10)
    """`password` or `totp_seed`: each under a key of its own."""
    sealed = models.BinaryField()
    """The value, sealed for this connection, kind and number."""
    number = models.IntegerField(default=1)
    """Counts values: 1, 2, 3 …"""
    rejected_digest = models.BinaryField(null=True)
    """Keyed digest of the value that the portal rejected: it is never sent again."""
    rejected_at = models.DateTimeField(null=True)
    """When the present value was rejected; null: it was not."""
    set_by = models.UUIDField()
    """Who gave it."""
    set_at = models.DateTimeField()
    """When."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "connection", "kind"], name="secret_kind_once")
        ]


class Breaker(PracticeRecord):
    """Why nothing is asked of a portal for now: one kind of failure of one capability."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    capability = models.CharField(max_length=60)
    """The ability; `*`: all of the connection."""
    kind = models.CharField(max_length=10)
    """`auth`, `transport`, `drift`, or `cut`, which is never open and counts pages that broke off."""
    reason = models.CharField(max_length=30, blank=True)
    """What it was."""
    failures = models.IntegerField(default=0)
    """How many in a row."""
    opened_at = models.DateTimeField(null=True)
    """Open since; null: closed."""
    probe_at = models.DateTimeField(null=True)
    """
    When one call may try again; null while open: only a person or a new revision closes it. Of a `cut`: from when on
    the next one counts.
    """
    revision = models.IntegerField(default=0)
    """The definition's revision when it opened."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "connection", "capability", "kind"], name="breaker_once"
            )
        ]


class Pace(PracticeRecord):
    """How fast a connection may ask just now. One row, shared by every process."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    tokens = models.FloatField()
    """Requests that may leave at once; below zero: reserved ahead."""
    rate = models.FloatField()
    """Tokens a second, just now."""
    declared = models.FloatField()
    """Tokens a second as the definition allows."""
    burst = models.FloatField()
    """The most tokens there can be."""
    parallel = models.IntegerField()
    """Calls at once."""
    usual_seconds = models.FloatField(default=0)
    """How long an answer takes as a rule."""
    filled_at = models.DateTimeField()
    """When the tokens were counted."""
    slowed_at = models.DateTimeField(null=True)
    """When the rate was lowered last."""
    hold_until = models.DateTimeField(null=True)
    """The portal asked for silence until then."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "connection"], name="pace_once")
        ]


class AttentionItem(PracticeRecord):
    """What somebody has to do, in one sentence, with what proves it. One open item per matter."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    matter = models.CharField(max_length=30)
    """Reason or matter: names sentence, owner and what to do (`rules.matters`)."""
    capability = models.CharField(max_length=60, blank=True)
    """The ability it is about."""
    subject_id = models.UUIDField(null=True)
    """The write or challenge it is about."""
    detail = models.CharField(max_length=300, blank=True)
    """What the driver adds: no value of a record, no secret."""
    picture_id = models.UUIDField(null=True)
    """Document with a picture of the page, every value painted over."""
    times = models.IntegerField(default=1)
    """How often it came up."""
    opened_at = models.DateTimeField()
    """When it came up first."""
    seen_at = models.DateTimeField()
    """When it came up last."""
    resolved_at = models.DateTimeField(null=True)
    """When it was done with; null: it is open."""
    resolved_by = models.UUIDField(null=True)
    """Who, or the practice itself when it went away by itself."""
    resolution = models.CharField(max_length=20, blank=True)
    """`done`, `accepted`, `dropped` or `by_itself`."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "connection", "matter", "capability", "subject_id"],
                name="attention_open_once", condition=Q(resolved_at__isnull=True),
                nulls_distinct=False,
            )
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["practice", "connection", "-opened_at", "id"], name="attention_by_time")
        ]
