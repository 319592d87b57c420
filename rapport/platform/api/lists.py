"""Lists: allow-listed filters and sorts, keyset pages, SQL that is built once per shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import UnknownFilter, UnknownParameter, UnknownSortKey
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql

from . import cursors
from .shapes import Answer, Page, encoder

_OPERATORS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "ne": "<>"}
_MOST_IN = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a list. Its SQL is ours; a request gives the value only."""

    column: str
    """SQL expression, e.g. `a.start_at`."""
    type: str
    """`id:<kind>` (several kinds: `id:user|api_key`), `date`, `instant`, `text`, `bool` or `enum:a|b`."""
    operators: tuple[str, ...] = ("eq",)
    """Of eq, in, gt, gte, lt, lte, ne, exists."""
    condition: str = ""
    """A whole condition with one `{value}`, for filters that are no plain comparison."""

    def read(self, text: str) -> Any:
        """Return the value a text stands for. :raises UnknownFilter: it is not of the type."""
        kind, _, detail = self.type.partition(":")
        try:
            if kind == "id":
                known = (parse_type_id(one, text) for one in detail.split("|"))
                value = next((id for id in known if id), None)
                # An id of nobody finds nothing; it is no error, so that ids cannot be probed.
                return value or UUID(int=0)
            if kind == "date":
                return date.fromisoformat(text)
            if kind == "instant":
                instant = datetime.fromisoformat(text)
                if instant.tzinfo is None:
                    raise UnknownFilter("Instants need an offset, such as Z.")
                return instant
            if kind == "bool":
                return {"true": True, "false": False}[text]
        except (ValueError, KeyError) as error:
            raise UnknownFilter(f"A value is not of this type: {kind}.") from error
        if kind == "enum" and text not in detail.split("|"):
            raise UnknownFilter(f"Allowed: {detail.replace('|', ', ')}.")
        if len(text) > 200 or "\x00" in text:
            raise UnknownFilter("A value is too long.")
        return text

    def value(self, operator: str, text: str) -> Any:
        """Return what to bind for an operator. :raises UnknownFilter: the text is no such value"""
        if operator == "in":
            parts = text.split(",")
            if len(parts) > _MOST_IN:
                raise UnknownFilter(f"A list of values may have {_MOST_IN} members.")
            return [self.read(part) for part in parts]
        if operator == "exists":
            if text not in ("true", "false"):
                raise UnknownFilter("exists is true or false.")
            return text == "true"
        return self.read(text)

    def where(self, operator: str, slot: str, value: Any) -> str:
        """Return the condition; the value is bound under the name `slot`."""
        if operator == "in":
            return f"{self.column} = ANY(%({slot})s)"
        if operator == "exists":
            return f"{self.column} IS {'NOT ' if value else ''}NULL"
        if self.condition:
            return self.condition.replace("{value}", f"%({slot})s")
        return f"{self.column} {_OPERATORS[operator]} %({slot})s"


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort key: an expression and the type of its value; the id settles ties."""

    column: str
    type: str
    """PostgreSQL type to bind a cursor's value as: `text`, `timestamptz`, `date`."""


