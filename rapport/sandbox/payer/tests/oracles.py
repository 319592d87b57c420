"""Judges that are not ours: pyx12 for the guides, oxedi for the balance of an 835."""

from __future__ import annotations

import io
from decimal import Decimal

import oxedi
import pyx12.params
import pyx12.x12n_document


def pyx12_accepts(data: bytes) -> bool:
    """Whether pyx12 finds the file valid."""
    accepted: bool = pyx12.x12n_document.x12n_document(
        pyx12.params.params(), io.StringIO(data.decode()), None, None
    )
    return accepted


def oxedi_diagnostics(data: bytes) -> list[str]:
    """What oxedi has to say against an 835; nothing is what we want."""
    return [str(diagnostic) for diagnostic in oxedi.parse(data).diagnostics]


def segments_of(data: bytes) -> list[list[str]]:
    """The file as lists of elements."""
    return [line.strip().split("*") for line in data.decode().split("~") if line.strip()]


def tagged(data: bytes, tag: str) -> list[list[str]]:
    """The segments of one tag."""
    return [segment for segment in segments_of(data) if segment[0] == tag]


def adjusted(claim: list[list[str]]) -> Decimal:
    """The sum of every CAS amount among some segments."""
    return sum(
        (Decimal(segment[i]) for segment in claim if segment[0] == "CAS"
         for i in range(3, len(segment), 3)), Decimal(0),
    )  # fmt: skip
