"""Payers are asked over the interfaces of two clearinghouses, at which a question that is asked again is another one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.rooms.coverage import services
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess

from .test_eligibility import check, read_check, work

WAYS = ("stedi", "claim_md")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@pytest.mark.parametrize("way", WAYS)
def test_payers_answer_by_member_as_over_any_other_way(willow: House, sandbox: SandboxProcess, way: str) -> None:
    billing = Billing(willow, sandbox, way=way)
    made = {}
    for number, member in enumerate(("SBXCOPAY1", "SBXAAA721", "SBXAAA421")):
        billing.visit(member_id=member, hour=number, days_ago=3 + number)
        made[member] = check(billing)
    work(billing)

    now = {member: read_check(billing, one) for member, one in made.items()}
    assert now["SBXCOPAY1"]["benefits"]["copay"] == {"amount": 2500, "currency": "USD"}
    assert (now["SBXAAA721"]["state"], now["SBXAAA721"]["refusals"][0]["code"]) == ("refused", "72")
    assert (now["SBXAAA421"]["state"], now["SBXAAA421"]["last_code"]) == ("queued", "aaa:42")
    raw = billing.house.scheduler.get(f"/v1/eligibility-checks/{made['SBXCOPAY1']['id']}", accept="application/edi-x12")
    assert raw.content.startswith(b"ISA")


@pytest.mark.parametrize(("way", "ends"), [("http", ("answered", 2)), ("stedi", ("unanswered", 1)), ("claim_md", ("unanswered", 1))])
def test_a_lost_reply_is_asked_for_again_only_where_that_asks_nothing_new(
    willow: House, sandbox: SandboxProcess, way: str, ends: tuple[str, int]
) -> None:
    """The control is `http`, which knows a question again by its key."""
    billing = Billing(willow, sandbox, way=way)
    billing.visit(member_id="SBXCOPAY1")
    made = check(billing)
    sandbox.script({"fault": "drop_reply"})
    for _ in range(3):
        work(billing, later=True)
    now = read_check(billing, made)
    assert (now["state"], now["exchanges"][0]["tries"]) == ends
    assert now["last_code"] == (None if way == "http" else "in-doubt")
    assert check(billing)["id"] != made["id"], "somebody may ask anew"


@pytest.mark.parametrize(("way", "ends"), [("http", ("answered", 2)), ("stedi", ("unanswered", 1))])
def test_what_a_worker_that_died_may_have_asked_is_not_asked_again_blindly(
    willow: House, sandbox: SandboxProcess, way: str, ends: tuple[str, int]
) -> None:
    billing = Billing(willow, sandbox, way=way)
    billing.visit(member_id="SBXCOPAY1")
    made = check(billing)
    check_id = parse_type_id("eligibility_check", made["id"])
    assert check_id is not None
    with billing.house.entered() as scope:  # noted, and then the worker is gone
        assert services.begin_asking(scope=scope, check_id=check_id, now=timezone.now()) is not None
    with billing.house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE coverage_eligibilitycheck SET leased_until = now() - interval '1 second'")
    work(billing)
    now = read_check(billing, made)
    assert (now["state"], now["exchanges"][0]["tries"]) == ends


@pytest.mark.parametrize("way", WAYS)
def test_a_busy_clearinghouse_is_asked_later(willow: House, sandbox: SandboxProcess, way: str) -> None:
    billing = Billing(willow, sandbox, way=way)
    billing.visit(member_id="SBXCOPAY1")
    made = check(billing)
    sandbox.script({"fault": "429", "seconds": 5})
    work(billing)
    assert (read_check(billing, made)["state"], read_check(billing, made)["last_code"]) == ("queued", "later")
    work(billing, later=True)
    assert read_check(billing, made)["state"] == "answered"
