"""Answering inquiries: which groups are some, who is never answered, and the groups that answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from rapport.sandbox.payer import benefits, status
from rapport.sandbox.payer.guide import GroupVerdict
from rapport.sandbox.payer.inquiries import Patient, patients
from rapport.sandbox.payer.store import Store
from rapport.sandbox.payer.x12 import Interchange, Segment

_ANSWERS = {
    "HS": ("271", "HB", benefits.VERSION_271),
    "HR": ("277", "HN", status.VERSION_277),
}
"""GS01 of the question -> ST01, GS01 and version of the answer."""


class Inquiries:
    """Answers the 270s and 276s of an interchange."""

    def __init__(self, store: Store, *, series: str) -> None:
        self._store = store
        self._series = series

    def silent(self, verdict: GroupVerdict) -> bool:
        """Whether everybody who is asked about is somebody of whom nothing is ever said."""
        if verdict.group.header.at(1) not in _ANSWERS:
            return False
        asked = [one for each in verdict.sets for one in patients(each.transaction)]
        return bool(asked) and all(benefits.silent(one.member_id) for one in asked)

    def answers(
        self,
        verdicts: Iterable[GroupVerdict],
        interchange: Interchange,
        now: datetime,
        *,
        at_once: bool = False,
    ) -> Iterator[tuple[str, list[Any]]]:
        """
        The kind and the group that answers each group of inquiries; refused sets are left to the 999.

        :param at_once: in real time: an answer about more than one patient is refused
        """
        sender = ":".join(interchange.sender)

        def look(_patient: Patient, asked: tuple[Segment, ...]) -> status.Standing:
            return status.look_up(self._store, sender, asked)

        for verdict in verdicts:
            known = _ANSWERS.get(verdict.group.header.at(1))
            if known is None or verdict.codes:
                continue
            kind, functional_id, version = known
            sets: list[list[str]] = []
            for one in (each.transaction for each in verdict.sets if each.accepted):
                number = f"{len(sets) + 1:04d}"
                many = at_once and len(list(patients(one))) > 1
                if kind == "271":
                    write = benefits.refuse_271 if many else benefits.write_271
                    sets.append(write(one, number, at=now))
                else:
                    reference = f"{self._series}{self._store.next('status'):08d}"
                    refused = "E3:0" if many else ""
                    sets.append(
                        status.write_277(
                            one, number, look, reference=reference, at=now, refused=refused
                        )
                    )
            if sets:
                yield kind, [functional_id, version, sets]
