"""
Problems: what can go wrong in a way that a caller can act on (RFC 9457).

    Problem
     |- BadRequest 400            the request cannot be read as what it claims to be
     |- Unauthenticated 401       who are you?
     |- Forbidden 403             I know you, and no
     |- NotFound 404              there is no such thing *for you*
     |- Conflict 409              the state does not allow it now
     |- PreconditionFailed 412 / PreconditionRequired 428
     |- Invalid 422               the body can be read, and its content is wrong
     |- TooMany 429
     |- Unavailable 503           try again later; nothing happened

No problem carries a value from the request or a person's data: only codes, pointers and ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of one field: a JSON pointer into the request body, and a stable code."""

    pointer: str
    code: str
    detail: str = ""
    """What to change, in words; never the value that was sent."""


class Problem(Exception):
    """Base of every problem. `code` is stable for ever; `title` may be reworded."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on our side."
    keeps_work: ClassVar[bool] = False
    """True: what was done before the refusal belongs to it (a counted try, a spent ticket) and
    is committed with it. False: everything is rolled back."""
    outcome: ClassVar[str] = "deny"
    """What the audit trail calls it; a step that went well and asks for the next is `allow`."""

    def __init__(
        self,
        detail: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        reason: str = "",
        headers: dict[str, str] | None = None,
        **data: Any,
    ) -> None:
        """
        :param detail: one sentence that says what to do; no request values, no person's data
        :param errors: faults of single fields
        :param reason: why, for the audit trail only
        :param headers: response headers this problem needs
        :param data: extra members of the answer (ids, codes, counts)
        """
        super().__init__(self.code)
        self.detail = detail
        self.errors = errors
        self.reason = reason
        self.headers = headers or {}
        self.data = data


class BadRequest(Problem):
    status, code, title = 400, "malformed-request", "The request cannot be read."


class MalformedJson(BadRequest):
    code, title = "malformed-json", "The body is not JSON that we accept."


class UnknownParameter(BadRequest):
    code, title = "unknown-parameter", "A query parameter is not known here, or its value is not of its type."


class UnknownFilter(BadRequest):
    code, title = "unknown-filter", "A filter is not known here, or its value is not of its type."


class UnknownSortKey(BadRequest):
    code, title = "unknown-sort-key", "The list cannot be sorted by that."


class InvalidCursor(BadRequest):
    code, title = "invalid-cursor", "The cursor is not valid for this list. Start again without it."


class UnsupportedVersion(BadRequest):
    code, title = "unsupported-version", "That API version is not supported."


class IdempotencyKeyMissing(BadRequest):
    code, title = "idempotency-key-missing", "This call needs an Idempotency-Key header."


class IdempotencyKeyMalformed(BadRequest):
    code, title = "idempotency-key-malformed", "The Idempotency-Key header is malformed."


class Unauthenticated(Problem):
    status, code, title = 401, "unauthenticated", "Sign in first."


class TokenExpired(Unauthenticated):
    code, title = "token-expired", "The token has expired. Refresh it or sign in again."


class SessionExpired(Unauthenticated):
    code, title = "session-expired", "The session ended after inactivity. Sign in again."


class TokenRevoked(Unauthenticated):
    code, title = "token-revoked", "The token was revoked. Sign in again."


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "You may not do this."


class InsufficientScope(Forbidden):
    code, title = "insufficient-scope", "The token's scopes do not allow this."


class FieldForbidden(Forbidden):
    code, title = "field-forbidden", "You may not read one of the fields asked for."


class ExpandForbidden(Forbidden):
    code, title = "expand-forbidden", "You may not read one of the expansions asked for."


class LinkInvalid(Forbidden):
    code, title = "link-invalid", "The link is not valid."


class NotFound(Problem):
    status, code, title = 404, "not-found", "There is no such thing here."


class MethodNotAllowed(Problem):
    status, code, title = 405, "method-not-allowed", "This address does not take that method."


class NotAcceptable(Problem):
    status, code, title = 406, "not-acceptable", "None of the accepted types can be given."


class Conflict(Problem):
    status, code, title = 409, "conflict", "The present state does not allow this."


class StateConflict(Conflict):
    code, title = "state-conflict", "It is not in a state that allows this action."


class NotAtSource(Conflict):
    code = "not-at-source"
    title = "This practice's records are kept in another system, which is where this is done."


class ConnectorNotReady(Conflict):
    code = "connector-not-ready"
    title = "The system in which this practice's records are kept cannot be written from here yet."


class RefusedAtSource(Conflict):
    code = "refused-at-source"
    title = "The system in which this practice's records are kept refused it."


class ConnectionStands(Conflict):
    code = "connection-stands-still"
    title = "The connection stands still until somebody acts."


class WriteUnderWay(Conflict):
    code = "write-under-way"
    title = "Another write of the same thing is not settled yet."


class NotPermittedThere(Conflict):
    code = "not-permitted-by-portal"
    title = "The portal's user may not do this."


class Uncalibrated(Conflict):
    code = "connector-uncalibrated"
    title = "The definition was not calibrated for this portal, so nothing is written with it."


class IdempotencyInFlight(Conflict):
    code, title = "idempotency-in-flight", "The first call with this key is still running."


class Gone(Problem):
    status, code, title = 410, "gone", "This is no longer available."


class LinkExpired(Gone):
    code, title = "link-expired", "The link has expired. Ask for a new one."


class PreconditionFailed(Problem):
    status, code, title = 412, "precondition-failed", "It was changed since you read it."


class TooLarge(Problem):
    status, code, title = 413, "too-large", "The body is too large."


class UnsupportedMediaType(Problem):
    status, code, title = 415, "unsupported-media-type", "That content type is not taken here."


class Invalid(Problem):
    status, code, title = 422, "validation", "Some fields are not valid."


class UnknownField(Invalid):
    code, title = "unknown-field", "A field is not known here."


class FieldNotAtSource(Invalid):
    code = "field-not-at-source"
    title = "The system in which this practice's records are kept has no place for a field."


class ReadOnlyField(Invalid):
    code, title = "read-only-field", "A field is set by the system and cannot be sent."


class ImmutableField(Invalid):
    code, title = "immutable-field", "A field cannot be changed after creation."


class ReferenceNotFound(Invalid):
    code, title = "reference-not-found", "A field refers to something that is not here."


class IdempotencyKeyReused(Invalid):
    code, title = "idempotency-key-reused", "The key was used for another request."


class PreconditionRequired(Problem):
    status, code, title = 428, "precondition-required", "This call needs an If-Match header."


class TooMany(Problem):
    status, code, title = 429, "quota-exceeded", "Too many requests. Wait, then try again."


class TooManyAttempts(TooMany):
    code, title = "too-many-attempts", "Too many attempts. Wait, then try again."


class PortalPace(TooMany):
    code = "portal-pace"
    title = "The portal is asked as fast as it allows. Wait, then try again."


class Internal(Problem):
    """A defect on our side. The request id is the only clue given outside."""


class Unavailable(Problem):
    status, code, title = 503, "temporary-reduced-capacity", "Not available just now. Try again."


class ConnectorDrift(Unavailable):
    code = "connector-drift"
    title = "The portal has changed, and this part waits until that is understood."


class AuditUnavailable(Unavailable):
    code, title = "audit-unavailable", "The audit trail cannot be written, so nothing was done."


class StorageFull(Unavailable):
    """The database has no room left; reads go on."""

    status, code, title = 507, "storage-full", "There is no room to write just now."
