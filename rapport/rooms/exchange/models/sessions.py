"""Sessions at portals, how they were got, and the second factors that were asked for."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord
from rapport.rooms.exchange.states import CHALLENGE_MOVES, ChallengeState

from .connections import Connection


class PortalSession(PracticeRecord):
    """
    The session of a connection: one row, sealed bytes, and the epoch they belong to.

    A sign-in begins an epoch. Whoever comes back from an older one has nothing to write here.
    """

    connection = PracticeForeignKey(Connection)
    """The connection."""
    epoch = models.IntegerField(default=0)
    """Counts sign-ins that succeeded."""
    fruitful_epoch = models.IntegerField(default=0)
    """The last epoch in which a call was answered: a portal that ends each session at once is not signed in to again and again."""
    sealed = models.BinaryField(null=True)
    """The session as the driver keeps it, sealed for this connection and epoch; null: none stands."""
    ended = models.BinaryField(null=True)
    """The bytes of this epoch after it ended: who signs people in for the portal may still know that browser."""
    jar = models.IntegerField(default=0)
    """Counts rotations inside the epoch: write back compares and swaps on it."""
    answered_at = models.DateTimeField(null=True)
    """When the answer came that the bytes are from."""
    subject_digest = models.BinaryField(null=True)
    """Keyed digest of who the portal says is signed in."""
    idle_seconds = models.IntegerField(default=0)
    """How long the portal keeps it without use."""
    began_at = models.DateTimeField(null=True)
    """When the epoch began."""
    leased_until = models.DateTimeField(null=True)
    """Somebody works with it until then; it is kept alive that long and no longer."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "connection"], name="portal_session_once")
        ]


class SignIn(PracticeRecord):
    """One try to sign in. Written before it leaves: the budget counts tries, not answers."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    cause = models.CharField(max_length=10)
    """`person` or `renewal`."""
    began_at = models.DateTimeField()
    """When it left."""
    ended_at = models.DateTimeField(null=True)
    """When there was an answer; null: none was heard."""
    outcome = models.CharField(max_length=30, blank=True)
    """`signed_in`, `challenge`, the reason why not, or `session_taken`: somebody else signed in after it."""
    epoch = models.IntegerField(default=0)
    """The epoch that it began."""
    password_number = models.IntegerField(default=0)
    """Which value of the password was used."""
    mail_mark = models.CharField(max_length=40, blank=True)
    """Where the mailbox for codes stood before it: validity and next number; empty: nobody looked."""
    used_totp = models.BooleanField(default=False)
    """Whether the seed was opened for it: its time windows are then spent."""

    class Meta:
        indexes = [models.Index(fields=["practice", "connection", "-began_at"], name="sign_in_by_time")]


class Challenge(PracticeRecord):
    """A portal asks for a second factor. Outlives the worker that met it."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    sign_in = PracticeForeignKey(SignIn)
    """The try that it stopped."""
    factor = models.CharField(max_length=10)
    """`totp`, `sms`, `email`, `push` or `sso`."""
    masked_destination = models.CharField(max_length=60, blank=True)
    """As the portal shows it."""
    state = models.CharField(max_length=10, default=ChallengeState.OPEN.value)
    """See `states.ChallengeState`."""
    state_changed_at = models.DateTimeField()
    """When it got there."""
    resume_sealed = models.BinaryField(null=True)
    """How the sign-in goes on, sealed; erased when it is settled."""
    code_sealed = models.BinaryField(null=True)
    """The code that a person gave, sealed until it is typed."""
    answered_by = models.UUIDField(null=True)
    """Who gave the last code."""
    resent = models.BooleanField(default=False)
    """Another code was asked for because none came; that is done once."""
    tries = models.IntegerField(default=0)
    """Codes that were typed."""
    issued_at = models.DateTimeField()
    """When the portal asked."""
    expires_at = models.DateTimeField()
    """When it is too late."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="challenge_state_known", condition=Q(state__in=[s.value for s in ChallengeState])
            )
        ]
        indexes = [
            models.Index(fields=["practice", "connection", "-issued_at", "id"], name="challenge_by_time")
        ]

    def move(self, to: ChallengeState, *, at: datetime, **values: object) -> bool:
        """
        Go to another state, if the state in the database allows it.

        :return: False when it was too late
        """
        sources = [state for state, targets in CHALLENGE_MOVES.items() if to in targets]
        moved = Challenge.objects.filter(
            practice_id=self.practice_id, id=self.id, state__in=sources
        ).update(state=to.value, state_changed_at=at, **values)
        self.refresh_from_db()
        return moved == 1


class CodeMailbox(PracticeRecord):
    """A mailbox that the practice lets us read for the codes of one connection. Its password is a `Secret`."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    host = models.CharField(max_length=253)
    """Name of the IMAP server."""
    port = models.IntegerField()
    """Its port; TLS from the start."""
    username = models.CharField(max_length=254)
    """User at that server."""
    consent_by = models.UUIDField()
    """Who said that it may be read."""
    consent_at = models.DateTimeField()
    """When they said so."""
    consent_words = models.TextField()
    """The words they agreed to."""
    text_sender = models.CharField(max_length=254, blank=True)
    """Who brings the texts of a telephone into it, as `CodeMail.senders` has them; empty: none come."""
    text_telephone = models.CharField(max_length=4, blank=True)
    """The last digits of that telephone."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "connection"], name="code_mailbox_once")
        ]


class SpentCode(PracticeRecord):
    """A mail whose code was handed to a sign-in: no other one gets it."""

    connection = PracticeForeignKey(Connection)
    """The connection."""
    challenge = PracticeForeignKey(Challenge)
    """The challenge that it was typed for."""
    validity = models.BigIntegerField()
    """The mailbox's own numbering."""
    uid = models.BigIntegerField()
    """The mail's number in it."""
    at = models.DateTimeField()
    """When it was handed out."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "connection", "validity", "uid"], name="spent_code_once"
            )
        ]
