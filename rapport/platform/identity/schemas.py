"""Identity's shapes in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import Input, Instant, Shape, instant

Method = Literal["totp", "email", "recovery"]


class SessionIn(Input):
    """Login and password."""

    login: str = Field(min_length=1, max_length=254, examples=["maya@example.org"])
    password: str = Field(min_length=1, max_length=256)
    practice_id: str | None = Field(
        None, max_length=40, description="Needed by who works in several."
    )


class MfaSendIn(Input):
    """Ask for a code by mail."""

    ticket: str = Field(min_length=1, max_length=100)
    method: Literal["email"]


class MfaIn(Input):
    """The second factor."""

    ticket: str = Field(min_length=1, max_length=100)
    method: Method
    code: str | None = Field(
        None, min_length=6, max_length=20, description="Left out only after `practice-required`."
    )
    practice_id: str | None = Field(None, max_length=40)
    user_id: str | None = Field(
        None, max_length=40, description="When sent, must be whose ticket it is."
    )


class RefreshIn(Input):
    """A refresh token."""

    refresh_token: str = Field(min_length=1, max_length=100)


class ResetIn(Input):
    """Whose password."""

    login: str = Field(min_length=1, max_length=254)


class ResetConfirmIn(Input):
    """Ticket of the answer, token of the mail, and the new password."""

    ticket: str = Field(min_length=1, max_length=100)
    token: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=256)


class PortalChallengeOut(Struct, kw_only=True):
    """A portal of the practice waits for a second factor of the practice's own user there."""

    connection_id: str
    challenge_id: str
    factor: str
    masked_destination: Annotated[str | None, Meta(description="As the portal shows it.")]
    expires_at: Instant
    answer_at: Annotated[str, Meta(description="Where the code is posted: `{\"code\": …}`.")]


class SessionOut(Shape):
    """A session that has begun or was refreshed. The tokens are shown once."""

    object: Literal["session"]
    id: str
    token: Annotated[str, Meta(description="For `Authorization: Bearer`; 15 minutes.")]
    refresh_token: Annotated[str, Meta(description="Works once, for fresh tokens.")]
    expires_at: Annotated[Instant, Meta(description="When `token` ends.")]
    session_expires_at: Annotated[
        Instant, Meta(description="When the session ends, whatever happens.")
    ]
    scopes: list[str]
    roles: list[str]
    practice_id: str
    user_id: str
    clinician_id: str | None
    amr: list[str]
    portal_challenges: Annotated[
        list[PortalChallengeOut],
        Meta(
            description="Second factors that the portals of a connected practice wait for, for members who"
            " may answer them; else empty."
        ),
    ]
    version: int


class CodeSentOut(Shape):
    """A code is on its way."""

    object: Literal["mfa_code"]
    method: Literal["email"]
    expires_at: Instant


class ResetOut(Shape):
    """Where to go on with a new password."""

    object: Literal["password_reset"]
    ticket: str
    expires_at: Instant


class SessionInfo(Shape):
    """A session, without its tokens."""

    object: Literal["session"]
    id: str
    user_id: str
    current: bool
    amr: list[str]
    ip: str | None
    user_agent: str
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    version: int


SESSION_COLUMNS = "s.id, s.user_id, s.amr::text[], s.ip::text, s.user_agent, s.created_at, s.last_used_at, s.expires_at"


def session_out(row: tuple[Any, ...], scope: Scope) -> SessionInfo:
    """Return the shape of a row of `SESSION_COLUMNS`."""
    return SessionInfo(
        object="session",
        id=type_id("session", row[0]),
        user_id=type_id("user", row[1]),
        current=row[0] == scope.session_id,
        amr=row[2],
        ip=row[3].split("/")[0] if row[3] else None,
        user_agent=row[4],
        created_at=instant(row[5]),
        last_used_at=instant(row[6]),
        expires_at=instant(row[7]),
        version=1,
    )


class PersonOut(Shape):
    """A person who signs in."""

    id: str
    login: str
    display_name: str


class KeyRef(Shape):
    """An API key, by name."""

    id: str
    name: str
    hint: str


class PracticeRef(Shape):
    """A practice, by name."""

    id: str
    name: str
    time_zone: str
    livemode: bool
    system: Literal["native", "connected"]


class MeOut(Shape):
    """Who is asking."""

    object: Literal["actor"]
    id: Annotated[str, Meta(description="The person's or the key's own id.")]
    type: Literal["user", "api_key"]
    user: PersonOut | None
    api_key: KeyRef | None
    practice: PracticeRef
    practice_id: str
    roles: list[str]
    scopes: list[str]
    clinician_id: str | None
    session_id: str | None
    amr: list[str]
    version: int


class FactorOut(Shape):
    """A second factor. Its secret is never shown again."""

    object: Literal["mfa_factor"]
    id: str | None
    type: Literal["totp", "recovery", "email"]
    state: Literal["active", "waiting"]
    remaining: Annotated[
        int | None, Meta(description="Recovery codes that are left; never the codes.")
    ]
    created_at: Instant | None
    last_used_at: Instant | None
    version: int


class TotpBeginIn(Input):
    """A fresh code of the present authenticator, or a recovery code; none for the first one."""

    code: str | None = Field(None, min_length=6, max_length=20)


class CodeIn(Input):
    """A fresh code."""

    code: str = Field(min_length=6, max_length=20)


class MfaEnrolmentOut(Shape):
    """An authenticator that waits for its first code."""

    object: Literal["totp_enrolment"]
    id: str
    secret: Annotated[str, Meta(description="Base32; shown once.")]
    otpauth_url: str
    version: int


class ConfirmedOut(Shape):
    """The authenticator is the person's."""

    object: Literal["mfa_factor"]
    id: str
    type: Literal["totp"]
    state: Literal["active"]
    recovery_codes: Annotated[
        list[str], Meta(description="With the first authenticator; shown once.")
    ]
    created_at: Instant
    version: int


class RecoveryCodesOut(Shape):
    """Fresh recovery codes; the former ones are void."""

    object: Literal["recovery_codes"]
    codes: Annotated[list[str], Meta(description="Shown once.")]
    remaining: int


class FactorChange(Input):
    """Nothing of a factor can be changed; it can be replaced."""

    state: str | None = Field(None, max_length=20)
