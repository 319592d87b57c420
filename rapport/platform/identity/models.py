"""People and memberships, sessions, tokens, API keys."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models

from rapport.kernel.ids import new_uuid
from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord


class User(AbstractBaseUser):
    """A person who signs in. One row per person, whichever practices they work for."""

    id = models.UUIDField(primary_key=True, default=new_uuid, editable=False)
    login = models.CharField(max_length=254, unique=True)
    """E-mail address in lower case. One login is one person: it is never shared."""
    display_name = models.CharField(max_length=200)
    """How colleagues see them."""
    is_active = models.BooleanField(default=True)
    """False: signs in nowhere, and every session, key and token of theirs is dead."""
    created_at = models.DateTimeField()
    password_changed_at = models.DateTimeField()
    """Sessions that began before this are dead."""

    USERNAME_FIELD = "login"
    EMAIL_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = BaseUserManager["User"]()

    def __str__(self) -> str:
        return f"User {self.id}"

    @property
    def email(self) -> str:
        """The address that codes are sent to."""
        return self.login


class Affiliation(models.Model):
    """
    Which practices a person belongs to: two ids and nothing else.

    The one table that is read before a practice is known, so it holds no fact about anybody.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    """The person."""
    practice_id = models.UUIDField()
    """The practice; what the person may do there is in its `Membership`."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice_id", "user"], name="affiliation_once")
        ]

    def __str__(self) -> str:
        return f"Affiliation {self.id}"


class Membership(VersionedRecord):
    """What a person may do in one practice."""

    user = models.ForeignKey(User, models.DO_NOTHING, related_name="+", db_index=False)
    """The person."""
    roles = ArrayField(models.CharField(max_length=40), default=list)
    """Values of `access.permissions.Role`; they add up."""
    clinician_id = models.UUIDField(null=True)
    """The clinician of the roster that this person is."""
    supervises = ArrayField(models.UUIDField(), default=list)
    """Clinicians whose patients this person also sees, and whose notes they may approve."""
    active = models.BooleanField(default=True)
    """False: no rights here at once, and the person's keys of this practice are suspended."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "user"], name="membership_once")
        ]


class Session(PracticeRecord):
    """One sign-in of one person to one practice."""

    membership = PracticeForeignKey(Membership)
    """Whose rights it carries, as they are at each request."""
    user = models.ForeignKey(User, models.DO_NOTHING, related_name="+", db_index=False)
    """The person."""
    amr = ArrayField(models.CharField(max_length=20), default=list)
    """Ways of proof that were given: `pwd`, `otp`, `email`, `recovery` (RFC 8176 style)."""
    ip = models.GenericIPAddressField(null=True)
    """Where it began."""
    user_agent = models.CharField(max_length=200, blank=True)
    """What it began with, cut to 200 characters."""
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    """Kept to the minute; 15 minutes without a request end the session."""
    expires_at = models.DateTimeField()
    """12 hours after it began, whatever happens."""
    ended_at = models.DateTimeField(null=True)
    """Signed out, revoked, or ended by a reused refresh token."""
    end_reason = models.CharField(max_length=40, blank=True)
    """`signed_out`, `revoked`, `refresh_reuse`, …"""

    class Meta:
        indexes = [models.Index(fields=["practice", "user", "-created_at"], name="session_by_user")]


class ApiKey(VersionedRecord):
    """A program's key. What it may do is its scopes, cut down to its owner's present rights."""

    owner = PracticeForeignKey(Membership)
    """Who made it, and whose rights bound it."""
    name = models.CharField(max_length=100)
    """What it is for, in the owner's words."""
    scopes = ArrayField(models.CharField(max_length=60), default=list)
    """Values of `access.permissions.Permission`."""
    ip_allowlist = ArrayField(models.CharField(max_length=50), default=list)
    """Networks in CIDR form that may use it; empty: any."""
    hint = models.CharField(max_length=12)
    """The first characters of the key, to recognise it by. The key itself is not kept."""
    expires_at = models.DateTimeField()
    """At most a year after creation."""
    last_used_at = models.DateTimeField(null=True)
    """Kept to the minute."""
    revoked_at = models.DateTimeField(null=True)
    """When it was withdrawn."""


