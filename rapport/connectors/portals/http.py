"""
Calls to a portal with a session and without a browser.

An answer is data, or it is classified by the definition's signals; the oracle decides at most once
per call, where one status has two meanings. Reads are tried three times when the way there broke
or the portal's server did; what changes something is sent once, by `send`, and never here again.
"""

from __future__ import annotations

import base64
import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urljoin

import httpx
import msgspec

from rapport.connectors.portals import markup, multipart, predicates, signals
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.definition import Definition, HeaderRecipe
from rapport.connectors.portals.definition import Session as Rules
from rapport.connectors.portals.outgoing import Outgoing, build, resolve
from rapport.connectors.portals.sessions import Session, cookies_of, jar_of, opened
from rapport.connectors.portals.terms import Element, Predicate
from rapport.connectors.portals.transport import (
    MEANWHILE,
    HostNotAllowed,
    Hosts,
    PortalTransport,
)
from rapport.platform.net import lookup
from rapport.platform.net.guarded import SendFailed
from rapport.platform.net.lookup import BlockedAddress, Resolve
from rapport.rooms.exchange.ports import Finding, NoTurn, Reason, Target, Trouble

TRIES = 3
FIRST_PAUSE_SECONDS = 0.3
MOST_HOPS = 4
_URLENCODED = "application/x-www-form-urlencoded"
_KEEPS_NO_SESSION = (Reason.SESSION_EXPIRED, Reason.SESSION_TAKEN)


@dataclass(frozen=True, slots=True)
class Known:
    """What the oracle said."""

    alive: bool
    subject: str = ""


