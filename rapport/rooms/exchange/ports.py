"""
What the exchange room needs of a portal: sign in, read, look for, submit. Plain values, no I/O.

A portal is stateless here: a session goes in as bytes and comes back as bytes, and the room keeps
it sealed, leases it, and decides who may use it. Every call ends in an answer or in one `Trouble`
of a closed list, each with one owner. Nothing here is retried by the driver but a read.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Owner(StrEnum):
    """Who can do something about a trouble."""

    PRACTICE = "practice"
    US = "us"
    WAIT = "wait"


class Reason(StrEnum):
    """Why a portal gave no answer. Closed: a driver finds one of these or it is a bug of ours."""

    CREDENTIALS_REJECTED = "credentials_rejected"
    SECOND_FACTOR_NEEDED = "second_factor_needed"
    SECOND_FACTOR_DENIED = "second_factor_denied"
    SECOND_FACTOR_EXPIRED = "second_factor_expired"
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 - a reason
    TERMS_PENDING = "terms_pending"
    NEW_DEVICE = "new_device"
    ACCOUNT_LOCKED = "account_locked"
    SESSION_TAKEN = "session_taken"
    BLOCKED_BY_PORTAL = "blocked_by_portal"
    NOT_PERMITTED = "not_permitted"
    WITHHELD_LOCKED = "withheld_locked"
    SESSION_EXPIRED = "session_expired"
    PORTAL_DOWN = "portal_down"
    CUT_SHORT = "cut_short"
    MAINTENANCE = "maintenance"
    BUSY = "busy"
    NOT_READY = "not_ready"
    DRIFT_SUSPECT = "drift_suspect"
    DRIFT_BREAKING = "drift_breaking"
    MEANING_GUARD = "meaning_guard"
    INCOMPLETE = "incomplete"
    CONNECTOR_OUTDATED = "connector_outdated"
    HOST_NOT_ALLOWED = "host_not_allowed"
    NO_BROWSER = "no_browser"


OWNERS: Mapping[Reason, Owner] = {
    Reason.CREDENTIALS_REJECTED: Owner.PRACTICE,
    Reason.SECOND_FACTOR_NEEDED: Owner.PRACTICE,
    Reason.SECOND_FACTOR_DENIED: Owner.PRACTICE,
    Reason.SECOND_FACTOR_EXPIRED: Owner.PRACTICE,
    Reason.PASSWORD_EXPIRED: Owner.PRACTICE,
    Reason.TERMS_PENDING: Owner.PRACTICE,
    Reason.NEW_DEVICE: Owner.PRACTICE,
    Reason.ACCOUNT_LOCKED: Owner.PRACTICE,
    Reason.SESSION_TAKEN: Owner.PRACTICE,
    Reason.BLOCKED_BY_PORTAL: Owner.PRACTICE,
    Reason.NOT_PERMITTED: Owner.PRACTICE,
    Reason.WITHHELD_LOCKED: Owner.PRACTICE,
    Reason.SESSION_EXPIRED: Owner.WAIT,
    Reason.PORTAL_DOWN: Owner.WAIT,
    Reason.CUT_SHORT: Owner.WAIT,
    Reason.MAINTENANCE: Owner.WAIT,
    Reason.BUSY: Owner.WAIT,
    Reason.NOT_READY: Owner.WAIT,
    Reason.DRIFT_SUSPECT: Owner.US,
    Reason.DRIFT_BREAKING: Owner.US,
    Reason.MEANING_GUARD: Owner.US,
    Reason.INCOMPLETE: Owner.US,
    Reason.CONNECTOR_OUTDATED: Owner.US,
    Reason.HOST_NOT_ALLOWED: Owner.US,
    Reason.NO_BROWSER: Owner.US,
}


class Verdict(StrEnum):
    """What became of a page's shape since it was last seen, from harmless to refused."""

    SAME = "same"
    ADDITIVE = "additive"
    HEALED = "healed"
    SUSPECT = "suspect"
    BREAKING = "breaking"


