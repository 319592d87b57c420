"""How the practice and its clinicians stand with payers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id
from rapport.rooms.coverage.models import CredentialSpan, EnrollmentChange
from rapport.rooms.coverage.rules.directory import (
    Enrollment,
    Span,
    not_credentialed,
    not_enrolled,
)
from rapport.rooms.coverage.rules.notices import Notice
from rapport.rooms.coverage.states import EnrollmentState, Transaction

_NOW = """
SELECT DISTINCT ON (e.payer_id, e.transaction) e.payer_id, e.transaction, e.needed, e.state, e.effective_on
FROM coverage_enrollmentchange e WHERE e.practice_id = %s AND e.payer_id = ANY(%s)
ORDER BY e.payer_id, e.transaction, e.at DESC, e.id DESC
"""


def _enrollments(scope: Scope, payer_ids: Iterable[UUID]) -> dict[UUID, list[Enrollment]]:
    found: dict[UUID, list[Enrollment]] = {}
    for payer_id, transaction, needed, state, on in sql.rows(_NOW, (scope.practice_id, list(payer_ids))):
        one = Enrollment(Transaction(transaction), needed, EnrollmentState(state), on)
        found.setdefault(payer_id, []).append(one)
    return found


def enrollments_of(*, scope: Scope, payer_id: UUID) -> list[Enrollment]:
    """Return how the practice stands with a payer, for each kind of transaction in the order of `Transaction`."""
    known = {one.transaction: one for one in _enrollments(scope, [payer_id]).get(payer_id, [])}
    return [known.get(one, Enrollment(one, False, EnrollmentState.NONE, None)) for one in Transaction]


def enrollment_history(*, scope: Scope, payer_id: UUID) -> list[EnrollmentChange]:
    """Return every step of a payer's enrolments, newest first."""
    rows = EnrollmentChange.objects.visible_to(scope).filter(payer_id=payer_id)
    return list(rows.order_by("-at", "-id"))


def enrollment_notices_of(
    *, scope: Scope, payer_ids: Iterable[UUID], transactions: Sequence[str], on: date
) -> dict[UUID, list[Notice]]:
    """
    Return payer -> what is to be said when these transactions go to it on a day; a payer without any is left out.

    :param transactions: in the order in which they are to be spoken of, e.g. `("837P", "835")`
    """
    found: dict[UUID, list[Notice]] = {}
    for payer_id, enrollments in _enrollments(scope, payer_ids).items():
        known = {one.transaction.value: one for one in enrollments}
        said = [not_enrolled(known[one], on=on) for one in transactions if one in known]
        notices = [notice for notice in said if notice is not None]
        if notices:
            found[payer_id] = notices
    return found


def enrollment_notices(
    *, scope: Scope, payer_id: UUID, transactions: Sequence[str], on: date
) -> list[Notice]:
    """Return what is to be said when these transactions go to a payer on a day."""
    found = enrollment_notices_of(scope=scope, payer_ids=[payer_id], transactions=transactions, on=on)
    return found.get(payer_id, [])


def get_credential_span(
    *, scope: Scope, credential_span_id: UUID, lock: bool = False
) -> CredentialSpan:
    """Return a credential span. :raises NotFound: no such span here."""
    row = by_id(CredentialSpan, scope=scope, id=credential_span_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("credential_span", credential_span_id)])
    return row


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who is credentialed with some payers, and when."""

    spans: Mapping[UUID, Sequence[tuple[UUID, date, date | None]]]
    """Payer -> clinician, first and last day of each span."""

    def notice(self, *, payer_id: UUID, clinician_id: UUID, days: Sequence[date]) -> Notice | None:
        """Return what is to be said when a clinician renders services on days that a payer is asked for."""
        mine = [Span(who == clinician_id, begins, ends) for who, begins, ends in self.spans.get(payer_id, ())]
        return not_credentialed(mine, days=days)


def credentials_of(*, scope: Scope, payer_ids: Iterable[UUID]) -> Credentials:
    """Return who is credentialed with payers."""
    rows = CredentialSpan.objects.visible_to(scope).filter(payer_id__in=list(payer_ids))
    found: dict[UUID, list[tuple[UUID, date, date | None]]] = {}
    for payer_id, *span in rows.values_list("payer_id", "clinician_id", "starts_on", "ends_on"):
        found.setdefault(payer_id, []).append((span[0], span[1], span[2]))
    return Credentials(found)
