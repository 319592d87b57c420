"""Password, second factor, session (security S-022, S-023, S-025 to S-028, S-042)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import Unavailable
from rapport.platform.access.permissions import Role
from rapport.platform.identity import hashing, mfa
from rapport.platform.identity.models import Affiliation, User
from tests.support.cast import PASSWORD, Api, House

from .people import Caller, Staff, hire, trail


def code_of(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_password_and_code_begin_a_session_that_works(willow: House) -> None:
    maya = hire(willow)

    session = Caller().sign_in(maya)

    assert session["practice_id"] == type_id("practice", willow.id)
    assert session["amr"] == ["pwd", "otp"]
    assert "appointments:read" in session["scopes"]
    me = Api(session["token"]).get("/v1/me").json()
    assert (me["user"]["login"], me["session_id"]) == (maya.login, session["id"])
    assert trail(willow, "auth.password") == [("allow", "mfa-required")]
    assert [outcome for outcome, _ in trail(willow, "auth.mfa")] == ["allow"]


def test_a_half_open_ticket_opens_nothing_else(willow: House) -> None:
    """S-022 The password alone gives a ticket, and the ticket gives nothing but the second step."""
    maya = hire(willow)
    caller = Caller()

    answer = caller.password(maya.login)

    assert code_of(answer) == (401, "mfa-required")
    assert answer.json()["methods"] == ["totp", "recovery"]
    assert "token" not in answer.json()
    thief = Api(answer.json()["mfa_ticket"])
    for path in ("/v1/me", "/v1/patients", "/v1/sessions", "/v1/mfa/factors"):
        assert code_of(thief.get(path)) == (401, "unauthenticated")
    assert ("deny", "mfa_pending") in trail(None, "patient.list")
    refreshed = caller.post("/v1/sessions/refresh", {"refresh_token": answer.json()["mfa_ticket"]})
    assert code_of(refreshed) == (400, "invalid-grant")


def test_a_ticket_is_of_one_person(willow: House) -> None:
    """S-023 Somebody else's code, or somebody else's id beside the ticket, does not finish it."""
    maya, luz = hire(willow, "maya"), hire(willow, "luz")
    caller = Caller()
    ticket = caller.ticket(maya.login)

    assert code_of(caller.second(ticket, luz.code())) == (401, "code-wrong")
    swapped = caller.second(ticket, luz.code(), user_id=type_id("user", luz.user_id))
    assert code_of(swapped) == (401, "mfa-ticket-invalid")
    assert ("deny", "bound_to_other_login") in trail(willow, "auth.mfa")
    # Control: with her own code and id the same ticket is good, once.
    own = caller.second(ticket, maya.fresh(), user_id=type_id("user", maya.user_id))
    assert own.status_code == 201
    assert code_of(caller.second(ticket, maya.code())) == (401, "mfa-ticket-invalid")


def test_a_code_works_once(willow: House) -> None:
    """S-025 The same code, at a new sign-in within its life, is refused as used."""
    maya = hire(willow)
    with time_machine.travel(timezone.now(), tick=False):
        code = maya.fresh()
        first = Caller().second(Caller().ticket(maya.login), code)
        again = Caller().second(Caller().ticket(maya.login), code)
        before = Caller().second(Caller().ticket(maya.login), maya.fresh())

    assert first.status_code == 201
    assert code_of(again) == (401, "code-used")
    assert ("deny", "replay") in trail(willow, "auth.mfa")
    # Control: the step before is another code, and still good.
    assert before.status_code == 201


def pair(*calls: Callable[[], HttpResponse]) -> list[int]:
    """Make the calls at the same moment, each in a thread with a connection of its own."""
    barrier = threading.Barrier(len(calls))
    statuses: list[int] = []

    def run(call: Callable[[], HttpResponse]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            statuses.append(call().status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


def test_of_two_sign_ins_at_once_with_one_code_one_succeeds(willow: House) -> None:
    """S-026 Twenty pairs of parallel sign-ins with one fresh code: one session each."""
    outcomes = []
    for _ in range(20):
        maya = hire(willow)
        here, there = Caller(), Caller()
        tickets = here.ticket(maya.login), there.ticket(maya.login)
        code = maya.fresh()
        outcomes.append(
            pair(
                lambda here=here, ticket=tickets[0], code=code: here.second(ticket, code),
                lambda there=there, ticket=tickets[1], code=code: there.second(ticket, code),
            )
        )

    assert outcomes == [[201, 401]] * 20
    mfa_rows = trail(willow, "auth.mfa")
    assert mfa_rows.count(("deny", "replay")) == 20
    # Control: with two different codes both of a pair succeed, so the pairs do run side by side.
    maya, here, there = hire(willow), Caller(), Caller()
    tickets, codes = (
        (here.ticket(maya.login), there.ticket(maya.login)),
        (maya.fresh(), maya.fresh()),
    )
    both = pair(
        lambda: here.second(tickets[0], codes[0]), lambda: there.second(tickets[1], codes[1])
    )
    assert both == [201, 201]


def test_the_index_alone_lets_one_of_many_take_a_step(willow: House) -> None:
    """S-026 Without the lock around it, of eight threads that take one step one gets it."""
    maya = hire(willow)
    barrier, taken = threading.Barrier(8), []

    def take(step: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            taken.append(mfa.accept_step(user_id=maya.user_id, step=step, now=timezone.now()))
        finally:
            connection.close()

    for steps, winners in (([7] * 8, 1), (range(100, 108), 8)):  # the second is the control
        taken.clear()
        threads = [threading.Thread(target=take, args=(step,)) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(taken) == winners


@pytest.mark.parametrize("seconds", [-60, -90, 30, 60])
def test_codes_of_other_times_are_refused(willow: House, seconds: int) -> None:
    """S-027 Only this step and the one before count, by the server's clock."""
    maya = hire(willow)
    caller = Caller()
    with time_machine.travel(timezone.now(), tick=False):
        answer = caller.second(caller.ticket(maya.login), maya.code(seconds))
        # A caller's clock is not asked: an own field is unknown, a header is ignored.
        told = caller.second(
            caller.ticket(maya.login), maya.code(seconds), now="2030-01-01T00:00:00Z"
        )

    assert code_of(answer) == (401, "code-wrong")
    assert code_of(told) == (422, "unknown-field")
    assert ("deny", "out_of_window") in trail(willow, "auth.mfa")