class Caller:
    """One session in use, for one call of the port. Closed by `with`."""

    def __init__(
        self, definition: Definition, session: Session, *, hosts: Hosts, target: Target, now: datetime,
        resolve: Resolve = lookup.system, tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        assert definition.session is not None
        self.definition, self._hosts, self._now = definition, hosts, now
        self.rules: Rules = definition.session
        self._began = session
        self._identity, self._pace = target.identity, target.pace
        self._turn = target.turn if self.rules.carrier.rotates else None
        self._client = httpx.Client(
            transport=PortalTransport(hosts, user_agent=session.user_agent, resolve=resolve, tls=tls),
            headers={"User-Agent": session.user_agent, "Accept-Language": definition.locales[0], "Accept": "*/*"},
            cookies=jar_of(session.cookies), follow_redirects=False, trust_env=False,
        )  # fmt: skip
        self.meanwhile: Callable[[], object] | None = None
        """What there is to do while the portal makes its answer; done when a request is under way, and more than once."""
        self._token = ""
        self._asked: Known | Trouble | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    @property
    def idle_seconds(self) -> int:
        """How long the portal keeps the session without use."""
        return self.rules.idle_seconds

    def named(self, ability: str, kind: str) -> str | None:
        """Return the name of the call, write or file behind an ability; None: the definition has no such one."""
        rule = self.definition.abilities.get(ability)
        return rule.call if rule is not None and rule.kind == kind else None

    def session(self, *, subject: str | None = None) -> Session:
        """Return the session as it stands now, with the cookies that the portal changed."""
        cookies = cookies_of(self._client.cookies.jar)
        return msgspec.structs.replace(self._began, cookies=cookies, subject=self._began.subject if subject is None else subject)

    def values(self) -> dict[str, str]:
        """
        Return what every request of this session may refer to, by its reference without `$`.

        A key of the local storage that holds a record is known by its members too: `local.KEY.MEMBER`.
        """
        found = {f"identity.{name}": value for name, value in self._identity.items()}
        for name, value in self._began.local.get(self._hosts.origin, {}).items():
            found[f"local.{name}"] = value
            found |= {f"local.{name}.{member}": str(part) for member, part in _members(value).items()}
        return found

    def read(
        self, request: Outgoing, *, place: str, redirects: bool = False, nothing: Predicate | None = None
    ) -> Answer | Trouble:
        """
        Ask, and return the answer when it may be what was asked for.

        :param place: name of the call, for what is reported
        :param redirects: being led elsewhere is an answer too, where no signal says what it means
        :param nothing: how it looks when there is nothing there, which may be a status: 404 of a record's own page
        """
        answer = self._tried(request)
        if isinstance(answer, Trouble):
            return answer
        trouble = self.classified(
            answer, expected=request.expected, place=place, redirects=redirects, nothing=nothing
        )
        return trouble or answer

    def follow(self, request: Outgoing, *, place: str) -> Answer | Trouble:
        """Ask, and go where the answer leads as a browser would, as long as no signal says what that means."""
        for _ in range(MOST_HOPS):
            answer = self.read(request, place=place, redirects=True)
            if isinstance(answer, Trouble) or not answer.leads_to:
                return answer
            request = led(answer, expected=request.expected)
        return self.kept(signals.trouble(Reason.DRIFT_BREAKING))

    def classified(
        self, answer: Answer, *, expected: str, place: str, redirects: bool = False, nothing: Predicate | None = None
    ) -> Trouble | None:
        """Return what an answer means that is not data; None: it may be data."""
        signal = signals.first(self.rules.signals, answer, expected=expected)
        if signal is None:
            if nothing is not None and predicates.holds(nothing, answer, expected=expected):
                return None
            if redirects and answer.leads_to:
                return None
            reason = signals.plain(answer, expected=expected)
        elif signal.ask:
            known = self._oracle_once()
            if isinstance(known, Trouble):
                return known
            reason = signal.if_true if known.alive else signal.if_false
        else:
            reason = signal.means
        return None if reason is None else self.trouble(reason, answer, expected=expected, place=place)

    def trouble(self, reason: Reason, answer: Answer, *, expected: str, place: str) -> Trouble:
        """Return a trouble that an answer made, with the session as far as there still is one."""
        found = signals.trouble(
            reason, findings=[signals.seen(answer, place=place, expected=expected)],
            retry_after=signals.retry_after(answer, now=self._now)
            or (signals.USUAL_WAIT_SECONDS if reason is Reason.BUSY else None),
        )  # fmt: skip
        return self.kept(found)

    def kept(self, found: Trouble) -> Trouble:
        """Return a trouble with the session beside it, unless it says that there is none."""
        if found.reason in _KEEPS_NO_SESSION:
            return found
        return Trouble(
            found.reason, found.detail, found.retry_after_seconds, found.findings, found.picture, self.session().to_bytes()
        )

    def ask_oracle(self) -> Known | Trouble:
        """Ask whether the session is alive and whose it is. A portal that is down says neither."""
        oracle = self.rules.oracle
        answer = self._tried(build(oracle.call, self.values()))
        if isinstance(answer, Trouble):
            return answer
        if predicates.holds(oracle.true_when, answer):
            subject = predicates.take(oracle.subject, answer)
            if not subject:
                finding = Finding(place="oracle.subject", seen="nobody", expected="who is signed in")
                return self.kept(signals.trouble(Reason.DRIFT_SUSPECT, findings=[finding]))
            return Known(True, subject)
        # A page about maintenance is no sign that the session has ended.
        signal = signals.first(self.rules.signals, answer, expected="")
        reason = signal.means if signal else signals.plain(answer, expected="")
        if reason in (Reason.BUSY, Reason.PORTAL_DOWN, Reason.MAINTENANCE, Reason.BLOCKED_BY_PORTAL, Reason.SESSION_TAKEN):
            return self.trouble(reason, answer, expected="", place="oracle")
        return Known(False)

    def still_in(self) -> Trouble | None:
        """Ask whether what was just read was read as somebody; None: it was."""
        known = self.ask_oracle()
        if isinstance(known, Trouble):
            return known
        return None if known.alive else signals.trouble(Reason.SESSION_EXPIRED)

    def _oracle_once(self) -> Known | Trouble:
        if self._asked is None:
            self._asked = self.ask_oracle()
        return self._asked

    def _tried(self, request: Outgoing) -> Answer | Trouble:
        """Send what changes nothing, again where the way there or the portal's server broke."""
        answer: Answer | None = None
        for attempt in range(TRIES):
            if attempt:
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - a pause
            try:
                answer = self.send(request)
            except SendFailed as problem:
                answer = None
                if problem.kind == "tls":
                    break
                continue
            except (HostNotAllowed, BlockedAddress):
                return self.kept(signals.trouble(Reason.HOST_NOT_ALLOWED))
            except NoTurn:
                return self.kept(no_turn())
            if not self._is_worth_another(answer, request.expected):
                return answer
        return answer if answer is not None else self.kept(signals.trouble(Reason.PORTAL_DOWN))

    def _is_worth_another(self, answer: Answer, expected: str) -> bool:
        """A portal that broke, but not one that said when to come back or what is the matter."""
        if answer.status < 500 or "retry-after" in answer.headers:
            return False
        return signals.first(self.rules.signals, answer, expected=expected) is None

    def send(self, request: Outgoing) -> Answer:
        """
        Send once, with everything that makes the session.

        :raises SendFailed: there is no answer; says whether the portal may have acted
        :raises HostNotAllowed: the definition does not name that host; nothing was sent
        :raises BlockedAddress: the host led to an address that is not called; nothing was sent
        :raises NoTurn: other requests of the session took too long; nothing was sent
        """
        url = request.url
        if url.startswith("/"):
            url = self._hosts.base_url + url
        headers, content = dict(request.headers), None
        if self._hosts.is_base(url):
            headers |= self._carried(request.method)
        if request.body is not None:
            headers = {"Content-Type": "application/json"} | headers
            content = json.dumps(request.body, separators=(",", ":")).encode()
        elif request.method != "GET":
            pairs = [*request.form, *self._token_field(request, url)]
            kind, content = multipart.encode(pairs) if request.multipart else (_URLENCODED, urlencode(pairs).encode())
            headers = {"Content-Type": kind} | headers
        answer = self._paced(request.method, url, headers, content)
        self._note_token(answer)
        return answer

    def _paced(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> Answer:
        """Send when the pace allows it, and tell how the portal took it."""
        if self._pace is not None:
            self._pace.before()
        began, busy, wait = time.monotonic(), False, None
        try:
            reply = self._in_turn(method, url, headers, content)
            heads = {name.lower(): value for name, value in reply.headers.items()}
            answer = Answer(reply.status_code, str(reply.url), reply.content, heads, self._hosts.under)
            busy, wait = answer.status == 429, signals.retry_after(answer, now=self._now)
            return answer
        finally:
            if self._pace is not None:
                self._pace.after(seconds=time.monotonic() - began, busy=busy, retry_after_seconds=wait)

    def _in_turn(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> httpx.Response:
        """Send with the newest cookies there are, and keep those that come back before anybody else sends."""
        waiting = {MEANWHILE: self.meanwhile} if self.meanwhile is not None else {}
        if self._turn is None:
            return self._client.request(method, url, headers=headers, content=content, extensions=waiting)
        left: bytes | None = None
        newest = self._turn.take()
        try:
            if newest is not None:
                self._client.cookies = httpx.Cookies(jar_of(opened(newest, base_url=self._began.base_url).cookies))
            reply = self._client.request(method, url, headers=headers, content=content, extensions=waiting)
            left = self.session().to_bytes()
            return reply
        finally:
            self._turn.give(left)

    def _carried(self, method: str) -> dict[str, str]:
        """Headers of the session beside its cookies; they go to the practice's own portal alone."""
        values, found = self.values(), {}
        for name, header in self.rules.carrier.header_recipe.items():
            value = recipe(header, values)
            if value is not None:
                found[name] = value
        csrf = self.rules.carrier.csrf
        if method != "GET" and csrf is not None and csrf.send_as == "header":
            token = self.token()
            if token:
                found[csrf.send_name] = token
        return found

    def _token_field(self, request: Outgoing, url: str) -> list[tuple[str, str]]:
        csrf = self.rules.carrier.csrf
        if csrf is None or csrf.send_as != "field" or not self._hosts.is_base(url):
            return []
        if any(name == csrf.send_name for name, _ in request.form):
            return []
        token = self.token()
        return [(csrf.send_name, token)] if token else []

    def token(self) -> str:
        """Return the token against forged requests, from where the definition says; empty: none is known."""
        csrf = self.rules.carrier.csrf
        if csrf is None:
            return ""
        if csrf.source == "cookie":
            return next((one.value for one in self.session().cookies if one.name == csrf.name), "")
        if not self._token and self.rules.oracle.call.method == "GET":
            # Any page of the session has it; the oracle's is known to be one.
            self._tried(build(self.rules.oracle.call, self.values()))
        return self._token

    def _note_token(self, answer: Answer) -> None:
        csrf = self.rules.carrier.csrf
        if csrf is None or csrf.source == "cookie" or answer.got != "html":
            return
        rule = Element(tag=csrf.source, name=(csrf.name,))
        attribute = "content" if csrf.source == "meta" else "value"
        for one in answer.tree.iter(rule.tag):
            if markup.matches(one, rule) and one.get(attribute):
                self._token = str(one.get(attribute))
                return



def _members(value: str) -> dict[str, str | int]:
    try:
        found = json.loads(value) if value.startswith("{") else {}
    except ValueError:
        return {}
    return {name: part for name, part in found.items() if isinstance(part, (str, int))}


def no_turn() -> Trouble:
    """Return the trouble of a request that did not get its turn."""
    return signals.trouble(Reason.BUSY, detail="Other calls took too long.", retry_after=signals.USUAL_WAIT_SECONDS)


def led(answer: Answer, *, expected: str) -> Outgoing:
    """Return the request that a redirect leads to. It changes nothing."""
    return Outgoing("GET", urljoin(answer.url, answer.headers["location"]), expected=expected)


def recipe(header: HeaderRecipe, values: Mapping[str, str]) -> str | None:
    """
    Return a header that a session is carried in; None: a piece of it is not there.

    >>> recipe(HeaderRecipe(prefix="Session ", pieces=("$identity.user", "$local.token"), join=":"),
    ...        {"identity.user": "ana", "local.token": "t1"})
    'Session ana:t1'
    """
    pieces = [resolve(piece, values) for piece in header.pieces]
    if any(piece is None for piece in pieces):
        return None
    text = header.join.join(str(piece) for piece in pieces)
    return header.prefix + (base64.b64encode(text.encode()).decode() if header.base64 else text)
