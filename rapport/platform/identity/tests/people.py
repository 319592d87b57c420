"""Staff who can really sign in, and callers at an address of their own."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pyotp
from django.http import HttpResponse
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from rapport.platform.audit.models import AuditEvent
from rapport.platform.identity import services
from rapport.platform.tenancy.models import HOUSE_ID
from tests.support.cast import PASSWORD, Api, House

_numbers = itertools.count(random.randrange(1, 2**20))


def fresh_address() -> str:
    """An address that no other test uses, so that limits by address stay apart."""
    number = next(_numbers)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


class Caller(Api):
    """Nobody yet, at an address."""

    def __init__(self, address: str | None = None, token: str | None = None) -> None:
        super().__init__(token)
        self.address = address or fresh_address()
        self.http.defaults["REMOTE_ADDR"] = self.address

    def password(self, login: str, password: str = PASSWORD, **more: Any) -> HttpResponse:
        return self.post("/v1/sessions", {"login": login, "password": password, **more})

    def ticket(self, login: str, **more: Any) -> str:
        answer = self.password(login, **more)
        assert answer.status_code == 401, answer.content
        assert answer.json()["code"] == "mfa-required", answer.content
        return answer.json()["mfa_ticket"]

    def second(
        self, ticket: str, code: str | None, method: str = "totp", **more: Any
    ) -> HttpResponse:
        body = {"ticket": ticket, "method": method, **more}
        return self.post("/v1/sessions/mfa", body | ({"code": code} if code else {}))

    def sign_in(self, staff: Staff) -> dict[str, Any]:
        answer = self.second(self.ticket(staff.login), staff.fresh())
        assert answer.status_code == 201, answer.content
        return answer.json()


@dataclass
class Staff:
    """Somebody with password, authenticator and recovery codes."""

    login: str
    user_id: UUID
    membership_id: UUID
    secret: str
    recovery: list[str]
    shown: set[int] = field(default_factory=set)
    """Steps whose codes were used."""

    def fresh(self) -> str:
        """A code that is good now and was not used: of this step or the one before."""
        if timezone.now().timestamp() % 30 > 28:
            time.sleep(2.1)  # so that the step does not end on the way
        step = int(timezone.now().timestamp()) // 30
        if step in self.shown:
            step -= 1
        assert step not in self.shown, "a person has two codes in a step"
        self.shown.add(step)
        return pyotp.TOTP(self.secret).generate_otp(step)

    def code(self, seconds: float = 0) -> str:
        """The code their app shows, so many seconds from now."""
        return pyotp.TOTP(self.secret).at(int(timezone.now().timestamp() + seconds))


def hire(house: House, name: str = "maya", *roles: Role, clinician_id: UUID | None = None) -> Staff:
    with house.entered() as scope:
        made = services.bootstrap_user(
            scope=scope, login=f"{name}-{new_uuid().hex[-12:]}@example.org", display_name=name.title(),
            roles=roles or (Role.CLINICIAN,), now=timezone.now(), password=PASSWORD,
            clinician_id=clinician_id,
        )  # fmt: skip
    house.members[name] = made.membership
    return Staff(
        made.user.login, made.user.id, made.membership.id, made.totp_secret, made.recovery_codes
    )


def trail(house: House | None, action: str) -> list[tuple[str, str | None]]:
    """Outcome and reason of the audit rows of an action, oldest first; None: the house's own."""
    from rapport.platform.db.session import entered
    from rapport.platform.tenancy.queries import house_scope

    with entered(house.scope if house else house_scope()):
        rows = AuditEvent.objects.filter(practice_id=house.id if house else HOUSE_ID, action=action)
        return list(rows.order_by("occurred_at").values_list("outcome", "reason"))
