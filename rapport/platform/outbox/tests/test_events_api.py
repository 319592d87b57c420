"""The event log and the endpoints over HTTP."""

from __future__ import annotations

import threading

import psycopg
from django.conf import settings
from django.db import connections
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Permission
from rapport.platform.db.local import OWNER, locate
from rapport.platform.outbox.emit import emit
from tests.support.cast import House, public
from tests.support.sink import sink

from .support import deliveries, endpoint, settle, tell


def walk(house: House, query: str = "limit=3") -> list[str]:
    seen: list[str] = []
    cursor = ""
    while True:
        page = house.admin.get(f"/v1/events?{query}{cursor}").json()
        seen += [event["id"] for event in page["data"]]
        if not page["has_more"]:
            return seen
        cursor = f"&cursor={page['next_cursor']}"


def test_a_walk_meets_every_event_once_and_its_last_cursor_brings_what_is_new(
    willow: House,
) -> None:
    first = tell(willow, times=7)
    assert len(set(walk(willow))) == len(walk(willow)) == 7
    cursor = willow.admin.get("/v1/events?limit=100").json()["next_cursor"]
    assert willow.admin.get(f"/v1/events?cursor={cursor}").json()["data"] == []
    tell(willow, object_id=first, times=1)

    (new,) = willow.admin.get(f"/v1/events?cursor={cursor}").json()["data"]

    assert new["object"] == {
        "type": "patient", "id": public("patient", first), "version": 1, "sequence": 8,
    }  # fmt: skip
    assert willow.admin.get(f"/v1/events/{new['id']}").json() == new


def test_events_can_be_asked_for_by_type_and_object(willow: House) -> None:
    one, _ = tell(willow, times=2), tell(willow)

    def count(query: str) -> int:
        return len(willow.admin.get(f"/v1/events?{query}").json()["data"])

    assert count(f"object_id={public('patient', one)}") == 2
    assert count("type=patient.updated") == 3
    assert count("type[in]=patient.merged,claim.paid") == 0
    for query in ("limit=0", "limit=x", "foo=1", "cursor=abc", "type=a&type=b"):
        assert willow.admin.get(f"/v1/events?{query}").status_code == 400


