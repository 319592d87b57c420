"""Looking for an element is spared where the bytes cannot have it, and never where they can."""

from __future__ import annotations

import pytest

from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.terms import Element

SAVED = Element(id="saved")


@pytest.mark.parametrize(
    "body",
    [b'<html><p id="saved">', b'<html><p ID="saved">', b'<html><p id="&#115;aved">', b'<html><p id="&#x73;aved">'],
)
def test_an_element_is_found_however_its_letters_are_written(body: bytes) -> None:
    assert len(Answer(200, "http://portal.example/", body).find(SAVED)) == 1


def test_the_control_another_one_is_not_found_and_no_tree_is_made_for_it() -> None:
    page = Answer(200, "http://portal.example/", b'<html><p id="kept" data-n="O&#39;Brien">')

    assert page.find(SAVED) == []
    assert "tree" not in vars(page)


def test_attributes_and_classes_count_too() -> None:
    page = Answer(200, "http://portal.example/", b'<html><p class="problem" data-notice="captcha">')

    assert len(page.find(Element(attributes={"data-notice": "captcha"}))) == 1
    assert len(page.find(Element(has_class="problem"))) == 1
    assert page.find(Element(attributes={"data-notice": "maintenance"})) == []


PAGE = b"<!doctype html><html><body><form><table><tr><td>1</table></form></body></html>"


@pytest.mark.parametrize(
    "body", [b"", PAGE[:40], PAGE[:60], PAGE[:-20], b'{"rows": [1, 2', b'[{"id": 1}, {"id"'],
    ids=["nothing", "in a form", "in a table", "in a tag", "in an object", "in a list"],
)  # fmt: skip
def test_what_stops_in_the_middle_breaks_off(body: bytes) -> None:
    assert Answer(200, "http://portal.example/", body).breaks_off


@pytest.mark.parametrize(
    "body", [PAGE, PAGE.removesuffix(b"</body></html>"), PAGE + b"<!-- 3 ms -->", b'{"rows": []}', b"[]", b"id,name\n1,Ana\n"],
    ids=["a page", "a page that does not say its end", "something after it", "an object", "a list", "a file"],
)  # fmt: skip
def test_the_control_what_was_sent_whole_does_not(body: bytes) -> None:
    assert not Answer(200, "http://portal.example/", body).breaks_off