class Factor(StrEnum):
    """A second factor, as a portal asks for it."""

    TOTP = "totp"
    SMS = "sms"
    EMAIL = "email"
    PUSH = "push"
    SSO = "sso"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed on a page: which anchor or field, and what stood there."""

    place: str
    """Call and field or control, e.g. `patients.status`."""
    seen: str
    """What is there now: a name, a shape, a code. Never a person's value."""
    expected: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """There is no answer, and why."""

    reason: Reason
    detail: str = ""
    """A sentence for the person who has to act. No value of a record, no secret."""
    retry_after_seconds: int | None = None
    findings: tuple[Finding, ...] = ()
    picture: bytes | None = field(default=None, repr=False)
    """A PNG of the page with every value painted over; None: there was no page to show."""
    session: bytes | None = field(default=None, repr=False)
    """The session as it stands now, where there still is one."""
    gave_nothing: bool = False
    """Of a sign-in: it ended before a secret was typed."""


class Pace(Protocol):
    """How fast a portal may be asked. A driver that asks before each request keeps every process to it."""

    def before(self) -> None:
        """Wait until one more request may leave."""

    def after(self, *, seconds: float, busy: bool, retry_after_seconds: int | None = None) -> None:
        """Say how long the portal took, and whether it asked for less (429)."""


class NoTurn(Exception):
    """Others took too long: the request did not leave."""


class Turn(Protocol):
    """
    One request at a time of one session, among all processes.

    For portals that change the session with each answer: which of two answers is the newer cannot be
    told afterwards, so no two are under way at once, and each goes out with what the last one brought.
    """

    def take(self) -> bytes | None:
        """
        Wait for the turn.

        :return: the session as it stands now; None: go on with the one at hand
        :raises NoTurn: it did not come in time
        """

    def give(self, session: bytes | None) -> None:
        """Keep the session as an answer left it, and let the next one go; None: there was no answer."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which portal, as whom. Made for one call; secrets are opened for a sign-in only."""

    definition: str
    """Name of the definition, e.g. `sandbox-portal`."""
    base_url: str
    """Scheme and host of the practice's portal; no call leaves the hosts the definition allows."""
    identity: Mapping[str, str]
    """What is not secret: `{"practice_code", "username"}`."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """`{"password", "totp_seed"}`, as far as the practice gave them."""
    calibration: Mapping[str, Any] = field(default_factory=dict)
    """What `calibrate` found for this practice: other labels, other columns."""
    pace: Pace | None = field(default=None, repr=False, compare=False)
    """Asked before every request of a call and told after it; None: a call outside the room."""
    turn: Turn | None = field(default=None, repr=False, compare=False)
    """Taken for each request where the portal changes the session with its answers; None: nobody else uses it."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A portal asks for a second factor."""

    factor: Factor
    masked_destination: str
    """As the portal shows it, e.g. `•••-•••-0142`; empty where it shows none."""
    issued_at: datetime
    expires_at: datetime
    resume: bytes = field(repr=False)
    """How the sign-in goes on, in whichever process: state of the browser and where it stood."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session stands, and the portal agrees on who it is."""

    session: bytes = field(repr=False)
    subject: str
    """Who the portal says is signed in, hashed by the room before it is kept."""
    idle_seconds: int
    """How long the portal keeps it without use."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Where rows came from: one answer of the portal."""

    signature: str
    """Method and path template with its parameters, less those that change each time."""
    at: datetime
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a portal in the names of the contract; values are str, int, bool, date or None."""

    remote_id: str
    values: Mapping[str, Any] = field(repr=False)
    absent: Mapping[str, str] = field(default_factory=dict)
    """Field -> why there is no value: not_present, not_loaded, not_permitted, withheld_locked, unreadable."""
    page: int = 0
    """Index into `Got.pages`."""
    raw: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Field -> its text as the portal has it, where the value is another: with characters that nobody sees."""


@dataclass(frozen=True, slots=True)
class Got:
    """Rows, with proof that they are all there is: without it there is a `Trouble`, never a short list."""

    rows: Sequence[Row]
    pages: Sequence[Page]
    verdict: Verdict
    fingerprint: str
    """Digest of the shape (columns, controls, types), to compare with the next time."""
    shape: Mapping[str, Any]
    """The shape itself: what to show when it has changed. No values."""
    session: bytes = field(repr=False)
    complete: str = ""
    """Which proof holds: `count`, `last_page`, `empty_marker`, `whole_file`."""
    findings: tuple[Finding, ...] = ()
    tier: str = "http"
    coverage: Mapping[str, float] = field(default_factory=dict)
    """Field -> share of rows that have a value."""


