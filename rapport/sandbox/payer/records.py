"""Decisions and checks as JSON, so that they survive a restart between deciding and paying."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from rapport.sandbox.payer.adjudicate import ClaimPaid, LinePaid, Provider


def dump(value: Any) -> str:
    """JSON with amounts written as text, never as floating point."""
    return json.dumps(value, default=str, separators=(",", ":"))


def dump_claim(claim: ClaimPaid) -> str:
    """One decided claim."""
    return dump(asdict(claim))


def load_claim(record: str | dict[str, Any]) -> ClaimPaid:
    """The decided claim that `dump_claim` wrote."""
    values: dict[str, Any] = json.loads(record) if isinstance(record, str) else record
    lines = tuple(_line(line) for line in values["lines"])
    return ClaimPaid(
        **{
            **values,
            "lines": lines,
            "rendering": tuple(values["rendering"]),
            "interest": Decimal(values["interest"]),
            "forwarded_to": tuple(values.get("forwarded_to", ("", ""))),
        }
    )


def _line(values: dict[str, Any]) -> LinePaid:
    allowed = values["allowed"]
    return LinePaid(
        **{
            **values,
            "charge": Decimal(values["charge"]),
            "paid": Decimal(values["paid"]),
            "adjustments": tuple((g, r, Decimal(a)) for g, r, a in values["adjustments"]),
            "allowed": None if allowed is None else Decimal(allowed),
            "remarks": tuple(values["remarks"]),
        }
    )


def load_provider(values: dict[str, Any]) -> Provider:
    """A provider-level entry back from JSON."""
    return Provider(values["code"], values["reference"], Decimal(values["amount"]))
