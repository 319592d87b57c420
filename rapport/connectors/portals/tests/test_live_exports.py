"""The portal's own exports, read as the lists they are exports of, in whichever look and language they were made."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.tests.live import Stage, changed, now
from rapport.rooms.exchange.ports import Got, GotFile, Reason, Row, Submitted, Trouble

SHEETS = ("patients", "appointments", "payments")


def export(stage: Stage, session: bytes, kind: str) -> tuple[str, GotFile]:
    """Order an export as the room does, and fetch it. :return: the portal's id of it, and the file"""
    target = replace(stage.target(), secrets={})
    asked = stage.driver.submit(target, ability="exports.create", values={"kind": kind}, session=session, now=now())
    assert isinstance(asked, Submitted), asked
    number = str(stage.rows("export")[-1]["id"])
    for _ in range(20):
        found = stage.driver.fetch(target, ability="exports.file", remote_id=number, session=session, now=now())
        if isinstance(found, GotFile):
            return number, found
        assert found.reason is Reason.NOT_READY, found
        time.sleep(0.2)
    raise AssertionError("it was never ready")


def rows_in(stage: Stage, kind: str, number: str, content: bytes) -> Any:
    return stage.driver.rows_in(
        replace(stage.target(), secrets={}), ability="exports.file", kind=kind, remote_id=number, content=content, now=now()
    )


@pytest.mark.parametrize(("look", "language"), [("A", "en"), ("B", "en"), ("A", "de")])
def test_an_export_says_what_its_list_says_field_by_field(stage: Stage, look: str, language: str) -> None:
    stage.set(export_seconds="0", look=look, language=language)
    session = stage.session()
    for kind in SHEETS:
        number, file = export(stage, session, kind)
        exported = rows_in(stage, kind, number, file.content)
        listed = stage.read(f"{kind}.read", session)
        assert not isinstance(exported, Trouble), exported
        assert isinstance(listed, Got), listed
        there = {row.remote_id: row for row in listed.rows}
        assert {row.remote_id for row in exported} == there.keys()
        for row in exported:
            both = row.values.keys() - row.absent.keys() - there[row.remote_id].absent.keys()
            assert {name: row.values[name] for name in both} == {name: there[row.remote_id].values[name] for name in both}
            assert len(both) >= {"patients": 11, "appointments": 8, "payments": 7}[kind]


def test_another_value_in_the_export_is_another_value(stage: Stage) -> None:
    stage.set(export_seconds="0")
    session = stage.session()
    number, before = export(stage, session, "patients")
    stage.portal.order("PATCH", "patient/7", {"phone": "503-555-9999"})

    rows: list[Row] = rows_in(stage, "patients", number, before.content)
    _, after = export(stage, session, "patients")
    later: list[Row] = rows_in(stage, "patients", number, after.content)

    changed_ = {
        (one.remote_id, name) for one, other in zip(rows, later, strict=True) for name in one.values
        if one.values[name] != other.values[name]
    }  # fmt: skip
    assert changed_ == {("7", "phone")}


def test_what_is_no_export_of_that_list_is_not_read(stage: Stage) -> None:
    stage.set(export_seconds="0")
    session = stage.session()
    number, file = export(stage, session, "payments")

    another = rows_in(stage, "patients", number, file.content)
    short = rows_in(stage, "payments", number, file.content[:-7])
    unknown = rows_in(stage, "claims", number, file.content)
    none = rows_in(stage, "payments", number, file.content.splitlines(keepends=True)[0])

    assert isinstance(another, Trouble), "the columns are others"
    assert another.reason is Reason.DRIFT_BREAKING
    assert isinstance(short, Trouble), "it was cut off"
    assert isinstance(unknown, Trouble)
    assert unknown.reason is Reason.CONNECTOR_OUTDATED
    assert list(none) == [], "the control: a list with nothing in it"


def test_a_sheet_that_is_bound_by_no_csv_is_refused(tmp_path: Path) -> None:
    def spoil(content: dict[str, Any]) -> None:
        content["files"]["export"]["sheets"]["patients"] = "patients"

    driver = PortalDriver(local=True, folder=changed(tmp_path, spoil))
    assert not driver.manifests()
