"""A portal that changes while it is read over HTTP: what is still believed, and under which verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rapport.connectors.portals.tests.live import Stage, now
from rapport.connectors.portals.tests.recorded import definition
from rapport.rooms.exchange.ports import Got, Reason, Trouble, Verdict

pytestmark = pytest.mark.long


def values(got: Got) -> list[Any]:
    return [(row.remote_id, dict(row.values), dict(row.absent)) for row in got.rows]


def read(stage: Stage, session: bytes, *, ability: str = "patients.read", after: Got | None = None) -> Got | Trouble:
    baseline = {"shape": after.shape, "coverage": after.coverage} if after else None
    return stage.driver.read(
        replace(stage.target(), secrets={}), ability=ability, given={}, session=session, baseline=baseline, now=now()
    )


def whole(found: Got | Trouble) -> Got:
    assert isinstance(found, Got), found
    return found


@pytest.mark.parametrize(("script", "verdict"), [
    ({"fault": "rename_label", "value": "status=Standing"}, Verdict.HEALED),
    ({"fault": "extra_column"}, Verdict.ADDITIVE),
    ({"fault": "reorder_columns", "value": "reverse"}, Verdict.SAME),
    ({"fault": "swap_columns", "value": "email,phone"}, Verdict.SAME),
])  # fmt: skip
def test_what_changes_only_how_a_list_looks_changes_no_value(
    stage: Stage, script: dict[str, Any], verdict: Verdict
) -> None:
    session = stage.session()
    before = whole(read(stage, session))
    stage.trouble(script | {"on": "/patients", "times": 0})
    after = whole(read(stage, session, after=before))

    assert values(after) == values(before)
    assert after.verdict is verdict
    assert after.findings


def test_another_language_and_another_look_give_the_same_values(stage: Stage) -> None:
    session = stage.session()
    before = whole(read(stage, session))
    for settings in ({"language": "de"}, {"look": "B", "language": "en"}):
        stage.set(**settings)
        after = whole(read(stage, session, after=before))
        assert sorted(values(after), key=lambda one: int(one[0])) == values(before)
        assert after.verdict in (Verdict.SAME, Verdict.HEALED)


@pytest.mark.parametrize(("script", "reason"), [
    ({"fault": "drop_column", "value": "status"}, Reason.DRIFT_BREAKING),
    ({"fault": "swap_heads", "value": "birth_on,phone"}, Reason.DRIFT_SUSPECT),
    ({"fault": "swap_days"}, Reason.DRIFT_SUSPECT),
    ({"fault": "double_rows"}, None),
    ({"fault": "truncate"}, Reason.CUT_SHORT),
    ({"fault": "wrong_total", "value": "1"}, Reason.INCOMPLETE),
])  # fmt: skip
def test_what_changes_the_values_is_refused_and_gives_no_rows(
    stage: Stage, script: dict[str, Any], reason: Reason | None
) -> None:
    session = stage.session()
    before = whole(read(stage, session))
    stage.trouble(script | {"on": "/patients", "times": 0})
    found = read(stage, session, after=before)

    assert isinstance(found, Trouble), found
    assert found.reason is reason or (reason is None and found.reason in (Reason.INCOMPLETE, Reason.DRIFT_SUSPECT, Reason.DRIFT_BREAKING))
    assert found.findings
    assert found.session
    # The control: the other lists, and this one once it is as it was.
    assert whole(read(stage, session, ability="clinicians.read")).rows
    stage.trouble()
    assert values(whole(read(stage, session, after=before))) == values(before)


def test_a_list_that_breaks_off_once_is_read_once_more(stage: Stage) -> None:
    session = stage.session()
    before = whole(read(stage, session))
    stage.trouble({"fault": "truncate", "on": "/patients"})
    assert values(whole(read(stage, session, after=before))) == values(before)


def test_a_code_that_nobody_knows_is_one_row_and_many_are_held_back(stage: Stage) -> None:
    session = stage.session()
    before = whole(read(stage, session))
    stage.trouble({"fault": "unknown_code", "value": "100", "on": "/patients", "times": 0})
    few = whole(read(stage, session, after=before))
    stage.trouble({"fault": "unknown_code", "value": "3", "on": "/patients", "times": 0})
    many = read(stage, session, after=before)

    assert few.verdict is Verdict.ADDITIVE
    assert {row.remote_id: dict(row.absent) for row in few.rows if row.absent} == {"100": {"status": "unreadable"}}
    assert [one for one in values(few) if one[0] != "100"] == [one for one in values(before) if one[0] != "100"]
    assert isinstance(many, Trouble), many
    assert many.reason is Reason.DRIFT_SUSPECT
    assert "patients.status" in {one.place for one in many.findings}


LISTS = ("patients", "appointments", "notes", "claims", "payments", "eras", "clinicians")
"""Lists that a user may be shown."""


def test_three_users_are_shown_what_the_portal_shows_each_and_nothing_else(stage: Stage) -> None:
    different = set()
    for login in ("dora", "tess", "abe"):
        browser = stage.portal.signed_in(login)
        shown = {name for name in LISTS if browser.get(definition().calls[name].request.path).status_code == 200}
        session, seen = stage.session(login), set()
        for name in LISTS:
            found = stage.read(f"{name}.read", session, login=login)
            if isinstance(found, Got):
                assert len(found.rows) == len(values(whole(read(stage, stage.session(), ability=f"{name}.read")))), (login, name)
                seen.add(name)
            else:
                assert found.reason is Reason.NOT_PERMITTED, (login, name, found)
            session = found.session or session
        assert seen == shown, login
        different.add(frozenset(seen))

    assert len(different) == 3, "the control: the three are not shown the same"


def test_the_control_a_right_that_is_given_shows_at_the_next_look(stage: Stage) -> None:
    session = stage.session("dora")
    refused = stage.read("notes.read", session, login="dora")
    stage.portal.order("PATCH", "user/dora", {"role": "clinical"})

    assert isinstance(refused, Trouble)
    assert refused.reason is Reason.NOT_PERMITTED
    assert whole(stage.read("notes.read", refused.session or session, login="dora")).rows


def test_one_row_that_is_none_is_known_and_one_that_is_missing_is_not_excused_by_it(stage: Stage) -> None:
    session = stage.session()
    stage.set(phantom_row="shown")
    shown = whole(read(stage, session))
    stage.trouble({"fault": "wrong_total", "value": "1", "on": "/patients", "times": 0})
    found = read(stage, session)

    assert len(shown.rows) == 132
    assert isinstance(found, Trouble), found
    assert found.reason is Reason.INCOMPLETE


def test_a_list_that_is_changed_between_two_pages_is_read_again(stage: Stage) -> None:
    session = stage.session()
    before = whole(read(stage, session))
    stage.portal.order("POST", "patient", {"first": "Zoe", "last": "Zimmer", "birth_on": "1990-01-01", "status": "Active"})
    after = whole(read(stage, session, after=before))

    assert len(after.rows) == len(before.rows) + 1
