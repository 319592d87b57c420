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
