"""What fell when a page changed, and the lines that would mend it: for a person to judge. What nothing can be said of is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapport.connectors.portals.columnfit import format_of
from rapport.connectors.portals.definition import Call, Definition
from rapport.connectors.portals.lexicon import FIELDS
from rapport.connectors.portals.reading import Reading
from rapport.connectors.portals.words import all_words, folded, says_any

Shape = Mapping[str, Any]


@dataclass(slots=True)
class Mend:
    """Anchors that fell, lines of a calibration in their place, and fields for which there are none."""

    call: str
    fell: list[dict[str, Any]] = field(default_factory=list)
    """`{place, was, now, told_by}`: which evidence is gone, and what the field is told by now; empty: nothing."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    """`{place, value, because}`."""
    unmended: list[dict[str, str]] = field(default_factory=list)
    """`{place, because}`."""

    @property
    def overlay(self) -> dict[str, Any]:
        """The lines as a calibration has them."""
        return {"set": {one["place"]: one["value"] for one in self.lines}}

    def each(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return each line with the field that it is about."""
        for one in self.lines:
            yield one["place"].split(".")[3], one

    def take_back(self, fields: set[str], because: str) -> None:
        """Suggest nothing for some fields after all."""
        self.lines = [line for name, line in self.each() if name not in fields]
        for name in sorted(fields):
            self.cannot(name, because)

    def cannot(self, name: str, because: str) -> None:
        """Say that nothing mends a field, and why."""
        self.unmended.append({"place": f"calls.{self.call}.fields.{name}", "because": because})

    def says(self, name: str, member: str, value: Any, because: str) -> None:
        """Suggest a line."""
        self.lines.append({"place": f"calls.{self.call}.fields.{name}.{member}", "value": value, "because": because})

    def notes(self, name: str, member: str, was: Any, now: Any, told_by: str = "") -> None:
        """Name an anchor that fell."""
        self.fell.append({"place": f"calls.{self.call}.fields.{name}.{member}", "was": was, "now": now, "told_by": told_by})


def propose(call: str, old: Shape, new: dict[str, Any], *, of: Definition | None, reading: Reading | None) -> Mend:
    """
    Return what fell between two shapes of a list.

    :param of: the definition that the new shape was read with; None: there are two shapes and nothing else
    :param reading: of the pages as they are now; how days are written there is put into the new shape
    """
    mend = Mend(call)
    rules = of.calls[call] if of is not None else None
    fresh = [one for one in new["columns"] if (one["name"], one["label"]) not in {(was["name"], was["label"]) for was in old["columns"]}]
    for name, bound in old["bound"].items():
        if name not in new["bound"]:
            _lost(mend, name, bound, old, new, fresh, rules)
        else:
            _kept(mend, name, bound, old, new, rules)
    if reading is not None and rules is not None:
        for name, rule in rules.fields.items():
            if name not in new["bound"] or reading.reads(name):
                continue
            if rule.type in ("day", "local_time"):
                _written(mend, name, old, new, rules, reading)
            else:
                mend.notes(name, "codes" if rule.type in ("code", "boolean") else "type", rule.type, None)
                mend.cannot(name, "what stands in its cells is not what it was: look at the column and at the words in it")
    return mend


def _column(shape: Shape, known_as: str) -> Mapping[str, Any]:
    return next((one for one in shape["columns"] if (one["name"] or one["label"]) == known_as), {"name": "", "label": ""})


def _labels(rules: Call | None, name: str, language: str, word: str) -> dict[str, list[str]]:
    """The words of a field in every language, with a new one."""
    labels = {known: list(words) for known, words in rules.fields[name].labels.items()} if rules is not None and name in rules.fields else {}
    return labels | {language: list(dict.fromkeys([*labels.get(language, ()), word]))}


def _lost(
    mend: Mend, name: str, bound: Mapping[str, Any], old: Shape, new: Shape, fresh: Sequence[Mapping[str, Any]], rules: Call | None
) -> None:
    was = _column(old, bound["column"])
    mend.notes(name, "column" if bound["by"] == "name" else "labels", bound["column"], None)
    words = (was["label"] or bound["column"], *FIELDS.get(name, ()))
    same = [one for one in fresh if folded(one["label"]) in {folded(word) for word in words}]
    like = same or [one for one in fresh if says_any(one["label"], {"": words})]
    if len(like) != 1:
        mend.cannot(
            name, "the column is gone, and none came that could be it: the portal does not show this any more" if not fresh
            else "the column is gone, and two that came could be it: a person has to say which" if like
            else "the column is gone, and none of those that came has words known for it: a person has to say",
        )  # fmt: skip
        return
    mend.says(name, "labels", _labels(rules, name, new["language"], like[0]["label"]), f"{like[0]['label']!r} is a word for {name}")
    if like[0]["name"]:
        mend.says(name, "column", [like[0]["name"]], "its own name")


def _kept(mend: Mend, name: str, bound: Mapping[str, Any], old: Shape, new: Shape, rules: Call | None) -> None:
    """The field is found, though by less than before: by the column's name under other words, or the other way round."""
    now = new["bound"][name]
    was, is_ = _column(old, bound["column"]), _column(new, now["column"])
    if is_["name"] != was["name"]:
        mend.notes(name, "column", was["name"], is_["name"], f"told by its words {is_['label']!r}" if now["by"] == "label" else "")
        if is_["name"] and now["by"] == "label":
            mend.says(name, "column", [is_["name"]], "the column with its words has this name")
        return
    if folded(is_["label"]) == folded(was["label"]) or old["language"] != new["language"]:
        return
    if now["by"] != "name":
        return  # it was found by words that the definition knows
    mend.notes(name, "labels", was["label"], is_["label"], f"told by its name {is_['name']!r}")
    if _says_another(name, is_["label"], rules):
        mend.cannot(name, f"{is_['label']!r} are words for another field: a person has to look which of the two it is")
    elif rules is None or folded(is_["label"]) not in all_words(rules.fields[name].labels):
        mend.says(name, "labels", _labels(rules, name, new["language"], is_["label"]), f"its column {is_['name']!r} is headed so now")


def _says_another(name: str, label: str, rules: Call | None) -> bool:
    """Whether words are known for a field that is not this one."""
    known = {other: {folded(word) for word in words} for other, words in FIELDS.items()}
    for other, rule in (rules.fields if rules is not None else {}).items():
        known.setdefault(other, set()).update(all_words(rule.labels))
    return folded(label) not in known.get(name, ()) and any(folded(label) in words for words in known.values())


def _written(mend: Mend, name: str, old: Shape, new: dict[str, Any], rules: Call, reading: Reading) -> None:
    """Days that are written another way: told when there is just one way in which all of them are days."""
    rule = rules.fields[name]
    known = rule.formats.get(new["language"], ())
    texts = reading.texts(name)
    pattern = format_of(rule, texts)
    was = (old.get("written") or {}).get(name) or list(known)
    mend.notes(name, "formats", was, [pattern] if pattern else None)
    new["written"].pop(name, None)
    if not pattern:
        mend.cannot(name, "its cells are days in no way that is known, or in more than one")
        return
    new["written"][name] = [pattern]
    formats = {language: list(patterns) for language, patterns in rule.formats.items()} | {new["language"]: [pattern]}
    mend.says(name, "formats", formats, f"the only way in which all {len(texts)} cells are days")
