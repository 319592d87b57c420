"""The chain against people with more rights than anybody should have."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Permission
from rapport.platform.audit import chain, checkpoints, write
from rapport.platform.db.local import locate
from rapport.rooms.roster import examples
from tests.support.cast import House


@contextmanager
def insider() -> Iterator[psycopg.Connection[Any]]:
    """A superuser who switches the triggers off."""
    server = locate(settings.RAPPORT.home / "postgres")
    with psycopg.connect(server.url("postgres", "rapport")) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@pytest.fixture
def trail(willow: House) -> House:
    """Thirty linked events and a checkpoint at the twentieth."""
    for part in (20, 10):
        with willow.entered() as scope:
            for _ in range(part):
                write.append(scope=scope, action="patient.read", patient_ids=[new_uuid()])
            assert chain.chain_practice(scope) == part
            if part == 20:
                assert chain.make_checkpoint(scope, now=timezone.now())
    return willow


def verified(house: House) -> chain.Verification:
    with house.entered() as scope:
        return chain.verify(scope)


def test_an_untouched_chain_verifies(trail: House) -> None:
    found = verified(trail)

    assert (found.valid, found.first_bad_seq, found.checked) == (True, None, 30)
    assert (found.checkpoint, found.unchained) == ("match", 0)


@pytest.mark.parametrize(
    "change",
    ["outcome = 'deny'", "reason = 'asked'", "occurred_at = occurred_at + interval '1 microsecond'",
     "patient_ids = '{}'", "ip = '10.0.0.1'", "count = 7", "actor_id = NULL"],
)  # fmt: skip
def test_one_changed_row_is_found_at_its_place(trail: House, change: str) -> None:
    with insider() as superuser:
        superuser.execute(
            f"UPDATE audit_auditevent SET {change} WHERE id = (SELECT event_id FROM"
            " audit_auditlink WHERE practice_id = %s AND seq = 12)", [trail.id],
        )  # fmt: skip

    assert (verified(trail).valid, verified(trail).first_bad_seq) == (False, 12)


def test_a_removed_row_is_found_with_and_without_its_link(trail: House) -> None:
    with insider() as superuser:
        superuser.execute(
            "DELETE FROM audit_auditevent WHERE id = (SELECT event_id FROM audit_auditlink"
            " WHERE practice_id = %s AND seq = 7)", [trail.id],
        )  # fmt: skip
    assert verified(trail).first_bad_seq == 7
    with insider() as superuser:
        superuser.execute(
            "DELETE FROM audit_auditlink WHERE practice_id = %s AND seq = 7", [trail.id]
        )
    assert verified(trail).first_bad_seq == 7


def test_two_swapped_rows_are_found_at_the_first(trail: House) -> None:
    with insider() as superuser:
        events = dict(
            superuser.execute(
                "SELECT seq, event_id FROM audit_auditlink WHERE practice_id = %s AND seq IN (5, 9)",
                [trail.id],
            ).fetchall()
        )
        superuser.execute("ALTER TABLE audit_auditlink DROP CONSTRAINT audit_link_event")
        for seq, other in ((5, 9), (9, 5)):
            superuser.execute(
                "UPDATE audit_auditlink SET event_id = %s WHERE practice_id = %s AND seq = %s",
                [events[other], trail.id, seq],
            )
        superuser.execute(
            "ALTER TABLE audit_auditlink ADD CONSTRAINT audit_link_event"
            " UNIQUE (practice_id, event_id)"
        )

    assert verified(trail).first_bad_seq == 5


def test_a_removed_link_of_the_last_row_is_found(trail: House) -> None:
    with insider() as superuser:
        superuser.execute(
            "DELETE FROM audit_auditlink WHERE practice_id = %s AND seq = 30", [trail.id]
        )

    found = verified(trail)

    assert (found.valid, found.first_bad_seq, found.unchained) == (False, 30, 1)


def _cut(house: House, after: int) -> None:
    with insider() as superuser:
        superuser.execute(
            "DELETE FROM audit_auditevent WHERE id IN (SELECT event_id FROM audit_auditlink"
            " WHERE practice_id = %s AND seq > %s)", [house.id, after],
        )  # fmt: skip
        superuser.execute(
            "DELETE FROM audit_auditlink WHERE practice_id = %s AND seq > %s", [house.id, after]
        )


def test_a_cut_tail_differs_from_the_checkpoint_outside(trail: House) -> None:
    _cut(trail, 15)

    found = verified(trail)

    assert (found.valid, found.first_bad_seq, found.checkpoint) == (False, 16, "mismatch")


def test_a_cut_tail_that_grew_again_still_differs_and_gets_no_new_checkpoint(trail: House) -> None:
    _cut(trail, 15)
    with trail.entered() as scope:
        for _ in range(20):
            write.append(scope=scope, action="patient.read")
        chain.chain_practice(scope)
        assert not chain.make_checkpoint(scope, now=timezone.now())

    assert (verified(trail).valid, verified(trail).checkpoint) == (False, "mismatch")


def test_a_chain_made_anew_differs_from_the_checkpoint_outside(trail: House) -> None:
    with insider() as superuser:
        superuser.execute(
            "UPDATE audit_auditevent SET action = 'patient.list' WHERE id = (SELECT event_id FROM"
            " audit_auditlink WHERE practice_id = %s AND seq = 3)", [trail.id],
        )  # fmt: skip
        superuser.execute(
            "INSERT INTO audit_pending SELECT practice_id, event_id FROM audit_auditlink"
            " WHERE practice_id = %s", [trail.id],
        )  # fmt: skip
        superuser.execute("DELETE FROM audit_auditlink WHERE practice_id = %s", [trail.id])
    with trail.entered() as scope:
        assert chain.chain_practice(scope) == 30

    found = verified(trail)

    assert (found.valid, found.first_bad_seq, found.checkpoint) == (False, 1, "mismatch")


def test_a_forged_checkpoint_is_not_believed(trail: House) -> None:
    file = checkpoints.path(trail.id)
    file.write_text(file.read_text().replace('"seq":20', '"seq":19'))

    assert (verified(trail).valid, verified(trail).checkpoint) == (False, "mismatch")


def test_the_application_role_cannot_touch_a_row_of_the_trail(trail: House) -> None:
    for statement in (
        "UPDATE audit_auditevent SET outcome = 'deny'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "DROP TABLE audit_auditevent",
        "ALTER TABLE audit_auditevent DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "UPDATE audit_auditlink SET seq = seq + 1",
        "DELETE FROM audit_auditlink",
        "ALTER TABLE audit_auditevent DISABLE ROW LEVEL SECURITY",
    ):
        with psycopg.connect(settings.APP_URL) as app:
            app.execute("SELECT set_config('rapport.practice_id', %s, false)", [str(trail.id)])
            with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
                app.execute(statement)
            assert refused.value.sqlstate == "42501"
    assert verified(trail).valid


def test_two_writers_at_once_make_one_chain_without_gaps(willow: House) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def write_and_link(_: int) -> None:
        try:
            for _ in range(10):
                with willow.entered() as scope:
                    write.append(scope=scope, action="patient.read")
                with willow.entered() as scope:
                    chain.chain_practice(scope)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_and_link, range(4)))

    found = verified(willow)
    assert (found.valid, found.checked, found.unchained) == (True, 40, 0)


def test_a_locked_trail_refuses_reads_and_writes_within_its_time(willow: House) -> None:
    made = willow.scheduler.post("/v1/patients", examples.NEW_PATIENT).json()
    with insider() as superuser:
        superuser.execute("LOCK TABLE audit_auditevent IN ACCESS EXCLUSIVE MODE")
        for tried in (
            lambda: willow.scheduler.get(f"/v1/patients/{made['id']}"),
            lambda: willow.scheduler.post(
                "/v1/patients", examples.NEW_PATIENT | {"external_ids": []}
            ),
        ):
            started = time.monotonic()
            answer = tried()
            assert time.monotonic() - started < 6
            assert (answer.status_code, answer.json()["code"]) == (503, "audit-unavailable")
            assert answer["Retry-After"]
            assert "Rivera" not in answer.content.decode()
        superuser.rollback()

    assert len(willow.scheduler.get("/v1/patients").json()["data"]) == 1


def test_the_trail_knows_no_call_that_changes_it(willow: House) -> None:
    some = willow.auditor.get("/v1/audit-events").json()
    willow.scheduler.get("/v1/patients")
    some = willow.auditor.get("/v1/audit-events").json()["data"][0]["id"]

    for who in (willow.admin, willow.auditor):
        for method in ("PATCH", "DELETE", "PUT", "POST"):
            assert who.call(method, "/v1/audit-events", {}).status_code == 405
            assert who.call(method, f"/v1/audit-events/{some}", {}).status_code in (404, 405)


def test_who_did_what_can_be_asked_by_patient_actor_action_outcome_and_request(
    willow: House, aspen: House
) -> None:
    made = willow.scheduler.post("/v1/patients", examples.NEW_PATIENT).json()
    other = willow.scheduler.post("/v1/patients", examples.NEW_PATIENT | {"external_ids": []})
    read = willow.scheduler.get(f"/v1/patients/{made['id']}")
    willow.biller.post("/v1/patients", examples.NEW_PATIENT)
    aspen.scheduler.post("/v1/patients", examples.NEW_PATIENT)
    me = f"usr_{read['Request-Id']}"

    def asked(query: str) -> list[dict[str, Any]]:
        answer = willow.auditor.get(f"/v1/audit-events?{query}")
        assert answer.status_code == 200, answer.content
        return answer.json()["data"]

    by_patient = asked(f"patient_id={made['id']}")
    assert [event["action"] for event in by_patient] == ["patient.create", "patient.read"]
    assert all(event["patient_ids"] == [made["id"]] for event in by_patient)
    assert [e["action"] for e in asked(f"request_id={read['Request-Id']}")] == ["patient.read"]
    scheduler = by_patient[0]["actor"]["id"]
    assert {e["actor"]["id"] for e in asked(f"actor_id={scheduler}")} == {scheduler}
    assert [e["reason"] for e in asked("outcome=deny")] == ["permission"]
    assert {e["action"] for e in asked("action[in]=patient.create,note.sign")} == {"patient.create"}
    assert asked(f"actor_id={me}") == []
    everything = asked("limit=100")
    assert [event["seq"] for event in everything] == list(range(1, len(everything) + 1))
    assert "audit.read" in {event["action"] for event in everything}
    assert {event["practice_id"] for event in everything} == {by_patient[0]["practice_id"]}
    assert other.status_code == 201
    assert "Rivera" not in str(everything)


def test_verify_and_checkpoints_answer_over_http_and_a_break_is_noted(trail: House) -> None:
    whole = trail.auditor.get("/v1/audit/verify").json()
    assert whole["valid"]
    assert trail.auditor.get("/v1/audit/verify?from=5&to=9").json()["checked"] == 5
    assert trail.auditor.get("/v1/audit/verify?from=x").status_code == 400
    assert [p["seq"] for p in trail.auditor.get("/v1/audit/checkpoints").json()["data"]] == [20]
    with insider() as superuser:
        superuser.execute(
            "UPDATE audit_auditevent SET count = 1 WHERE id = (SELECT event_id FROM"
            " audit_auditlink WHERE practice_id = %s AND seq = 6)", [trail.id],
        )  # fmt: skip

    broken = trail.auditor.get("/v1/audit/verify").json()

    assert (broken["valid"], broken["first_bad_seq"]) == (False, 6)
    noted = trail.auditor.get("/v1/audit-events?action=audit.verify&outcome=error").json()["data"]
    assert [event["reason"] for event in noted] == ["chain_broken"]
    assert trail.scheduler.get("/v1/audit/verify").status_code == 403
    trail.auditor.get("/v1/me")
    assert trail.key("auditor", Permission.AUDIT_READ).get("/v1/audit-events").status_code == 200