class Credential(models.Model):
    """
    A secret that opens a scope: found by its digest before any practice is known.

    256 random bits need no slow hash; what is kept is an HMAC under the installation's key, so
    that a copy of this table opens nothing.
    """

    digest = models.BinaryField(primary_key=True)
    """HMAC-SHA256 of the token."""
    kind = models.CharField(max_length=10)
    """`access`, `refresh` or `api_key`."""
    practice_id = models.UUIDField()
    """Where it leads."""
    session_id = models.UUIDField(null=True)
    """The session it belongs to (access and refresh tokens)."""
    api_key_id = models.UUIDField(null=True)
    """The API key it is."""
    expires_at = models.DateTimeField()
    """Judged by the database's clock."""
    spent_at = models.DateTimeField(null=True)
    """Refresh tokens: when it was exchanged. A second use ends the session."""
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["session_id"], name="credential_by_session"),
            models.Index(fields=["expires_at"], name="credential_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"Credential {self.kind}"


class MfaTicket(models.Model):
    """
    A sign-in that has shown its password and not yet its second factor.

    Opens nothing but `POST /v1/sessions/mfa`, for five minutes, for this one person.
    """

    digest = models.BinaryField(primary_key=True)
    """HMAC-SHA256 of the ticket."""
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    """Who gave the password."""
    practice_id = models.UUIDField(null=True)
    """The practice being signed in to; None: asked for once the person is proved."""
    email_codes = models.IntegerField(default=0)
    """How many codes were mailed. The code itself is not kept: it is derived from the ticket."""
    email_code_sent_at = models.DateTimeField(null=True)
    """Codes die ten minutes after this."""
    proved_by = models.CharField(max_length=20, blank=True)
    """The second factor that was given, when only the practice is still to be chosen."""
    expires_at = models.DateTimeField()
    """Five minutes after the password; ten after a code was mailed."""
    spent_at = models.DateTimeField(null=True)
    """A ticket works once."""

    def __str__(self) -> str:
        return "MfaTicket"


class UsedTotpStep(models.Model):
    """A TOTP step that was accepted: the unique index is what makes a code work once."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    """Whose code."""
    step = models.BigIntegerField()
    """Unix time divided by 30 seconds (RFC 6238)."""
    used_at = models.DateTimeField()
    """When it was accepted."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "step"], name="totp_step_once")]

    def __str__(self) -> str:
        return f"UsedTotpStep {self.id}"


class Attempt(models.Model):
    """A failed proof, counted for throttling: by person, by address, and over all."""

    id = models.BigAutoField(primary_key=True)
    bucket = models.BinaryField()
    """HMAC of what is counted (`mfa:user`, `pwd:login`, `pwd:ip` …): no login in clear."""
    at = models.DateTimeField()
    """When it failed."""

    class Meta:
        indexes = [models.Index(fields=["bucket", "at"], name="attempt_by_bucket")]

    def __str__(self) -> str:
        return f"Attempt {self.id}"


class MfaFactor(models.Model):
    """Something a person has that makes one-time codes: an authenticator app."""

    id = models.UUIDField(primary_key=True, default=new_uuid, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    """Whose."""
    kind = models.CharField(max_length=10, default="totp")
    """`totp` (RFC 6238: SHA-1, 6 digits, 30 seconds)."""
    secret_sealed = models.BinaryField()
    """The shared secret, sealed to this person and factor: copied to another row it is broken."""
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    """When its first code was accepted. Before that it proves nothing."""
    last_used_at = models.DateTimeField(null=True)
    """When a code of it was last accepted."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=models.Q(confirmed_at__isnull=False),
                name="mfa_factor_once",
            )
        ]

    def __str__(self) -> str:
        return f"MfaFactor {self.id}"


class RecoveryCode(models.Model):
    """A code on paper that stands in for the authenticator, once."""

    digest = models.BinaryField(primary_key=True)
    """HMAC of person and code."""
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    """Whose."""
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    """A code works once."""

    def __str__(self) -> str:
        return "RecoveryCode"


class PasswordReset(models.Model):
    """
    A password that may be set anew: by whoever holds both the ticket of the asking program and
    the token that was mailed. It does not stand in for the second factor.
    """

    digest = models.BinaryField(primary_key=True)
    """HMAC of the ticket that the asking program got. The mailed token is derived from it."""
    user = models.ForeignKey(User, models.CASCADE, related_name="+", null=True)
    """Whose; None when nobody has the login that was given, so that both look alike."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    """Fifteen minutes after it was asked for."""
    spent_at = models.DateTimeField(null=True)
    """It works once."""

    def __str__(self) -> str:
        return "PasswordReset"


class KnownAddress(models.Model):
    """
    An address that a person has signed in from.

    Wrong passwords from elsewhere do not lock a person out here.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.BinaryField(unique=True)
    """HMAC of person and address."""
    last_at = models.DateTimeField()
    """The latest sign-in; forgotten after 60 days."""

    def __str__(self) -> str:
        return f"KnownAddress {self.id}"
