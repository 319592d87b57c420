"""What breaks inside a request leaves nothing behind, and is tried again when that can help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from django.test import RequestFactory

from rapport.kernel.problems import Unavailable
from rapport.platform.access.scope import Source
from rapport.platform.api.edge import Edge
from rapport.rooms.roster import examples
from tests.support.cast import House

BODY = examples.NEW_PATIENT | {"external_ids": []}


@contextmanager
def broken(body: str, *, when: str = "BEFORE INSERT") -> Iterator[None]:
    """A database in which writing an event of a new patient runs this."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "CREATE SEQUENCE test_tries; GRANT ALL ON SEQUENCE test_tries TO PUBLIC;"
            f"CREATE FUNCTION test_break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;"
            f"CREATE TRIGGER test_break {when} ON outbox_outboxevent"
            " FOR EACH ROW WHEN (NEW.type = 'patient.created') EXECUTE FUNCTION test_break()"
        )
    try:
        yield
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                "DROP TRIGGER test_break ON outbox_outboxevent; DROP FUNCTION test_break();"
                " DROP SEQUENCE test_tries"
            )


def patients(house: House) -> int:
    return len(house.scheduler.get("/v1/patients").json()["data"])


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [("XX000", 500, "internal"), ("57P03", 503, "temporary-reduced-capacity"), ("53100", 507, "storage-full")],
)
def test_a_database_that_fails_in_the_middle_leaves_nothing_and_says_so(
    willow: House, state: str, status: int, code: str
) -> None:
    with broken(f"RAISE EXCEPTION 'secret' USING ERRCODE = '{state}';"):
        answer = willow.scheduler.post("/v1/patients", BODY, idempotency_key="a" * 20)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert b"secret" not in answer.content
    assert patients(willow) == 0
    again = willow.scheduler.post("/v1/patients", BODY, idempotency_key="a" * 20)
    assert (again.status_code, patients(willow)) == (201, 1)


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_deadlock_is_tried_again_and_the_work_is_done_once(willow: House, state: str) -> None:
    fails_twice = f"IF nextval('test_tries') < 3 THEN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END IF;"

    with broken(fails_twice):
        answer = willow.scheduler.post("/v1/patients", BODY)

    assert answer.status_code == 201, answer.content
    assert patients(willow) == 1


def test_a_deadlock_that_does_not_end_is_the_callers_to_try_later(willow: House) -> None:
    with broken("RAISE EXCEPTION 'x' USING ERRCODE = '40P01';"):
        answer = willow.scheduler.post("/v1/patients", BODY)

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert patients(willow) == 0


@pytest.mark.parametrize("lost", [True, False])
def test_what_would_be_rolled_back_in_silence_is_never_answered_as_done(lost: bool) -> None:
    edge = Edge(request=RequestFactory().post("/"), source=Source(), request_id="req_x")
    edge.begin()
    connection.set_rollback(lost)  # as after a failure that somebody swallowed

    if lost:
        with pytest.raises(Unavailable):
            edge.commit(HttpResponse(status=201))
    else:
        edge.commit(HttpResponse(status=201))

    assert not connection.in_atomic_block
