"""Somebody of a connected practice signs in here, and is told what the portal waits for: the challenge and no code."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from rapport.platform.access.permissions import Role
from rapport.platform.identity.tests.people import Caller, Staff, hire
from rapport.rooms.exchange.models import Challenge
from tests.support.cast import House
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal


def waits(connected: Connected, portal: ScriptedPortal) -> None:
    portal.script("sign_in", {"challenge": "sms"})
    connected.start()


def told(staff: Staff) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Caller().sign_in(staff)["portal_challenges"]
    return found


def test_who_may_manage_connections_is_told_what_the_portal_waits_for_and_answers_it_there(
    connected: Connected, portal: ScriptedPortal
) -> None:
    waits(connected, portal)
    maya = hire(connected.house, "maya", Role.PRACTICE_ADMINISTRATOR)

    session = Caller().sign_in(maya)
    challenge, = session["portal_challenges"]
    shown = connected.list("challenges")[0]

    assert challenge["challenge_id"] == shown["id"]
    assert (challenge["factor"], challenge["masked_destination"]) == ("sms", "•••-0142")
    assert challenge["expires_at"] == shown["expires_at"]
    answer = Caller(token=session["token"]).post(challenge["answer_at"], {"code": "246810"})
    assert answer.status_code == 202, answer.content
    connected.work()
    assert connected.read()["state"] == "healthy"
    refreshed = Caller().post("/v1/sessions/refresh", {"refresh_token": session["refresh_token"]}).json()
    assert refreshed["portal_challenges"] == [], "it was answered"


def test_members_who_may_not_answer_it_and_other_practices_are_told_nothing(
    connected: Connected, portal: ScriptedPortal, aspen: House
) -> None:
    waits(connected, portal)
    assert told(hire(connected.house, "cleo", Role.CLINICIAN)) == []
    assert told(hire(aspen, "otto", Role.PRACTICE_ADMINISTRATOR)) == []
    assert len(told(hire(connected.house, "mara", Role.PRACTICE_ADMINISTRATOR))) == 1, "the control: it was there to be told"


def test_what_is_too_late_or_paused_is_not_told(connected: Connected, portal: ScriptedPortal) -> None:
    waits(connected, portal)
    maya = hire(connected.house, "maya", Role.PRACTICE_ADMINISTRATOR)
    assert connected.admin.post(f"{connected.path}/suspend").status_code == 202
    assert told(maya) == []
    with connected.house.entered() as scope:
        Challenge.objects.visible_to(scope).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert told(maya) == []