@dataclass(frozen=True, slots=True)
class View:
    """The first page of a list, read three times: what somebody changed meanwhile is in one of the two of HTTP."""

    http: Sequence[Row]
    browser: Sequence[Row]
    """As a browser shows it, when its scripts had their say."""
    again: Sequence[Row]
    """Over HTTP once more, after the browser."""


@dataclass(frozen=True, slots=True)
class Views:
    """Lists as both show them."""

    lists: Mapping[str, View]
    """Ability -> its first page; those that are no pages, or that this user may not see, are not there."""
    session: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class GotFile:
    """A file of the portal, as it is."""

    content: bytes = field(repr=False)
    content_type: str
    name: str
    page: Page
    session: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Submitted:
    """The portal took a form and showed what it shows when it has done so: a claim, not yet a proof."""

    session: bytes = field(repr=False)
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The portal looked at the form and said no: nothing was written."""

    session: bytes = field(repr=False)
    message: str = ""
    """The portal's own words, for the caller."""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InDoubt:
    """The form left, and no answer told what became of it. Never sent again: looked for."""

    detail: str
    session: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing a definition can do, and how it knows that it was done."""

    name: str
    """`patients.read`, `appointments.create`, `notes.pdf`, …"""
    kind: str
    """`read`, `write` or `file`."""
    level: str
    """`calibrated` or `uncalibrated`."""
    needs: tuple[str, ...] = ()
    """Of a read: what must be given. A list that needs something is not mirrored, it is looked into."""
    key: tuple[str, ...] = ()
    """Of a write: the fields by which what it made is found again."""
    read_back: str = ""
    """Of a write: the ability that finds it again; empty: the `.read` of the same kind."""
    settle_seconds: int = 0
    """Of a write: how long the portal may take to show it."""
    attended: bool = False
    """Of a write that cannot be undone: a person approves each one."""
    fields: tuple[str, ...] = ()
    """Of a write: what its form takes, in the names of the contract."""
    makes_child: bool = False
    """Of a write: it makes a record under the one that is named, and what reads it back lists those under that one."""
    makes_another: bool = False
    """Of a write: each one makes a record anew, and those with its key that were there before are not it: an export."""
    sheets: tuple[str, ...] = ()
    """Of a file: the kinds of which it may be the whole list, as an export is."""
    cites: str = ""
    """The public page it stands on."""
    watched: tuple[str, ...] = ()
    """Of a read: fields that hardly ever change in most records at once. When they do, columns have changed places."""


@dataclass(frozen=True, slots=True)
class CodeMail:
    """How a mail with a code looks, as the definition knows it."""

    senders: tuple[str, ...]
    """Addresses, or `@host` for all of a host."""
    pattern: str
    """What stands in the text; its one group is the code."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox of the practice, opened to read codes and nothing else."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailMark:
    """Where a mailbox stood: what comes later has a greater number, by the server's own counting."""

    validity: int
    """Numbers of another validity cannot be compared."""
    next_uid: int


@dataclass(frozen=True, slots=True)
class CodeFound:
    """A code in a mail."""

    validity: int
    uid: int
    arrived_at: datetime
    """By the mail server's clock."""
    code: str = field(repr=False)


class MailClosed(Exception):
    """The mailbox could not be read. `rejected`: it does not take user and password, which are then never sent again."""

    def __init__(self, detail: str, *, rejected: bool = False) -> None:
        super().__init__(detail)
        self.detail, self.rejected = detail, rejected


class Mailboxes(Protocol):
    """Reads mailboxes. Supplied by `connectors.mailbox_imap`. Nothing in a mailbox is changed."""

    def allows(self, host: str, port: int) -> str:
        """Return why this server is not called; empty: it may be. Looks nothing up."""

    def mark(self, box: Mailbox) -> MailMark:
        """Return where the mailbox stands now. :raises MailClosed: it could not be read"""

    def follow(
        self, box: Mailbox, *, rule: CodeMail, since: datetime
    ) -> Generator[Sequence[CodeFound], None, None]:
        """
        Return the codes that arrived since an instant, and again each time the next is asked for.

        The mailbox stays open until the iterator is closed.

        :raises MailClosed: it could not be read
        """


