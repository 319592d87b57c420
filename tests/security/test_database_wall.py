"""The wall as the database itself knows it, for every table that has a practice."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, connections, transaction

from tests.support.cast import House

GLOBAL = {"tenancy_practice", "identity_user"}
"""Tables that rows of a practice may refer to by one column: they belong to no practice."""
UNWALLED = {
    "identity_affiliation": "two ids, read before a practice is known",
    "identity_credential": "digests of tokens, looked up before a practice is known",
    "identity_mfaticket": "a sign-in that is not in a practice yet",
}
"""Tables with a practice's id and no wall, each for its reason."""


def tables() -> list[str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind = 'r' AND a.attname = 'practice_id' AND NOT a.attisdropped"
            " AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


def walled() -> list[str]:
    return [table for table in tables() if table not in UNWALLED]


def test_every_table_of_a_practice_is_behind_the_wall() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relkind = 'r'"
        )
        secured = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT DISTINCT tablename FROM pg_policies WHERE 'rapport_app' = ANY(roles)")
        with_policy = {row[0] for row in cursor.fetchall()}

    assert len(walled()) > 30
    assert set(walled()) - secured == set()
    assert set(walled()) - with_policy == set()


def test_every_unique_index_and_foreign_key_of_a_practice_begins_with_it() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT t.relname, i.relname FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid"
            " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_attribute a ON a.attrelid = t.oid"
            " AND a.attnum = x.indkey[0] WHERE x.indisunique AND t.relname = ANY(%s)"
            " AND a.attname <> 'practice_id'",
            [walled()],
        )
        assert cursor.fetchall() == []
        cursor.execute(
            "SELECT t.relname, c.conname, r.relname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
            " JOIN pg_class r ON r.oid = c.confrelid JOIN pg_attribute a ON a.attrelid = t.oid"
            " AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND t.relname = ANY(%s)"
            " AND a.attname <> 'practice_id'",
            [walled()],
        )
        assert [row for row in cursor.fetchall() if row[2] not in GLOBAL] == []


def test_the_application_role_owns_nothing_and_bypasses_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False, False)
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize("table", walled())
def test_without_a_scope_a_table_answers_with_an_error(table: str) -> None:
    connection.close()
    shown = 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            shown = cursor.fetchone()[0]
    except DatabaseError:
        connection.close()
    # An empty table never evaluates its policy; one with rows fails.
    assert shown == 0


def test_a_scope_sees_its_own_practice_and_writes_nowhere_else(willow: House, aspen: House) -> None:
    willow.scheduler.get("/v1/patients")
    aspen.scheduler.get("/v1/patients")
    with aspen.entered(), connection.cursor() as cursor:
        for table in walled():
            cursor.execute(f"SELECT count(*) FROM {table} WHERE practice_id = %s", [willow.id])
            assert cursor.fetchone() == (0,), table
    with pytest.raises(DatabaseError), aspen.entered(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO roster_location (practice_id, id, name, place_of_service_code, npi, address_line1,"
            " address_line2, city, state_code, postal_code, time_zone, active, version, created_at, updated_at)"
            " VALUES (%s, gen_random_uuid(), 'x', '11', '', 'x', '', 'x', 'OR', '97205', 'UTC', true, 1, now(), now())",
            [willow.id],
        )


def test_tables_that_only_grow_refuse_every_change() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%grows_only'")
        growing = [row[0] for row in cursor.fetchall()]

    assert {"audit_auditevent", "audit_auditlink", "claims_claimhistory"} <= set(growing)
    for table in growing:
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
