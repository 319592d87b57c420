"""Books that are closed up to a day take nothing that counts from it, whoever writes."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from rapport.platform.db import sql
from rapport.platform.db.errors import constraint_name
from rapport.rooms.ledger import services
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.tests.support import DAY, add_patient, balance, charge, pay
from tests.support.cast import House

CLOSED = "2026-03-31"


def close(house: House, through: str = CLOSED) -> Any:
    return house.biller.post("/v1/book-closings", {"closed_through": through, "reason": "March is done"})


def reopen(house: House, through: str | None, reason: str = "A deposit was booked twice") -> Any:
    return house.biller.post("/v1/book-closings/reopen", {"closed_through": through, "reason": reason})


def today(house: House) -> date:
    return house.scope.day_of(timezone.now())


def _write(house: House, patient: Any, day: date) -> None:
    """Write an entry past the services, as a careless program would."""
    with house.entered() as scope:
        id = new_uuid()
        sql.run(
            "INSERT INTO ledger_entry (practice_id, id, kind, patient_id, effective_on, recorded_at, source_kind,"
            " source_id, source_line, lines, reason, actor_type, actor_id)"
            " VALUES (%s, %s, 'charge', %s, %s, now(), 'test', %s, '1', 2, '', 'system', %s)",
            (scope.practice_id, id, patient, day, new_uuid(), scope.actor_id),
        )
        for line, cents in ((1, 5), (2, -5)):
            sql.run(
                "INSERT INTO ledger_posting (practice_id, id, entry_id, line, account, cents, patient_id, effective_on)"
                " VALUES (%s, %s, %s, %s, 'cash', %s, %s, %s)",
                (scope.practice_id, new_uuid(), id, line, cents, patient, day),
            )


def test_the_database_keeps_entries_out_of_closed_days(willow: House, aspen: House) -> None:
    _, ana = add_patient(willow)
    _, cleo = add_patient(aspen)
    assert close(willow).status_code == 201

    with pytest.raises(Exception) as refused:  # noqa: PT011 - the driver's own
        _write(willow, ana, date(2026, 3, 31))

    assert constraint_name(refused.value) == "books_are_closed"
    _write(willow, ana, date(2026, 4, 1))
    _write(aspen, cleo, date(2026, 3, 31))


def test_what_comes_late_counts_from_today_and_keeps_the_day_of_its_service(willow: House) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=500, on=DAY)
    close(willow)

    charge(willow, id, patient_cents=2500, on=DAY)

    late = willow.biller.get(f"/v1/ledger-entries?patient_id={patient}").json()["data"][0]
    assert late["effective_on"] == today(willow).isoformat()
    assert {posting["service_on"] for posting in late["postings"]} == {DAY.isoformat()}
    assert balance(willow, patient, f"?as_of={CLOSED}") == (500, 0, 0), "the closed month stays as it was"
    assert balance(willow, patient) == (3000, 0, 0)


def test_a_payment_of_a_closed_day_is_refused_and_one_of_today_is_not(willow: House) -> None:
    patient, _ = add_patient(willow)
    close(willow)

    refused = pay(willow, patient, 500, received_on="2026-03-31")

    assert (refused.status_code, refused.json()["code"]) == (409, "books-closed")
    assert pay(willow, patient, 500, received_on="2026-04-01").status_code == 201
    assert pay(willow, patient, 500).status_code == 201


def test_reopening_is_a_deed_with_a_reason_that_stays(willow: House) -> None:
    patient, _ = add_patient(willow)
    close(willow)

    assert reopen(willow, "2026-02-28", reason="").status_code == 422
    assert reopen(willow, "2026-04-30").json()["code"] == "books-not-closed"
    assert reopen(willow, "2026-02-28").status_code == 201
    assert pay(willow, patient, 500, received_on="2026-03-31").status_code == 201
    assert pay(willow, patient, 500, received_on="2026-02-28").status_code == 409
    assert reopen(willow, None).status_code == 201
    assert pay(willow, patient, 500, received_on="2026-02-28").status_code == 201
    deeds = willow.biller.get("/v1/book-closings").json()["data"]
    assert [(one["closed_through"], one["reopens"], one["reason"]) for one in deeds] == [
        (None, True, "A deposit was booked twice"), ("2026-02-28", True, "A deposit was booked twice"),
        (CLOSED, False, "March is done"),
    ]  # fmt: skip
    trail = willow.auditor.get("/v1/audit-events?action=book_closing.reopen&outcome=allow").json()["data"]
    assert {one["reason"] for one in trail} == {"A deposit was booked twice"}
    types = [one["type"] for one in willow.admin.get("/v1/events?limit=100").json()["data"]]
    assert (types.count("books.closed"), types.count("books.reopened")) == (1, 2)


def test_only_days_that_are_over_are_closed_and_only_further(willow: House) -> None:
    yesterday = today(willow) - timedelta(days=1)

    assert close(willow, today(willow).isoformat()).status_code == 422
    assert close(willow).status_code == 201
    assert close(willow).json()["code"] == "books-closed-further"
    assert close(willow, "2026-01-31").json()["code"] == "books-closed-further"
    assert close(willow, yesterday.isoformat()).status_code == 201


def test_who_closes_waits_for_who_posts(willow: House) -> None:
    _, ana = add_patient(willow)
    posted, closed = Event(), Event()

    def begin_to_close() -> None:
        posted.wait(10)
        assert close(willow).status_code == 201
        closed.set()
        connection.close()

    other = Thread(target=begin_to_close)
    other.start()
    entry = book.charge(book.Source("test", new_uuid(), "1"), DAY, book.About(ana), patient_cents=5, insurance_cents=0)
    with willow.entered() as scope:
        services.post(scope=scope, entry=entry, now=timezone.now())
        posted.set()
        assert not closed.wait(0.3), "the month is not closed under the hands of who posts into it"
    other.join(10)

    assert closed.is_set(), "the control: it is closed once they are done"


def test_closings_are_never_changed_and_not_everybody_makes_them(willow: House) -> None:
    close(willow)
    with pytest.raises(Exception), willow.entered():  # noqa: B017, PT011 - the driver's own
        sql.run("UPDATE ledger_bookclosing SET through_on = NULL")

    assistant = willow.person("bea", Role.BILLER_ASSIGNED)
    assert assistant.get("/v1/book-closings").status_code == 200
    for answer in (
        assistant.post("/v1/book-closings", {"closed_through": "2026-04-30"}),
        assistant.post("/v1/book-closings/reopen", {"closed_through": None, "reason": "I wish"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_balance_is_given_by_what_was_known_at_an_instant(willow: House) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, on=DAY)
    then = timezone.now().isoformat().replace("+00:00", "Z")
    charge(willow, id, patient_cents=700, on=DAY)

    assert balance(willow, patient, f"?as_of={DAY}") == (3200, 0, 0)
    assert balance(willow, patient, f"?as_of={DAY}&known_at={then}") == (2500, 0, 0)
    for wrong in ("tuesday", "2026-03-02T10:00:00"):
        assert willow.biller.get(f"/v1/patients/{patient}/balance?known_at={wrong}").status_code == 400
