"""What a 270 or a 276 asks, as far as a payer needs it to answer: about whom, and under which number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rapport.sandbox.payer.x12 import Segment, TransactionSet

EMPTY = Segment(("NM1",))


@dataclass(frozen=True, slots=True)
class Patient:
    """One patient asked about, with the levels above folded in."""

    payer: Segment
    """NM1 of level 20; those below likewise of theirs."""
    receiver: Segment
    provider: Segment
    """Level 19 of a 276; the receiver of a 270."""
    member: Segment
    dependant: Segment | None
    segments: tuple[Segment, ...]
    """Of the patient's own level."""

    @property
    def member_id(self) -> str:
        """NM109 of the subscriber; empty when none was given."""
        return self.member.at(9)


def reference_of(transaction: TransactionSet) -> str:
    """BHT03, which a 271 gives back."""
    return next((one.at(3) for one in transaction.segments if one.tag == "BHT"), "")


def patients(transaction: TransactionSet) -> Iterator[Patient]:
    """The patients of a set that has passed the checks of `guide`, in order."""
    names: dict[str, Segment] = {}
    levels: list[tuple[str, list[Segment]]] = []
    for segment in transaction.segments:
        if segment.tag == "HL":
            levels.append((segment.at(3), []))
        elif levels and segment.tag != "SE":
            levels[-1][1].append(segment)
    for number, (code, inside) in enumerate(levels):
        names[code] = next((one for one in inside if one.tag == "NM1"), EMPTY)
        below = levels[number + 1][0] if number + 1 < len(levels) else ""
        if code == "23" or (code == "22" and below != "23"):
            yield Patient(
                payer=names.get("20", EMPTY),
                receiver=names.get("21", EMPTY),
                provider=names.get("19", names.get("21", EMPTY)),
                member=names.get("22", EMPTY),
                dependant=names["23"] if code == "23" else None,
                segments=tuple(inside),
            )


def again(segment: Segment) -> str:
    """A segment as it came, for the answer, in the answer's delimiters."""
    clean = [part.replace("*", " ").replace("~", " ") for part in segment.elements]
    return "*".join(clean).rstrip("*")
