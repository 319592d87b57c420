"""Codes by mail, through a real SMTP server (security S-029, S-042)."""

from __future__ import annotations

import re
from datetime import timedelta

import time_machine
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from rapport.platform.identity.models import MfaFactor, PasswordReset
from rapport.platform.jobs.worker import drain
from rapport.platform.tenancy.models import HOUSE_ID
from tests.support.cast import PASSWORD, Api, House
from tests.support.mailbox import Mailbox, mailbox

from .people import Caller, Staff, hire, trail
from .test_signing_in import code_of

NEW = "a new and longer password"


def newcomer(house: House) -> Staff:
    """Somebody with a password and nothing else."""
    staff = hire(house, "newt", Role.SCHEDULER)
    MfaFactor.objects.filter(user_id=staff.user_id).delete()
    return staff


def mailed_code(box: Mailbox) -> str:
    drain(HOUSE_ID)
    found = re.match(r"(\d{6})\n", box.text())
    assert found, box.text()
    return found.group(1)


def test_a_mailed_code_is_the_second_factor_of_who_has_no_other(willow: House) -> None:
    newt, caller = newcomer(willow), Caller()
    with mailbox() as box:
        asked = caller.password(newt.login).json()
        assert asked["methods"] == ["email"]
        sent = caller.post(
            "/v1/sessions/mfa/send", {"ticket": asked["mfa_ticket"], "method": "email"}
        )
        assert sent.status_code == 202
        code = mailed_code(box)
        assert box.mails[0][0] == newt.login
        # The code, and what it is for. No name, no practice, nothing of anybody's health.
        assert "Willow" not in box.text()
        wrong = caller.second(asked["mfa_ticket"], f"{(int(code) + 1) % 1000000:06d}", "email")
        right = caller.second(asked["mfa_ticket"], code, "email")
        again = caller.second(asked["mfa_ticket"], code, "email")

    assert code_of(wrong) == (401, "code-wrong")
    assert (right.status_code, right.json()["amr"]) == (201, ["pwd", "email"])
    assert code_of(again) == (401, "mfa-ticket-invalid")
    # Now an authenticator is enrolled, with recovery codes, and mail is no way any more.
    with mailbox():
        me = Api(right.json()["token"])
        secret = me.post("/v1/mfa/totp", {}).json()["secret"]
        newt.secret = secret
        confirmed = me.post("/v1/mfa/totp/confirm", {"code": newt.fresh()})
        assert len(confirmed.json()["recovery_codes"]) == 10
        assert caller.password(newt.login).json()["methods"] == ["totp", "recovery"]


def test_a_mailed_code_is_of_its_ticket_and_of_ten_minutes(willow: House) -> None:
    newt, caller = newcomer(willow), Caller()
    with mailbox() as box:
        first, second = caller.ticket(newt.login), caller.ticket(newt.login)
        caller.post("/v1/sessions/mfa/send", {"ticket": first, "method": "email"})
        code = mailed_code(box)
        assert code_of(caller.second(second, code, "email")) == (401, "code-wrong")
        caller.post("/v1/sessions/mfa/send", {"ticket": first, "method": "email"})
        newer = mailed_code(box)
        assert code_of(caller.second(first, code, "email")) == (401, "code-wrong")
        with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
            assert caller.second(first, newer, "email").status_code == 401
        assert caller.second(first, newer, "email").status_code == 201


def test_a_ticket_sends_three_codes_at_most(willow: House) -> None:
    newt, caller = newcomer(willow), Caller()
    with mailbox():
        body = {"ticket": caller.ticket(newt.login), "method": "email"}
        answers = [caller.post("/v1/sessions/mfa/send", body).status_code for _ in range(4)]
        drain(HOUSE_ID)
    assert answers == [202, 202, 202, 429]


def test_mail_is_not_offered_where_none_can_be_sent_or_an_authenticator_is(willow: House) -> None:
    newt, maya, caller = newcomer(willow), hire(willow), Caller()

    without = caller.password(newt.login).json()
    assert without["methods"] == []
    ask = {"ticket": without["mfa_ticket"], "method": "email"}
    assert code_of(caller.post("/v1/sessions/mfa/send", ask)) == (422, "validation")
    with mailbox() as box:
        ask = {"ticket": caller.ticket(maya.login), "method": "email"}
        assert code_of(caller.post("/v1/sessions/mfa/send", ask)) == (422, "validation")
        drain(HOUSE_ID)
        assert box.mails == []


