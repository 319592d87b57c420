"""Carries a definition out against a portal. Supplies `rapport.rooms.exchange.ports.Portal`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapport.connectors.portals import calibration, loader, scripts, signals
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.definition import Definition, Probe
from rapport.connectors.portals.files import fetch
from rapport.connectors.portals.http import Caller
from rapport.connectors.portals.outgoing import Outgoing, ValueMissing, build
from rapport.connectors.portals.predicates import holds
from rapport.connectors.portals.reading import Reading, Whole
from rapport.connectors.portals.sessions import NoSession, Session, opened, resumed
from rapport.connectors.portals.submit import submit
from rapport.connectors.portals.transport import HostNotAllowed, Hosts
from rapport.platform.net import lookup
from rapport.platform.net.guarded import SendFailed, UrlNotAllowed
from rapport.platform.net.lookup import BlockedAddress, Resolve
from rapport.rooms.exchange.ports import (
    Challenge,
    Got,
    GotFile,
    InDoubt,
    Manifest,
    Reason,
    Refused,
    Row,
    SignedIn,
    Submitted,
    Target,
    Trouble,
    Views,
)

if TYPE_CHECKING:
    from rapport.connectors.portals.signin import SignIn

CUT_PAUSE_SECONDS = 1.0
"""A list whose answer broke off is read once more after so long."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A target looked up: which definition, and where it may go."""

    definition: Definition
    hosts: Hosts


