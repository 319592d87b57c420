"""What is owed and for how long, what clinicians earn, and the journal that another program balances."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core import realization
from hypothesis import given
from hypothesis import strategies as st

from rapport.platform.access.permissions import Role
from rapport.platform.db import sql
from rapport.rooms.accounting.rules.aging import Debt, aged
from rapport.rooms.accounting.rules.journal import NAMES, as_beancount
from rapport.rooms.accounting.rules.pay import Rule, Visit, earned
from rapport.rooms.accounting.states import PayBasis
from rapport.rooms.accounting.tests.support import RATE, pay, period, post, self_payer, today
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.tests.support import add_patient, charge
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House

BUCKETS = ("days_0_30", "days_31_60", "days_61_90", "days_91_120", "over_120")


def aging(house: House, **asked: str) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    answer = house.biller.get(f"/v1/aging?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def buckets(group: dict[str, Any]) -> list[int]:
    return [group[name]["amount"] for name in BUCKETS]


def test_debts_are_in_the_bucket_of_their_services_age_as_of_any_day(willow: House) -> None:
    ana, ana_id = add_patient(willow)
    ben, ben_id = add_patient(willow)
    end = date(2026, 6, 30)
    for age, cents in ((0, 100), (30, 200), (31, 400), (90, 800), (91, 1600), (121, 3200)):
        charge(willow, ana_id, patient_cents=cents, insurance_cents=7, on=end - timedelta(days=age))
    charge(willow, ben_id, patient_cents=50, on=end)
    charge(willow, ben_id, patient_cents=9999, on=end + timedelta(days=1))

    told = aging(willow, as_of="2026-06-30")

    assert {group["id"]: buckets(group) for group in told["groups"]} == {ana: [300, 400, 800, 1600, 3200], ben: [50, 0, 0, 0, 0]}
    assert (buckets(told["all"]), told["all"]["total"]["amount"]) == ([350, 400, 800, 1600, 3200], 6350)
    assert aging(willow, as_of="2026-06-30", owed_by="insurance")["all"]["total"]["amount"] == 42
    assert aging(willow, as_of="2026-05-30")["all"]["total"]["amount"] == 100 * 0 + 400 + 800 + 1600 + 3200
    for wrong in ("as_of=never", "owed_by=nobody", "group_by=moon"):
        assert willow.biller.get(f"/v1/aging?{wrong}").status_code == 400


def test_debts_by_payer_and_by_clinician(willow: House) -> None:
    billing = Billing(willow)
    visit = billing.visit(days_ago=40)
    pia = self_payer(willow, billing)
    billing.visit(patient=pia, days_ago=3)
    pay(willow, pia, 100)

    by_payer = aging(willow, owed_by="insurance", group_by="payer")
    by_clinician = aging(willow, owed_by="patient", group_by="clinician")

    assert [(one["id"], buckets(one)) for one in by_payer["groups"]] == [
        (billing.things["payer"]["id"], [0, RATE, 0, 0, 0])
    ]
    assert [(one["id"], buckets(one)) for one in by_clinician["groups"]] == [
        (billing.things["clinician"]["id"], [RATE - 100, 0, 0, 0, 0])
    ]
    post(willow, book.insurance_payment, visit, {"id": visit["patient_id"]}, cents=RATE + 250)
    overpaid = aging(willow, owed_by="insurance", group_by="payer")["all"]
    assert (overpaid["total"]["amount"], overpaid["overpaid"]["amount"]) == (0, 250)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-10, 400), st.integers(-10**6, 10**6).filter(bool))))
def test_buckets_lose_no_debt(debts: list[tuple[int, int, int]]) -> None:
    end = date(2026, 6, 30)
    groups = aged([Debt(group, end - timedelta(days=age), cents) for group, age, cents in debts], as_of=end)

    assert sum(sum(one.buckets) - one.overpaid_cents for one in groups.values()) == sum(cents for _, _, cents in debts)


def test_a_clinician_earns_a_part_of_what_was_collected_and_the_report_stays_as_it_is(willow: House) -> None:
    billing = Billing(willow)
    maya = billing.things["clinician"]["id"]
    visit = billing.visit(days_ago=4)
    pia = self_payer(willow, billing)
    billing.visit(patient=pia, days_ago=6)
    pay(willow, pia, 10_001)
    post(willow, book.insurance_payment, visit, {"id": visit["patient_id"]}, cents=9_000)
    rule = {"clinician_id": maya, "from_on": "2026-01-01", "basis": "collected", "basis_points": 5000}
    before = props.made(willow.biller.post("/v1/pay-reports", period(willow)))
    assert props.made(willow.biller.post("/v1/pay-rules", rule))["basis_points"] == 5000

    report = props.made(willow.biller.post("/v1/pay-reports", period(willow)))

    assert (before["total"]["amount"], before["clinicians"][0]["basis"]) == (0, None), "nothing was agreed"
    [one] = report["clinicians"]
    [line] = one["lines"]
    assert (one["clinician_id"], line["visits"], line["charged"]["amount"], line["collected"]["amount"]) == (maya, 2, 2 * RATE, 19_001)
    assert report["total"]["amount"] == one["pay"]["amount"] == 9_501, "half a cent goes up, once"
    post(willow, book.insurance_payment, visit, {"id": visit["patient_id"]}, cents=-9_000)
    path = f"/v1/pay-reports/{report['id']}"
    assert willow.biller.get(path).json() == report
    assert props.made(willow.biller.post("/v1/pay-reports", period(willow)))["total"]["amount"] == 5_001, "what was taken back earns nothing"
    rows = list(csv.DictReader(io.StringIO(willow.biller.get(path, accept="text/csv").content.decode())))
    assert [(row["clinician"], row["code"], row["collected"], row["pay"]) for row in rows] == [("Maya Chen, PhD", "90837", "190.01", "95.01")]
    with pytest.raises(Exception), willow.entered():  # noqa: B017, PT011 - the driver's own
        sql.run("UPDATE accounting_payreport SET cents = 1")
    types = [event["type"] for event in willow.admin.get("/v1/events?limit=100").json()["data"]]
    assert types.count("pay_report.made") == 3


def test_billed_visits_and_fixed_amounts_earn_by_their_rule() -> None:
    visits = [Visit("90837", 18_000, 9_000), Visit("90837", 18_000, 0), Visit("90853", 6_000, 6_000), Visit("90853", -6_000, -6_000)]

    def pays(rule: Rule | None) -> list[tuple[str, int, int]]:
        return [(line.code, line.visits, line.pay_cents) for line in earned(visits, rule)]

    assert pays(Rule(PayBasis.BILLED, 5_000, {})) == [("90837", 2, 18_000), ("90853", 0, 0)]
    assert pays(Rule(PayBasis.COLLECTED, 5_000, {})) == [("90837", 2, 4_500), ("90853", 0, 0)]
    assert pays(Rule(PayBasis.COLLECTED, 5_000, {"90837": 4_000})) == [("90837", 2, 8_000), ("90853", 0, 0)]
    assert pays(None) == [("90837", 2, 0), ("90853", 0, 0)]


def _with_money(house: House) -> None:
    billing = Billing(house)
    visit = billing.visit(days_ago=4)
    pia = self_payer(house, billing)
    billing.visit(patient=pia, days_ago=6)
    pay(house, pia, 20_000)
    ana = {"id": visit["patient_id"]}
    post(house, book.insurance_payment, visit, ana, cents=9_500)
    post(house, book.contractual_adjustment, visit, ana, cents=3_000, reason="CO-45")
    post(house, book.transfer_to_patient, visit, ana, cents=5_500, reason="PR-2")
    off = {"patient_id": ana["id"], "amount": {"amount": 33}, "reason": "Small", "reason_code": "small_balance"}
    props.made(house.biller.post("/v1/write-offs", off))


def test_the_journal_is_read_and_balanced_by_beancount(willow: House, tmp_path: Path) -> None:
    _with_money(willow)
    days = period(willow)
    path = f"/v1/journal?from_on={days['from_on']}&to_on={days['to_on']}"
    file = tmp_path / "journal.beancount"
    answer = willow.biller.get(path, accept="text/x-beancount")
    file.write_bytes(answer.content)

    entries, errors, _ = loader.load_file(str(file))

    assert errors == []
    tree = realization.realize(entries)
    with willow.entered():
        ours = dict(sql.rows("SELECT account, sum(cents)::bigint FROM ledger_posting WHERE practice_id = %s GROUP BY 1", (willow.id,)))
    for account, name in NAMES.items():
        held = realization.get_or_create(tree, name).balance.get_currency_units("USD").number or Decimal(0)
        assert held == Decimal(ours.get(account.value, 0)) / 100, name
    assert len(ours) == 7
    text = answer.content.decode()
    assert not [word for word in ("Pia", "Rivera", "90837", "pat_", "appt_", "clm_") if word in text]
    lines = willow.biller.get(path).json()["lines"]
    assert sum(line["amount"]["amount"] for line in lines) == 0
    rows = list(csv.DictReader(io.StringIO(willow.biller.get(path, accept="text/csv").content.decode())))
    assert sum(Decimal(row["debit"]) for row in rows) == sum(Decimal(row["credit"]) for row in rows) > 0
    assert len(rows) == len(lines)


def test_the_control_beancount_objects_to_a_cent_too_many(willow: House, tmp_path: Path) -> None:
    _with_money(willow)
    days = period(willow)
    path = f"/v1/journal?from_on={days['from_on']}&to_on={days['to_on']}"
    text = willow.biller.get(path, accept="text/x-beancount").content.decode()
    file = tmp_path / "journal.beancount"
    file.write_text(text.replace("Income:Services  -180.00", "Income:Services  -180.01", 1))

    _, errors, _ = loader.load_file(str(file))

    assert [type(error).__name__ for error in errors] == ["ValidationError"]


def test_an_empty_journal_is_a_journal(tmp_path: Path) -> None:
    file = tmp_path / "empty.beancount"
    file.write_text(as_beancount([], from_on=date(2026, 1, 1)))

    assert loader.load_file(str(file))[1] == []


def test_who_sees_some_patients_only_sees_no_totals_of_the_practice(willow: House) -> None:
    assistant = willow.person("bea", Role.BILLER_ASSIGNED)
    days = period(willow)
    journal = f"/v1/journal?from_on={days['from_on']}&to_on={days['to_on']}"

    for path in ("/v1/aging", journal, "/v1/pay-rules", "/v1/pay-reports"):
        assert assistant.get(path).status_code == 403
        assert willow.biller.get(path).status_code == 200, "the control"
    assert willow.biller.get("/v1/journal").status_code == 400
    assert willow.biller.get("/v1/journal?from_on=2020-01-01&to_on=2026-01-01").status_code == 400
    assert today(willow) >= date(2026, 1, 1)
