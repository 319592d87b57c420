"""What posting a file would do, shown before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.remittance import queries
from rapport.rooms.remittance.models import EraFile, RemittanceLine
from rapport.rooms.remittance.rules.policy import Stop

from . import booking
from .judging import judge, policy_of
from .keeping import Loaded, load


@dataclass(frozen=True, slots=True)
class FilePlan:
    """A file as it would be posted, or as it was."""

    file: EraFile
    loaded: Sequence[Loaded]
    stops: Sequence[Stop]
    """Why it waits for a person; none: it posts itself, or it is posted."""
    at: datetime
    turn: int
    scope: Scope

    def entries_of(self, line: RemittanceLine) -> list[book.NewEntry]:
        """Return what posting books for a service."""
        return list(booking.of_line(line, day=self.scope.day_of(self.at), turn=self.turn))

    def entries_beside(self, one: Loaded) -> list[book.NewEntry]:
        """Return what posting books for a check beside its claims."""
        return list(booking.of_check(one.check, day=self.scope.day_of(self.at), turn=self.turn))


def plan_file(*, scope: Scope, era_file_id: UUID, now: datetime) -> FilePlan:
    """Return what posting a file does. Changes nothing. :raises NotFound: there is no such file"""
    scope.require(Permission.REMITTANCES_READ)
    file = queries.get_era_file(scope=scope, era_file_id=era_file_id)
    loaded = load(scope=scope, file=file)
    stops: Sequence[Stop] = ()
    turn = max(file.postings, 1)
    if file.state != "posted":
        turn = file.postings + 1
        for one in loaded:
            one.check.posted_before = queries.stands_posted(scope=scope, check=one.check, lines=one.lines)
        stops = judge(scope=scope, loaded=loaded, policy=policy_of(scope=scope), today=scope.day_of(now)).stops
    if file.state == "held":
        stops = [Stop("held", "The file does not balance, or is not this practice's: see its findings."), *stops]
    return FilePlan(file, loaded, stops, now, turn, scope)
