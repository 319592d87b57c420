"""Load the ICD-10-CM list that is installed, by the role that owns the tables."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
from django.db import connections, transaction

from rapport.kernel.ids import new_uuid

from .rules import icd10

_RELEASE = re.compile(r"^code-list-(April|October)-(\d{4})\.txt$")
_MONTHS = {"April": 4, "October": 10}

_STAGE = """
CREATE TEMPORARY TABLE incoming (
    code text PRIMARY KEY, title text NOT NULL, billable boolean NOT NULL, parent_code text NOT NULL
) ON COMMIT DROP
"""
_FIRST = """
COPY coding_diagnosiscode (id, code, title, billable, parent_code, valid_from, valid_to) FROM STDIN
"""
_CLOSE = """
UPDATE coding_diagnosiscode d SET valid_to = %(eve)s
WHERE d.valid_to IS NULL AND NOT EXISTS (
    SELECT 1 FROM incoming i WHERE i.code = d.code AND i.billable = d.billable)
"""
_OPEN = """
INSERT INTO coding_diagnosiscode (id, code, title, billable, parent_code, valid_from, valid_to)
SELECT gen_random_uuid(), i.code, i.title, i.billable, i.parent_code, %(day)s, NULL FROM incoming i
WHERE NOT EXISTS (
    SELECT 1 FROM coding_diagnosiscode d WHERE d.code = i.code AND d.valid_to IS NULL)
"""
_RETITLE = """
UPDATE coding_diagnosiscode d SET title = i.title FROM incoming i
WHERE d.code = i.code AND d.valid_to IS NULL AND d.title <> i.title
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of a published list."""

    code: str
    title: str
    billable: bool
    parent_code: str


def installed_release() -> date:
    """
    Return the first day of the list that the installed data package carries.

    Found from the name of its file, because importing the package reads all of it.

    :raises LookupError: the package is missing or names its files otherwise
    """
    spec = importlib.util.find_spec("simple_icd_10_cm")
    if spec is None or spec.origin is None:
        raise LookupError("the package simple-icd-10-cm is not installed")
    for path in sorted((Path(spec.origin).parent / "data").iterdir()):
        found = _RELEASE.match(path.name)
        if found:
            return date(int(found.group(2)), _MONTHS[found.group(1)], 1)
    raise LookupError("the package simple-icd-10-cm carries no list that we know")


def installed_codes() -> Iterator[Entry]:
    """Read the installed list: categories and everything below them, coarser codes first."""
    import simple_icd_10_cm as published

    # A block of one category has the category's name: the list then names it twice.
    for code in dict.fromkeys(published.get_all_codes(True)):
        if published.is_category_or_subcategory(code):
            parent = "" if published.is_category(code) else published.get_parent(code)
            yield Entry(code, published.get_description(code), published.is_leaf(code), parent)


def load(*, released_on: date, entries: list[Entry], now: datetime) -> int:
    """
    Take in a published list. Loading the same one again changes nothing.

    The first list fills the table, with the beginnings and ends we know of; a later one closes
    what it leaves out on the day before, and opens what is new.

    :return: how many codes the list holds; 0 when it (or a later one) was loaded before
    """
    with transaction.atomic(using="owner"):
        connections["owner"].ensure_connection()
        raw: psycopg.Connection[tuple[int, ...]] = connections["owner"].connection
        with psycopg.Cursor(raw) as cursor:
            cursor.execute("LOCK TABLE coding_diagnosislist IN EXCLUSIVE MODE")
            cursor.execute(
                "SELECT count(*), count(*) FILTER (WHERE released_on >= %s) FROM coding_diagnosislist",
                (released_on,),
            )
            known, same_or_later = cursor.fetchone() or (0, 0)
            if same_or_later:
                return 0
            if known:
                _follow(cursor, released_on, entries)
            else:
                _begin(cursor, entries)
            cursor.execute(
                "INSERT INTO coding_diagnosislist (released_on, codes, loaded_at) VALUES (%s, %s, %s)",
                (released_on, len(entries), now),
            )
            cursor.execute("ANALYZE coding_diagnosiscode")
    return len(entries)


def _begin(cursor: psycopg.Cursor[tuple[int, ...]], entries: list[Entry]) -> None:
    ended = {gone.code: gone for gone in icd10.RETIRED}
    with cursor.copy(_FIRST) as copy:
        for entry in entries:
            before = ended.get(entry.code)
            begins = before.last_on + timedelta(days=1) if before else icd10.began_on(entry.code)
            copy.write_row(
                (
                    new_uuid(),
                    entry.code,
                    entry.title,
                    entry.billable,
                    entry.parent_code,
                    begins,
                    None,
                )
            )
            if before:
                copy.write_row(
                    (
                        new_uuid(),
                        before.code,
                        before.title,
                        True,
                        entry.parent_code,
                        None,
                        before.last_on,
                    )
                )


def _follow(
    cursor: psycopg.Cursor[tuple[int, ...]], released_on: date, entries: list[Entry]
) -> None:
    cursor.execute(_STAGE)
    with cursor.copy("COPY incoming (code, title, billable, parent_code) FROM STDIN") as copy:
        for entry in entries:
            copy.write_row((entry.code, entry.title, entry.billable, entry.parent_code))
    days = {"day": released_on, "eve": released_on - timedelta(days=1)}
    cursor.execute(_CLOSE, days)
    cursor.execute(_OPEN, days)
    cursor.execute(_RETITLE)
