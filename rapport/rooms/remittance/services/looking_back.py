"""What was posted before a contract was known here, compared with it after all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.rooms.remittance import queries

from .comparing import compare
from .judging import claims_in, policy_of
from .keeping import Loaded
from .posting import one_at_a_time
from .underpayments import open_underpayments

MOST_LINES = 30_000


@dataclass(frozen=True, slots=True)
class LookedBack:
    """What came of it."""

    compared: int
    """Decisions that stand and could be compared."""
    added: int
    """Those that are new on the list, noted ones among them."""
    left_out: Mapping[str, int]
    """Why the others were not compared (`rules.underpayments.LEFT_OUT`), and how many."""


def look_back(*, scope: Scope, starts_on: date, ends_on: date, now: datetime) -> LookedBack:
    """
    Compare the posted decisions of checks of some days, both included, with the contracts as they are now.

    What is on the list already stays as it was found; asked again it adds nothing.

    :raises Invalid: there are more than `MOST_LINES` decisions
    """
    scope.require(Permission.REMITTANCES_POST)
    one_at_a_time(scope=scope)
    checks = queries.posted_checks(scope=scope, starts_on=starts_on, ends_on=ends_on)
    lines = queries.lines_by_check(scope=scope, remittance_ids=[check.id for check in checks])
    if sum(map(len, lines.values())) > MOST_LINES:
        raise Invalid(
            f"There are more than {MOST_LINES} decisions: name fewer days.", errors=(FieldError("/ends_on", "too-many"),)
        )
    standing = queries.standing(scope=scope, claim_ids=claims_in(line for each in lines.values() for line in each))
    stands = {line.id for each in standing.values() for line in each}
    loaded = [Loaded(check, [line for line in lines[check.id] if line.id in stands]) for check in checks]
    found = compare(scope=scope, lines=[line for one in loaded for line in one.lines])
    left_out = Counter(how.left_out for how, _ in found.values())
    compared = left_out.pop("", 0)
    added = open_underpayments(scope=scope, loaded=loaded, policy=policy_of(scope=scope), now=now)
    scope.trail.count = added
    return LookedBack(compared, added, dict(sorted(left_out.items())))
