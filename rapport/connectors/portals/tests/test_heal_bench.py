"""
Forms whose words nobody here chose: labels of six other products in four languages, as their own pages and translations
say them (`foreign_labels.json` says of which version, and under which licence). Only what our anchors do not know counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml.html import HtmlElement

from rapport.connectors.portals import anchors, markup
from rapport.connectors.portals.tests.test_anchors import (
    ANCHORS,
    FORMS,
    Mutation,
    Picker,
    Tally,
    closest,
    controls,
    decoy,
    layered,
    renamed,
    shown,
    swapped,
    turned,
)
from rapport.connectors.portals.words import is_one_of, says_any

FOREIGN = json.loads(Path(__file__).with_name("foreign_labels.json").read_text("utf-8"))
OTHER_THAN_THE_BUTTON = {"code": "resend", "search": "clear"}
"""The name of the button beside the one that is meant."""
CHANGES: dict[str, tuple[Mutation, ...]] = {
    "words alone": (), "turned round": (turned,), "with decoys": (decoy,), "renamed": (renamed,), "renamed, with decoys": (renamed, decoy),
    "names swapped": (swapped("name"),), "names and ids swapped": (swapped("name", "id"),), "password shown": (shown,), "password shown, renamed": (shown, renamed),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One control of one form, called as another product calls it."""

    form: str
    meaning: str
    page: HtmlElement
    before: HtmlElement
    """The control, as it was recorded."""

    def changed(self, *changes: Mutation) -> HtmlElement:
        page = deepcopy(self.page)
        form = next(page.iter("form"))
        for change in changes:
            change(form)
        return form


def called(element: HtmlElement, words: str) -> None:
    """Call a control so: on a button itself, and in the label around a box."""
    label = element if element.tag == "button" else next(element.iterancestors("label"))
    label.text = words + (" " if label is not element else "")


def cases() -> Iterator[Case]:
    for one in FOREIGN["forms"]:
        before = markup.parse(f"<main>{FORMS[one['form']]}</main>".encode())
        page = deepcopy(before)
        for meaning, words in one["says"].items():
            told = ("name", OTHER_THAN_THE_BUTTON[one["form"]]) if meaning == "other" else ("data-truth", meaning)
            called(next(each for each in controls(page) if each.get(told[0]) == told[1]), words)
        for meaning, words in one["says"].items():
            rule = ANCHORS.get((one["form"], meaning))
            if rule is not None and not is_one_of(words, rule.labels) and not says_any(words, rule.synonyms):
                old = next(each for each in controls(before) if each.get("data-truth") == meaning)
                yield Case(one["form"], meaning, page, old)


CASES = tuple(cases())


def bench(pick: Picker, *changes: Mutation) -> Tally:
    tally = Tally()
    for case in CASES:
        found = pick(case.changed(*changes), ANCHORS[case.form, case.meaning], case.before)
        if found is None:
            tally.refused += 1
        elif found.get("data-truth") == case.meaning:
            tally.right += 1
        else:
            tally.wrong += 1
    return tally


def test_the_words_are_of_others_and_unknown_to_us() -> None:
    assert len(CASES) >= 100
    assert {one["product"] for one in FOREIGN["forms"]} == FOREIGN["origin"].keys()
    assert {one["language"] for one in FOREIGN["forms"]} == {"en", "de", "fr", "es"}


@pytest.mark.parametrize("change", CHANGES)
def test_on_forms_of_other_products_no_wrong_control_is_chosen(change: str) -> None:
    found = bench(layered, *CHANGES[change])
    assert found.wrong == 0
    # Where names moved or are gone, or a password would be seen, refusing is what is wanted.
    if change in ("words alone", "turned round"):
        assert found.refused <= 0.2 * len(CASES)


def test_a_password_that_would_be_seen_is_typed_nowhere() -> None:
    passwords = [case for case in CASES if case.meaning == "password"]
    for case in passwords:
        rule = ANCHORS[case.form, "password"]
        assert isinstance(anchors.find(case.changed(), rule), anchors.Control), "the control: hidden, it is"
        for changes in ((shown,), (shown, renamed), (shown, decoy)):
            assert isinstance(anchors.find(case.changed(*changes), rule), anchors.NotFound)
    assert len(passwords) >= 15


def test_the_control_healing_by_nearness_chooses_wrong_ones() -> None:
    found = [bench(closest, *changes) for changes in CHANGES.values()]
    assert sum(one.wrong for one in found) >= 20
