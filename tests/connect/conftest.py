"""One stage for the whole folder, and not beyond it: its worker would do the work of other tests."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from tests.connect.stage import PATIENTS, PORTAL_ZONE, Linked, Stage, rows, until
from tests.support import props
from tests.support.cast import House, found


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    running = Stage(tmp_path_factory.mktemp("connect"))
    yield running
    running.stop()


@pytest.fixture(scope="package")
def robin(stage: Stage) -> Linked:
    """The connection with a TOTP seed, linked and read as a whole."""
    linked = stage.link("robin")
    linked.give()
    linked.wait_for("healthy", seconds=60)
    linked.read_everything()
    return linked


@pytest.fixture(scope="package")
def moss(stage: Stage) -> House:
    """A practice that keeps its codes and places here, and everything else in the portal."""
    house = found("Moss", PORTAL_ZONE)
    props.location(house, "Main office")
    for code in ("90837", "90834"):
        props.service_code(house, code)
    with stage.server.client(house.admin.token) as http:
        made = http.post("/v1/connections", headers={"Idempotency-Key": new_uuid().hex}, json={
            "definition": "sandbox-portal", "base_url": stage.portal.ready["url"],
            "identity": {"practice_code": stage.portal.ready["practice_code"], "username": "nick"},
            "consent": {"contract_permits_automation": True, "statement": "Our agreement lets us do this."},
            "system_of_record": True,
        })  # fmt: skip
        assert made.status_code == 201, made.text
        given = http.post(
            f"/v1/connections/{made.json()['id']}/secrets", headers={"Idempotency-Key": new_uuid().hex},
            json={"password": stage.portal.ready["users"]["nick"]["password"]},
        )  # fmt: skip
        assert given.status_code == 202, given.text
    return house


@pytest.fixture(scope="package")
def desk(stage: Stage, moss: House) -> httpx.Client:
    """The front desk's program, once the mirror is there."""
    http = stage.server.client(moss.person("desk", Role.SCHEDULER, Role.CLINICAL_ADMINISTRATOR).token)
    until("the roster", lambda: len(rows(http, "patients")) >= PATIENTS, seconds=90)
    until("the calendar", lambda: rows(http, "appointments"), seconds=150)
    return http


@pytest.fixture(autouse=True)
def _nothing_wrong(stage: Stage) -> Iterator[None]:
    yield
    stage.trouble()
    stage.portal.order("DELETE", "settings")