def test_an_event_that_commits_late_is_not_stepped_over(willow: House) -> None:
    written, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with willow.entered() as scope:
                emit(
                    "patient.updated", scope=scope, object_type="patient", object_id=new_uuid(),
                    version=1, now=timezone.now(),
                )  # fmt: skip
                written.set()
                may_commit.wait(10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    written.wait(10)
    tell(willow)
    before = willow.admin.get("/v1/events").json()
    may_commit.set()
    thread.join()
    after = willow.admin.get(f"/v1/events?cursor={before['next_cursor']}").json()

    assert len(before["data"]) + len(after["data"]) == 2


def test_another_practice_sees_neither_events_nor_endpoints_nor_deliveries(
    willow: House, aspen: House
) -> None:
    with sink() as receiver:
        made = endpoint(willow, receiver.url)
        tell(willow)
        settle(willow)
        settle(aspen)
    (delivery,) = deliveries(willow)
    cursor = willow.admin.get("/v1/events").json()["next_cursor"]

    assert aspen.admin.get("/v1/events").json()["data"] == []
    assert aspen.admin.get(f"/v1/events?cursor={cursor}").json()["code"] == "invalid-cursor"
    assert aspen.admin.get("/v1/webhook-endpoints").json()["data"] == []
    assert deliveries(aspen) == []
    etag = willow.admin.get(f"/v1/webhook-endpoints/{made['id']}")["ETag"]
    path = f"/v1/webhook-endpoints/{made['id']}"
    for answer in (
        aspen.admin.get(path),
        aspen.admin.patch(path, {"description": "x"}, if_match=etag),
        aspen.admin.delete(path),
        *(aspen.admin.post(f"{path}/{verb}") for verb in ("rotate", "ping", "enable", "disable")),
        aspen.admin.post(f"/v1/webhook-deliveries/{delivery['id']}/retry"),
        aspen.admin.get(f"/v1/events/{delivery['event_id']}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    noted = willow.auditor.get("/v1/audit-events?outcome=deny&limit=100").json()["data"]
    assert {row["reason"] for row in noted} == {"other_practice"}
    assert len(noted) == 9


def test_endpoints_are_for_those_who_manage_webhooks(willow: House) -> None:
    assert willow.scheduler.get("/v1/webhook-endpoints").status_code == 403
    assert (
        willow.scheduler.post("/v1/webhook-endpoints", {"url": "https://x.org"}).status_code == 403
    )
    assert willow.biller.get("/v1/events").status_code == 200
    assert willow.scheduler.get("/v1/events").status_code == 403
    willow.admin.get("/v1/me")
    key = willow.key("admin", Permission.EVENTS_READ)
    assert key.get("/v1/events").status_code == 200
    assert key.get("/v1/webhook-deliveries").json()["code"] == "insufficient-scope"


def test_an_endpoint_is_changed_with_its_etag_and_deleted_for_good(willow: House) -> None:
    with sink() as receiver:
        made = endpoint(willow, receiver.url)
        path = f"/v1/webhook-endpoints/{made['id']}"
        etag = willow.admin.get(path)["ETag"]
        assert willow.admin.patch(path, {"description": "x"}).status_code == 428
        changed = willow.admin.patch(path, {"event_types": ["claim.paid"]}, if_match=etag)
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        assert willow.admin.patch(path, {"description": "x"}, if_match=etag).status_code == 412
        assert willow.admin.patch(path, {"url": None}, if_match=changed["ETag"]).status_code == 422
        tell(willow)
        settle(willow)
        assert receiver.received == []
        assert willow.admin.post(f"{path}/ping").status_code == 202
        settle(willow)
        assert len(receiver.received) == 1
        assert willow.admin.delete(path).status_code == 204
        assert willow.admin.get(path).status_code == 404
        assert len(deliveries(willow)) == 1


def test_bad_types_and_fields_are_named(willow: House) -> None:
    answer = willow.admin.post(
        "/v1/webhook-endpoints",
        {
            "url": "https://hooks.example.org",
            "event_types": ["*"],
            "signature": "v2",
            "secret": "x",
        },
    )

    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/event_types/0", "/signature", "/secret",
    }  # fmt: skip


def test_a_rolled_back_change_tells_nothing(willow: House) -> None:
    with sink() as receiver:
        endpoint(willow, receiver.url)
        try:
            with willow.entered() as scope:
                emit(
                    "patient.updated", scope=scope, object_type="patient", object_id=new_uuid(),
                    version=1, now=timezone.now(),
                )  # fmt: skip
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        settle(willow)

    assert receiver.received == []
    assert willow.admin.get("/v1/events").json()["data"] == []


def test_after_a_restore_into_a_younger_cluster_cursors_still_hold(willow: House) -> None:
    tell(willow, times=2)
    server = locate(settings.RAPPORT.home / "postgres")
    with psycopg.connect(server.url(OWNER, "rapport"), autocommit=True) as owner:
        # What a restore looks like: numbers that this cluster has yet to reach.
        owner.execute(
            "UPDATE outbox_outboxevent SET transaction_id = transaction_id + 1000000"
            " WHERE practice_id = %s", [willow.id],
        )  # fmt: skip
        assert willow.admin.get("/v1/events").json()["data"] == []
        try:
            owner.execute("SELECT rapport_after_restore()")
            before = willow.admin.get("/v1/events").json()
            tell(willow)
            after = willow.admin.get(f"/v1/events?cursor={before['next_cursor']}").json()
        finally:
            owner.execute("UPDATE outbox_epoch SET shift = 0")
    assert (len(before["data"]), len(after["data"])) == (2, 1)


def test_the_way_on_is_in_the_header_too(willow: House) -> None:
    tell(willow, times=3)

    first = willow.admin.get("/v1/events?limit=2&type=patient.updated")
    on = first.json()["next_cursor"]
    rest = willow.admin.get(f"/v1/events?limit=2&type=patient.updated&cursor={on}")

    assert f'cursor={on}>; rel="next"' in first["Link"]
    assert '</v1/events?limit=2&type=patient.updated>; rel="first"' in first["Link"]
    assert rest.status_code == 200
