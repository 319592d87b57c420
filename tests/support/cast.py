"""Fixtures every test may use. A cast with names, as in a play: the same people each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404
from django.utils import timezone

from rapport.kernel.ids import new_uuid, type_id
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.access.scope import Scope, Source, system_scope
from rapport.platform.api.router import ROUTES
from rapport.platform.db.session import entered
from rapport.platform.identity import services as identity
from rapport.platform.identity.models import Membership
from rapport.platform.tenancy.models import Practice
from rapport.platform.tenancy.services import create_practice

NOW = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
"""A Monday, nine in the morning in Los Angeles: for rules and services that are told the time."""

PASSWORD = "correct horse battery staple"  # the cast's, in no installation


class Api:
    """A caller with a token, as a program outside sees the API."""

    def __init__(self, token: str | None, *, who: str = "") -> None:
        self.token = token
        self.who = who
        self.http = Client()

    def call(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> HttpResponse:
        """Send a request; `if_match="…"` becomes the header If-Match."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        kind = sent.pop("content-type", "application/json")
        answer = self.http.generic(method, path, data, content_type=kind, headers=sent)
        if answer.status_code >= 400:
            check_declared(method, answer)
        return answer

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        headers.setdefault("idempotency_key", new_uuid().hex)
        return self.call("POST", path, {} if body is None and "raw" not in headers else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.call("DELETE", path, **headers)


GUARDED = {("POST", "/appointments/{appointment_id}/reopen")}
"""Calls that rooms above may forbid, with problems of their own."""


def check_declared(method: str, answer: HttpResponse) -> None:
    """
    Fail where a call answers a problem that the document does not name: whoever calls cannot be ready for it.

    Not looked at: paths and methods that are no route, and what rooms above forbid.
    """
    if answer.get("Content-Type") != "application/problem+json":
        return
    try:
        found = answer.resolver_match.route
    except Resolver404:
        return
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", found).strip("/").removeprefix("v1/")
    route = next((info for info in ROUTES if (info.method, info.path) == (method, path)), None)
    if route is not None and (method, path) not in GUARDED:
        code = json.loads(answer.content)["code"]
        assert code in {problem.code for problem in route.problems}, f"{method} {path} answers {code}"


@dataclass
class House:
    """A practice and its people."""

    practice: Practice
    members: dict[str, Membership] = field(default_factory=dict)
    apis: dict[str, Api] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict)
    """What a test or fixture made for this practice, by name."""

    @property
    def id(self) -> UUID:
        return self.practice.id

    @property
    def scope(self) -> Scope:
        """The practice's own scope: sees everything in it."""
        return system_scope(
            practice_id=self.id, actor_id=self.id, time_zone=ZoneInfo(self.practice.time_zone)
        )

    @contextmanager
    def entered(self) -> Iterator[Scope]:
        with entered(self.scope) as scope:
            yield scope

    def person(
        self, name: str, *roles: Role, clinician_id: UUID | None = None, supervises: tuple[UUID, ...] = ()
    ) -> Api:
        """Return the API as used by this person, who joins the practice on first mention."""
        if name not in self.apis:
            now = timezone.now()
            user = identity.create_user(
                login=f"{name}-{new_uuid().hex[-12:]}@example.org",
                password=None,
                display_name=name.title(),
                now=now,
            )
            with self.entered() as scope:
                member = identity.add_member(
                    scope=scope, user=user, roles=roles, now=now,
                    clinician_id=clinician_id, supervises=supervises,
                )  # fmt: skip
                tokens = identity.open_session(
                    membership=member, amr=("pwd", "otp"), source=Source(ip="127.0.0.1"), now=now
                )
            self.members[name] = member
            self.apis[name] = Api(tokens.access, who=name)
        return self.apis[name]

    def key(self, owner: str, *scopes: Permission) -> Api:
        """Return the API as used by a program with a key of this person."""
        now = timezone.now()
        with self.entered():
            _, text = identity.create_api_key(
                owner=self.members[owner], name="test", scopes=scopes,
                expires_at=now + timedelta(days=30), livemode=False, now=now,
            )  # fmt: skip
        return Api(text, who=f"key of {owner}")

    @property
    def admin(self) -> Api:
        return self.person("admin", Role.PRACTICE_ADMINISTRATOR)

    @property
    def scheduler(self) -> Api:
        return self.person("scheduler", Role.SCHEDULER)

    @property
    def biller(self) -> Api:
        return self.person("biller", Role.PRACTICE_BILLER)

    @property
    def auditor(self) -> Api:
        return self.person("auditor", Role.AUDITOR)


def found(name: str, time_zone: str, *, npi: str = "1234567893") -> House:
    """Found a practice with everything a claim needs of it."""
    return House(
        create_practice(
            name=name, time_zone=time_zone, now=timezone.now(), npi=npi,
            tax_id="123456789", taxonomy_code="261QM0801X", phone="5035550100",
            address_line1="100 Willow Street", city="Portland", state_code="OR",
            postal_code="972050001",
        )
    )


@pytest.fixture
def willow() -> House:
    """The practice the test is about."""
    return found("Willow", "America/Los_Angeles")


@pytest.fixture
def aspen() -> House:
    """Another practice. Nothing of Willow's may ever be seen from here."""
    return found("Aspen", "America/New_York")


def public(kind: str, id: UUID) -> str:
    """Return the public id of an object."""
    return type_id(kind, id)


ApiAs = Callable[[House], Api]