@dataclass(frozen=True, slots=True)
class ListSpec:
    """
    A list route: what it selects, filters and sorts.

    The first of `columns` is the row's id (uuid).
    """

    route: str
    columns: str
    """SQL select list."""
    source: str
    """SQL after FROM, without WHERE."""
    id_column: str
    practice_column: str
    sorts: Mapping[str, Sort]
    default_sort: str
    filters: Mapping[str, Filter]
    build: Callable[[tuple[Any, ...], Scope], Any] | None = None
    """Turns a row into the shape of one member."""
    build_page: Callable[[Sequence[UUID], Scope], list[Any]] | None = None
    """In its place: turns the ids of a page into its members, in that order, reading them at once."""
    patient_index: int | None = None
    """Which column holds the patient's id, for the trail."""
    where: str = ""
    """A condition that always holds."""
    parameters: frozenset[str] = frozenset()
    """Further query parameters that the view reads itself."""
    _cache: dict[Any, str] = field(default_factory=dict)

    def run(
        self,
        request: HttpRequest,
        *,
        scope: Scope,
        extra: Mapping[str, Any] | None = None,
        extra_where: str = "",
    ) -> Answer:
        """
        Answer the request's page.

        :param extra: values of named parameters in `extra_where`
        :param extra_where: a further condition, one of few fixed texts
        :raises UnknownFilter: or UnknownSortKey, UnknownParameter, InvalidCursor
        """
        conditions: list[str] = []
        values: dict[str, Any] = {"practice": scope.practice_id, **(extra or {})}
        limit, cursor, sort, said = 25, "", self.default_sort, []
        for name, given in request.GET.lists():
            if len(given) != 1:
                raise UnknownParameter("A query parameter is given twice.")
            text = given[0]
            if name == "limit":
                limit = page_size(text)
            elif name == "cursor":
                cursor = text
            elif name == "sort":
                sort = text
            elif name not in self.parameters:
                self._filter(name, text, conditions, values)
                said.append((name, text))
        descending = sort.startswith("-")
        key = self.sorts.get(sort.removeprefix("-"))
        if key is None:
            raise UnknownSortKey(f"Known: {', '.join(self.sorts)}; a leading - turns it round.")
        shape = shape_of(said, sort)
        if cursor:
            values["last"], values["last_id"] = self.after(cursor, scope=scope, shape=shape)
        statement = self.statement(
            tuple(conditions), key, descending=descending, continued=bool(cursor), extra=extra_where
        )
        values["limit"] = limit + 1
        rows = sql.rows(statement, values)
        scope.trail.count = min(len(rows), limit)
        if self.patient_index is not None:
            index = self.patient_index
            scope.trail.patient_ids.update(
                row[index] for row in rows[:limit] if row[index] is not None
            )
        return self.page(
            rows, scope=scope, limit=limit, shape=shape, path=request.path,
            given={name: str(text) for name, text in request.GET.items() if name != "cursor"},
        )  # fmt: skip

    def page(
        self, rows: Sequence[tuple[Any, ...]], *, scope: Scope, limit: int, shape: str, path: str,
        given: Mapping[str, str],
    ) -> Answer:
        """
        Turn rows into the answer.

        :param rows: up to one more than `limit`, which then only says that there are more
        :param shape: see `shape_of`
        :param given: the query's parameters less the cursor, for the links
        """
        more = len(rows) > limit
        rows = rows[:limit]
        next_cursor = None
        if more:
            final = rows[-1]
            next_cursor = cursors.seal(
                [final[-1], final[0].bytes], scope=scope, route=self.route, shape=shape
            )
        page = Page(data=self._members(rows, scope), has_more=more, next_cursor=next_cursor)
        return Answer(
            encoder.encode(page), headers={"Link": links(path, given, next_cursor)}
        )

    def _members(self, rows: Sequence[tuple[Any, ...]], scope: Scope) -> list[Any]:
        if self.build_page is not None:
            return self.build_page([row[0] for row in rows], scope)
        build = self.build
        assert build is not None  # a spec has one of the two
        return [build(row, scope) for row in rows]

    def _filter(
        self, name: str, text: str, conditions: list[str], values: dict[str, Any]
    ) -> None:
        slot = f"f{len(values)}"
        known, operator = self.known(name)
        value = known.value(operator, text)
        if operator != "exists":
            values[slot] = value
        conditions.append(known.where(operator, slot, value))

    def known(self, name: str) -> tuple[Filter, str]:
        """Return the filter and operator of a parameter `field[op]`. :raises UnknownFilter:"""
        field_name, _, operator = name.partition("[")
        operator = operator.removesuffix("]") or "eq"
        known = self.filters.get(field_name)
        if known is None or operator not in known.operators:
            raise UnknownFilter(f"Known: {', '.join(sorted(self.filters))}.")
        return known, operator

    def after(self, cursor: str, *, scope: Scope, shape: str) -> tuple[Any, UUID]:
        """Return sort value and id of the row that a cursor stands after. :raises InvalidCursor:"""
        last, last_id = cursors.open_(cursor, scope=scope, route=self.route, shape=shape)
        return last, UUID(bytes=last_id)

    def statement(
        self, conditions: tuple[str, ...], key: Sort, *, descending: bool, continued: bool, extra: str
    ) -> str:
        """Return the SELECT of one shape, with named parameters; the same text each time."""
        shape = (conditions, key.column, descending, continued, extra)
        known = self._cache.get(shape)
        if known is not None:
            return known
        where = [f"{self.practice_column} = %(practice)s", *conditions]
        where += [text for text in (self.where, extra) if text]
        order, beyond = ("DESC", "<") if descending else ("ASC", ">")
        if continued:
            last = f"%(last)s::{key.type}"
            where.append(
                f"{key.column} {beyond}= {last} AND ({key.column} {beyond} {last}"
                f" OR {self.id_column} {beyond} %(last_id)s)"
            )
        statement = (
            f"SELECT {self.columns}, ({key.column})::text AS sort_key FROM {self.source}"
            f" WHERE {' AND '.join(where)}"
            f" ORDER BY {key.column} {order}, {self.id_column} {order} LIMIT %(limit)s"
        )
        self._cache[shape] = statement
        return statement


def page_size(text: str) -> int:
    """Return how many rows a page is to have. :raises UnknownParameter: not a number from 1 to 100"""
    if not (text.isascii() and text.isdigit()) or len(text) > 3 or not 1 <= int(text) <= 100:
        raise UnknownParameter("limit is a number from 1 to 100.")
    return int(text)


def shape_of(said: Sequence[tuple[str, str]], sort: str) -> str:
    """Return what a cursor is bound to besides its route: filters as they were given, and sort."""
    return repr((sorted(said), sort))


def links(path: str, given: Mapping[str, str], next_cursor: str | None) -> str:
    """
    Return the Link header of a page: where the list goes on, and where it begins.

    :param given: the query's parameters less the cursor
    """
    found = []
    if next_cursor:
        found.append(f'<{path}?{urlencode({**given, "cursor": next_cursor})}>; rel="next"')
    found.append(f'<{path}{"?" if given else ""}{urlencode(given)}>; rel="first"')
    return ", ".join(found)
