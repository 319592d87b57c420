"""
A portal by script: what the exchange room's own tests speak to, in place of a real one.

It keeps what it knows in a file, so that it outlives a worker that is killed, and counts what was
done to it. `script` queues how the next calls of a kind go; without a script all goes well.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.rooms.exchange import ports
from rapport.rooms.exchange.ports import Ability, Manifest, Reason, Target, Trouble

PASSWORD = "ZZSECRET-portal-password-1"
SEED = "ZZSECRETSEEDZZSECRETSEED22"
WATCHED = ("birth_on", "charge")
KINDS = ("appointments", "claims", "clinicians", "notes", "patients")
CHILDREN = ("addenda",)
"""Kinds that stand under a record of another kind."""


def _abilities() -> tuple[Ability, ...]:
    reads = tuple(Ability(f"{kind}.read", "read", "calibrated", watched=WATCHED) for kind in KINDS)
    key = ("patient", "clinician", "start_local")
    return (
        *reads,
        Ability("appointments.create", "write", "calibrated", key=key, settle_seconds=1),
        Ability("appointments.update", "write", "calibrated", key=key, read_back="appointment.read", settle_seconds=1),
        Ability("appointment.read", "read", "calibrated", needs=("remote_id",)),
        Ability("patients.create", "write", "uncalibrated", key=("first_name",), settle_seconds=1),
        Ability("notes.create", "write", "calibrated", key=("patient", "service_on"), settle_seconds=1),
        Ability("addenda.read", "read", "calibrated", needs=("remote_id",)),
        Ability(
            "notes.addendum", "write", "calibrated", key=("body",), read_back="addenda.read", settle_seconds=1,
            fields=("body",), makes_child=True,
        ),
        Ability("claims.submit", "write", "calibrated", key=("control_number",), settle_seconds=1, attended=True),
        Ability("notes.pdf", "file", "calibrated"),
        Ability("claims.file", "file", "calibrated"),
    )


class ScriptedPortal:
    """The port `Portal`, as a script says."""

    def __init__(self, home: Path, *, definition: str = "scripted", seconds: float = 0.0, **limits: Any) -> None:
        """
        :param seconds: how long a call takes
        :param limits: of the manifest: `logins_per_hour`, `requests_per_second`, …
        """
        self.file = home / "portal.json"
        self.definition, self.seconds = definition, seconds
        self.turns = False
        """Requests of a session take turns, as where a definition says that the cookies rotate."""
        self.code_mail: ports.CodeMail | None = None
        self.code_text = ""
        """How its mails with codes look."""
        self.sends: Callable[[], None] | None = None
        """What it does when it asks for a code: sends one, or not."""
        self.able = True
        """There is a browser to sign in with."""
        self.further: tuple[Ability, ...] = ()
        """Abilities that a test adds."""
        self.unasked: tuple[str, ...] = ()
        """Abilities that a probe does not ask about."""
        self.same_bytes = False
        """Whether each file is the same one."""
        self.limits = {
            "requests_per_second": 1000.0, "burst": 1000, "parallel": 4, "logins_per_hour": 6, "revision": 1,
        } | limits  # fmt: skip
        if not self.file.exists():
            self._write(
                {
                    "password": PASSWORD, "sessions": {}, "next": 1, "rows": {kind: {} for kind in (*KINDS, *CHILDREN)},
                    "script": {}, "log": [], "late": {}, "permitted": {},
                }
            )  # fmt: skip

    def _write(self, state: dict[str, Any]) -> None:
        temporary = self.file.with_suffix(".new")
        temporary.write_text(json.dumps(state))
        temporary.replace(self.file)

    @contextmanager
    def state(self) -> Iterator[dict[str, Any]]:
        """What the portal knows, alone among threads and processes; what is changed is kept."""
        with (self.file.parent / "portal.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = json.loads(self.file.read_text())
            yield state
            self._write(state)

    def script(self, call: str, *answers: Mapping[str, Any]) -> None:
        """Queue how the next calls go: `{"trouble": "busy"}`, `{"drop": "after"}`, … `{}`: as usual."""
        with self.state() as state:
            state["script"].setdefault(call, []).extend(answers)

    def put(self, kind: str, remote_id: str, /, **values: Any) -> None:
        """Have a record, as if a person had written it at the portal."""
        with self.state() as state:
            state["rows"].setdefault(kind, {})[remote_id] = values

    def sheet(self, kind: str, remote_id: str, /, **values: Any) -> None:
        """Have an export say this of a record; nothing: what the list says. `gone`: it leaves the record out."""
        with self.state() as state:
            state.setdefault("sheets", {}).setdefault(kind, {})[remote_id] = values

    def drop(self, kind: str, remote_id: str) -> None:
        """Have a record no more."""
        with self.state() as state:
            del state["rows"][kind][remote_id]

    def rows(self, kind: str) -> dict[str, dict[str, Any]]:
        """What the portal has."""
        with self.state() as state:
            found: dict[str, dict[str, Any]] = state["rows"][kind]
            return found

    def log(self, call: str) -> list[dict[str, Any]]:
        """Every call of a kind, in order."""
        with self.state() as state:
            return [entry for entry in state["log"] if entry["call"] == call]

    def end_sessions(self) -> None:
        """Forget everybody who is signed in."""
        with self.state() as state:
            state["sessions"] = {}

    @contextmanager
    def _call(self, call: str, target: Target, **facts: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        if target.pace is not None:
            target.pace.before()
        began = time.monotonic()
        turn = target.turn if self.turns else None
        newest = turn.take() if turn is not None else None
        time.sleep(self.seconds)
        with self.state() as state:
            queue = state["script"].get(call) or [{}]
            how = queue.pop(0)
            state["log"].append({"call": call, "at": time.time(), **facts})
            how["newest"] = newest
            yield state, how
        if turn is not None:
            turn.give(how.get("left"))
        if target.pace is not None:
            target.pace.after(
                seconds=how.get("took", time.monotonic() - began), busy=how.get("trouble") == "busy",
                retry_after_seconds=how.get("retry_after"),
            )  # fmt: skip

    def _trouble(self, how: Mapping[str, Any], session: bytes | None = None) -> Trouble | None:
        if "trouble" not in how:
            return None
        return Trouble(
            Reason(how["trouble"]), detail=how.get("detail", ""), retry_after_seconds=how.get("retry_after"),
            findings=tuple(ports.Finding(**one) for one in how.get("findings", ())), session=session,
            gave_nothing=how.get("gave_nothing", False),
        )  # fmt: skip

    def _all(self) -> tuple[Ability, ...]:
        return (*_abilities(), *self.further)

    def manifests(self) -> list[Manifest]:
        return [
            Manifest(
                definition=self.definition, product="Scripted EHR", level="gold",
                identity_fields=("practice_code", "username"),
                factors=(ports.Factor.TOTP, ports.Factor.SMS, ports.Factor.EMAIL), abilities=self._all(),
                sha256="0" * 64, code_mail=self.code_mail, code_text=self.code_text,
                **self.limits,
            )
        ]  # fmt: skip

    def _new_session(self, state: dict[str, Any], subject: str) -> ports.SignedIn:
        number = str(state["next"])
        state["next"] += 1
        state["sessions"][number] = 0
        return ports.SignedIn(session=f"ZZSESSION:{number}:0".encode(), subject=subject, idle_seconds=600)

    def unable(self) -> Trouble | None:
        return None if self.able else Trouble(Reason.NO_BROWSER)

    def sign_in(
        self, target: Target, *, now: datetime, earlier: bytes | None = None
    ) -> ports.SignedIn | ports.Challenge | Trouble:
        given = target.secrets.get("password")
        known = earlier.decode() if earlier else ""
        with self._call("sign_in", target, right=given is not None, earlier=known) as (state, how):
            trouble = self._trouble(how)
            if trouble is not None:
                return trouble
            if given != state["password"]:
                return Trouble(Reason.CREDENTIALS_REJECTED)
            if "challenge" in how:
                if self.sends is not None:
                    self.sends()
                return self._challenge(how, now)
            return self._new_session(state, how.get("subject", target.identity["username"]))

    def _challenge(self, how: Mapping[str, Any], now: datetime) -> ports.Challenge:
        return ports.Challenge(
            factor=ports.Factor(how["challenge"]), masked_destination="•••-0142", issued_at=now,
            expires_at=now + timedelta(seconds=how.get("good_for", 600)), resume=b"ZZRESUME half way",
        )  # fmt: skip

    def answer(
        self, target: Target, *, resume: bytes, code: str | None, now: datetime
    ) -> ports.SignedIn | ports.Challenge | Trouble:
        assert resume == b"ZZRESUME half way"
        with self._call("answer", target, code=code) as (state, how):
            trouble = self._trouble(how)
            if trouble is not None:
                return trouble
            if code != "246810" and (code is not None or how.get("waits")):
                return self._challenge({"challenge": how.get("waits", "sms")}, now)
            return self._new_session(state, target.identity["username"])

    def _used(self, state: dict[str, Any], session: bytes, how: Mapping[str, Any]) -> bytes | None:
        """Return the session after a use, or None: the portal does not know it."""
        _, number, place = (how["newest"] or session).decode().split(":")
        if number not in state["sessions"]:
            return None
        if "strict" in how and state["sessions"][number] != int(place):
            del state["sessions"][number]
            return None
        if "rotate" in how:
            state["sessions"][number] += 1
        how["left"] = f"ZZSESSION:{number}:{state['sessions'][number] if 'rotate' in how else place}".encode()
        left: bytes = how["left"]
        return left

    def who(self, target: Target, *, session: bytes, now: datetime) -> ports.SignedIn | Trouble:
        with self._call("who", target) as (state, how):
            used = self._used(state, session, how)
            if used is None:
                return Trouble(Reason.SESSION_EXPIRED)
            return ports.SignedIn(session=used, subject=target.identity["username"], idle_seconds=600)

    def sign_out(self, target: Target, *, session: bytes, now: datetime) -> None:
        with self._call("sign_out", target) as (state, _):
            state["sessions"].pop(session.decode().split(":")[1], None)

    def read(
        self, target: Target, *, ability: str, given: Mapping[str, str], session: bytes,
        baseline: Mapping[str, Any] | None, now: datetime,
    ) -> ports.Got | Trouble:
        kind = "appointments" if ability == "appointment.read" else ability.removesuffix(".read")
        with self._call(f"read:{kind}", target, session=session.decode(), given=dict(given)) as (state, how):
            used = self._used(state, session, how)
            if used is None:
                return Trouble(Reason.SESSION_EXPIRED)
            trouble = self._trouble(how, used)
            if trouble is not None:
                return trouble
            found = {
                id: values for id, values in state["rows"].get(kind, {}).items()
                if self._inside(values, given) and state["late"].get(id, 0) <= time.time()
                and (ability != "appointment.read" or id == given["remote_id"])
            }  # fmt: skip
        for id, values in how.get("rows", {}).items():
            found[id] = values
        page = ports.Page(f"GET /{kind}", datetime.fromisoformat(how["at"]) if "at" in how else now, sha256(json.dumps(found).encode()).hexdigest(), len(found))
        return ports.Got(
            rows=[
                ports.Row(id, values, absent=how.get("absent", {})) for id, values in sorted(found.items())
            ],
            pages=[page], verdict=ports.Verdict(how.get("verdict", "same")),
            fingerprint=how.get("fingerprint", "f1"), shape=how.get("shape", {"columns": [kind]}),
            session=used, complete=how.get("complete", "count"),
            findings=tuple(ports.Finding(**one) for one in how.get("findings", ())),
        )  # fmt: skip

    @staticmethod
    def _inside(values: Mapping[str, Any], given: Mapping[str, str]) -> bool:
        if "under" in values and values["under"] != given.get("remote_id"):
            return False
        day = str(values.get("start_local") or values.get("service_on") or "")[:10]
        if day and given.get("from_on") and not given["from_on"] <= day <= given["to_on"]:
            return False
        return given.get("patient_id") in (None, values.get("patient"))

    def fetch(
        self, target: Target, *, ability: str, remote_id: str, session: bytes, now: datetime
    ) -> ports.GotFile | Trouble:
        with self._call("fetch", target, remote_id=remote_id) as (state, how):
            used = self._used(state, session, how)
            trouble = self._trouble(how, used) if used else Trouble(Reason.SESSION_EXPIRED)
            if trouble is not None or used is None:
                return trouble or Trouble(Reason.SESSION_EXPIRED)
        name = "the same" if self.same_bytes else remote_id
        content = f"%PDF-1.4 {name} {how.get('content', '')}".encode()
        page = ports.Page("GET /file", now, sha256(content).hexdigest(), 1)
        return ports.GotFile(content, "application/pdf", "file.pdf", page, used)

    def rows_in(
        self, target: Target, *, ability: str, kind: str, remote_id: str, content: bytes, now: datetime
    ) -> list[ports.Row] | Trouble:
        with self._call("rows_in", target, remote_id=remote_id) as (state, how):
            trouble = self._trouble(how)
            if trouble is not None:
                return trouble
            said = state.get("sheets", {}).get(kind, {})
            found = {
                id: (state["rows"][kind].get(id) or {}) | said.get(id, {}) for id in {*state["rows"][kind], *said}
            }
        return [ports.Row(id, values) for id, values in sorted(found.items()) if not values.pop("gone", False)]

    def submit(
        self, target: Target, *, ability: str, values: Mapping[str, Any], session: bytes, now: datetime
    ) -> ports.Submitted | ports.Refused | ports.InDoubt | Trouble:
        kind = ability.partition(".")[0]
        with self._call("submit", target, ability=ability, values=dict(values)) as (state, how):
            used = self._used(state, session, how)
            if used is None:
                return Trouble(Reason.SESSION_EXPIRED)
            trouble = self._trouble(how, used)
            if trouble is not None:
                return trouble
            if "refuse" in how:
                return ports.Refused(used, message=how["refuse"], fields=how.get("fields", {}))
            if how.get("drop") == "before":
                return ports.InDoubt("no answer", session=used)
            named = how.get("names")
            if not how.get("ignore"):
                said = {name: value for name, value in values.items() if name != "remote_id"}
                if ability == "notes.addendum":
                    kind, values, said = "addenda", {}, said | {"under": values["remote_id"]}
                id = str(values.get("remote_id") or f"r{state['next']}")
                state["next"] += 1
                named = id if named is True else named
                state["rows"][kind][id] = state["rows"][kind].get(id, {}) | said | how.get("as", {})
                if "late" in how:
                    state["late"][id] = time.time() + how["late"]
        time.sleep(how.get("slow", 0))
        if how.get("drop") == "after":
            return ports.InDoubt("no answer", session=used)
        return ports.Submitted(used, named or None)

    def look(
        self, target: Target, *, asked: Mapping[str, Mapping[str, str]], session: bytes, now: datetime
    ) -> ports.Views | Trouble:
        with self._call("look", target) as (state, how):
            used = self._used(state, session, how)
            if used is None:
                return Trouble(Reason.SESSION_EXPIRED)
            trouble = self._trouble(how, used)
            if trouble is not None:
                return trouble
            lists = {}
            for ability in asked:
                rows = state["rows"][ability.removesuffix(".read")]
                ways = [
                    tuple(ports.Row(id, values | how.get(way, {}).get(id, {})) for id, values in rows.items() if id not in how.get("hides", ()))
                    for way in ("http", "browser", "again")
                ]  # fmt: skip
                lists[ability] = ports.View(*ways)
            return ports.Views(lists, used)

    def probe(self, target: Target, *, session: bytes, now: datetime) -> Mapping[str, bool] | Trouble:
        with self._call("probe", target) as (state, how):
            used = self._used(state, session, how)
            if used is None:
                return Trouble(Reason.SESSION_EXPIRED)
            asked = [one.name for one in self._all() if one.name not in self.unasked]
            return {name: state["permitted"].get(name, True) for name in asked}


def carry_on_writes(practice_id: UUID, file: str) -> None:
    """Take up what is due, as a worker would, until nothing is; for a process that may be killed."""
    from django.utils import timezone

    from rapport.platform.access.scope import system_scope
    from rapport.platform.db.session import entered
    from rapport.rooms.exchange import jobs, queries
    from rapport.rooms.exchange.jobs.writing import write

    seconds = float(os.environ.get("RAPPORT_TEST_PORTAL_SECONDS", "0"))
    jobs.supply(ScriptedPortal(Path(file).parent, seconds=seconds))
    scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
    while True:
        with entered(scope):
            due = [
                row.id
                for connection in queries.live_connections(scope=scope)
                for row in queries.due_writes(scope=scope, connection_id=connection.id, now=timezone.now())
            ]
        if not due:
            return
        for write_id in due:
            write(scope=scope, write_id=write_id)
