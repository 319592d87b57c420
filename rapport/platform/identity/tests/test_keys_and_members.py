"""API keys, members and the practice: rights end where the owner's end (S-008, S-018, S-020, S-035)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from rapport.interfaces.rest.v1 import api as _mounted  # noqa: F401 - declares every route
from rapport.kernel.ids import PREFIXES, new_uuid, parse_type_id, type_id
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.api.router import ROUTES, RouteInfo
from rapport.platform.audit.models import AuditEvent
from rapport.rooms.roster import examples as roster
from tests.support.cast import Api, House

from .people import Caller, hire, trail
from .test_signing_in import also_in, code_of


def test_a_key_acts_under_its_own_id(willow: House) -> None:
    """S-008 /me shows the key and no person; the trail names the key for everything it does."""
    hire(willow, "sam", Role.SCHEDULER)
    key = willow.key("sam", Permission.PATIENTS_READ, Permission.PATIENTS_WRITE)

    me = key.get("/v1/me").json()
    key.post("/v1/patients", roster.NEW_PATIENT)
    key.get("/v1/patients")

    assert (me["type"], me["user"], me["session_id"]) == ("api_key", None, None)
    assert me["id"] == me["api_key"]["id"]
    assert me["scopes"] == ["patients:read", "patients:write", "self:read"]
    with willow.entered():
        id = parse_type_id("api_key", me["id"])
        mine = AuditEvent.objects.filter(practice_id=willow.id, actor_id=id)
        assert sorted(mine.values_list("action", "actor_type", "outcome")) == [
            ("actor.read", "api_key", "allow"),
            ("patient.create", "api_key", "allow"),
            ("patient.list", "api_key", "allow"),
        ]
        owner = willow.members["sam"].user_id
        assert not AuditEvent.objects.filter(practice_id=willow.id, actor_id=owner).exists()


def path_of(info: RouteInfo) -> str:
    """An address of the route, with ids of nobody."""
    path = info.path
    for kind in PREFIXES:
        path = path.replace(f"{{{kind}_id}}", type_id(kind, new_uuid()))
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        path = path[:start] + "x" + path[end + 1 :]
    return f"/v1{path}"


def test_a_key_of_one_scope_opens_nothing_else(willow: House) -> None:
    """S-018 appointments:read on every other route: 403 insufficient-scope that names the scope."""
    willow.person("boss", *Role)
    key = willow.key("boss", Permission.APPOINTMENTS_READ)
    tried = 0
    for info in ROUTES:
        if info.needs in (None, Permission.APPOINTMENTS_READ, Permission.SELF_READ):
            continue
        answer = key.call(info.method, path_of(info), {} if info.method != "GET" else None)
        assert code_of(answer) == (403, "insufficient-scope"), info.path
        assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]
        assert f'scope="{info.needs}"' in answer["WWW-Authenticate"]
        tried += 1
    assert tried > 20
    assert ("deny", "scope") in trail(willow, "patient.list")
    assert key.get("/v1/me").status_code == 200  # control


def test_nobody_raises_themselves(willow: House) -> None:
    """S-020 A clinician changes no roles and makes no keys; an administrator no wider ones."""
    maya = hire(willow)
    me = Api(Caller().sign_in(maya)["token"])
    member = f"/v1/memberships/{type_id('membership', maya.membership_id)}"
    new = {"login": "eve@example.org", "display_name": "Eve", "roles": ["practice_administrator"]}

    for answer in (
        me.patch(member, {"roles": ["practice_administrator"]}, if_match='"1-x"'),
        me.post("/v1/memberships", new),
        me.post("/v1/api-keys", {"name": "k", "scopes": ["members:manage"]}),
    ):
        assert code_of(answer) == (403, "forbidden")
    assert trail(willow, "membership.update") == [("deny", "role_escalation")]
    assert trail(willow, "membership.create") == [("deny", "role_escalation")]
    wider = willow.admin.post(
        "/v1/api-keys", {"name": "k", "scopes": ["patients:read", "notes:read"]}
    )
    assert code_of(wider) == (403, "role-escalation")
    assert ("deny", "role_escalation") in trail(willow, "api_key.create")
    # A program may manage members, but makes nobody administrator, and no keys.
    key = willow.key("admin", Permission.MEMBERS_MANAGE, Permission.API_KEYS_MANAGE)
    assert code_of(key.post("/v1/memberships", new)) == (403, "role-escalation")
    assert code_of(key.post("/v1/api-keys", {"name": "k", "scopes": ["self:read"]})) == (
        403,
        "person-only",
    )
    # Control: an administrator may do all of it.
    assert (
        willow.admin.post(
            "/v1/memberships", new | {"login": f"{new_uuid().hex}@example.org"}
        ).status_code
        == 201
    )
    assert (
        willow.admin.post("/v1/api-keys", {"name": "k", "scopes": ["patients:read"]}).status_code
        == 201
    )


def test_a_key_loses_what_its_owner_loses_at_once(willow: House) -> None:
    """S-035 The owner becomes auditor, then is switched off: 403, then 401, on the next request."""
    maya = hire(willow)
    key = willow.key("maya", Permission.PATIENTS_READ)
    session = Api(Caller().sign_in(maya)["token"])
    path = f"/v1/memberships/{type_id('membership', maya.membership_id)}"
    admin = willow.admin
    assert key.get("/v1/patients").status_code == 200  # control

    changed = admin.patch(path, {"roles": ["auditor"]}, if_match=admin.get(path)["ETag"])

    assert (changed.status_code, changed.json()["roles"]) == (200, ["auditor"])
    assert code_of(key.get("/v1/patients")) == (403, "insufficient-scope")
    assert ("deny", "owner_permission") in trail(willow, "patient.list")
    assert code_of(session.get("/v1/patients")) == (403, "forbidden")
    gone = admin.patch(path, {"active": False}, if_match=changed["ETag"])
    assert gone.json()["active"] is False
    for api in (key, session):
        assert code_of(api.get("/v1/me")) == (401, "token-revoked")
    assert code_of(Caller().password(maya.login)) == (401, "credentials-wrong")
    # Switched on again, the key works; the session stays ended.
    back = admin.patch(path, {"active": True, "roles": ["clinician"]}, if_match=gone["ETag"])
    assert back.status_code == 200
    assert key.get("/v1/patients").status_code == 200
    assert session.get("/v1/me").status_code == 401


def test_a_key_is_shown_once_and_dead_when_withdrawn(willow: House, aspen: House) -> None:
    made = willow.admin.post(
        "/v1/api-keys",
        {"name": "Bot", "scopes": ["patients:read"], "ip_allowlist": ["127.0.0.0/8"]},
    )
    secret, path = made.json()["secret"], f"/v1/api-keys/{made.json()['id']}"
    key = Api(secret)

    assert key.get("/v1/patients").status_code == 200
    assert (
        secret.encode()
        not in willow.admin.get(path).content + willow.admin.get("/v1/api-keys").content
    )
    elsewhere = Caller(token=secret)
    assert code_of(elsewhere.get("/v1/patients")) == (403, "forbidden")
    assert aspen.admin.delete(path).status_code == 404
    assert willow.admin.delete(path).status_code == willow.admin.delete(path).status_code == 204
    assert code_of(key.get("/v1/patients")) == (401, "token-revoked")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"expires_at": (timezone.now() + timedelta(days=367)).isoformat()}, "/expires_at"),
        ({"expires_at": (timezone.now() - timedelta(days=1)).isoformat()}, "/expires_at"),
        ({"ip_allowlist": ["10.0.0.0/99"]}, "/ip_allowlist"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"scopes": []}, "/scopes"),
    ],
)
def test_a_key_that_lives_too_long_or_is_for_nothing_is_refused(
    willow: House, body: dict, pointer: str
) -> None:
    answer = willow.admin.post("/v1/api-keys", {"name": "k", "scopes": ["patients:read"]} | body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_members_are_added_once_changed_with_etag_and_hidden_from_others(
    willow: House, aspen: House
) -> None:
    admin = willow.admin
    body = {"login": f"{new_uuid().hex}@example.org", "display_name": "Ned", "roles": ["scheduler"]}
    made = admin.post("/v1/memberships", body)
    path = f"/v1/memberships/{made.json()['id']}"

    assert made.json()["user"]["login"] == body["login"]
    assert code_of(admin.post("/v1/memberships", body)) == (409, "member-exists")
    assert admin.patch(path, {"roles": ["auditor"]}).status_code == 428
    assert admin.patch(path, {"roles": ["auditor"]}, if_match=made["ETag"]).status_code == 200
    assert admin.patch(path, {"roles": ["scheduler"]}, if_match=made["ETag"]).status_code == 412
    for answer in (
        aspen.admin.get(path),
        aspen.admin.patch(path, {"active": False}, if_match=made["ETag"]),
    ):
        assert answer.status_code == 404
    foreign = admin.patch(
        path, {"clinician_id": type_id("clinician", new_uuid())}, if_match=admin.get(path)["ETag"]
    )
    assert code_of(foreign) == (422, "reference-not-found")
    roles = {
        row["user"]["login"]: row["roles"] for row in admin.get("/v1/memberships").json()["data"]
    }
    assert roles[body["login"]] == ["auditor"]
    found = admin.get("/v1/memberships?role=auditor").json()["data"]
    assert [row["id"] for row in found] == [made.json()["id"]]
    also = aspen.admin.post("/v1/memberships", body | {"display_name": "Other"})
    assert (also.status_code, also.json()["user"]["display_name"]) == (201, "Ned")


def test_a_practice_keeps_an_administrator(willow: House) -> None:
    admin = willow.admin
    path = f"/v1/memberships/{type_id('membership', willow.members['admin'].id)}"

    last = admin.patch(path, {"roles": ["scheduler"]}, if_match=admin.get(path)["ETag"])
    assert code_of(last) == (409, "state-conflict")
    willow.person("second", Role.PRACTICE_ADMINISTRATOR)
    then = admin.patch(path, {"roles": ["scheduler"]}, if_match=admin.get(path)["ETag"])
    assert then.status_code == 200


def test_the_practice_is_changed_by_its_administrator_only(willow: House, aspen: House) -> None:
    path = f"/v1/practices/{type_id('practice', willow.id)}"
    admin = willow.admin
    etag = admin.get(path)["ETag"]

    assert code_of(willow.scheduler.patch(path, {"phone": "5035550199"}, if_match=etag)) == (
        403,
        "forbidden",
    )
    assert aspen.admin.patch(path, {"phone": "5035550199"}, if_match=etag).status_code == 404
    for wrong in (
        {"npi": "1234567890"},
        {"time_zone": "Mars/Olympus"},
        {"livemode": True},
        {"tax_id": "1"},
    ):
        answer = admin.patch(path, wrong, if_match=etag)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(wrong))}"
    changed = admin.patch(
        path, {"phone": "(503) 555-0199", "time_zone": "America/Denver"}, if_match=etag
    )
    assert (changed.json()["phone"], changed.json()["time_zone"]) == (
        "5035550199",
        "America/Denver",
    )
    assert changed.json()["version"] == 2
    assert admin.patch(path, {"phone": "1"}, if_match=etag).status_code == 412


def test_somebody_of_two_practices_is_two_members(willow: House, aspen: House) -> None:
    maya = hire(willow)
    also_in(aspen, maya, Role.AUDITOR)
    path = f"/v1/memberships/{type_id('membership', maya.membership_id)}"

    gone = willow.admin.patch(path, {"active": False}, if_match=willow.admin.get(path)["ETag"])

    assert gone.status_code == 200
    assert Caller().sign_in(maya)["practice_id"] == type_id("practice", aspen.id)