class PortalDriver:
    """Every portal that a definition is shipped for. Keeps nothing between calls."""

    def __init__(
        self, *, local: bool = False, folder: Path = loader.FOLDER, executable: str = scripts.CHROMIUM,
        resolve: Resolve = lookup.system,
    ) -> None:  # fmt: skip
        """
        :param local: portals on this machine's loopback may be called (demo and tests)
        :param folder: where the definitions are
        :param executable: the browser
        """
        self._local, self._folder, self._executable, self._resolve = local, folder, executable, resolve

    def manifests(self) -> Sequence[Manifest]:
        """Return every definition that is shipped and whose signature holds."""
        return [loader.manifest(one) for one in loader.shipped(folder=self._folder).values()]

    def unable(self) -> Trouble | None:
        """Return why no sign-in can begin on this machine; None: it can."""
        if Path(self._executable).exists():
            return None
        return signals.trouble(Reason.NO_BROWSER, detail=f"There is no {Path(self._executable).name} where it is looked for.")

    def sign_in(
        self, target: Target, *, now: datetime, earlier: bytes | None = None
    ) -> SignedIn | Challenge | Trouble:
        """
        Open a session. At most one try of the password leaves this call.

        :param earlier: a session that has ended; what the portal still remembers of its browser may spare a factor
        """
        place = self._place(target)
        if isinstance(place, Trouble):
            return place
        before: Session | None = None
        if earlier is not None:
            with suppress(NoSession):
                before = opened(earlier, base_url=place.hosts.base_url)
        return self._sign_in(place, target, now).begin(earlier=before)

    def answer(
        self, target: Target, *, resume: bytes, code: str | None, now: datetime
    ) -> SignedIn | Challenge | Trouble:
        """Go on with a sign-in where a challenge stopped it."""
        place = self._place(target)
        if isinstance(place, Trouble):
            return place
        try:
            halted = resumed(resume, base_url=place.hosts.base_url)
        except NoSession:
            return signals.trouble(Reason.SECOND_FACTOR_EXPIRED)
        return self._sign_in(place, target, now).go_on(halted, code)

    def who(self, target: Target, *, session: bytes, now: datetime) -> SignedIn | Trouble:
        """Ask the oracle: is this session alive, and whose is it?"""
        caller = self._caller(target, session, now)
        if isinstance(caller, Trouble):
            return caller
        with caller:
            known = caller.ask_oracle()
            if isinstance(known, Trouble):
                return known
            if not known.alive:
                return signals.trouble(Reason.SESSION_EXPIRED)
            return SignedIn(caller.session(subject=known.subject).to_bytes(), known.subject, caller.idle_seconds)

    def sign_out(self, target: Target, *, session: bytes, now: datetime) -> None:
        """End the session at the portal, as far as it lets us."""
        caller = self._caller(target, session, now)
        if isinstance(caller, Trouble):
            return
        with caller, suppress(SendFailed, HostNotAllowed, BlockedAddress):
            request = caller.rules.sign_out
            if request is not None:
                caller.send(build(request, caller.values()))

    def read(
        self, target: Target, *, ability: str, given: Mapping[str, str], session: bytes,
        baseline: Mapping[str, Any] | None, now: datetime,
    ) -> Got | Trouble:  # fmt: skip
        """Read every row of a list."""
        caller = self._caller(target, session, now)
        if isinstance(caller, Trouble):
            return caller
        with caller:
            name = caller.named(ability, "read")
            if name is None:
                return caller.kept(_unable(ability))
            reading = Reading(
                caller.definition, name, given=given, calibration=target.calibration, baseline=baseline,
                values=caller.values(),
            )  # fmt: skip
            try:
                whole = _read(caller, reading, now)
                if isinstance(whole, Trouble) and whole.reason is Reason.CUT_SHORT:
                    time.sleep(CUT_PAUSE_SECONDS)
                    whole = _read(caller, reading, now)
            except ValueMissing as missing:
                return caller.kept(signals.trouble(Reason.CONNECTOR_OUTDATED, detail=f"{ability} needs {missing}."))
            if isinstance(whole, Trouble):
                return whole
            return Got(
                rows=whole.rows, pages=whole.pages, verdict=whole.verdict, fingerprint=whole.fingerprint, shape=whole.shape,
                session=caller.session().to_bytes(), complete=whole.complete, findings=whole.findings,
                coverage=whole.coverage,
            )  # fmt: skip

    def look(
        self, target: Target, *, asked: Mapping[str, Mapping[str, str]], session: bytes, now: datetime
    ) -> Views | Trouble:
        """Read the first page of lists over HTTP and in a browser."""
        place = self._place(target)
        if isinstance(place, Trouble):
            return place
        unable = self.unable()
        if unable is not None:
            return unable
        try:
            at_hand = opened(session, base_url=place.hosts.base_url)
        except NoSession:
            return signals.trouble(Reason.SESSION_EXPIRED)
        # Only who opens a browser loads what drives one.
        from rapport.connectors.portals.looking import Look

        def caller_of(one: Session) -> Caller:
            return Caller(place.definition, one, hosts=place.hosts, target=target, now=now, resolve=self._resolve)

        return Look(target, place.hosts, self._executable, self._resolve, caller_of, now).at(asked, at_hand)

    def fetch(
        self, target: Target, *, ability: str, remote_id: str, session: bytes, now: datetime
    ) -> GotFile | Trouble:
        """Fetch a file: a signed note, an export, an ERA."""
        caller = self._caller(target, session, now)
        if isinstance(caller, Trouble):
            return caller
        with caller:
            name = caller.named(ability, "file")
            return fetch(caller, name, remote_id=remote_id, now=now) if name else caller.kept(_unable(ability))

    def rows_in(
        self, target: Target, *, ability: str, kind: str, remote_id: str, content: bytes, now: datetime
    ) -> Sequence[Row] | Trouble:
        """Read the records out of a file that was fetched. Asks no portal."""
        place = self._place(target)
        if isinstance(place, Trouble):
            return place
        d = place.definition
        rule = d.abilities.get(ability)
        file = d.files.get(rule.call) if rule is not None and rule.kind == "file" else None
        if file is None or kind not in file.sheets:
            return _unable(f"{ability} of {kind}")
        reading = Reading(d, file.sheets[kind], given={"remote_id": remote_id}, calibration=target.calibration)
        whole = reading.read_file(content, content_type=file.content_type[0], at=now)
        return whole if isinstance(whole, Trouble) else whole.rows

    def submit(
        self, target: Target, *, ability: str, values: Mapping[str, Any], session: bytes, now: datetime
    ) -> Submitted | Refused | InDoubt | Trouble:
        """Fill a form and send it, once."""
        caller = self._caller(target, session, now)
        if isinstance(caller, Trouble):
            return caller
        with caller:
            name = caller.named(ability, "write")
            if name is None:
                return caller.kept(_unable(ability))
            return submit(caller, caller.definition.writes[name], name=name, values=values)

    def probe(self, target: Target, *, session: bytes, now: datetime) -> Mapping[str, bool] | Trouble:
        """Return ability -> whether this portal user has it."""
        caller = self._caller(target, session, now)
        if isinstance(caller, Trouble):
            return caller
        found: dict[str, bool] = {}
        with caller:
            for one in caller.definition.probe:
                answer = caller.read(_first_request(caller, one), place=one.ability)
                if isinstance(answer, Trouble) and answer.reason is not Reason.NOT_PERMITTED:
                    return answer
                found[one.ability] = not isinstance(answer, Trouble) and not _shown_only(caller, one, answer)
        return found

    def _sign_in(self, place: _Place, target: Target, now: datetime) -> SignIn:
        # Only who signs in loads what drives a browser: a process that answers requests never does.
        from rapport.connectors.portals.signin import SignIn

        return SignIn(
            place.definition, target, place.hosts, now, executable=self._executable, resolve=self._resolve
        )

    def _caller(self, target: Target, session: bytes, now: datetime) -> Caller | Trouble:
        place = self._place(target)
        if isinstance(place, Trouble):
            return place
        try:
            return Caller(
                place.definition, opened(session, base_url=place.hosts.base_url), hosts=place.hosts,
                target=target, now=now, resolve=self._resolve,
            )  # fmt: skip
        except NoSession:
            return signals.trouble(Reason.SESSION_EXPIRED)

    def _place(self, target: Target) -> _Place | Trouble:
        loaded = loader.shipped(folder=self._folder).get(target.definition)
        if loaded is None or loaded.definition.session is None:
            return signals.trouble(Reason.CONNECTOR_OUTDATED, detail="There is no such connector here, or it signs in nowhere.")
        here = target.calibration.get("hosts", {})
        try:
            definition = calibration.apply(loaded.definition, target.calibration)
            hosts = Hosts(target.base_url, definition.hosts, local=self._local, here=here if isinstance(here, Mapping) else {})
        except UrlNotAllowed as problem:
            return signals.trouble(Reason.HOST_NOT_ALLOWED, detail=str(problem))
        except calibration.BadCalibration as problem:
            return signals.trouble(Reason.CONNECTOR_OUTDATED, detail=f"The calibration does not fit: {problem}.")
        return _Place(definition, hosts)


