"""What a portal's user can be used for, before anything is stored: signed in once, and only read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from rapport.connectors.portals import calibration, forms
from rapport.connectors.portals.decode.binding import UNBOUND
from rapport.connectors.portals.definition import AbilityRule
from rapport.connectors.portals.http import Caller
from rapport.connectors.portals.kit.live import Ask, NotIn, Place
from rapport.connectors.portals.kit.outcome import Outcome
from rapport.connectors.portals.outgoing import Outgoing, ValueMissing, build
from rapport.connectors.portals.reading import Reading
from rapport.rooms.exchange.ports import OWNERS, Challenge, Factor, Reason, Trouble, Verdict

_NEEDS_A_PERSON = (Factor.SMS, Factor.EMAIL, Factor.PUSH, Factor.SSO)


def assess(place: Place, ask: Ask) -> Outcome:
    """
    Look at a portal as one of its users. One page of each list is asked for, and forms are opened and not sent.

    Failed: nobody could be signed in, or something the definition offers does not work here.
    """
    outcome = Outcome(data=_offered(place))
    outcome.say(f"{place.manifest.product}, definition {place.manifest.definition} {place.manifest.revision} ({place.manifest.level})")
    asked: list[Factor] = []

    def noting(challenge: Challenge) -> str | None:
        asked.append(challenge.factor)
        return ask(challenge)

    try:
        with place.visit(noting) as (caller, found):
            outcome.data["signed_in"] = True
            outcome.data["idle_seconds"] = found.idle_seconds
            outcome.say(f"Signed in. Unused, a session lasts {found.idle_seconds // 60} minutes.")
            _look(caller, place.target.calibration, outcome)
            _ended(place, caller, outcome)
    except NotIn as problem:
        outcome.failed = True
        _not_in(problem, outcome)
    outcome.data["factors"] = {"known": [one.value for one in place.manifest.factors], "asked": [one.value for one in dict.fromkeys(asked)]}
    _people(asked, outcome)
    _sum_up(outcome)
    return outcome


def _offered(place: Place) -> dict[str, Any]:
    m = place.manifest
    return {
        "definition": m.definition, "revision": m.revision, "product": m.product, "level": m.level, "sha256": m.sha256,
        "signed_in": False, "modules": {}, "abilities": [], "will_not_work": [],
    }  # fmt: skip


def _not_in(problem: NotIn, outcome: Outcome) -> None:
    found = problem.found
    if isinstance(found, Challenge):
        outcome.data["will_not_work"].append(f"sign-in: a code ({found.factor.value}) is asked for, and nobody gave it")
        return
    owner = OWNERS[found.reason].value
    outcome.data["trouble"] = {"reason": found.reason.value, "owner": owner, "detail": found.detail}
    outcome.data["trouble"]["where"] = problem.where()
    outcome.data["will_not_work"].append(f"sign-in: {found.reason.value} ({owner}). {found.detail}")
    outcome.data["will_not_work"] += [f"sign-in: {line}" for line in problem.where()]


def _people(asked: list[Factor], outcome: Outcome) -> None:
    person = [one.value for one in dict.fromkeys(asked) if one in _NEEDS_A_PERSON]
    if person:
        outcome.data["attended_sign_in"] = True
        outcome.say(f"Each sign-in asks somebody for a second factor ({', '.join(person)}): give this user an authenticator app where the portal lets you.")


def _look(caller: Caller, overlay: Mapping[str, Any], outcome: Outcome) -> None:
    first: dict[str, str] = {}
    rules = sorted(caller.definition.abilities.items(), key=lambda one: (one[1].kind != "read", _needs(caller, one[1])))
    for name, rule in rules:
        found: dict[str, Any] = {"ability": name, "kind": rule.kind, "cites": rule.cites}
        if rule.kind == "read" and not calibration.is_calibrated(caller.definition, overlay, call=rule.call):
            found |= {"works": None, "why": "not calibrated: `rapport connect calibrate` at this practice first"}
        elif rule.kind == "read":
            found |= _read(caller, name, rule, overlay, first)
        elif rule.kind == "write":
            found |= _form(caller, rule)
        else:
            found |= {"works": None, "why": "a file of somebody: not fetched"}
        outcome.data["abilities"].append(found)
        module = outcome.data["modules"].setdefault(name.partition(".")[0], {})
        module[name.partition(".")[2]] = found["works"]
        if found["works"] is False:
            outcome.failed = True
            outcome.data["will_not_work"].append(f"{name}: {found['why']}")


def _ended(place: Place, caller: Caller, outcome: Outcome) -> None:
    """
    Ask once as a session that has ended does, with nothing that carries it: the oracle must not say that somebody is
    signed in, and a list must say `session_expired`, since that alone makes a worker sign in again.
    """
    nobody = msgspec.structs.replace(caller.session(), cookies=(), local={}, tab={}, subject="")
    works = [one["ability"] for one in outcome.data["abilities"] if one["kind"] == "read" and one["works"]]
    found: dict[str, Any] = {"oracle": "", "lists": {}}
    outcome.data["signed_out"] = found
    with Caller(caller.definition, nobody, hosts=place.hosts, target=place.target, now=datetime.now(UTC)) as stranger:
        known = stranger.ask_oracle()
        found["oracle"] = known.reason.value if isinstance(known, Trouble) else "somebody" if known.alive else "nobody"
        for name in works:
            rule = caller.definition.abilities[name]
            call = caller.definition.calls[rule.call]
            if not call.needs and not call.strangers and not found["lists"]:
                found["lists"][rule.call] = _as_nobody(stranger, rule.call)
    wrong = [f"session: signed out, {one} says {said}, and must say session_expired: `session.signals`" for one, said in found["lists"].items() if said != Reason.SESSION_EXPIRED.value]
    if found["oracle"] != "nobody":
        wrong.append(f"session: signed out, the oracle says {found['oracle']}, and must say nobody: `session.oracle`")
    outcome.data["will_not_work"] += wrong
    outcome.failed = outcome.failed or bool(wrong)
    if not wrong:
        outcome.say(f"Signed out, the oracle says nobody{''.join(f', and {one} says session_expired' for one in found['lists'])}.")


def _as_nobody(stranger: Caller, call: str) -> str:
    try:
        request = Reading(stranger.definition, call, given={}, values=stranger.values()).start()
        answer = stranger.read(request, place=call)
    except ValueMissing:
        return Reason.SESSION_EXPIRED.value  # what carries the session is missing already: it is not asked
    return answer.reason.value if isinstance(answer, Trouble) else "nothing of it"


def _needs(caller: Caller, rule: AbilityRule) -> int:
    return len(caller.definition.calls[rule.call].needs) if rule.kind == "read" else 0


def _read(
    caller: Caller, name: str, rule: AbilityRule, overlay: Mapping[str, Any], first: dict[str, str]
) -> dict[str, Any]:  # fmt: skip
    """Read one page of a list. What was found of its rows is how many, and which fields they have."""
    call = caller.definition.calls[rule.call]
    given = {one: first.get(_whose(one, name), "") for one in call.needs}
    if not all(given.values()):
        return {"works": None, "why": "needs a record to look at, and there was none"}
    reading = Reading(caller.definition, rule.call, given=given, calibration=overlay, values=caller.values())
    try:
        request: Outgoing | None = reading.start()
    except ValueMissing as missing:
        return {"works": None, "why": f"is asked for with {missing}"}
    while request is not None and not reading.pages_read:
        answer = caller.read(request, place=rule.call)
        if isinstance(answer, Trouble):
            return _trouble(answer)
        request = reading.take(answer, at=datetime.now(UTC))
    rows, judged = reading.so_far()
    if rows and rows[0].remote_id:
        first.setdefault(name.partition(".")[0], rows[0].remote_id)
    columns = {one for one, rule in call.fields.items() if rule.source not in UNBOUND}
    lacking = sorted(columns - set(judged.shape["bound"])) if rows and call.kind == "html_table" else []
    held = judged.verdict in (Verdict.SUSPECT, Verdict.BREAKING)
    told = {"rows_on_first_page": len(rows), "verdict": judged.verdict.value, "more_pages": request is not None, "not_there": lacking}
    why = "; ".join(f"{one.place}: {one.seen}" for one in judged.findings[:3]) if held else ""
    return {"works": not held, "why": why} | told


def _whose(need: str, ability: str) -> str:
    """Of which list a record is needed: `patient_id` of patients; `remote_id` of `claim.read` of claims."""
    if need == "remote_id":
        return {"addenda": "notes"}.get(ability.partition(".")[0], f"{ability.partition('.')[0]}s")
    return f"{need.removesuffix('_id')}s"


def _form(caller: Caller, rule: AbilityRule) -> dict[str, Any]:
    """Open a form that needs no record, and see that its controls are there. Nothing is sent."""
    write = caller.definition.writes[rule.call]
    try:
        request = build(write.open, caller.values(), expected="html")
    except ValueMissing:
        return {"works": None, "why": "stands at a record: not opened, since some portals lock what is opened"}
    answer = caller.read(request, place=rule.call)
    if isinstance(answer, Trouble):
        return _trouble(answer)
    found = forms.filled(write, answer, values={}, place=rule.call)
    return _trouble(found) if isinstance(found, Trouble) else {"works": True, "why": "", "attended": write.attended}


def _trouble(found: Trouble) -> dict[str, Any]:
    where = "; ".join(f"{one.place}: {one.seen}" for one in found.findings[:3])
    if found.reason is Reason.NOT_PERMITTED:
        where = ""
    return {"works": False, "reason": found.reason.value, "why": f"{found.reason.value}. {found.detail}" + (f" ({where})" if where else ""), "owner": OWNERS[found.reason].value}


def _sum_up(outcome: Outcome) -> None:
    tried = {one["ability"]: one["works"] for one in outcome.data["abilities"]}
    refused = [one["ability"] for one in outcome.data["abilities"] if one.get("reason") == Reason.NOT_PERMITTED.value]
    outcome.data["role"] = {"may": [name for name, works in tried.items() if works], "may_not": refused}
    words = {True: "works", False: "WILL NOT WORK", None: "not tried"}
    for one in outcome.data["abilities"]:
        rows = f", {one['rows_on_first_page']} rows on its first page" if "rows_on_first_page" in one else ""
        lacking = f", without {', '.join(one['not_there'])}" if one.get("not_there") else ""
        outcome.say(f"  {one['ability']:<24} {words[one['works']]}{rows}{lacking}{': ' + one['why'] if one['why'] else ''}")
    for line in outcome.data["will_not_work"]:
        outcome.say(f"Will not work: {line}")
    if not outcome.failed:
        outcome.say("Everything that was tried works.")
    outcome.say("Nothing was changed at the portal, and nothing of it was kept.")
