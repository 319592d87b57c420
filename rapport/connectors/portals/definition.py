"""
What a definition of a portal may say. Data only: no code, no template, no loop.

A definition is one JSON file. These structures are strict (a member nobody knows is refused), and
`publish.py` holds what no structure can say. Values are taken from outside by reference, a string
that begins with `$`:

    $identity.NAME  $secret.NAME  $code        at a sign-in
    $given.NAME                                what a list or a file was asked for with
    $values.NAME                               of a form, in the names of the contract
    $page.number  $page.offset  $page.size  $page.ids    of a list that is read by pages
    $local.NAME                                a key of the browser's local storage
    $canary                                    a record that the practice named as known

Everything else in a string stands for itself. Where a name is looked for in a portal's words, the
words are a list per language (`Labels`), the likeliest first.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from rapport.connectors.portals.terms import (
    Anchor,
    Element,
    Labels,
    Pick,
    Predicate,
    Request,
    Strict,
)
from rapport.rooms.exchange.ports import Factor, Reason

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*$", max_length=64)]


class Csrf(Strict, frozen=True, kw_only=True):
    """Where the token against forged requests is found, and how it goes back."""

    source: Literal["cookie", "meta", "input"] = msgspec.field(name="from")
    name: str
    send_as: Literal["header", "field"]
    send_name: str


class HeaderRecipe(Strict, frozen=True, kw_only=True):
    """A header that is made of pieces: `prefix` + pieces with `join` between, in base64 if need be."""

    prefix: str = ""
    pieces: tuple[str, ...]
    """References to `$local.…` or `$identity.…`, or words."""
    join: str = ""
    base64: bool = False


class Carrier(Strict, frozen=True, kw_only=True):
    """What makes a session at the portal, beside the User-Agent with which it began."""

    cookies: tuple[str, ...] = ()
    """Names; one that begins with `~` may be missing."""
    local_storage: tuple[str, ...] = ()
    header_recipe: dict[str, HeaderRecipe] = {}
    csrf: Csrf | None = None
    rotates: bool = False
    """The portal changes the cookies with its answers: requests of one session go one at a time."""


class Oracle(Strict, frozen=True, kw_only=True):
    """A cheap request that is true only when signed in, and says as whom."""

    call: Request
    true_when: Predicate
    subject: Pick


class Signal(Strict, frozen=True, kw_only=True):
    """What an answer that is not data means; evaluated from the top down, the first that holds."""

    when: Predicate
    means: Reason | None = None
    ask: Literal["", "oracle"] = ""
    """Ask the oracle once before deciding."""
    if_true: Reason | None = None
    if_false: Reason | None = None


class Session(Strict, frozen=True, kw_only=True):
    """How a session is carried, proven, kept and lost."""

    carrier: Carrier
    oracle: Oracle
    signals: tuple[Signal, ...] = ()
    keep_alive: Request | None = None
    sign_out: Request | None = None
    idle_seconds: int


class Limits(Strict, frozen=True, kw_only=True):
    """What the portal bears."""

    requests_per_second: float
    burst: int
    parallel: int = 1
    logins_per_hour: int = 6


class Fill(Strict, frozen=True, kw_only=True):
    """A control and what goes into it."""

    anchor: Anchor
    value: str


class Push(Strict, frozen=True, kw_only=True):
    """How to see whether a push was answered: the page is looked at again, or asked for."""

    approved: Predicate
    denied: Predicate | None = None
    poll: Request | None = None


class ChallengeRule(Strict, frozen=True, kw_only=True):
    """The prompt asks for a second factor."""

    factor: Factor
    factor_from: tuple[tuple[Factor, Predicate], ...] = ()
    """Where one page serves several: the factor of the first that holds."""
    masked: Pick | None = None
    seconds: int = 300
    resend: Anchor | None = None
    push: Push | None = None


class Prompt(Strict, frozen=True, kw_only=True):
    """One page of a sign-in; the portal decides which comes next."""

    name: Name
    seen: Predicate
    fill: dict[str, Fill] = {}
    press: Anchor | None = None
    challenge: ChallengeRule | None = None
    means: Reason | None = None
    """The sign-in ends here, with this."""


class Rejection(Strict, frozen=True, kw_only=True):
    """A sign-in was refused. Looked at before any prompt."""

    when: Predicate
    means: Reason = Reason.CREDENTIALS_REJECTED


class CodeMailRule(Strict, frozen=True, kw_only=True):
    """How a mail with a code of this portal looks, for a mailbox that a practice lets us read."""

    senders: tuple[str, ...]
    """Addresses, or `@host` for all of a host."""
    pattern: str
    """What stands in its text; its one group is the code."""


class CodeTextRule(Strict, frozen=True, kw_only=True):
    """How a text with a code of this portal looks, where a practice lets the texts of a telephone come to a mailbox."""

    pattern: str
    """What stands in it; its one group is the code."""


class Login(Strict, frozen=True, kw_only=True):
    """A dialogue, not a script."""

    start: str
    prompts: tuple[Prompt, ...]
    rejected: tuple[Rejection, ...]
    code_mail: CodeMailRule | None = None
    """None: codes by e-mail are asked of a person."""
    code_text: CodeTextRule | None = None
    """None: codes by text are asked of a person."""


class Cut(Strict, frozen=True, kw_only=True):
    """Split a text and take one piece; what is not there is empty."""

    at: str
    take: int
    """From 0; -1 is the last; 1 with `rest` is everything from the second on."""
    rest: bool = False
    before: bool = False
    """Everything before that piece: with -1, all names but the last."""


class Badge(Strict, frozen=True, kw_only=True):
    """Something that stands in a cell beside the value and is not it."""

    has_class: str = ""
    attributes: dict[str, str] = {}
    text_any: Labels = {}
    """Words at the beginning of the cell's text."""