def _read(caller: Caller, reading: Reading, now: datetime) -> Whole | Trouble:
    """Read a list from its first page to its last."""
    request: Outgoing | None = reading.start()
    caller.meanwhile = reading.catch_up
    while request is not None:
        answer = caller.read(request, place=reading.place, nothing=reading.call.empty.when)
        if isinstance(answer, Trouble):
            return answer
        request = reading.take(answer, at=now)
    stranger = caller.still_in() if reading.call.strangers else None
    if stranger is not None:
        return stranger
    whole = reading.finish()
    return caller.kept(whole) if isinstance(whole, Trouble) else whole


def _first_request(caller: Caller, probe: Probe) -> Outgoing:
    """Of a list its first page, of a form the form itself: nothing is sent that changes anything."""
    rule = caller.definition.abilities[probe.ability]
    values = caller.values() | {f"given.{name}": value for name, value in probe.given.items()}
    if rule.kind == "write":
        return build(caller.definition.writes[rule.call].open, values, expected="html")
    return Reading(caller.definition, rule.call, given=probe.given, values=caller.values()).start()


def _shown_only(caller: Caller, probe: Probe, page: Answer) -> bool:
    """Whether a form is shown to somebody who may not send it."""
    rule = caller.definition.abilities[probe.ability]
    closed = caller.definition.writes[rule.call].not_permitted if rule.kind == "write" else None
    return closed is not None and holds(closed, page, expected="html")


def _unable(ability: str) -> Trouble:
    return signals.trouble(Reason.CONNECTOR_OUTDATED, detail=f"The connector knows no {ability}.")
