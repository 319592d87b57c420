"""The payers' checks beside the bank's deposits: what is missing on either side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rapport.rooms.remittance.rules.reconciling import Money, pairs
from tests.support import eras
from tests.support.remitting import Remitting

CSV = {"content_type": "text/csv"}
NEXT = eras.PAID_ON + timedelta(days=1)
BANK = f"""date,amount,reference,description
{NEXT},$119.00,EFT0000001,CASCADE HEALTH HCCLAIMPMT
{NEXT},"1,180.50",,SOMEBODY ELSE
{NEXT},7.00,EFT0000003,CASCADE HEALTH
"""


def reconciliation(remitting: Remitting) -> Any:
    first, last = eras.PAID_ON - timedelta(days=23), eras.PAID_ON + timedelta(days=6)
    return remitting.house.biller.get(f"/v1/reconciliation?from={first}&to={last}").json()


def test_a_deposit_of_nothing_or_of_a_day_to_come_is_refused(remitting: Remitting) -> None:
    biller = remitting.house.biller
    ahead = (datetime.now(UTC).date() + timedelta(days=2)).isoformat()
    for day, cents, pointer, code in (
        (ahead, 100, "/received_on", "in-the-future"), (NEXT.isoformat(), 0, "/amount/amount", "too-small"),
    ):  # fmt: skip
        answer = biller.post("/v1/deposits", {"received_on": day, "amount": {"amount": cents}})
        assert answer.status_code == 422, answer.content
        assert [answer.json()["errors"][0][k] for k in ("pointer", "code")] == [pointer, code]
    lines = f"date,amount\n{NEXT},1.00\n{ahead},1.00\n{NEXT},0.00\n"
    answer = biller.call("POST", "/v1/deposits/import", raw=lines.encode(), **CSV)
    assert {(one["pointer"], one["code"]) for one in answer.json()["errors"]} == {
        ("/lines/3", "in-the-future"), ("/lines/4", "too-small"),
    }  # fmt: skip
    assert biller.get("/v1/deposits").json()["data"] == []


def test_what_the_payer_says_and_what_the_bank_shows_are_told_apart(remitting: Remitting) -> None:
    claims = [remitting.claim(days_ago=3 + n) for n in range(3)]
    files = [
        remitting.hand_in(eras.check(remitting.paid(claim), trace=f"EFT000000{n}")) for n, claim in enumerate(claims, 1)
    ]
    nothing = replace(remitting.paid(claims[0]), number="RNOBODY")
    waits = remitting.hand_in(eras.check(nothing, trace="EFT0000009"))
    biller = remitting.house.biller

    first = biller.call("POST", "/v1/deposits/import", raw=BANK.encode(), **CSV)
    again = biller.call("POST", "/v1/deposits/import", raw=BANK.encode(), **CSV)
    assert [(a.json()["added"], a.json()["known"]) for a in (first, again)] == [(3, 0), (0, 3)]
    by_hand = biller.post("/v1/deposits", {"received_on": NEXT.isoformat(), "amount": {"amount": 11900}, "trace": "9"}).json()
    of = {file["id"]: file["remittances"][0]["id"] for file in (*files, waits)}

    found = reconciliation(remitting)
    assert [(one["remittance_id"], one["how"]) for one in found["matched"]] == [(of[files[0]["id"]], "trace")]
    assert [one["remittance_id"] for one in found["differing"]] == [of[files[2]["id"]]]
    assert {one["remittance_id"] for one in found["without_deposit"]} == {of[files[1]["id"]], of[waits["id"]]}
    assert {one["amount"]["amount"] for one in found["without_remittance"]} == {118050, 11900}
    assert (found["not_posted"], found["remitted"]["amount"]) == ([], 4 * 11900)

    matched = biller.post(f"/v1/deposits/{by_hand['id']}/match", {"remittance_id": of[waits["id"]]})
    assert matched.status_code == 200, matched.content
    found = reconciliation(remitting)
    assert [one["remittance_id"] for one in found["not_posted"]] == [of[waits["id"]]], "the bank has it, the ledger has not"
    other = biller.get("/v1/deposits?trace=EFT0000003").json()["data"][0]
    taken = biller.post(f"/v1/deposits/{other['id']}/match", {"remittance_id": of[waits["id"]]})
    assert (taken.status_code, taken.json()["code"]) == (422, "reference-not-found")
    assert biller.post(f"/v1/deposits/{by_hand['id']}/match", {}).json()["remittance_id"] is None
    assert reconciliation(remitting)["not_posted"] == []


def test_a_file_with_one_wrong_line_adds_nothing(remitting: Remitting) -> None:
    biller = remitting.house.biller
    for text, pointer in (
        (BANK + "yesterday,1.00,,\n", "/lines/5"), (BANK + "2026-11-25,1.005,,\n", "/lines/5"),
        ("day,sum\n2026-11-25,1\n", "/columns/date"),
    ):  # fmt: skip
        answer = biller.call("POST", "/v1/deposits/import", raw=text.encode(), **CSV)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert biller.get("/v1/deposits").json()["data"] == []
    assert remitting.house.scheduler.get("/v1/deposits").status_code == 403


MONEY = st.builds(
    lambda trace, cents, day: (trace, cents, date(2026, 11, 1) + timedelta(days=day)),
    st.sampled_from(["", "1", "01", "2", "EFT1"]), st.integers(1, 3), st.integers(0, 20),
)


@given(st.lists(MONEY, max_size=6), st.lists(MONEY, max_size=6))
def test_no_check_and_no_deposit_is_in_two_pairs(checks: list[Any], deposits: list[Any]) -> None:
    ours = [Money(UUID(int=n), *one) for n, one in enumerate(checks)]
    theirs = [Money(UUID(int=100 + n), *one) for n, one in enumerate(deposits)]

    found = pairs(ours, theirs, by_hand={})

    assert len({pair.check_id for pair in found}) == len({pair.deposit_id for pair in found}) == len(found)
    cents = {one.id: one.cents for one in (*ours, *theirs)}
    assert all(cents[pair.check_id] == cents[pair.deposit_id] for pair in found if pair.how != "trace_only")