class Coverage(Strict, frozen=True, kw_only=True):
    """How many rows must have a value before a batch is believed."""

    floor: float
    tolerance: float = 0.05
    minimum: int = 20
    """With fewer rows nothing is said."""


class Field(Strict, frozen=True, kw_only=True):
    """One field of the contract and the one place where it stands."""

    element: Element | None = None
    """Of `html_items`: where in the item it stands."""
    column: tuple[str, ...] = ()
    """The portal's own name of the column (`Bind.attribute` of a header, name in the metadata, key of a record)."""
    labels: Labels = {}
    """Words of the column's header."""
    source: Literal["text", "attribute", "link", "row", "constant"] = msgspec.field(default="text", name="from")
    """In a table: text of the cell; an attribute of it; the id in its link; an attribute of the row."""
    attribute: str = ""
    """Its name; for a link, the parameter with the id, or empty for the last part of its path."""
    constant: str = ""
    type: Literal["text", "code", "integer", "money", "day", "local_time", "boolean", "phone", "email"]
    required: bool = False
    unique: bool = False
    codes: dict[str, str] = {}
    """Code at the portal -> value of the contract."""
    texts: dict[str, dict[str, str]] = {}
    """Language -> text at the portal -> value of the contract; where there is no code."""
    unknown: Literal["unreadable", "suspect"] = "unreadable"
    formats: dict[str, tuple[str, ...]] = {}
    """Language -> patterns of strptime; one of them must read every cell of the column."""
    cuts: tuple[Cut, ...] = ()
    drop_initial: bool = False
    """Leave out a middle initial at the end."""
    badges: tuple[Badge, ...] = ()
    amount: Literal["only", "first", "last"] = "only"
    """Which amount of a cell with several."""
    pattern: str = ""
    """What the cleaned text must look like; a column most of which does not is not the column that was meant."""
    otherwise: Literal["", "true", "false"] = ""
    """Of a boolean: what any other text means."""
    withheld: Labels = {}
    """Words that stand in the cell where the record is closed."""
    not_permitted: Labels = {}
    """Words that stand in the cell where this user may not see the value."""
    coverage: Coverage | None = None


class Bind(Strict, frozen=True, kw_only=True):
    """By what a column is told: never by its place in the definition."""

    attribute: str = ""
    """Attribute of a header cell that has the portal's own name of the column, e.g. `data-column`."""
    metadata: Request | None = None
    """For rows without names: where the names are."""
    names: str = ""
    """JMESPath into the metadata: list of names."""
    index: str = ""
    """JMESPath into the metadata: list of places, one for each name; empty: in the order of the names."""


