"""Files as plain records that JSON can carry, for people and scripts that look into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import acks, elig270, elig271, read837p, remit835, status276, status277, syntax
from .check import guide_of
from .envelope import TransactionSet, transaction_sets
from .syntax import Segment

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


_READERS: dict[str, tuple[str, Callable[[TransactionSet], Iterator[DataclassInstance]]]] = {
    "270": ("inquiries", elig270.read),
    "271": ("answers", elig271.read),
    "276": ("inquiries", status276.read),
    "277": ("answers", status277.read),
}
"""Guide -> what its records are called, and their reader."""


def jsonable(value: object) -> Any:
    """Return a record as JSON knows it: amounts as text, days as CCYY-MM-DD, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(inner) for inner in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def records(data: bytes) -> list[dict[str, Any]]:
    """
    Return one record for each transaction set and TA1 of a file.

    Guides without records of their own are shown as their segments.

    :raises NotX12: the file cannot be read
    """
    return [_record(unit) for unit in transaction_sets(syntax.read(data))]


def _record(unit: TransactionSet | Segment) -> dict[str, Any]:
    if isinstance(unit, Segment):
        return {"guide": "TA1"} | _fields(acks.read_ta1(unit))
    guide = guide_of(unit)
    head = {"guide": guide, "control": unit.st.get(2), "envelope": jsonable(unit.envelope)}
    if guide == "835":
        return head | _fields(remit835.from_transaction(unit), without="envelope")
    if guide in ("999", "997"):
        return head | _fields(acks.read_999(unit))
    if guide == "837P":
        return head | {"claims": jsonable(list(read837p.of_transaction(unit)))}
    if guide == "277CA":
        return head | _fields(acks.read_277ca(unit))
    if guide in _READERS:
        word, read = _READERS[guide]
        return head | {word: jsonable(list(read(unit)))}
    return head | {
        "segments": [
            {"segment": s.tag, "position": s.index, "elements": s.elements[1:]} for s in unit.body
        ]
    }


def _fields(record: DataclassInstance, *, without: str = "") -> dict[str, Any]:
    return {
        field.name: jsonable(getattr(record, field.name))
        for field in fields(record)
        if field.name != without
    }
