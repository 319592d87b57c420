"""One sign-in for each epoch, whoever needs it; the newest jar wins; a stale one is thrown away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.rooms.exchange import services
from rapport.rooms.exchange.jobs import signing
from rapport.rooms.exchange.models import Challenge, Connection, PortalSession, SignIn
from rapport.rooms.exchange.services import signing_in
from tests.support.cast import House
from tests.support.clock import moving
from tests.support.connected import Connected, at_once
from tests.support.portal import SEED, ScriptedPortal


def test_twenty_readers_of_an_ended_session_sign_in_once(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.limits["parallel"], portal.seconds = 4, 0.02
    portal.end_sessions()
    from rapport.rooms.exchange.jobs.syncing import sync

    kinds = ["appointments", "claims", "clinicians", "notes", "patients"]
    scopes = [connected.house.scope for _ in range(20)]
    answers = at_once(
        *(
            (lambda place=place: sync(
                scope=scopes[place], connection_id=connected.id, kind=kinds[place % 5], near=place % 2 == 0
            ))
            for place in range(20)
        )
    )  # fmt: skip
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    assert len(portal.log("sign_in")) == 2, "one for the first epoch, one for the second"
    assert {run["state"] for run in connected.list("runs")} == {"published"}


def test_the_control_without_the_lock_each_reader_signs_in(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.limits["logins_per_hour"] = 100
    connected.start()
    portal.seconds = 0.05
    portal.end_sessions()

    def naive() -> object:
        scope = connected.house.scope
        with connected.house.entered():
            begun = services.begin_sign_in(
                scope=scope, connection_id=connected.id, cause="renewal", now=timezone.now()
            )
        assert isinstance(begun, services.SigningIn)
        return signing._sign_in(scope, begun)

    assert at_once(*[naive] * 5)
    assert len(portal.log("sign_in")) == 6


def test_a_session_that_ends_at_once_is_renewed_once_and_no_more(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.script("read:patients", {"trouble": "session_expired"}, {"trouble": "session_expired"})
    run = connected.sync("patients")
    assert (run["state"], run["reason"]) == ("refused", "session_expired")
    assert len(portal.log("sign_in")) == 2
    assert connected.sync("patients")["state"] == "published", "the control: then it goes on"


def test_not_permitted_is_no_reason_to_sign_in(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("read:notes", {"trouble": "not_permitted"})
    run = connected.sync("notes")
    assert run["reason"] == "not_permitted"
    assert len(portal.log("sign_in")) == 1
    notes = next(one for one in connected.read("/capabilities")["data"] if one["name"] == "notes.read")
    assert (notes["permitted"], notes["works"]) == (False, False)
    patients = next(one for one in connected.read("/capabilities")["data"] if one["name"] == "patients.read")
    assert patients["works"]


def test_the_newest_jar_wins_and_an_old_epoch_writes_nothing(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    now = timezone.now()
    with connected.house.entered() as scope:
        first = services.lease(scope=scope, connection_id=connected.id, now=now)
        second = services.lease(scope=scope, connection_id=connected.id, now=now)
    assert first is not None
    assert second is not None
    later, earlier = now + timedelta(seconds=9), now + timedelta(seconds=5)
    with connected.house.entered() as scope:
        assert services.write_back(scope=scope, lease=first, session=b"ZZSESSION:1:2", at=later)
        assert not services.write_back(scope=scope, lease=second, session=b"ZZSESSION:1:1", at=earlier)
        kept = services.lease(scope=scope, connection_id=connected.id, now=now)
    assert kept is not None
    assert kept.session == b"ZZSESSION:1:2"

    portal.end_sessions()
    connected.sync("patients")
    with connected.house.entered() as scope:
        stale = services.write_back(
            scope=scope, lease=kept, session=b"ZZSESSION:1:3", at=timezone.now() + timedelta(hours=1)
        )
        fresh = services.lease(scope=scope, connection_id=connected.id, now=now)
    assert not stale
    assert fresh is not None
    assert fresh.epoch == kept.epoch + 1
    assert fresh.session == b"ZZSESSION:2:0"


def eight_at_once(connected: Connected, portal: ScriptedPortal) -> None:
    """Eight calls at one instant to a portal that turns the cookie each time and knows none but the newest."""
    from rapport.rooms.exchange.jobs.syncing import sync

    portal.limits["parallel"], portal.seconds = 8, 0.02
    kinds = ["appointments", "claims", "clinicians", "notes", "patients"]
    for kind in kinds:
        portal.script(f"read:{kind}", *[{"rotate": True, "strict": True}] * 16)
    # The same reading is not begun twice: eight different ones.
    wanted = [(kind, near) for near in (True, False) for kind in kinds][:8]
    at_once(
        *(
            (lambda kind=kind, near=near: sync(
                scope=connected.house.scope, connection_id=connected.id, kind=kind, near=near
            ))
            for kind, near in wanted
        )
    )  # fmt: skip


def test_a_cookie_that_rotates_under_eight_calls_at_once_ends_as_the_newest(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.turns = True
    before = len(portal.log("sign_in"))
    eight_at_once(connected, portal)
    with connected.house.entered() as scope:
        kept = services.lease(scope=scope, connection_id=connected.id, now=timezone.now())
    with portal.state() as state:
        newest = max(state["sessions"].values())
    assert newest >= 8, "each answer turned it"
    assert kept is not None
    assert kept.session.endswith(b":%d" % newest)
    assert len(portal.log("sign_in")) == before, "nobody was signed out"


def test_the_control_without_turns_such_a_portal_signs_us_out(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    before = len(portal.log("sign_in"))
    eight_at_once(connected, portal)
    assert len(portal.log("sign_in")) > before


def test_a_renewal_begins_from_the_session_that_ended_and_a_persons_sign_in_does_not(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.end_sessions()
    assert connected.sync("patients")["state"] == "published"
    assert [one["earlier"] for one in portal.log("sign_in")] == ["", "ZZSESSION:1:0"]

    assert connected.admin.post(f"{connected.path}/sign-in").status_code == 202
    portal.end_sessions()
    connected.work()
    assert [one["earlier"] for one in portal.log("sign_in")][2] == "", "a person wants the password tried"


def test_an_old_session_that_was_no_way_in_is_not_begun_from_again(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.script("sign_in", {"trouble": "portal_down"}, {"trouble": "drift_suspect"}, {})
    for _ in range(3):
        portal.end_sessions()
        connected.sync("patients")
        with connected.house.entered():
            Connection.objects.filter(id=connected.id).update(sign_in_not_before=None)
    assert [one["earlier"] for one in portal.log("sign_in")][1:] == ["ZZSESSION:1:0", "ZZSESSION:1:0", ""]


def test_what_an_ended_session_left_is_erased_with_the_consent(
    connected: Connected, portal: ScriptedPortal
) -> None:
    def left() -> bool:
        with connected.house.entered() as scope:
            return PortalSession.objects.visible_to(scope).filter(ended__isnull=False).exists()

    connected.start()
    portal.end_sessions()
    portal.script("sign_in", {"trouble": "portal_down"})
    connected.sync("patients")
    assert left(), "the control: it was kept for the renewal"
    assert connected.admin.post(f"{connected.path}/withdraw").status_code == 202
    connected.work()
    assert not left()


def test_a_totp_window_is_used_once_and_not_in_its_last_seconds() -> None:
    start = datetime(2026, 3, 2, 17, 0, 0, tzinfo=UTC)
    used = start + timedelta(seconds=9)
    wait = signing_in._wait_for_window
    assert wait(None, now=start + timedelta(seconds=4)) == 0, "the control: a fresh window is free"
    assert wait(used, now=start + timedelta(seconds=12)) == 18
    assert wait(used, now=start + timedelta(seconds=31)) == 0
    assert 0 < wait(None, now=start + timedelta(seconds=28)) <= 3


def test_a_code_that_another_practice_used_is_used_and_one_that_nobody_heard_of_may_be(
    connected: Connected, portal: ScriptedPortal, aspen: House
) -> None:
    address = f"http://127.0.0.1:9/{new_uuid().hex}"
    connected.link(username="shared", base_url=address)
    other = Connected(aspen, portal)
    other.link(username="shared", base_url=address)
    stranger = Connected(aspen, portal)
    stranger.link(username="nobody-shares-it", base_url=address)
    began = timezone.now()
    for ended_at, used in ((began + timedelta(seconds=9), began + timedelta(seconds=9)), (None, began + timedelta(seconds=62))):
        with aspen.entered() as scope:
            SignIn.objects.create(
                practice_id=scope.practice_id, connection_id=other.id, cause="person", used_totp=True,
                began_at=began + timedelta(seconds=2), ended_at=ended_at,
            )  # fmt: skip
        with connected.house.entered():
            assert signing_in._code_used(connected.row()) == used
    with aspen.entered():
        assert signing_in._code_used(stranger.row()) is None, "the control: another account"


def test_somebody_else_at_the_portal_is_given_way(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("read:patients", {"trouble": "session_taken"})
    connected.sync("patients")
    portal.end_sessions()
    for _ in range(5):
        connected.sync("patients")
    assert connected.open_items() == ["session_taken"]
    assert len(portal.log("sign_in")) == 1, "none in the minutes after"


def test_each_time_that_somebody_else_is_there_again_they_are_given_way_for_longer(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    waits = []
    with moving() as clock:
        for _ in range(6):
            portal.script("read:patients", {"trouble": "session_taken"})
            connected.sync("patients")
            waits.append(round(((connected.row().sign_in_not_before or timezone.now()) - timezone.now()).total_seconds() / 60))
            clock.move(minutes=waits[-1], seconds=1)
        assert waits == [5, 10, 20, 40, 60, 60]
        clock.move(hours=5)
        portal.script("read:patients", {"trouble": "session_taken"})
        connected.sync("patients")
        left = (connected.row().sign_in_not_before or timezone.now()) - timezone.now()
        assert left <= timedelta(minutes=5), "the control: what was long ago is forgotten"


def challenge_of(connected: Connected) -> dict[str, object]:
    return connected.list("challenges")[0]


def test_a_code_is_typed_by_whichever_worker_and_forgotten(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.script("sign_in", {"challenge": "sms"})
    connected.start()
    seen = connected.read()
    assert (seen["state"], seen["reason"]) == ("attention", "second_factor_needed")
    challenge = challenge_of(connected)
    assert (challenge["masked_destination"], challenge["state"]) == ("•••-0142", "open")
    connected.portal = ScriptedPortal(portal.file.parent)
    connected.__post_init__()  # another process: nothing of the first sign-in is in memory
    answer = f"{connected.path}/challenges/{challenge['id']}/answer"
    assert connected.admin.post(answer, {"code": "246810"}).status_code == 202
    connected.work()
    assert connected.read()["state"] == "healthy"
    assert (challenge_of(connected)["state"], connected.open_items()) == ("passed", [])
    assert len(portal.log("sign_in")) == 1, "the password was not typed again"
    assert connected.admin.post(answer, {"code": "246810"}).status_code == 409
    with connected.house.entered() as scope:
        row = Challenge.objects.visible_to(scope).get()
        assert row.code_sealed is None
        assert row.resume_sealed is None


def test_wrong_codes_open_it_again_and_three_end_it(connected: Connected, portal: ScriptedPortal) -> None:
    portal.script("sign_in", {"challenge": "sms"})
    connected.start()
    path = f"{connected.path}/challenges/{challenge_of(connected)['id']}/answer"
    for state in ("open", "open", "failed"):
        assert connected.admin.post(path, {"code": "111111"}).status_code == 202
        connected.work()
        assert challenge_of(connected)["state"] == state
    assert connected.read()["reason"] == "second_factor_denied"
    assert len(portal.log("sign_in")) == 1, "and nothing is tried by itself"


@pytest.mark.parametrize("reason", ["second_factor_denied", "second_factor_expired", "password_expired", "terms_pending", "new_device", "blocked_by_portal"])
def test_each_reason_stops_the_connection_and_asks_its_owner(
    connected: Connected, portal: ScriptedPortal, reason: str
) -> None:
    portal.script("sign_in", {"trouble": reason})
    connected.start()
    assert (connected.read()["state"], connected.read()["reason"]) == ("attention", reason)
    assert connected.open_items() == [reason]
    assert len(portal.log("sign_in")) == 1
    item = connected.list("attention")[0]
    assert connected.admin.post(f"{connected.path}/attention/{item['id']}/resolve", {}).status_code == 200
    connected.work()
    assert connected.read()["state"] == "healthy", "the control: a person acted, and one try went through"
    assert len(portal.log("sign_in")) == 2


def test_a_blocked_account_gets_no_traffic_at_all(connected: Connected, portal: ScriptedPortal) -> None:
    from rapport.rooms.exchange.jobs.duties import tend

    connected.start()
    portal.script("read:patients", {"trouble": "blocked_by_portal"})
    connected.sync("patients")
    calls = sum(len(portal.log(name)) for name in ("sign_in", "read:notes", "read:patients", "who", "probe"))
    tend()
    connected.work()
    again = sum(len(portal.log(name)) for name in ("sign_in", "read:notes", "read:patients", "who", "probe"))
    assert again == calls
    assert connected.read()["reason"] == "blocked_by_portal"


def test_nobody_answered_in_time(connected: Connected, portal: ScriptedPortal) -> None:
    from rapport.rooms.exchange.jobs.duties import tend

    portal.script("sign_in", {"challenge": "sms", "good_for": 0})
    connected.start()
    tend()
    assert (challenge_of(connected)["state"], connected.read()["reason"]) == ("expired", "second_factor_expired")
    late = connected.admin.post(
        f"{connected.path}/challenges/{challenge_of(connected)['id']}/answer", {"code": "246810"}
    )
    assert late.status_code == 409


def test_a_session_is_kept_alive_only_while_somebody_works_with_it(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start(totp_seed=SEED)
    now = timezone.now()
    with connected.house.entered() as scope:
        soon, idle = now + timedelta(seconds=60), now + timedelta(seconds=400)
        silent = {"scope": scope, "connection_id": connected.id}
        assert not services.to_keep_alive(**silent, now=soon), "it was just used"
        assert not services.to_keep_alive(**silent, now=idle), "nobody works with it any more"
        services.lease(scope=scope, connection_id=connected.id, now=idle)
        assert services.to_keep_alive(**silent, now=idle)
