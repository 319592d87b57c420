"""A first definition from a recording: what can be told of it, why, and what a person still has to say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from rapport.connectors.portals import calibration, loader, markup, publish
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.calibrate import calibrate
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.columnfit import columns_of
from rapport.connectors.portals.definition import Call
from rapport.connectors.portals.kit import contract, files, gate
from rapport.connectors.portals.kit.outcome import Outcome, Unusable
from rapport.connectors.portals.kit.paging import Numbered, as_recorded, numbered, way_on
from rapport.connectors.portals.listfit import alike, heads, largest, linked, marks, rows
from rapport.connectors.portals.signing import canonical
from rapport.connectors.portals.words import folded, is_one_of

NOTE = "Drafted from a recording; no public page was looked up."
EMPTY_WORDS = ("There is nothing to show", "No records found", "No results", "Nothing found")


@dataclass(slots=True)
class Draft:
    """What a recording said so far."""

    languages: tuple[str, ...]
    calls: dict[str, Any] = field(default_factory=dict)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    questions: dict[str, str] = field(default_factory=dict)

    def note(self, place: str, value: Any, because: str) -> None:
        """Give the evidence of a guess."""
        self.evidence.append({"place": place, "value": value, "because": because})


def draft(
    recording: str, *, name: str, product: str, lists: Mapping[str, str], out: Path
) -> Outcome:
    """
    Write a definition, marked uncalibrated, and its evidence beside it.

    :param lists: call -> path of its list, where no word tells which it is
    """
    exchanges = files.recording(recording)
    made = Draft(_languages(exchanges))
    volatile = _volatile(recording)
    if volatile is None:
        made.questions["calls.*.volatile"] = "One recording does not tell which parameters change each time: record the steps twice."
    else:
        made.note("calls.*.volatile", volatile, "these differed where the same steps were recorded twice")
    for path, pages in _by_path(exchanges).items():
        _list(path, pages, lists, volatile or (), made)
    _others(exchanges, made)
    if not made.calls:
        raise Unusable(_no_list(exchanges, made))
    whole = {
        "definition": name, "revision": 1, "product": product, "level": "uncalibrated", "locales": list(made.languages), "hosts": ["$base"],
        **gate.gate(
            exchanges, made.languages, made.note, made.questions, beside=_kept(recording).get("beside_the_base") or (),
            carried=_kept(recording).get("carrier"),
        ),
        "limits": {"requests_per_second": 1.0, "burst": 2, "parallel": 1, "logins_per_hour": 4}, "calls": made.calls,
        "abilities": {f"{one}.read": {"kind": "read", "call": one, "note": NOTE} for one in made.calls},
        "probe": [{"ability": f"{one}.read"} for one in made.calls], "canary": _canaries(made.calls),
    }  # fmt: skip
    made.note("limits", whole["limits"], "no recording says what a portal bears: slow, until the vendor says otherwise")
    content = canonical(json.dumps(whole).encode())
    try:
        loader.decode(content)
    except loader.NotDefined as problem:
        raise Unusable(f"the recording does not make a definition: {problem}") from problem
    files.write(out, content)
    beside = out.with_suffix(".evidence.json")
    data = {"definition": name, "level": "uncalibrated", "calls": sorted(made.calls), "evidence": made.evidence, "questions": made.questions}
    files.write_json(beside, data)
    outcome = Outcome([f"{one['place']} = {json.dumps(one['value'], ensure_ascii=False)}: {one['because']}" for one in made.evidence], data)
    for place, what in made.questions.items():
        outcome.say(f"QUESTION {place}: {what}")
    outcome.say(f"{out} is a definition that is not calibrated; why each line is there stands in {beside}.")
    return outcome


def _no_list(exchanges: Iterable[Exchange], made: Draft) -> str:
    """Say what was looked at and why none of it became a list: the next thing to try stands in it."""
    if made.questions:
        return "\n".join(["no list was made of it. What it has:", *(f"  {place}: {why}" for place, why in made.questions.items())])
    paths = ", ".join(dict.fromkeys(one.request.partition(" ")[2].partition("?")[0].partition(" ")[0] for one in exchanges))
    return f"no page of it has a table with rows; it has {paths}"


def _volatile(recording: str) -> list[str] | None:
    """Return the parameters that change each time; None: the steps were recorded once."""
    found: list[str] | None = _kept(recording).get("volatile")
    return found


def _kept(recording: str) -> dict[str, Any]:
    """What was noted when it was recorded."""
    beside = Path(recording) / "recording.json"
    return files.read_json(beside) if beside.is_file() else {}


def _languages(exchanges: Iterable[Exchange]) -> tuple[str, ...]:
    found = (markup.language_of(one.answer("/").tree) for one in exchanges if one.answer("/").got == "html")
    return tuple(dict.fromkeys(one for one in found if one)) or ("en",)


def _by_path(exchanges: Iterable[Exchange]) -> dict[str, dict[str, Answer]]:
    """Return path -> address -> page, of what was asked for and came."""
    found: dict[str, dict[str, Answer]] = {}
    for one in exchanges:
        method, _, address = one.request.partition(" ")
        answer = one.answer(address)
        if method == "GET" and one.status == 200 and answer.got == "html":
            found.setdefault(urlsplit(address).path, {}).setdefault(address, answer)
    return found


def _others(exchanges: Iterable[Exchange], made: Draft) -> None:
    """Name the answers that may be lists and are no pages: these a person binds."""
    for one in exchanges:
        answer = one.answer("/")
        path = one.request.partition(" ")[2].partition("?")[0].partition(" ")[0]
        if answer.got in ("json", "csv") and one.status == 200:
            made.questions[f"answer {path}"] = f"It is {answer.got.upper()}. If it is a list, write a call of kind {answer.got} for it: see csv-export."


def _rows(page: Answer) -> int:
    """How many rows with cells its largest table has."""
    table = largest(page)
    return len(rows(table)) if table is not None else 0


def _bare(page: Answer, table: Any) -> bool:
    """Whether a page has the same table with nothing in it."""
    same = alike(page, table) if table is not None else None
    return same is not None and not rows(same)


def _without(page: Answer, table: Any) -> bool:
    """Whether a page at the list's address has other tables only: the list's own is not shown where it is empty."""
    return table is not None and all(heads(one) != heads(table) for one in page.tree.iter("table"))


def _chain(pages: Mapping[str, Answer]) -> list[Answer]:
    """Return the pages of the longest list there, in its order."""
    best: list[Answer] = []
    for address in pages:
        chain, here = list[Answer](), address
        while here in pages and pages[here] not in chain:
            chain.append(pages[here])
            here = as_recorded(way_on(pages[here]))
        if len(chain) > len(best) and all(_rows(one) > 0 for one in chain):
            best = chain
    return best


def _called(path: str, page: Answer, lists: Mapping[str, str]) -> tuple[str, str]:
    """Which list this is, and why; empty: nothing tells."""
    for name, said in lists.items():
        if urlsplit(said).path == path:
            return name, "a person said so"
    words = {folded(one) for one in path.split("/")}
    heads = {folded(markup.text_of(one)) for one in page.tree.iter("h1", "h2")}
    for where, told in (("its address", words), ("its heading", heads)):
        for name, known in contract.LISTS.items():
            if told & set(known):
                return name, f"{where} says {sorted(told & set(known))[0]!r}"
    return "", ""


def _list(path: str, pages: Mapping[str, Answer], lists: Mapping[str, str], volatile: Sequence[str], made: Draft) -> None:
    run = numbered([address for address, page in pages.items() if _rows(page)])
    chain = _chain(pages)
    by_number = run if run is not None and len(run.addresses) >= len(chain) else None
    if by_number is not None:
        chain = [pages[one] for one in by_number.addresses]
    if not chain:
        return
    name, because = _called(path, chain[0], lists)
    table = largest(chain[0])
    if not name:
        said = ", ".join(cell for cell in heads(table) if cell) if table is not None and any(True for _ in table.iter("th")) else "without heads"
        made.questions[f"page {path}"] = f"There is a table ({said}). If it is one of {', '.join(contract.LISTS)}, or a list with a name of its own, say --list NAME={path}."
        return
    if name in made.calls:
        made.questions[f"page {path}"] = f"This looks like {name} too, which was taken from another page."
        return
    query = {one: value for one, value in parse_qsl(urlsplit(chain[0].url).query) if one not in volatile}
    call = _begun(name, path, query, volatile, made.languages)
    others = [one for one in pages.values() if one not in chain]
    bare = [*(one for one in others if _rows(one) == 0), *(one for one in others if _bare(one, table)), *(one for one in others if _without(one, table))]
    empty = bare[0] if bare else None
    if name not in contract.LISTS:
        tables = [one for one in map(largest, chain) if one is not None]
        told = linked(tables)
        call["fields"] = contract.of_its_own(columns_of(tables, ""), told, made.languages)
        if told is not None:
            call["remote_id"] = {"from": "link" if told[1] == -1 else "field", "field": "id"}
    if by_number is not None:
        _counted(call, by_number)
    _fit(name, call, chain, empty, made)
    if name in made.calls:
        made.note(place := f"calls.{name}", path, because)
        if by_number is not None:
            made.note(f"{place}.page", by_number.parameter, f"{len(chain)} pages are told by it in their addresses")
            _sized(place, chain, made)


def _counted(call: dict[str, Any], run: Numbered) -> None:
    """Ask for a list by the numbers of its pages."""
    call["request"]["query"][run.parameter] = "$page.number"
    call["page"] = {"by": "number", "parameter": run.parameter, "first": run.first}


def _sized(place: str, chain: Sequence[Answer], made: Draft) -> None:
    """Where all pages but the last have as many rows, say so: a page in the middle that lost some is seen by that."""
    sizes = [_rows(page) for page in chain]
    call = made.calls[place.removeprefix("calls.")]
    if len(sizes) > 2 and len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0] and call["end"] == "last_page":
        call["page"]["size"] = sizes[0]
        made.note(f"{place}.page.size", sizes[0], "each page but the last has so many rows")


def _begun(name: str, path: str, query: Mapping[str, str], volatile: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """A list as a draft begins with it, before anything is known of its pages."""
    return {
        "request": {"path": path, "query": dict(query)}, "kind": "html_table", "remote_id": {"from": "row", "attribute": "data-id"},
        "page": {"by": "none"}, "order": "portal", "end": "count", "count": {"pick": {"element": {"id": "count"}, "number": "last"}},
        "empty": {"when": {"text_any": {languages[0]: list(EMPTY_WORDS)}}}, "fields": contract.fields(name, languages),
        "volatile": [one for one in volatile if one in query],
    }  # fmt: skip


def _fit(name: str, call: dict[str, Any], chain: Sequence[Answer], empty: Answer | None, made: Draft) -> None:
    """Bind a list to its pages as a calibration does, and leave out what is not there."""
    bare = _alone(name, call, made.languages)
    proposal = calibrate(bare, {name: chain} | ({f"{name}.empty": [empty]} if empty else {}))
    mark = next(marks(chain), None) if call["page"]["by"] == "number" and f"calls.{name}.count" in proposal.questions else None
    if mark is not None:
        # Nothing counts the rows: what the last page alone shows is the next best, and a person has to look at it.
        call |= {"end": "last_page", "last_page": {"has": mark}}
        del call["count"]
        proposal = calibrate(_alone(name, call, made.languages), {name: chain} | ({f"{name}.empty": [empty]} if empty else {}))
        made.note(f"calls.{name}.last_page", mark, f"stands beside the list on the last of {len(chain)} pages, and on no other")
        made.questions[f"calls.{name}.last_page"] = "Does a list of one page show this mark too? Where it does not, say `lacks` with what leads on."
    lines = proposal.overlay["set"]
    bound = {one for one in call["fields"] if f"calls.{name}.fields.{one}.labels" in lines}
    call["fields"] = {one: rule for one, rule in call["fields"].items() if one in bound}
    place = f"calls.{name}"
    if not any(rule.get("required") for rule in call["fields"].values()):
        made.questions[place] = "The table has none of the columns that this list must have. " + " ".join(proposal.questions.values())
        return
    if {"first_name", "last_name"} <= bound and lines[f"{place}.fields.first_name.labels"] == lines[f"{place}.fields.last_name.labels"]:
        _names(place, call, chain, lines[f"{place}.fields.last_name.labels"], made)
    fitted = calibration.apply(_alone(name, call, made.languages), {"set": lines})
    made.calls[name] = json.loads(msgspec.json.encode(fitted))["calls"][name]
    for one in proposal.evidence:
        made.note(one.place, one.value, one.because)
    for question, words in (proposal.questions | proposal.unbound).items():
        made.questions[question] = words


def _names(place: str, call: dict[str, Any], chain: Sequence[Answer], labels: Mapping[str, Sequence[str]], made: Draft) -> None:
    """Both names stand in one column: a comma in most of its cells says that the last name comes first."""
    tables = [one for one in (largest(page) for page in chain) if one is not None]
    column = next((one for one in columns_of(tables, "") if is_one_of(one.label, {language: tuple(words) for language, words in labels.items()})), None)
    texts = [text for text in (column.texts if column else ()) if text]
    last, first = call["fields"]["last_name"], call["fields"]["first_name"]
    if 2 * sum(", " in text for text in texts) >= len(texts):
        last["cuts"], first["cuts"], first["drop_initial"] = [{"at": ", ", "take": 0}], [{"at": ", ", "take": 1, "rest": True}], True
        made.note(f"{place}.fields.first_name.cuts", ", ", "both names stand in one column: the last name is taken to come first")
        return
    last["cuts"], first["cuts"] = [{"at": " ", "take": -1}], [{"at": " ", "take": -1, "before": True}]
    made.note(f"{place}.fields.last_name.cuts", " ", "both names stand in one column, without a comma: the last word is taken to be the last name")
    made.questions[f"{place}.fields.last_name.cuts"] = "Names stand there as one text: is the last word the last name, also of people with two?"


def _canaries(calls: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Watch whatever no format tells from another, in every list."""
    blind = {name: publish.unwatched(msgspec.convert(call, type=Call), ()) for name, call in calls.items()}
    return [{"call": name, "fields": fields} for name, fields in blind.items() if fields]


def _alone(name: str, call: Mapping[str, Any], languages: Sequence[str]) -> Any:
    """A definition of one list that needs no sign-in: what the calibration works on."""
    whole = {
        "definition": "draft", "revision": 1, "product": "draft", "level": "uncalibrated", "locales": list(languages), "hosts": ["$base"],
        "identity_fields": [], "factors": [], "limits": {"requests_per_second": 1.0, "burst": 1}, "calls": {name: call},
        "abilities": {f"{name}.read": {"kind": "read", "call": name, "note": NOTE}}, "canary": _canaries({name: call}),
    }  # fmt: skip
    return loader.decode(json.dumps(whole).encode())
