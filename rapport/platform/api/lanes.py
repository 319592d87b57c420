"""
Fast lanes: the few reads that programs make all day, each as one function in the database.

A read has five steps: who asks, is it allowed, the rows, the audit row, the commit. Asked one by
one they are five round trips; a lane asks for all of them in one. A lane says nothing new: its
SELECT is the route's own and its answer is built by the route's own function. It answers plain
successes only. Whatever is not plain (a parameter it does not know, a right that is missing, a
row that is not there) it leaves, with nothing done, to the view. (Decision record 0033.)

Rooms declare lanes beside their routes; `install` makes the functions at each migration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from rapport.platform.access.permissions import (
    CASELOAD_ROLES,
    ROLE_PERMISSIONS,
    Permission,
    Role,
)
from rapport.platform.access.scope import Scope
from rapport.platform.db.local import APP

from .lists import ListSpec
from .shapes import Answer

ALL_SEEING = [
    role.value
    for role in Role
    if role not in CASELOAD_ROLES and Permission.PATIENTS_READ in ROLE_PERMISSIONS[role]
]
"""Roles whose holders see every patient, as `rapport_enter` is told them."""
PREFIX = "rapport_lane_"
WHO = {
    "practice_id": "uuid", "actor_type": "text", "actor_id": "uuid", "user_id": "uuid",
    "time_zone": "text",
}  # fmt: skip
"""What a lane's first row says of the caller; its further rows are the route's."""

_SQL_TYPES = {"date": "date", "instant": "timestamptz", "bool": "boolean"}


@dataclass(frozen=True, slots=True)
class Lane:
    """One read, of one shape."""

    name: str
    route: str
    """As the route calls itself, e.g. `GET /patients/{patient_id}`."""
    action: str
    kind: str
    """Its weight, as of the route."""
    needs: tuple[Permission, ...]
    segments: tuple[str, ...]
    """Its path below /v1; an empty segment is the object's id."""
    statement: str
    """SELECT with named parameters; `practice` and `user` are the caller's own."""
    arguments: Mapping[str, str]
    """Further parameters, with their types in SQL."""
    patient_index: int | None
    """Which column holds the patient."""
    target: tuple[str, int, int] | None = None
    """Of a read: kind of object, and the columns of its id and version. None: a list."""
    id_kind: str = ""
    """Of a read: kind of the id in the path."""
    build: Callable[[tuple[Any, ...], Scope], Answer] | None = None
    """Of a read: the answer from its row."""
    spec: ListSpec | None = None
    """Of a list: the route's."""
    filters: tuple[str, ...] = ()
    """Of a list: exactly these parameters are given, besides limit and cursor."""
    continued: bool = False
    """Of a list: whether a cursor is given."""

    @property
    def function(self) -> str:
        """Name of its function: another text is another function, so that two versions of the
        program can run on one database."""
        return f"{PREFIX}{self.name}_{sha256(self.body('', '').encode()).hexdigest()[:12]}"

    def call(self) -> str:
        """Return the SELECT that runs it; its parameters by name."""
        given = ["token", "request", "event", "ip", "agent", *self.arguments]
        return f"SELECT * FROM {self.function}({', '.join(f'%({name})s' for name in given)})"

    def body(self, columns: str, nothing: str) -> str:
        """
        Return the function's text.

        :param columns: names of the statement's columns, one per column
        :param nothing: as many NULLs of their types
        """
        own = {"practice": "who.practice_id", "user": "who.user_id"}
        select = re.sub(
            r"%\((\w+)\)s", lambda found: own.get(found[1], f"in_{found[1]}"), self.statement
        )
        return f"""#variable_conflict use_column
DECLARE who record;
BEGIN
    SELECT * INTO who FROM rapport_enter(in_token, '{{{",".join(ALL_SEEING)}}}'::text[]);
    IF who.trouble IS NOT NULL OR cardinality(coalesce(who.ip_allowlist, '{{}}')) > 0
        OR NOT ({self._allowed()}) THEN RETURN;
    END IF;
    RETURN QUERY SELECT {", ".join(f"who.{name}" for name in WHO)}, {nothing};
    RETURN QUERY WITH page({columns}) AS MATERIALIZED ({select}), noted AS ({self._note()})
        SELECT {", ".join(f"NULL::{type}" for type in WHO.values())}, page.* FROM page;
END"""

    def _allowed(self) -> str:
        held = []
        for permission in self.needs:
            holders = [role.value for role in Role if permission in ROLE_PERMISSIONS[role]]
            held.append(f"who.roles && '{{{','.join(holders)}}}'::text[]")
        scopes = ",".join(permission.value for permission in self.needs)
        return f"{' AND '.join(held)} AND coalesce(who.key_scopes @> '{{{scopes}}}'::text[], true)"

    def _note(self) -> str:
        """Return the INSERT of the audit row; of a read that finds nothing there is none."""
        if self.target is not None:
            kind, id, version = self.target
            patients = f"ARRAY[page.c{self.patient_index}]" if self.patient_index is not None else "'{}'::uuid[]"
            told = f"{patients}, '{kind}', page.c{id}, page.c{version}, 0"
        else:
            patients = "'{}'::uuid[]"
            if self.patient_index is not None:
                patients = (
                    f"(SELECT coalesce(array_agg(DISTINCT p.c{self.patient_index}), '{{}}') FROM"
                    " (SELECT * FROM page LIMIT in_limit - 1) p)"
                )
            told = f"{patients}, NULL, NULL::uuid, NULL::int, least(count(*), in_limit - 1)::int"
        return f"""
        INSERT INTO audit_auditevent (practice_id, id, occurred_at, actor_type, actor_id, roles,
            session_id, amr, action, outcome, fields, changed, ip, user_agent, request_id,
            patient_ids, target_type, target_id, target_version, count)
        SELECT who.practice_id, in_event, clock_timestamp(), who.actor_type, who.actor_id, who.roles,
            who.session_id, coalesce(who.amr, '{{}}'), '{self.action}', 'allow', '{{}}', '{{}}', in_ip,
            in_agent, in_request, {told} FROM page"""