class Rows(Strict, frozen=True, kw_only=True):
    """Where the rows are."""

    table: Element | None = None
    """HTML: the table; None: the one whose header binds all required columns."""
    path: str = ""
    """JSON: JMESPath."""
    delimiter: str = ","
    row: Element | None = None
    """HTML: rows that count; None: every row of the body with as many cells as the header. Of `html_items`: the item."""


class RemoteId(Strict, frozen=True, kw_only=True):
    """The portal's own id of a record."""

    source: Literal["row", "link", "field"] = msgspec.field(name="from")
    attribute: str = ""
    """Of the row."""
    field: str = ""
    """Field of the contract, or for `link` the field whose cell has the link."""
    parameter: str = ""
    """Of the link's address, where the id stands; empty: the last part of its path."""


class Paging(Strict, frozen=True, kw_only=True):
    """How a list goes on."""

    by: Literal["none", "link", "number", "offset"]
    next: Anchor | None = None
    """For `link`."""
    parameter: str = ""
    """For `number` and `offset`: the parameter of the address, which `query` has too."""
    first: int = 1
    size: int = 0
    """
    Rows of a page. For `offset` what is asked for (`$page.size`). For `number` and `link` what each page but
    the last has: a page in the middle that lost rows is then seen, also where the portal shows no count.
    """
    most: int = 2000
    """Pages; more than that is a list that does not end."""


class Count(Strict, frozen=True, kw_only=True):
    """How many rows the portal says there are."""

    pick: Pick
    phantom: int = 0
    """Rows that are counted and are none, such as the one for entering something new."""
    phantom_when: Predicate | None = None
    """They are counted only where this holds."""
    unless_empty: bool = False
    """An empty list shows no count: then `empty.when` alone tells, and must name something that is there."""


class Within(Strict, frozen=True, kw_only=True):
    """The list was asked for certain days: a row outside of them says that its days are misread."""

    field: str
    from_given: str
    to_given: str


class Empty(Strict, frozen=True, kw_only=True):
    """What a list shows that has nothing in it. Nothing to see is no such mark."""

    when: Predicate | None = None
    never: bool = False
    """This list is never empty, since it has at least who asks for it: without a row it was not read."""


class Ids(Strict, frozen=True, kw_only=True):
    """Rows are asked for by ids, and another request brings these, so many at a time until fewer come."""

    request: Request
    path: str
    """JMESPath to the list of ids."""
    size: int
    """How many it brings at most; `$page.size` in its request."""
    chunk: int = 100
    """How many rows are asked for at once; `$page.ids` in the call's own request."""


class Call(Strict, frozen=True, kw_only=True):
    """A list: where it is, how it is bound, and how it is known to be whole."""

    request: Request
    kind: Literal["html_table", "html_items", "json", "json_rpc", "csv"]
    needs: tuple[str, ...] = ()
    """Names of given values without which it cannot be asked."""
    ids: Ids | None = None
    rows: Rows = Rows()
    bind: Bind = Bind()
    remote_id: RemoteId
    page: Paging
    order: str
    """Field by which the portal sorts, or `portal` where it is stable and unnamed."""
    end: Literal["count", "last_page", "whole_file"]
    last_page: Predicate | None = None
    """For `last_page`: holds on the last page and on no other. For `whole_file`: what stands behind the list, if anything."""
    count: Count | None = None
    empty: Empty
    within: Within | None = None
    strangers: bool = False
    """Who is not signed in is answered too, with what is public: the oracle is asked when it was read."""
    fields: dict[str, Field]
    volatile: tuple[str, ...] = ()
    """Parameters that change each time and mean nothing."""


class Control(Strict, frozen=True, kw_only=True):
    """A control of a form, for one field of the contract."""

    anchor: Anchor
    value: str = ""
    """Reference or words; empty: `$values.` and the field's name."""
    pieces: tuple[str, ...] = ()
    """Fields of the contract that stand in it together, in this order, with a space between: a first and a last name."""
    format: str = ""
    """Pattern of strftime for a day or a local time."""
    codes: dict[str, tuple[str, ...]] = {}
    """Value of the contract -> value or words of the option, any of them."""
    money: Literal["", "dollars"] = ""
    phone: Literal["", "dashes"] = ""
    """How a number of the United States is written: 503-555-0123; empty: as it is kept, +15035550123."""
    optional: bool = False


