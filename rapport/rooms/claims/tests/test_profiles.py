"""How a payer wants its claims: supervision, telehealth, taxonomy, units, corrections, and the time limit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.rooms.claims import services
from rapport.rooms.claims.rules.profiles import Profile, effective, file_by, place_and_modifiers
from rapport.rooms.claims.tests.test_what_is_blocked import hire, seen_by_the_intern
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House


@pytest.fixture
def billing(willow: House) -> Billing:
    house = Billing(willow)
    house.things["channel"] = props.made(
        willow.biller.post(
            "/v1/channels",
            {"name": "By hand", "kind": "download",
             "settings": {"sender_id": "WILLOW", "receiver_id": "PAYER", "receiver_name": "PAYER"}},
        )
    )  # fmt: skip
    return house


def say(billing: Billing, **values: Any) -> Any:
    """Put the practice's word into the payer's profile."""
    biller, path = billing.house.biller, f"/v1/payers/{billing.things['payer']['id']}/claim-profile"
    answer = biller.patch(path, values, if_match=biller.get(path)["ETag"])
    assert answer.status_code == 200, answer.content
    return answer.json()


def codes(claim: Any) -> set[str]:
    return {finding["code"] for finding in claim["findings"]}


def again(billing: Billing, claim: Any) -> Any:
    return billing.house.biller.post(f"/v1/claims/{claim['id']}/validate", {}).json()


def test_a_default_says_that_nobody_has_looked_and_the_practices_word_goes_before_it(billing: Billing) -> None:
    path = f"/v1/payers/{billing.things['payer']['id']}/claim-profile"
    before = billing.house.biller.get(path).json()

    said = say(billing, filing_limit_days=120)
    back = say(billing, filing_limit_days=None)

    assert before["values"]["filing_limit_days"] == {"value": 90, "source": "default", "note": "default, verify"}
    assert said["values"]["filing_limit_days"] == {"value": 120, "source": "practice", "note": None}
    assert back["values"] == before["values"]
    assert back["version"] == 2


def test_supervised_work_is_billed_under_the_supervisor_where_the_payer_wants_it_so(billing: Billing) -> None:
    sue = hire(billing, supervisor_is_clinician=True)
    named = seen_by_the_intern(billing, sue)
    say(billing, supervision="bill_under_supervisor")
    billing.submit(again(billing, named))
    edi = billing.house.biller.get(f"/v1/claims/{named['id']}", accept="application/edi-x12").content.decode()

    assert "NM1*82*1*" in edi
    assert "*XX*1000000020~" in edi.partition("NM1*82")[2].partition("\n")[0] + "~"
    assert "NM1*DQ" not in edi
    assert "1000000012" not in edi, "the intern is not named"


def test_the_control_else_the_intern_renders_and_the_supervisor_is_named(billing: Billing) -> None:
    claim = seen_by_the_intern(billing, hire(billing, supervisor_is_clinician=True))
    billing.submit(claim)
    edi = billing.house.biller.get(f"/v1/claims/{claim['id']}", accept="application/edi-x12").content.decode()

    assert "1000000012" in edi.partition("NM1*82")[2].partition("\n")[0]
    assert "1000000020" in edi.partition("NM1*DQ")[2].partition("\n")[0]


def test_what_the_payer_wants_is_named_on_the_claim(billing: Billing) -> None:
    claim = billing.claim()
    assert codes(claim) == set()

    say(billing, max_units_a_day={"90837": 1}, taxonomy_required="both")
    assert codes(again(billing, claim)) == set(), "the control: one unit, and both have a taxonomy code"
    with billing.house.entered():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("UPDATE roster_clinician SET taxonomy_code = ''")
            cursor.execute("UPDATE claims_claimline SET units = 2")

    judged = again(billing, claim)
    assert codes(judged) == {"taxonomy-required", "units-a-day"}
    assert judged["state"] == "draft"


@pytest.mark.parametrize(
    ("profile", "place", "modifiers", "told"),
    [
        (Profile(), "10", ("95",), ("10", ("95",))),
        (Profile(video_modifier=""), "10", ("95", "HO"), ("10", ("HO",))),
        (Profile(video_modifier="GT", audio_modifier="FQ"), "02", ("93",), ("02", ("FQ",))),
        (Profile(telehealth_place="office_place"), "10", ("95",), ("11", ("95",))),
        (Profile(telehealth_place="office_place"), "11", ("HO",), ("11", ("HO",))),
    ],
    ids=["as usual", "place alone", "other modifiers", "office and modifier", "in person"],
)
def test_telehealth_is_told_as_the_payer_wants_it(
    profile: Profile, place: str, modifiers: tuple[str, ...], told: tuple[str, tuple[str, ...]]
) -> None:
    assert place_and_modifiers(profile=profile, place=place, modifiers=modifiers) == told


def test_a_pair_that_does_not_go_together_blocks(billing: Billing) -> None:
    claim = billing.claim()
    with billing.house.entered():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("UPDATE claims_claimline SET modifiers = '{95}'")

    incoherent = again(billing, claim)
    say(billing, telehealth_place="office_place")
    wanted = again(billing, claim)

    assert "telehealth-incoherent" in codes(incoherent)
    assert codes(wanted) == set(), "this payer asks for just that"


def test_the_clock_runs_from_the_service_and_for_a_correction_from_the_decision() -> None:
    day = date(2026, 3, 1)
    usual = effective(filing_indicator="CI", own={})

    assert file_by(profile=usual, first_service_on=day, decided_on=None) == day + timedelta(days=90)
    assert file_by(profile=usual, first_service_on=day, decided_on=date(2026, 5, 1)) == date(2027, 5, 1)
    assert file_by(profile=Profile(), first_service_on=day, decided_on=None) is None


def test_whose_time_runs_out_is_found_told_once_and_put_on_the_work_list(billing: Billing) -> None:
    biller = billing.house.biller
    say(billing, filing_limit_days=10, warn_days=14)
    claim = billing.claim(days_ago=3)
    assert "timely-filing-near" in codes(claim)
    assert claim["state"] == "validated", "it may be sent"

    with billing.house.entered() as scope:
        told = [services.warn_of_limits(scope=scope, now=timezone.now()) for _ in range(2)]
    items = biller.get(f"/v1/claim-work-items?state=open&claim_id={claim['id']}").json()["data"]
    listed = biller.get(f"/v1/claims?file_by_on[lt]={timezone.now().date() + timedelta(days=14)}").json()["data"]

    assert told == [1, 0]
    assert [(item["kind"], item["code"], item["due_on"]) for item in items] == [("filing", "near", claim["file_by_on"])]
    assert [one["id"] for one in listed] == [claim["id"]]
    billing.submit(claim)
    assert biller.get("/v1/claim-work-items?state=open").json()["data"] == []


def test_the_control_a_claim_with_time_left_is_told_of_nowhere(billing: Billing) -> None:
    billing.claim(days_ago=3)

    with billing.house.entered() as scope:
        assert services.warn_of_limits(scope=scope, now=timezone.now()) == 0


def test_past_the_limit_is_said(billing: Billing) -> None:
    say(billing, filing_limit_days=1)
    claim = billing.claim(days_ago=4)

    with billing.house.entered() as scope:
        services.warn_of_limits(scope=scope, now=timezone.now())
    item = billing.house.biller.get("/v1/claim-work-items").json()["data"][0]

    assert "timely-filing-passed" in codes(claim)
    assert (item["code"], item["reason"]) == ("passed", "The payer's time limit has passed.")


def test_medicare_takes_no_replacement(billing: Billing) -> None:
    assert effective(filing_indicator="MB", own={}).corrected_claims == "new_claim"
    claim = billing.claim()
    say(billing, corrected_claims="new_claim")
    with billing.house.entered():
        from rapport.rooms.claims.models import Claim

        Claim.objects.filter(id=parse_type_id("claim", claim["id"])).update(
            frequency="replacement", payer_claim_number="ICN1"
        )

    assert "corrected-claim-method" in codes(again(billing, claim))


def test_the_payer_is_asked_to_know_whoever_the_work_is_billed_under(billing: Billing) -> None:
    """Sue is credentialed, her intern is not, and is not meant to be."""
    sue = hire(billing, supervisor_is_clinician=True)
    claim = seen_by_the_intern(billing, sue)
    supervisor = next(c for c in billing.house.admin.get("/v1/clinicians").json()["data"] if c["first_name"] == "Sue")
    span = {"clinician_id": supervisor["id"], "payer_id": billing.things["payer"]["id"], "starts_on": "2026-01-01"}
    props.made(billing.house.biller.post("/v1/credential-spans", span))

    assert "clinician-not-credentialed" in codes(again(billing, claim)), "the control: else the intern renders"
    say(billing, supervision="bill_under_supervisor")
    assert "clinician-not-credentialed" not in codes(again(billing, claim))