LANES: list[Lane] = []
"""Every lane that was declared."""


def read(
    name: str,
    *,
    path: str,
    action: str,
    needs: tuple[Permission, ...],
    statement: str,
    id_kind: str,
    patient_index: int | None,
    version_index: int,
    build: Callable[[tuple[Any, ...], Scope], Answer],
    arguments: Mapping[str, str] | None = None,
) -> None:
    """
    Declare the lane of a route that reads one object.

    :param path: the route's, e.g. `/patients/{patient_id}`
    :param statement: SELECT by `%(practice)s` and `%(id)s`; its first column is the id
    :param build: the answer from a row of it
    """
    LANES.append(
        Lane(
            name=name, route=f"GET {path}", action=action, kind="read", needs=needs,
            segments=tuple("" if part.startswith("{") else part for part in path.strip("/").split("/")),
            statement=statement, arguments={"id": "uuid", **(arguments or {})},
            patient_index=patient_index, target=(id_kind, 0, version_index), id_kind=id_kind,
            build=build,
        )
    )  # fmt: skip


def pages(
    name: str, *, path: str, action: str, needs: tuple[Permission, ...], spec: ListSpec,
    filters: Sequence[str] = (),
) -> None:
    """
    Declare the lanes of a list in its default order: the first page, and those after a cursor.

    :param filters: parameters that are all given, e.g. `("clinician_id", "start_at[gte]")`
    """
    sort = spec.sorts[spec.default_sort.removeprefix("-")]
    arguments, conditions = {}, []
    for place, parameter in enumerate(filters):
        known, operator = spec.known(parameter)
        kind = known.type.partition(":")[0]
        slot = f"f{place}"
        arguments[slot] = "uuid" if kind == "id" else _SQL_TYPES.get(kind, "text")
        conditions.append(known.where(operator, slot, None))
    for continued in (False, True):
        last = {"last": "text", "last_id": "uuid"} if continued else {}
        LANES.append(
            Lane(
                name=f"{name}{'_after' if continued else ''}", route=f"GET {path}", action=action,
                kind="list", needs=needs, segments=tuple(path.strip("/").split("/")),
                statement=spec.statement(
                    tuple(conditions), sort, descending=spec.default_sort.startswith("-"),
                    continued=continued, extra="",
                ),
                arguments={**arguments, **last, "limit": "integer"},
                patient_index=spec.patient_index, spec=spec, filters=tuple(filters),
                continued=continued,
            )
        )  # fmt: skip


def install(cursor: Any) -> None:
    """
    Make the function of every lane, as the owner, and drop those of other versions.

    A process of another version that finds its function gone goes the long way from then on.
    """
    wanted = set()
    for lane in LANES:
        wanted.add(lane.function)
        types = _column_types(cursor, lane)
        columns = [f"c{place}" for place in range(len(types))]
        body = lane.body(", ".join(columns), ", ".join(f"NULL::{type}" for type in types))
        returns = [f"who_{name} {type}" for name, type in WHO.items()]
        returns += [f"{column} {type}" for column, type in zip(columns, types, strict=True)]
        takes = ["in_token bytea, in_request uuid, in_event uuid, in_ip inet, in_agent text"]
        takes += [f"in_{argument} {type}" for argument, type in lane.arguments.items()]
        signature = f"{lane.function}({', '.join(takes)})"
        for statement in (
            f"CREATE OR REPLACE FUNCTION {signature} RETURNS TABLE ({', '.join(returns)})"
            f" LANGUAGE plpgsql AS $lane${body}$lane$",
            f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {signature} TO {APP}",
        ):
            cursor.execute(statement)  # of names and constants of ours
    cursor.execute(
        "SELECT oid::regprocedure::text, proname FROM pg_proc WHERE proname LIKE %s",
        [PREFIX.replace("_", r"\_") + "%"],
    )
    for signature, name in cursor.fetchall():
        if name not in wanted:
            cursor.execute(f"DROP FUNCTION {signature}")  # lint: allow danger - PostgreSQL's own spelling


def _column_types(cursor: Any, lane: Lane) -> list[str]:
    """Ask PostgreSQL which types the lane's SELECT gives."""
    types = {"practice": "uuid", "user": "uuid", **lane.arguments}
    text = re.sub(r"%\((\w+)\)s", lambda found: f"NULL::{types[found[1]]}", lane.statement)
    cursor.execute(text)
    codes = [column.type_code for column in cursor.description]
    cursor.execute("SELECT c, format_type(c, NULL) FROM unnest(%s::int[]) WITH ORDINALITY AS t(c, n) ORDER BY n", [codes])
    return [type for _, type in cursor.fetchall()]
