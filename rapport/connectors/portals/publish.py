"""What a definition must say before it is believed: the rules that no structure can hold."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from string import Formatter
from typing import Any

import msgspec

from rapport.connectors.portals.definition import (
    Bind,
    Call,
    CodeMailRule,
    Definition,
    Field,
    FileCall,
    Ids,
    RemoteId,
    Rows,
    Write,
)
from rapport.connectors.portals.predicates import compiled
from rapport.connectors.portals.terms import JsonTest, Pick, Predicate, Request

DECIDES = tuple(f"{kind}.read" for kind in ("appointments", "notes", "claims", "billing_items", "payments", "eras"))
"""Lists after which somebody is treated or paid: columns that change places unseen do harm there."""
_REFERENCE = re.compile(
    r"\$(code|canary|base|(identity|secret|given|values|local)\.[a-z][a-z0-9_.]*|page\.(number|offset|size|ids))"
)
_HOST = re.compile(r"\$base|[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_SENDER = re.compile(r"[a-z0-9._+-]*@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_INDEX = re.compile(r"\[\s*-?\d+\s*\]|^-?\d+$")
_NESTED_REPEAT = re.compile(r"\([^()]*[*+}][^()]*\)\s*[*+{]")


def faults(definition: Definition) -> list[str]:
    """Return in words everything for which a definition is refused; empty: it may be published."""
    return list(_faults(definition))


def _faults(d: Definition) -> Iterator[str]:
    if not d.locales:
        yield "locales: names no language"
    for host in d.hosts:
        if not _HOST.fullmatch(host):
            yield f"hosts: {host!r} is neither $base nor a whole name"
    if (d.session is None) != (d.login is None):
        yield "session and login: one without the other"
    if d.session is not None:
        yield from _session(d)
    if d.login is not None:
        yield from _login(d)
    for name, call in d.calls.items():
        yield from (f"calls.{name}: {fault}" for fault in _call(call, d))
    for name, write in d.writes.items():
        yield from (f"writes.{name}: {fault}" for fault in _write(write, d))
    for name, file in d.files.items():
        yield from (f"files.{name}: {fault}" for fault in _sheets(file, d))
    yield from _abilities(d)
    yield from _everywhere(d)


def _session(d: Definition) -> Iterator[str]:
    assert d.session is not None
    oracle = d.session.oracle
    if not oracle.call.path.startswith("/"):
        yield "session.oracle: names no call"
    if _says_nothing(oracle.true_when):
        yield "session.oracle.true_when: holds of everything"
    if oracle.subject.element is None and not oracle.subject.json:
        yield "session.oracle.subject: says nowhere who is signed in"
    if not d.session.carrier.cookies and not d.session.carrier.local_storage:
        yield "session.carrier: carries nothing"
    if d.session.idle_seconds < 1:
        yield "session.idle_seconds: must be at least one"
    for number, signal in enumerate(d.session.signals):
        answered = (signal.means is not None) != bool(signal.ask)
        if not answered or (signal.ask and (signal.if_true is None or signal.if_false is None)):
            yield f"session.signals.{number}: says neither what it means nor what the oracle's answer means"
        if _says_nothing(signal.when):
            yield f"session.signals.{number}: holds of everything"


def _login(d: Definition) -> Iterator[str]:
    assert d.login is not None
    if not d.login.prompts:
        yield "login: has no prompt"
    if not d.login.rejected:
        yield "login: does not say how a refusal looks"
    if d.login.code_mail is not None:
        yield from _code_mail(d.login.code_mail)
    if d.login.code_text is not None:
        yield from _code(d.login.code_text.pattern, "login.code_text")
    for prompt in d.login.prompts:
        if _says_nothing(prompt.seen):
            yield f"login.{prompt.name}: is seen everywhere"
        if prompt.means is None and prompt.press is None and prompt.challenge is None:
            yield f"login.{prompt.name}: leads nowhere"
        if prompt.challenge and prompt.challenge.factor not in d.factors:
            yield f"login.{prompt.name}: its factor is not among the definition's"
        for name, fill in prompt.fill.items():
            if fill.value == "$secret.password" and fill.anchor.type != ("password",):
                yield f"login.{prompt.name}.{name}: a password goes into a password box only"


def _code_mail(rule: CodeMailRule) -> Iterator[str]:
    if not rule.senders or not all(_SENDER.fullmatch(one) for one in rule.senders):
        yield "login.code_mail: a sender is an address, or all of a host as @host"
    yield from _code(rule.pattern, "login.code_mail")


def _code(pattern: str, place: str) -> Iterator[str]:
    wrong = list(_pattern(pattern))
    yield from (f"{place}: {fault}" for fault in wrong)
    if not wrong and re.compile(pattern).groups != 1:
        yield f"{place}: its pattern needs one group, the code"


def _call(call: Call, d: Definition) -> Iterator[str]:
    if not call.order:
        yield "does not say in which order the rows come"
    if call.ids is not None and (call.page.by != "none" or call.ids.size < 1 or call.ids.chunk < 1):
        yield "is asked for by ids and by pages, or by no ids at a time"
    if call.end == "count" and call.count is None and call.ids is None:
        yield "ends by a count and names none"
    if call.end == "last_page" and (call.last_page is None or _says_nothing(call.last_page)):
        yield "ends by a mark of the last page and names none"
    if call.end == "whole_file" and call.page.by != "none":
        yield "a whole file has no pages"
    if call.empty.never == (call.empty.when is not None) or (call.empty.when is not None and _says_nothing(call.empty.when)):
        yield "does not say how an empty list looks, or that there is none"
    shows = call.empty.when
    if call.count is not None and call.count.unless_empty and (shows is None or (shows.has is None and not shows.text_any)):
        yield "shows no count when it is empty, and names nothing that is there instead"
    if call.page.by == "link" and call.page.next is None:
        yield "goes on by a link and names none"
    if call.page.by in ("number", "offset") and not call.page.parameter:
        yield "goes on by a parameter and names none"
    if call.page.by == "offset" and call.page.size < 1:
        yield "goes on by an offset and names no size"
    if (call.bind.metadata is not None) != bool(call.bind.names):
        yield "bind: metadata without names, or names without metadata"
    if not any(field.required for field in call.fields.values()):
        yield "requires no field"
    if call.kind == "html_items" and call.rows.row is None:
        yield "is made of items and does not say what one is"
    if call.within and call.fields.get(call.within.field) is None:
        yield "within: its field is none of the call's"
    yield from _remote_id(call.remote_id, call)
    for name, field in call.fields.items():
        yield from (f"{name}: {fault}" for fault in _field(field, call, d))


def _remote_id(id: RemoteId, call: Call) -> Iterator[str]:
    if id.source == "row" and not id.attribute:
        yield "remote_id: names no attribute of the row"
    if id.source in ("link", "field") and id.field not in call.fields:
        yield "remote_id: its field is none of the call's"


def _field(field: Field, call: Call, d: Definition) -> Iterator[str]:
    bound = bool(field.column or field.labels or field.element) or field.source in ("row", "constant")
    if not bound:
        yield "is bound to nothing"
    for name in (*field.column, *(word for words in field.labels.values() for word in words)):
        if _INDEX.search(name):
            yield f"is bound by place ({name}): columns move"
    if call.kind.startswith("json") and field.labels:
        yield "has labels, and JSON has keys"
    if field.source == "attribute" and not field.attribute:
        yield "names no attribute"
    if field.type == "code" and not field.codes and not field.texts:
        yield "is a code and knows none"
    if field.type in ("day", "local_time") and not field.formats:
        yield "has no format"
    for what, table in (("labels", field.labels), ("texts", field.texts), ("formats", field.formats)):
        for language in table:
            if language not in d.locales:
                yield f"{what}: {language} is none of the definition's languages"
        if what != "labels" and table and set(table) != set(d.locales):
            yield f"{what}: not for every language of the definition"
    if any(rule.before and rule.rest for rule in field.cuts):
        yield "a cut takes what is before a piece, or it and the rest, not both"
    if field.coverage and not 0 <= field.coverage.floor <= 1:
        yield "coverage: the floor is a share between 0 and 1"
    if field.pattern:
        yield from _pattern(field.pattern)


def _pattern(pattern: str) -> Iterator[str]:
    try:
        re.compile(pattern)
    except re.error:
        yield "its pattern cannot be read"
    if len(pattern) > 200 or _NESTED_REPEAT.search(pattern):
        yield "its pattern could take for ever"


def _write(write: Write, d: Definition) -> Iterator[str]:
    call = d.calls.get(write.read_back)
    if not write.key:
        yield "has no key by which what it made is found again"
    if call is None:
        yield "reads nothing back"
    else:
        for name in write.key:
            if name not in call.fields:
                yield f"key: {name} is not read back"
    for name, control in write.fields.items():
        if control.pieces and control.value:
            yield f"{name}: is made of pieces and of a value"
    if write.form.role != "form":
        yield "its form is no form"
    if write.submit.role != "button":
        yield "is sent by something that is no button"
    if write.not_permitted is not None and _says_nothing(write.not_permitted):
        yield "is never permitted"
    if _says_nothing(write.done):
        yield "is always done"
    if not write.refused or any(_says_nothing(rule.when) for rule in write.refused):
        yield "does not say how a refusal looks"
    if write.makes_child and (call is None or "remote_id" not in call.needs):
        yield "makes a record under another, and does not read back those under it"
    if write.makes_another and write.makes_child:
        yield "makes another record, and one under another: one of them"
    if write.undo and write.undo not in d.writes:
        yield "is undone by something that is not there"


def _sheets(file: FileCall, d: Definition) -> Iterator[str]:
    for kind, name in file.sheets.items():
        call = d.calls.get(name)
        if call is None or call.kind != "csv":
            yield f"sheets: {kind} is bound by no call of kind csv"


def _abilities(d: Definition) -> Iterator[str]:
    there: dict[str, dict[str, Any]] = {"read": dict(d.calls), "write": dict(d.writes), "file": dict(d.files)}
    for name, ability in d.abilities.items():
        if ability.call not in there[ability.kind]:
            yield f"abilities.{name}: stands on nothing"
        if d.level == "uncalibrated" and not (ability.cites or ability.note):
            yield f"abilities.{name}: not calibrated, and neither cites a page nor says that there is none"
    for probe in d.probe:
        if probe.ability not in d.abilities:
            yield f"probe: {probe.ability} is no ability"
    for canary in d.canary:
        if canary.call not in d.calls or not set(canary.fields) <= set(d.calls[canary.call].fields):
            yield f"canary: {canary.call} does not have these fields"
    for name, ability in d.abilities.items():
        call = d.calls.get(ability.call) if ability.kind == "read" else None
        blind = unwatched(call, watched(d, ability.call)) if call and name in DECIDES and not call.needs else []
        if blind:
            yield f"canary: {ability.call} decides money or care, and nobody would see that {', '.join(blind)} changed places"


def watched(d: Definition, call: str) -> tuple[str, ...]:
    """Return the fields of a list that a canary watches."""
    return tuple(dict.fromkeys(name for one in d.canary if one.call == call for name in one.fields))


def unwatched(call: Call, seen: Collection[str]) -> list[str]:
    """
    Return the fields that no format tells from another: all but one of a type, and every day.

    :param seen: fields that a canary watches
    """
    blind: dict[str, list[str]] = {}
    for name, field in call.fields.items():
        if field.source != "constant" and not field.unique and not field.pattern and name not in seen:
            blind.setdefault(field.type, []).append(name)
    pairs = [name for type in ("text", "money", "phone") if len(blind.get(type, [])) > 1 for name in blind[type]]
    return pairs + blind.get("day", []) + blind.get("local_time", [])


def _says_nothing(predicate: Predicate) -> bool:
    return predicate == Predicate() or (predicate == Predicate(status=predicate.status) and 200 in predicate.status)


def _everywhere(d: Definition) -> Iterator[str]:
    """References, paths and JMESPaths, wherever they stand."""
    for place, value in _strings(msgspec.to_builtins(d), ""):
        if value.startswith("$") and not _REFERENCE.fullmatch(value):
            yield f"{place[1:]}: {value!r} refers to nothing"
        if "{{" in value or "{%" in value:
            yield f"{place[1:]}: is a template"
    for place, part in _structures(d, ""):
        if isinstance(part, Request):
            yield from (f"{place[1:]}: {fault}" for fault in _request(part, d))
        for path in _jmespaths(part):
            try:
                compiled(path)
            except ValueError as problem:
                yield f"{place[1:]}: {problem}"


def _jmespaths(part: Any) -> Iterator[str]:
    if isinstance(part, (Ids, JsonTest, Rows)) and part.path:
        yield part.path
    if isinstance(part, Pick) and part.json:
        yield part.json
    if isinstance(part, Bind):
        yield from (path for path in (part.names, part.index) if path)


def _request(request: Request, d: Definition) -> Iterator[str]:
    if request.host not in d.hosts:
        yield "goes to a host that is not among the definition's"
    yield from _path(request.path)


def _path(path: str) -> Iterator[str]:
    if not path.startswith("/") or path.startswith("//") or "://" in path:
        yield "a path begins with one slash and has no host"
    try:
        if any(name is not None and not re.fullmatch(r"[a-z][a-z0-9_]*", name) for _, name, _, _ in Formatter().parse(path)):
            yield "has a placeholder that is no name"
    except ValueError:
        yield "has a brace too many"


def _structures(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, msgspec.Struct):
        yield place, value
        for name in value.__struct_fields__:
            yield from _structures(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _structures(one, f"{place}.{name}")
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _structures(one, f"{place}.{number}")


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _strings(one, f"{place}.{name}")
    elif isinstance(value, (list, tuple)):
        for number, one in enumerate(value):
            yield from _strings(one, f"{place}.{number}")
