"""The practice's own claim rules: what each does, that it says so, and what it would have done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

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