def test_after_ten_wrong_codes_the_right_one_waits_too(willow: House) -> None:
    """S-028 Ten wrong codes: 429 with Retry-After, also for the right one; others are unaffected."""
    maya, luz = hire(willow, "maya"), hire(willow, "luz")
    caller = Caller()
    ticket = caller.ticket(maya.login)
    wrong = [
        caller.second(ticket, "000000" if maya.code() != "000000" else "000001") for _ in range(10)
    ]
    assert {code_of(answer) for answer in wrong} == {(401, "code-wrong")}

    locked = caller.second(ticket, maya.code())
    elsewhere = Caller().second(Caller().ticket(maya.login), maya.recovery[0], "recovery")

    for answer in (locked, elsewhere):
        assert code_of(answer) == (429, "too-many-attempts")
        assert 0 < int(answer["Retry-After"]) <= 15 * 60
    assert ("deny", "locked") in trail(willow, "auth.mfa")
    Caller().sign_in(luz)
    # And it ends by itself.
    with time_machine.travel(timezone.now() + mfa.EMAIL_CODE_LIFE * 1.6, tick=False):
        Caller().sign_in(maya)


def test_an_unknown_login_looks_and_costs_like_a_wrong_password(
    willow: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-042 Same body, same status, the same calls of the hasher; and no echo of the login."""
    maya = hire(willow)
    no_password = hire(willow, "luz")
    User.objects.filter(id=no_password.user_id).update(password=make_password(None))
    gone = hire(willow, "ned")
    User.objects.filter(id=gone.user_id).update(is_active=False)
    Caller().password("warm@example.org")  # makes the hash that stands for nobody's
    calls: list[int] = []
    verify = hashing.Argon2PasswordHasher.verify

    def counted(self: hashing.Argon2id, password: str, encoded: str) -> bool:
        calls[-1] += 1
        return verify(self, password, encoded)

    monkeypatch.setattr(hashing.Argon2PasswordHasher, "verify", counted)
    bodies = []
    for login in (maya.login, no_password.login, gone.login, "nobody-at-all@example.org"):
        calls.append(0)
        answer = Caller().password(login, "wrong " + PASSWORD)
        body = answer.json()
        bodies.append({k: v for k, v in body.items() if k not in ("instance", "request_id")})
        assert answer.status_code == 401
        assert login.encode() not in answer.content

    assert calls == [1, 1, 1, 1]
    assert all(body == bodies[0] for body in bodies)
    assert ("deny", "unknown_login") in trail(None, "auth.password")


def test_a_hash_of_older_parameters_is_made_anew_at_sign_in(willow: House) -> None:
    maya = hire(willow)

    class Older(hashing.Argon2id):
        time_cost = 3

    older = Older().encode(PASSWORD, Older().salt())
    User.objects.filter(id=maya.user_id).update(password=older)

    Caller().sign_in(maya)

    stored = User.objects.get(id=maya.user_id).password
    assert stored.startswith("argon2$argon2id$")
    assert stored != older
    assert not hashing.is_outdated(stored)


def test_who_waits_too_long_for_a_place_is_told_to_come_back() -> None:
    with hashing.slot(), hashing.slot(), pytest.raises(Unavailable) as refused, hashing.slot(0.01):
        pass
    assert refused.value.headers["Retry-After"] == "5"
    with hashing.slot(0.01):  # control: a place is free again
        pass


def test_practices_are_named_only_after_both_factors(willow: House, aspen: House) -> None:
    maya = hire(willow, "maya", Role.CLINICIAN)
    also_in(aspen, maya, Role.SCHEDULER)
    caller = Caller()
    asked = caller.password(maya.login)
    assert "practices" not in asked.json()
    ticket = asked.json()["mfa_ticket"]

    which = caller.second(ticket, maya.fresh())

    assert code_of(which) == (422, "practice-required")
    assert {p["name"] for p in which.json()["practices"]} == {"Willow", "Aspen"}
    stranger = caller.second(ticket, None, practice_id=type_id("practice", maya.user_id))
    assert code_of(stranger) == (401, "mfa-ticket-invalid")
    session = caller.second(ticket, None, practice_id=type_id("practice", aspen.id))
    assert session.status_code == 201
    assert session.json()["roles"] == ["scheduler"]
    named = caller.password(maya.login, practice_id=type_id("practice", willow.id)).json()[
        "mfa_ticket"
    ]
    assert caller.second(named, maya.fresh()).json()["roles"] == ["clinician"]


def test_a_ticket_without_code_is_good_only_when_it_is_proved(willow: House) -> None:
    maya = hire(willow)
    caller = Caller()

    answer = caller.second(caller.ticket(maya.login), None)

    assert code_of(answer) == (422, "validation")
    assert answer.json()["errors"][0]["pointer"] == "/code"


def also_in(house: House, staff: Staff, *roles: Role) -> None:
    """Let somebody work in a second practice."""
    from rapport.platform.identity import services

    with house.entered() as scope:
        services.add_member(
            scope=scope, user=User.objects.get(id=staff.user_id), roles=roles, now=timezone.now()
        )
    assert Affiliation.objects.filter(user_id=staff.user_id).count() == 2


def test_outside_tests_a_hash_costs_what_owasp_asks_for(tmp_path: Path) -> None:
    """S-031 Argon2id with at least 19 MiB, two passes, one lane."""
    script = (
        "import django; django.setup()\n"
        "from django.contrib.auth.hashers import make_password\n"
        "print(make_password('correct horse').split('$')[1:4])"
    )
    environment = os.environ | {"RAPPORT_MODE": "demo", "RAPPORT_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env=environment, capture_output=True, text=True, check=True, timeout=60,
        cwd=Path(__file__).parents[4],
    )  # fmt: skip

    assert done.stdout.strip() == "['argon2id', 'v=19', 'm=19456,t=2,p=1']"