@dataclass(frozen=True, slots=True)
class Manifest:
    """What there is to know of a definition before anything is asked of a portal."""

    definition: str
    revision: int
    product: str
    level: str
    """`uncalibrated`, `bronze`, `silver` or `gold`."""
    identity_fields: tuple[str, ...]
    factors: tuple[Factor, ...]
    abilities: tuple[Ability, ...]
    requests_per_second: float
    burst: int
    parallel: int
    logins_per_hour: int
    sha256: str
    code_mail: CodeMail | None = None
    """How a mail with a code looks; None: no mailbox is read for codes by e-mail."""
    code_text: str = ""
    """What stands in a text with a code, its one group being the code; empty: no mailbox is read for codes by text."""


class Portal(Protocol):
    """A practice system that has only pages. Supplied by `connectors.portals`."""

    def manifests(self) -> Sequence[Manifest]:
        """Return every definition that is shipped and whose signature holds."""

    def unable(self) -> Trouble | None:
        """Return why no sign-in can begin on this machine; None: it can. Asks no portal."""

    def sign_in(
        self, target: Target, *, now: datetime, earlier: bytes | None = None
    ) -> SignedIn | Challenge | Trouble:
        """
        Open a session. At most one try of the password leaves this call.

        :param earlier: the session before, which has ended: what the portal, or the service that signs people in
            for it, still remembers of that browser may spare the second factor or the password
        """

    def answer(
        self, target: Target, *, resume: bytes, code: str | None, now: datetime
    ) -> SignedIn | Challenge | Trouble:
        """
        Go on with a sign-in where a challenge stopped it.

        :param code: the code; None: look whether a push was approved, or press resend once
        """

    def who(self, target: Target, *, session: bytes, now: datetime) -> SignedIn | Trouble:
        """Ask the oracle: is this session alive, and whose is it? Costs one cheap request."""

    def sign_out(self, target: Target, *, session: bytes, now: datetime) -> None:
        """End the session at the portal, as far as it lets us."""

    def read(
        self, target: Target, *, ability: str, given: Mapping[str, str], session: bytes,
        baseline: Mapping[str, Any] | None, now: datetime,
    ) -> Got | Trouble:
        """
        Read every row of a list.

        :param given: what the list takes: `{"from_on", "to_on", "patient_id", "remote_id"}`; `to_on` is the first
            day that is not wanted, and a list that shows that day too does no harm
        :param baseline: `Got.shape` and `Got.coverage` of the last run that was published
        """

    def look(
        self, target: Target, *, asked: Mapping[str, Mapping[str, str]], session: bytes, now: datetime
    ) -> Views | Trouble:
        """
        Read the first page of lists over HTTP and in a real browser, with the same session.

        Starts a browser: a matter of seconds and of half a gigabyte, for once a day.

        :param asked: ability -> what its list takes, as `read`
        """

    def fetch(
        self, target: Target, *, ability: str, remote_id: str, session: bytes, now: datetime
    ) -> GotFile | Trouble:
        """
        Fetch a file: a signed note, an export, an ERA. One that the portal still prepares is `NOT_READY`, which
        says nothing of the portal's pace.
        """

    def rows_in(
        self, target: Target, *, ability: str, kind: str, remote_id: str, content: bytes, now: datetime
    ) -> Sequence[Row] | Trouble:
        """
        Read the records out of a file that was fetched. Asks no portal.

        :param ability: by which it was fetched
        :param kind: which of the ability's `sheets` it is
        """

    def submit(
        self, target: Target, *, ability: str, values: Mapping[str, Any], session: bytes, now: datetime
    ) -> Submitted | Refused | InDoubt | Trouble:
        """
        Fill a form and send it, once.

        A `Trouble` says that nothing left the house; from the first byte on the answer is one of
        the other three.

        :param values: in the names of the contract; of a change also `remote_id`, the record it is to
        """

    def probe(
        self, target: Target, *, session: bytes, now: datetime
    ) -> Mapping[str, bool] | Trouble:
        """Return ability -> whether this portal user has it, by asking for one row of each."""