class RefusedRule(Strict, frozen=True, kw_only=True):
    """The portal said no: how that looks, and where its words are."""

    when: Predicate
    message: Element | None = None
    fields: Element | None = None
    """Elements beside a control that say what is wrong with it."""
    field_attribute: str = ""
    """Attribute of such an element with the control's name."""


class Write(Strict, frozen=True, kw_only=True):
    """A form."""

    open: Request
    form: Anchor
    fields: dict[str, Control]
    submit: Anchor
    locked: Predicate | None = None
    """The record is closed for changes: nothing is sent."""
    not_permitted: Predicate | None = None
    """The portal shows the form to a user who may not send it, and this is how that looks: nothing is sent."""
    makes_child: bool = False
    """It makes a record under the one that is opened; `read_back` lists all of those."""
    makes_another: bool = False
    """Each time one more is made, as of exports: those that were there before are not it."""
    version: str = ""
    """Name of the hidden input that tells which version was looked at; it goes along."""
    done: Predicate
    remote_id: Pick | None = None
    refused: tuple[RefusedRule, ...]
    key: tuple[str, ...]
    read_back: str
    settle_seconds: int = 0
    attended: bool = False
    undo: str = ""


class FileCall(Strict, frozen=True, kw_only=True):
    """A file of the portal, at its own address or behind the one link of a page."""

    request: Request
    follow: Anchor | None = None
    """The request brings a page, and this link of it leads to the file."""
    not_yet: Predicate | None = None
    """The file is being prepared: ask again later."""
    content_type: tuple[str, ...]
    """What it may be; anything else is not the file."""
    begins: str = ""
    """First characters of a whole file, e.g. `%PDF-`."""
    sheets: dict[str, str] = {}
    """Of an export: kind of the contract that it may be the whole list of -> the call by which its rows are bound."""
    strangers: bool = False
    """Who is not signed in gets one too, with what is public: the oracle is asked when it came."""


class AbilityRule(Strict, frozen=True, kw_only=True):
    """One thing the definition can do."""

    kind: Literal["read", "write", "file"]
    call: str
    """Name in `calls`, `writes` or `files`."""
    cites: str = ""
    """The public page it stands on."""
    note: str = ""
    """What else is to be known of it: where no public page was found, this says so."""
    level: Literal["", "calibrated", "uncalibrated"] = ""
    """Empty: as the definition."""


class Probe(Strict, frozen=True, kw_only=True):
    """How to see whether this portal user has an ability, by asking for one row."""

    ability: str
    given: dict[str, str] = {}


class Canary(Strict, frozen=True, kw_only=True):
    """A known record that every run looks at. Which one, and the digests of its fields, a practice names."""

    call: str
    fields: tuple[str, ...]


class Definition(Strict, frozen=True, kw_only=True):
    """A portal, as data."""

    definition: Name
    revision: Annotated[int, msgspec.Meta(ge=1)]
    product: str
    level: Literal["uncalibrated", "bronze", "silver", "gold"]
    locales: tuple[str, ...]
    """Languages it has words for; the first is the usual one."""
    timezone: str = "practice"
    """Zone of the portal's wall times: a name, or the practice's."""
    hosts: tuple[str, ...]
    """Hosts a call may go to: `$base`, or a whole name."""
    identity_fields: tuple[str, ...]
    factors: tuple[Factor, ...]
    user_agent: Literal["as_login"] = "as_login"
    session: Session | None = None
    """None: there is no portal to sign in to, files are handed over."""
    limits: Limits
    login: Login | None = None
    calls: dict[str, Call]
    writes: dict[str, Write] = {}
    files: dict[str, FileCall] = {}
    abilities: dict[str, AbilityRule]
    probe: tuple[Probe, ...] = ()
    canary: tuple[Canary, ...] = ()


DECODER = msgspec.json.Decoder(Definition)
"""
Reads the bytes of a definition. Made here, while one thread alone has this module: msgspec learns a type where it is
first used, and two threads that do so at once end the process (segmentation fault, msgspec 0.22).
"""
