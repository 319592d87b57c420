"""The practice's own claim rules: what each does, that it says so, and what it would have done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.platform.access.permissions import Permission
from rapport.rooms.claims.models import ClaimRules
from rapport.rooms.claims.rules.modifiers import put
from rapport.rooms.claims.rules.own import Condition, Facts, Rule, Then, run
from tests.support.billing import Billing
from tests.support.cast import House


@pytest.fixture
def billing(willow: House) -> Billing:
    return Billing(willow)


def rule(id: str, field: str, op: str, value: Any, **then: Any) -> dict[str, Any]:
    stop = then.pop("stop", False)
    return {"id": id, "when": [{"field": field, "op": op, "value": value}], "then": then, "stop": stop}


def keep(billing: Billing, *rules: dict[str, Any], based_on: int = 0) -> Any:
    answer = billing.house.biller.post("/v1/claim-rules", {"rules": list(rules), "based_on": based_on})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_rule_blocks_another_sets_a_modifier_and_the_claim_says_which_did_what(billing: Billing) -> None:
    keep(
        billing,
        rule("ho-for-90837", "service_codes", "has", "90837", do="set_modifier", modifier="HO"),
        rule("no-anxiety", "diagnoses", "begins_with", "F41", do="error", text="Ask Maya first."),
        rule("old", "days_since_service", "at_least", 300, do="warning", text="Old."),
    )

    claim = billing.claim()

    assert (claim["state"], claim["lines"][0]["modifiers"]) == ("draft", ["HO"])
    [finding] = claim["findings"]
    assert (finding["code"], finding["pointer"], finding["message"]) == ("own-rule", "/rules/no-anxiety", "Ask Maya first.")
    assert [(r["rule_id"], r["do"], r["version"]) for r in claim["rules"]] == [
        ("ho-for-90837", "set_modifier", 1), ("no-anxiety", "error", 1),
    ]  # fmt: skip
    again = billing.house.biller.post(f"/v1/claims/{claim['id']}/validate", {}).json()
    assert again["lines"][0]["modifiers"] == ["HO"], "set once"


def test_the_control_without_a_rule_the_same_claim_is_ready(billing: Billing) -> None:
    claim = billing.claim()

    assert (claim["state"], claim["rules"], claim["lines"][0]["modifiers"]) == ("validated", [], [])


def test_a_rule_holds_a_claim_until_a_person_lets_it_pass(billing: Billing) -> None:
    keep(billing, rule("hold-all", "charge_cents", "at_least", 1, do="hold", text="Look at the rate."))
    claim = billing.claim()
    biller, path = billing.house.biller, f"/v1/claims/{claim['id']}"

    assert (claim["state"], claim["hold_reason"]) == ("held", "rule hold-all: Look at the rate.")
    passed = biller.post(f"{path}/hold", {}, if_match=biller.get(path)["ETag"]).json()
    again = biller.post(f"{path}/validate", {}).json()

    assert (passed["state"], again["state"]) == ("validated", "validated")


def test_a_rule_that_stops_leaves_the_later_ones_out(billing: Billing) -> None:
    keep(
        billing,
        rule("first", "rank", "is", "primary", do="warning", text="Seen.", stop=True),
        rule("second", "rank", "is", "primary", do="error", text="Never."),
    )

    claim = billing.claim()

    assert [r["rule_id"] for r in claim["rules"]] == ["first"]
    assert claim["state"] == "validated"


def test_versions_stay_and_nobody_overwrites_what_they_have_not_read(billing: Billing) -> None:
    keep(billing, rule("one", "rank", "is", "primary", do="warning", text="One."))
    second = keep(billing, based_on=1)
    late = billing.house.biller.post("/v1/claim-rules", {"rules": [], "based_on": 1})

    assert (late.status_code, late.json()["errors"][0]["code"]) == (422, "outdated")
    versions = billing.house.biller.get("/v1/claim-rules").json()["data"]
    assert [v["version"] for v in versions] == [2, 1]
    assert versions[1]["rules"][0]["id"] == "one"
    assert versions[0]["id"] == second["id"]


def test_rules_are_tried_on_the_past_and_change_nothing(billing: Billing) -> None:
    claim = billing.claim()
    before = billing.read(claim)
    today = timezone.now().date()
    days = {"from_on": str(today - timedelta(days=30)), "to_on": str(today)}

    tried = billing.house.biller.post(
        "/v1/claim-rules/dry-run",
        days | {"rules": [rule("ho", "lines", "is", 1, do="set_modifier", modifier="HO"),
                          rule("never", "rank", "is", "tertiary", do="hold", text="x")]},
    ).json()  # fmt: skip

    assert (tried["claims"], tried["by_rule"]) == (1, {"ho": 1})
    assert tried["examples"][0]["did"] == [
        {"rule_id": "ho", "do": "set_modifier", "text": "", "modifier": "HO", "lines": [1]}
    ]
    assert billing.read(claim) == before


@pytest.mark.parametrize(
    ("field", "op", "value", "place"),
    [
        ("charge_cents", "has", 1, "op"), ("charge_cents", "at_least", "x", "value"), ("charge_cents", "at_least", ["x"], "value"),
        ("charge_cents", "at_least", True, "value"), ("charge_cents", "in", ["180.00"], "value"),
        ("service_codes", "at_least", 3, "op"), ("service_codes", "is", "90837", "op"), ("service_codes", "has", [], "value"),
        ("rank", "in", 3, "value"), ("rank", "is", "first", "value"), ("supervised", "is", "yes", "value"),
        ("supervised", "has", True, "op"), ("payer_id", "is", "payer_nope", "value"),
        ("payer_id", "in", ["payer_01h455vb4pex5vsknk084sn02q"], "value"), ("clinician_id", "is", "Maya", "value"),
    ],
    ids=str,
)  # fmt: skip
def test_a_condition_that_can_hold_of_no_claim_is_refused_and_says_what_the_field_takes(
    billing: Billing, field: str, op: str, value: Any, place: str
) -> None:
    fine = rule("fine", "rank", "is", "primary", do="warning", text="Seen.")
    rules = [fine, rule("never", field, op, value, do="warning", text="Never.")]
    today = str(timezone.now().date())
    answers = [
        billing.house.biller.post("/v1/claim-rules", {"rules": rules, "based_on": 0}),
        billing.house.biller.post("/v1/claim-rules/dry-run", {"from_on": today, "to_on": today, "rules": rules}),
    ]

    for answer in answers:
        assert answer.status_code == 422, answer.content
        [error] = answer.json()["errors"]
        assert error["pointer"] == f"/rules/1/when/0/{place}"
        assert field in (error.get("message") or field)
    assert billing.house.biller.get("/v1/claim-rules").json()["data"] == []


def test_the_control_what_each_field_takes_is_kept_and_each_id_once(billing: Billing) -> None:
    payer, clinician = billing.things["payer"]["id"], billing.things["clinician"]["id"]
    conditions = [
        ("charge_cents", "in", ["18000", "9000"]), ("charge_cents", "at_most", 20000), ("service_codes", "has", ["90837"]),
        ("diagnoses", "begins_with", "F"), ("rank", "not_in", ["tertiary"]), ("supervised", "is", False),
        ("payer_id", "is", payer), ("clinician_id", "in", [clinician]), ("place_of_service", "has", "11"),
    ]  # fmt: skip
    rules = [rule(f"r{n}", *one, do="warning", text="Seen.") for n, one in enumerate(conditions)]
    keep(billing, *rules)

    assert [one["rule_id"] for one in billing.claim()["rules"]] == [one["id"] for one in rules]
    twice = billing.house.biller.post("/v1/claim-rules", {"rules": [rules[0], rules[1], rules[0]], "based_on": 1})
    assert [(one["pointer"], one["code"]) for one in twice.json()["errors"]] == [("/rules/2/id", "twice")]


def test_rules_that_were_kept_before_are_read_and_tried_as_they_stand(billing: Billing) -> None:
    old = [rule("never", "charge_cents", "has", "x", do="warning", text="Never.")] * 2
    with billing.house.entered() as scope:
        ClaimRules.objects.create(
            practice_id=scope.practice_id, number=1, rules=old, by=scope.actor_id, created_at=timezone.now()
        )

    assert billing.claim()["state"] == "validated"
    assert len(billing.house.biller.get("/v1/claim-rules").json()["data"][0]["rules"]) == 2
    backwards = billing.house.biller.post("/v1/claim-rules/dry-run", {"from_on": "2026-03-02", "to_on": "2026-03-01"})
    assert (backwards.status_code, backwards.json()["errors"][0]["pointer"]) == (422, "/to_on")


def test_rules_say_whether_a_person_or_a_program_changed_them(billing: Billing) -> None:
    house = billing.house
    keep(billing)
    program = house.key("biller", Permission.PAYERS_WRITE, Permission.CLAIMS_READ)
    made = program.post("/v1/claim-rules", {"rules": [], "based_on": 1})
    assert made.status_code == 201, made.content

    versions = house.biller.get("/v1/claim-rules").json()["data"]
    assert [one["changed_by"][:4] for one in versions] == ["key_", "usr_"]
    assert versions[0]["changed_by"] == made.json()["changed_by"] == house.biller.get(
        f"/v1/claim-rules/{made.json()['id']}"
    ).json()["changed_by"]  # fmt: skip


RULES = st.lists(
    st.builds(
        Rule,
        id=st.sampled_from(("a", "b", "c")),
        when=st.lists(
            st.builds(
                Condition, field=st.sampled_from(("units", "rank", "modifiers", "diagnoses")),
                op=st.sampled_from(("is", "is_not", "in", "not_in", "has", "has_not", "at_least", "at_most", "begins_with")),
                value=st.integers(0, 9) | st.sampled_from(("primary", "95", "F")) | st.just(["HO", "F41.1"]),
            ), max_size=2,
        ),
        then=st.builds(Then, do=st.sampled_from(("error", "set_modifier", "hold")), modifier=st.sampled_from(("HO", "95", "GT", "HN", "U1"))),
        stop=st.booleans(),
    ), max_size=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(rules=RULES, units=st.none() | st.integers(0, 9), modifiers=st.lists(st.sampled_from(("95", "HO")), unique=True))
def test_whatever_the_rules_no_line_gets_a_fifth_modifier_or_one_twice(
    rules: list[Rule], units: int | None, modifiers: list[str]
) -> None:
    facts = Facts(
        {"units": units, "rank": "primary", "modifiers": modifiers, "diagnoses": ["F41.1"]},
        [("90837", tuple(modifiers)), ("90785", ())],
    )

    told: list[tuple[str, ...]] = [tuple(modifiers), ()]
    for one in run(rules=rules, facts=facts):
        for place in one.lines:
            before, told[place] = told[place], put(told[place], one.modifier)
            assert set(told[place]) == {*before, one.modifier}, "it is set where it is said to be"

    assert all(len(line) <= 4 and len(set(line)) == len(line) for line in told)