def reset(caller: Caller, login: str) -> str:
    answer = caller.post("/v1/password-resets", {"login": login})
    assert answer.status_code == 202, answer.content
    return answer.json()["ticket"]


def confirm(caller: Caller, ticket: str, token: str, password: str = NEW) -> tuple[int, str]:
    body = {"ticket": ticket, "token": token, "password": password}
    answer = caller.post("/v1/password-resets/confirm", body)
    return answer.status_code, answer.json()["code"] if answer.content else ""


def mailed_token(box: Mailbox) -> str:
    drain(HOUSE_ID)
    return box.text().split("\n")[0]


def test_a_new_password_still_takes_the_second_factor(willow: House) -> None:
    """S-029 A reset by mail works once, for the program that asked, and signs nobody in."""
    maya, caller = hire(willow), Caller()
    before = Caller().sign_in(maya)
    with mailbox() as box:
        ticket = reset(caller, maya.login)
        token = mailed_token(box)
        strange = reset(Caller(), maya.login)
        assert confirm(Caller(), strange, token) == (400, "reset-invalid")
        assert confirm(caller, ticket, token, "short")[0] == 422
        assert confirm(caller, ticket, token) == (204, "")
        assert confirm(caller, ticket, token) == (400, "reset-invalid")

    assert code_of(Api(before["token"]).get("/v1/me")) == (401, "token-revoked")
    assert code_of(caller.password(maya.login, PASSWORD)) == (401, "credentials-wrong")
    asked = caller.password(maya.login, NEW)
    assert code_of(asked) == (401, "mfa-required")
    assert asked.json()["methods"] == ["totp", "recovery"]
    assert caller.second(asked.json()["mfa_ticket"], maya.fresh()).status_code == 201
    assert ("allow", None) in trail(willow, "password.reset")
    assert ("deny", "bound_to_other_request") in trail(None, "password.reset")


def test_a_reset_is_good_for_fifteen_minutes(willow: House) -> None:
    """S-029 Fifteen minutes and a moment later it is refused."""
    maya, caller = hire(willow), Caller()
    with mailbox() as box:
        ticket = reset(caller, maya.login)
        token = mailed_token(box)
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
        assert confirm(caller, ticket, token) == (400, "reset-invalid")
    assert confirm(caller, ticket, token) == (204, "")  # control: in time it is good


def test_asking_for_a_new_password_does_not_tell_who_exists(willow: House) -> None:
    """S-042 Known or not: the same answer, one job each, and mail to nobody but the person."""
    maya = hire(willow)
    with mailbox() as box:
        answers = [
            Caller().post("/v1/password-resets", {"login": login})
            for login in (maya.login, f"{new_uuid().hex}@example.org")
        ]
        drain(HOUSE_ID)
        assert [recipient for recipient, _ in box.mails] == [maya.login]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert {frozenset(answer.json()) for answer in answers} == {
        frozenset({"object", "ticket", "expires_at"})
    }
    assert len({len(answer.content) for answer in answers}) == 1
    tickets = {bytes(row.digest) for row in PasswordReset.objects.order_by("-created_at")[:2]}
    assert len(tickets) == 2


def test_a_new_member_comes_in_by_mail_alone(willow: House) -> None:
    login = f"Ned-{new_uuid().hex[-8:]}@Example.org"
    added = willow.admin.post(
        "/v1/memberships", {"login": login, "display_name": "Ned", "roles": ["scheduler"]}
    )
    assert added.status_code == 201
    caller = Caller()
    with mailbox() as box:
        ticket = reset(caller, login)
        assert confirm(caller, ticket, mailed_token(box)) == (204, "")
        door = caller.ticket(login, password=NEW)
        caller.post("/v1/sessions/mfa/send", {"ticket": door, "method": "email"})
        session = caller.second(door, mailed_code(box), "email")
    assert session.json()["roles"] == ["scheduler"]
