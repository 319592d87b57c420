"""
One row in, one row out: what Django's ORM would run, with its SQL written once per model.

Most of an ORM call on one row is the making of its SQL anew. The statements here are made at the
first call, prepared by the driver, and give ordinary model instances (decision record 0032).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain, islice
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec
from django.db import connection, models
from django.db.models.base import ModelState

from rapport.platform.access.scope import Scope

from . import sql

M = TypeVar("M", bound=models.Model)
T = TypeVar("T")

_Reader = Callable[[Any, Any, Any], Any]


@cache
def _reading(model: type[models.Model], key: str) -> tuple[str, list[str], list[tuple[int, _Reader]]]:
    """Return the SELECT by practice and key, the attributes it fills, and who reads which column."""
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    by = next(field.column for field in fields if key in (field.name, field.attname))
    statement = (
        f'SELECT {columns} FROM "{model._meta.db_table}"'  # noqa: S608 - names of our own tables
        f' WHERE practice_id = %s AND "{by}" = %s'
    )
    readers = [
        (place, field.from_db_value)
        for place, field in enumerate(fields)
        if hasattr(field, "from_db_value")
    ]
    return statement, [field.attname for field in fields], readers


def by_id(
    model: type[M], *, scope: Scope, id: UUID, lock: bool = False, key: str = "id"
) -> M | None:
    """
    Return a row of the scope's practice, or None.

    :param lock: hold the row until the transaction ends
    :param key: another unique column to look by
    """
    statement, names, readers = _reading(model, key)
    found = sql.one(statement + " FOR UPDATE" if lock else statement, (scope.practice_id, id))
    if found is None:
        return None
    return _instance(model, names, list(found), readers)


@cache
def _reading_together(models: tuple[type[models.Model], ...]) -> str:
    columns, joins = [], []
    for place, model in enumerate(models):
        columns += [f't{place}."{field.column}"' for field in model._meta.concrete_fields]
        joins.append(
            f' LEFT JOIN "{model._meta.db_table}" t{place}'
            f" ON t{place}.practice_id = %s AND t{place}.id = %s"
        )
    return f"SELECT {', '.join(columns)} FROM (SELECT) one{''.join(joins)}"  # noqa: S608 - our own tables


def together(*wanted: tuple[type[models.Model], UUID], scope: Scope) -> list[Any]:
    """Return rows of several tables in one round trip, each by its id; None where there is none."""
    statement = _reading_together(tuple(model for model, _ in wanted))
    found = sql.one(statement, [value for _, id in wanted for value in (scope.practice_id, id)])
    assert found is not None  # one row of NULLs at the least
    instances, start = [], 0
    for model, _ in wanted:
        _, names, readers = _reading(model, "id")
        values = list(found[start : start + len(names)])
        start += len(names)
        instances.append(_instance(model, names, values, readers) if values[0] is not None else None)
    return instances


def _instance(
    model: type[M], names: list[str], values: list[Any], readers: list[tuple[int, _Reader]]
) -> M:
    for place, read in readers:
        values[place] = read(values[place], None, connection)
    return model.from_db("default", names, values)


@cache
def _attributes(model: type[models.Model]) -> frozenset[str]:
    return frozenset(field.attname for field in model._meta.concrete_fields)


def made(model: type[M], values: dict[str, Any]) -> M:
    """
    Return an instance that is not saved yet, of the values of all its columns.

    Of ten thousands of rows, the ORM's own way takes as long as the database: it looks at each column of each.
    """
    if values.keys() != _attributes(model):
        raise TypeError(f"not the columns of {model.__name__}: {sorted(values.keys() ^ _attributes(model))}")
    instance = model.__new__(model)
    instance.__dict__ = values | {"_state": ModelState()}
    return instance


@cache
def _adding(model: type[models.Model]) -> tuple[str, list[models.Field[Any, Any]]]:
    fields = list(model._meta.concrete_fields)
    columns = ", ".join(f'"{field.column}"' for field in fields)
    return (
        f'INSERT INTO "{model._meta.db_table}" ({columns})'  # noqa: S608 - names of our own tables
        f" VALUES ({', '.join(['%s'] * len(fields))})",
        fields,
    )


def add(row: models.Model) -> None:
    """
    Insert a row as it is; every field must have its value.

    :raises django.db.Error: the database objects
    """
    statement, fields = _adding(type(row))
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.wrap_database_errors:
        sql.run(statement, values)
    row._state.adding, row._state.db = False, "default"


_encoder = msgspec.json.Encoder(decimal_format="string")
AT_ONCE = 2500
"""Rows in one statement, where many are added."""


@cache
def _adding_many(model: type[models.Model], *, passing_over: bool) -> str:
    table = model._meta.db_table
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    return (
        f'INSERT INTO "{table}" ({columns}) SELECT {columns}'  # noqa: S608 - names of our own tables
        f' FROM json_populate_recordset(NULL::"{table}", %s::json)'
        + (" ON CONFLICT DO NOTHING RETURNING id" if passing_over else "")
    )


def add_many(given: Sequence[models.Model]) -> None:
    """
    Insert rows of one table as they are, some thousands to a statement; every field must have its value.

    For tables without columns of bytes: the rows travel as JSON, which the database turns into its types.

    :raises django.db.Error: the database objects, and nothing is added
    """
    if given:
        add_plain(type(given[0]), _plain(given))
    for row in given:
        row._state.adding, row._state.db = False, "default"


def add_new(given: Sequence[models.Model]) -> set[UUID]:
    """
    Insert rows of one table, passing over those that a unique constraint keeps out.

    :return: the ids of those that were added
    """
    if not given:
        return set()
    return add_new_plain(type(given[0]), _plain(given))


def _plain(given: Sequence[models.Model]) -> Iterator[dict[str, Any]]:
    names = [(str(field.column), field.attname) for field in type(given[0])._meta.concrete_fields]
    return ({column: getattr(row, name) for column, name in names} for row in given)


def add_plain(model: type[models.Model], given: Iterable[Mapping[str, Any]]) -> None:
    """
    Insert rows as `add_many` does, given by their columns: the making of instances is most of its cost.

    :param given: may be a generator; of many rows, the next are drawn from it in a thread while the database is
        busy with those before, so it must not touch the database
    """
    statement = _adding_many(model, passing_over=False)
    for text in _texts(given):
        with connection.wrap_database_errors:
            sql.run(statement, (text,))


def add_new_plain(model: type[models.Model], given: Iterable[Mapping[str, Any]]) -> set[UUID]:
    """Insert rows as `add_new` does, given by their columns, as for `add_plain`."""
    statement = _adding_many(model, passing_over=True)
    added: set[UUID] = set()
    for text in _texts(given):
        with connection.wrap_database_errors:
            added.update(row[0] for row in sql.rows(statement, (text,)))
    return added


def _texts(given: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield rows as JSON, some thousands at a time."""
    rest = iter(given)
    parts = iter(lambda: list(islice(rest, AT_ONCE)), [])
    first = next(parts, [])
    texts = (_encoder.encode(part).decode() for part in chain([first], parts))
    if len(first) == AT_ONCE:
        yield from ahead(texts)
    elif first:
        yield from texts


def ahead(given: Iterable[T]) -> Iterator[T]:
    """
    Yield the same, each drawn in a thread while the caller is at work with the one before.

    For a caller that waits for the database most of the time, which what is drawn must not touch.
    """
    rest, over = iter(given), object()
    with ThreadPoolExecutor(1) as beside:
        following = beside.submit(next, rest, over)
        while (here := following.result()) is not over:
            following = beside.submit(next, rest, over)
            yield cast(T, here)
