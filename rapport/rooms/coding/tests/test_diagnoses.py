"""ICD-10-CM as loaded from the installed list, asked by day of service."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from rapport.rooms.coding import loader, queries, services
from rapport.rooms.coding.models import DiagnosisCode, DiagnosisList
from tests.support.cast import House


@pytest.fixture(scope="module", autouse=True)
def _icd10() -> None:
    services.load_icd10(now=timezone.now())


def test_the_whole_list_is_there_and_loading_it_again_does_nothing() -> None:
    released = DiagnosisList.objects.order_by("-released_on").first()
    assert released is not None
    assert released.codes > 95_000
    assert DiagnosisCode.objects.filter(billable=True, valid_to=None).count() > 70_000
    assert services.load_icd10(now=timezone.now()) == 0


@pytest.mark.parametrize(
    ("code", "day", "faults"),
    [
        ("F41.1", date(2026, 3, 2), []),
        ("f411", date(2016, 1, 1), []),
        ("F32.A", date(2021, 9, 30), ["diagnosis-not-valid-on-date"]),
        ("F32.A", date(2021, 10, 1), []),
        ("F32.8", date(2016, 9, 30), []),
        ("F32.8", date(2016, 10, 1), ["diagnosis-not-billable"]),
        ("F42", date(2016, 9, 30), []),
        ("F42", date(2026, 3, 2), ["diagnosis-not-billable"]),
        ("F42.2", date(2016, 9, 30), ["diagnosis-not-valid-on-date"]),
        ("F50.014", date(2024, 10, 1), []),
        ("F50.01", date(2024, 10, 1), ["diagnosis-not-billable"]),
        ("F99.99", date(2026, 3, 2), ["unknown-diagnosis"]),
        ("T14.91XA", date(2026, 3, 2), []),
    ],
)
def test_a_diagnosis_is_judged_by_the_day_of_service(
    code: str, day: date, faults: list[str]
) -> None:
    assert [fault.code for fault in queries.diagnosis_faults(codes=[code], on=day)] == faults


def test_every_code_we_say_was_retired_has_finer_codes_today() -> None:
    from rapport.rooms.coding.rules import icd10

    for gone in icd10.RETIRED:
        assert DiagnosisCode.objects.filter(
            code=gone.code, billable=True, valid_to=gone.last_on
        ).exists()
        finer = DiagnosisCode.objects.filter(
            code__startswith=gone.code, billable=True, valid_to=None
        )
        begins = {icd10.began_on(code) for code in finer.values_list("code", flat=True)}
        assert gone.last_on + timedelta(days=1) in begins, gone.code


def test_the_application_cannot_change_the_common_list() -> None:
    with pytest.raises(ProgrammingError), transaction.atomic():
        DiagnosisCode.objects.filter(code="F41.1").update(title="x")


def test_a_later_list_closes_what_it_leaves_out_and_opens_what_is_new() -> None:
    entries = [e for e in loader.installed_codes() if e.code != "F41.1"]
    entries += [loader.Entry("F41.7", "A new kind of worry", True, "F41")]
    day = loader.installed_release() + timedelta(days=365)
    with transaction.atomic(using="owner"):
        assert loader.load(released_on=day, entries=entries, now=timezone.now()) == len(entries)
        known = DiagnosisCode.objects.using("owner")
        assert known.get(code="F41.1").valid_to == day - timedelta(days=1)
        assert known.get(code="F41.7").valid_from == day
        assert known.filter(code="F41.9").count() == 1
        transaction.set_rollback(True, using="owner")


def test_search_finds_by_code_and_by_the_start_of_words(willow: House) -> None:
    def codes(**body: object) -> list[str]:
        answer = willow.scheduler.post("/v1/diagnosis-codes/search", body)
        assert answer.status_code == 200, answer.content
        return [entry["code"] for entry in answer.json()["data"]]

    assert codes(text="F41.1")[0] == "F41.1"
    assert codes(text="generalized anx") == ["F41.1"]
    assert codes(text="f43", limit=5)[0].startswith("F43.")
    assert "F43.81" in codes(text="prolonged grief")
    assert codes(text="prolonged grief", on="2022-09-30") == []
    assert codes(text="%% \\ ' :* &|!") == []
    assert codes(text="F42", billable=False)[0] == "F42"


def test_a_code_is_read_as_of_a_day(willow: House) -> None:
    api = willow.scheduler

    assert api.get("/v1/diagnosis-codes/F411").json()["title"] == "Generalized anxiety disorder"
    assert api.get("/v1/diagnosis-codes/F42?on=2016-09-30").json()["billable"] is True
    assert api.get("/v1/diagnosis-codes/F42").json()["billable"] is False
    assert api.get("/v1/diagnosis-codes/F32.A?on=2020-01-01").status_code == 404
    assert api.get("/v1/diagnosis-codes/F32.A?on=soon").json()["code"] == "unknown-parameter"


def test_a_walk_over_the_list_goes_on_where_it_stopped(willow: House) -> None:
    first = willow.scheduler.get(
        "/v1/diagnosis-codes?parent_code=F41&valid_on=2026-03-02&limit=3"
    ).json()
    path = f"/v1/diagnosis-codes?parent_code=F41&valid_on=2026-03-02&limit=3&cursor={first['next_cursor']}"
    second = willow.scheduler.get(path).json()

    assert [entry["code"] for entry in first["data"] + second["data"]] == [
        "F41.0", "F41.1", "F41.3", "F41.8", "F41.9",
    ]  # fmt: skip
