"""What contracts with payers say: kept by days and conditions, taken in from fee schedules."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.rooms.coverage.rules.contracts import (
    ContractRate,
    Service,
    merged,
    overlapping,
    rate_for,
)
from tests.support import props
from tests.support.cast import House

NEW_YEAR = date(2026, 1, 1)
CSV = {"content_type": "text/csv"}
RATES = (
    ContractRate("90837", 14400, NEW_YEAR),
    ContractRate("90837", 13000, NEW_YEAR, telehealth=True),
    ContractRate("90837", 12000, NEW_YEAR, place_of_service_code="10"),
    ContractRate("90837", 11000, NEW_YEAR, credential="LPC"),
    ContractRate("90837", 10000, NEW_YEAR, modifier="HO"),
    ContractRate("90837", 9000, NEW_YEAR, credential="LPC", telehealth=True),
    ContractRate("90834", 9900, NEW_YEAR, date(2026, 5, 31)),
)


@pytest.mark.parametrize(
    ("modifiers", "place", "credentials", "cents"),
    [
        ((), "11", "PhD", 14400), (("95",), "11", "PhD", 13000), ((), "10", "PhD", 12000), ((), "11", "M.A., LPC", 11000),
        (("HO",), "10", "L.P.C.", 9000), (("HO",), "11", "LPC", 10000), ((), "02", "LPC", 9000), ((), "11", "", 14400),
    ],
)  # fmt: skip
def test_the_rate_with_the_most_conditions_that_fit_holds(
    modifiers: tuple[str, ...], place: str, credentials: str, cents: int
) -> None:
    found = rate_for(RATES, service=Service("90837", modifiers, place, credentials, date(2026, 6, 1)))
    assert found is not None
    assert found.allowed_cents == cents


def test_a_rate_holds_on_its_days_only() -> None:
    def cents(day: date) -> int | None:
        found = rate_for(RATES, service=Service("90834", (), "11", "", day))
        return found and found.allowed_cents

    assert (cents(date(2025, 12, 31)), cents(NEW_YEAR), cents(date(2026, 5, 31)), cents(date(2026, 6, 1))) == (None, 9900, 9900, None)


_rates = st.builds(
    ContractRate, st.sampled_from(["90834", "90837"]), st.integers(0, 30000),
    st.integers(0, 400).map(lambda n: NEW_YEAR + timedelta(days=n)), modifier=st.sampled_from(["", "95"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(_rates, max_size=8), st.lists(_rates, max_size=8))
def test_schedules_come_together_without_a_day_of_two_rates(known: list[Any], new: list[Any]) -> None:
    whole = merged(known, new)
    assert overlapping(whole) is None
    latest = {(rate.key, rate.starts_on): rate.allowed_cents for rate in (*known, *new)}
    assert {(rate.key, rate.starts_on): rate.allowed_cents for rate in whole} == latest
    assert {(r.key, r.starts_on, r.ends_on) for r in merged(whole, new)} == {(r.key, r.starts_on, r.ends_on) for r in whole}


def _import(house: House, payer: Any, text: str) -> Any:
    return house.biller.post(f"/v1/payers/{payer['id']}/contract-rates/import", raw=text.encode(), **CSV)


def test_a_fee_schedule_ends_the_one_before_on_its_eve(willow: House) -> None:
    payer = props.payer(willow)
    path = f"/v1/payers/{payer['id']}/contract-rates"
    first = _import(willow, payer, "Service_Code,rate,starts_on,credential,telehealth\n90837,144.00,2026-01-01,,\n90837,$122,2026-01-01,lpc,no\n")
    assert (first.status_code, first.json()["added"]) == (200, 2), first.content
    second = _import(willow, payer, "service_code,rate,starts_on\n90837,150,2027-01-01\n90834,99.5,2027-01-01\n")
    assert {name: second.json()[name] for name in ("added", "changed", "known")} == {"added": 2, "changed": 1, "known": 0}

    shown = willow.biller.get(path).json()["rates"]
    assert [(r["service_code"], r["rate"]["amount"], r["starts_on"], r["ends_on"], r["credential"], r["telehealth"]) for r in shown] == [
        ("90834", 9950, "2027-01-01", None, None, None),
        ("90837", 14400, "2026-01-01", "2026-12-31", None, None),
        ("90837", 15000, "2027-01-01", None, None, None),
        ("90837", 12200, "2026-01-01", None, "LPC", False),
    ]
    version = willow.biller.get(path).json()["version"]
    again = _import(willow, payer, "service_code,rate,starts_on\n90834,99.50,2027-01-01\n")
    assert (again.json()["known"], willow.biller.get(path).json()["version"]) == (1, version), "nothing is new"


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        ("service_code,rate\n90837,144\n", {"/columns/starts_on"}),
        ("service_code,rate,starts_on\n90837,144,2026-01-01\n90834,?,2026-01-01\n9,1,2026-01-01\n", {"/lines/3", "/lines/4"}),
        ("service_code,rate,starts_on\n90837,144,2026-01-01\n90837,145,2026-03-01\n", {"/lines/3"}),
        ("service_code,rate,starts_on,telehealth\n90837,-1,2026-01-01,\n90837,1,2026-01-01,maybe\n", {"/lines/2", "/lines/3"}),
    ],
)  # fmt: skip
def test_a_schedule_with_a_wrong_line_is_refused_whole(willow: House, text: str, pointers: set[str]) -> None:
    payer = props.payer(willow)
    answer = _import(willow, payer, text)
    assert (answer.status_code, {one["pointer"] for one in answer.json()["errors"]}) == (422, pointers), answer.content
    assert willow.biller.get(f"/v1/payers/{payer['id']}/contract-rates").json()["rates"] == []


def test_rates_are_replaced_by_whoever_read_them_last(willow: House, aspen: House) -> None:
    payer = props.payer(willow)
    path = f"/v1/payers/{payer['id']}/contract-rates"
    old = willow.biller.get(path)["ETag"]
    rate = {"service_code": "90837", "rate": {"amount": 14400}, "starts_on": "2026-01-01"}

    done = willow.biller.call("PUT", path, {"rates": [rate]}, if_match=old)
    assert (done.status_code, done.json()["rates"][0]["rule"]) == (200, "90837, from 2026-01-01"), done.content
    late = willow.biller.call("PUT", path, {"rates": []}, if_match=old)
    assert (late.status_code, late.json()["code"]) == (412, "precondition-failed")
    twice = willow.biller.call("PUT", path, {"rates": [rate, rate | {"starts_on": "2026-02-01"}]}, if_match=done["ETag"])
    assert (twice.status_code, twice.json()["errors"][0]["pointer"]) == (422, "/rates/1")
    assert aspen.biller.get(path).status_code == 404
    assert willow.scheduler.call("PUT", path, {"rates": []}, if_match=done["ETag"]).status_code == 403
