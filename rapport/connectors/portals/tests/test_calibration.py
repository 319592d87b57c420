from __future__ import annotations

from typing import Any

import pytest

from rapport.connectors.portals import calibration
from rapport.connectors.portals.calibration import BadCalibration, apply
from rapport.connectors.portals.columnfit import format_of
from rapport.connectors.portals.definition import Field
from rapport.connectors.portals.tests.recorded import definition

FIELD = "calls.patients.fields.birth_on"


def test_an_overlay_says_how_things_are_called() -> None:
    made = apply(definition(), {"set": {f"{FIELD}.labels": {"en": ["DOB"]}, "login.prompts.password.press.labels": {"en": ["Enter"]}}})
    assert made.calls["patients"].fields["birth_on"].labels == {"en": ("DOB",)}
    assert made.login is not None
    assert made.login.prompts[0].press is not None
    assert made.login.prompts[0].press.labels == {"en": ("Enter",)}
    assert definition().calls["patients"].fields["birth_on"].labels != {"en": ("DOB",)}
    assert apply(definition(), {}) is definition()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("hosts", ["elsewhere.example"]), (f"{FIELD}.type", "text"), (f"{FIELD}.required", False), ("calls.patients.request.host", "elsewhere.example"),
        ("writes.appointment_create.key", ["patient"]), ("writes.appointment_create.read_back", "patients"), ("writes.claim_submit.attended", False),
        ("writes.claim_submit.submit.veto", {}), ("login.prompts.password.press.veto", {}), ("login.prompts.password.fill.password.value", "$secret.totp_seed"),
        ("login.prompts.password.fill.password.anchor.type", ["text"]), ("limits.requests_per_second", 100), ("session.signals", []), ("calls.patients.fields.mood.labels", {"en": ["Mood"]}),
        ("calls.moods.rows", {}), (f"{FIELD}.column", ["3"]), (f"{FIELD}.labels", {"fr": ["Né"]}), (f"{FIELD}.labels", "DOB"),
        ("calls.patients.empty", {"when": {}}), ("calls.patients.request.path", "//elsewhere.example"), ("", {}),
    ],
)  # fmt: skip
def test_an_overlay_does_not_say_what_they_mean_to_us(place: str, value: Any) -> None:
    with pytest.raises(BadCalibration):
        apply(definition(), {"set": {place: value}})


def test_what_is_certified_needs_no_calibration() -> None:
    assert calibration.is_calibrated(definition(), {}, call="patients")
    assert not calibration.is_calibrated(definition("therapynotes"), {}, call="patients")
    assert calibration.is_calibrated(definition("therapynotes"), {"calibrated": ["patients"]}, call="patients")


@pytest.mark.parametrize(("texts", "pattern"), [
    (["13/02/1980", "05/06/1990"], "%d/%m/%Y"),
    (["03.05.1980", "03.06.1990"], ""),
    (["03/05/1980", "03/06/1990"], ""),
    (["03.05.1980", "25.06.1990"], "%d.%m.%Y"),
    (["1980-05-03", "1990-06-03"], "%Y-%m-%d"),
    (["03 May 1980", "03 Jun 1990"], "%d %b %Y"),
    (["03.03.1980"], "%d.%m.%Y"),
    (["soon"], ""),
    ([], ""),
])  # fmt: skip
def test_days_are_told_by_what_nothing_else_could_be(texts: list[str], pattern: str) -> None:
    assert format_of(Field(type="day"), texts) == pattern
