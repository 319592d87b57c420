"""What payers answered about policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id
from rapport.rooms.coverage.models import EligibilityCheck, EligibilityExchange, EligibilityFile
from rapport.rooms.coverage.states import CheckState


def get_check(*, scope: Scope, check_id: UUID, lock: bool = False) -> EligibilityCheck:
    """Return an eligibility check of a patient the actor may see. :raises NotFound: there is none."""
    row = by_id(EligibilityCheck, scope=scope, id=check_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("eligibility_check", check_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def checks_of(*, scope: Scope, check_ids: Sequence[UUID]) -> list[EligibilityCheck]:
    """Return checks in the order of their ids, with their payers; those that the actor may not see are left out."""
    rows = EligibilityCheck.objects.visible_to(scope).select_related("payer").filter(id__in=list(check_ids))
    found = {row.id: row for row in rows}
    scope.trail.patient_ids.update(row.patient_id for row in found.values())
    return [found[id] for id in check_ids if id in found]


def latest_exchange(*, scope: Scope, check_id: UUID) -> EligibilityExchange:
    """Return the newest exchange of a check; each has one from its beginning."""
    rows = EligibilityExchange.objects.visible_to(scope).filter(check_of_id=check_id)
    row: EligibilityExchange = rows.order_by("-number")[0]
    return row


def exchanges_of(*, scope: Scope, check_ids: Sequence[UUID]) -> Mapping[UUID, list[EligibilityExchange]]:
    """Return check -> its exchanges in order."""
    found: dict[UUID, list[EligibilityExchange]] = {id: [] for id in check_ids}
    rows = EligibilityExchange.objects.visible_to(scope).filter(check_of_id__in=list(check_ids))
    for row in rows.order_by("number"):
        found[row.check_of_id].append(row)
    return found


def response_bytes(*, scope: Scope, check_id: UUID) -> bytes | None:
    """
    Return the newest answer to a check as it came; None: nothing came back yet.

    :raises BlobCorrupted: it is not what was kept
    """
    rows = EligibilityExchange.objects.visible_to(scope).filter(check_of_id=check_id).exclude(response_blob_key="")
    row = rows.order_by("-number").first()
    if row is None:
        return None
    return default_store().get(
        key=row.response_blob_key, aad=place(scope=scope, exchange_id=row.id, side="response"), digest=row.response_sha256
    )


def place(*, scope: Scope, exchange_id: UUID, side: str) -> str:
    """Return what a file is sealed for: `request` or `response` of one exchange."""
    return f"{scope.practice_id}|eligibility-{side}|{exchange_id}"


def last_asked(*, scope: Scope, policy_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return policy -> when its payer was last asked, or is being asked."""
    rows = (
        EligibilityCheck.objects.visible_to(scope)
        .filter(policy_id__in=list(policy_ids))
        .order_by("created_at")
        .values_list("policy_id", "created_at")
    )
    return dict(rows)


def due_checks(*, scope: Scope, now: datetime) -> list[EligibilityCheck]:
    """Return the checks that a worker should have by now: due, or left by one that died."""
    rows = EligibilityCheck.objects.visible_to(scope).filter(
        state__in=[CheckState.QUEUED.value, CheckState.ASKING.value]
    )
    return [
        row for row in rows.order_by("created_at")
        if (row.retry_at is None or row.retry_at <= now)
        and (row.leased_until is None or row.leased_until <= now)
    ]  # fmt: skip


def waiting_for_file(*, scope: Scope, now: datetime) -> list[EligibilityCheck]:
    """Return the checks that are to go into files now, held, those of a channel and payer together."""
    rows = EligibilityCheck.objects.visible_to(scope).filter(by_file=True, state=CheckState.QUEUED.value)
    due = rows.filter(Q(retry_at=None) | Q(retry_at__lte=now))
    return list(due.select_for_update().order_by("channel_id", "payer_id", "created_at", "id"))


def asked_in_files(*, scope: Scope, keys: Iterable[str]) -> list[EligibilityExchange]:
    """Return the questions that left in files under these traces."""
    rows = EligibilityExchange.objects.visible_to(scope).filter(key__in=list(keys), file__isnull=False)
    return list(rows)


def late_checks(*, scope: Scope, before: datetime) -> list[EligibilityCheck]:
    """Return the checks, held, whose answer should have come before a moment and is still awaited."""
    rows = EligibilityCheck.objects.visible_to(scope).filter(state=CheckState.ASKED.value, answer_by__lt=before)
    return list(rows.select_for_update().order_by("id"))


def latest_file_of(*, scope: Scope, check_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return check -> the file that its newest question left in."""
    rows = EligibilityExchange.objects.visible_to(scope).filter(check_of_id__in=list(check_ids), file__isnull=False)
    return dict(rows.order_by("number").values_list("check_of_id", "file_id"))


def files_of(*, scope: Scope, file_ids: Sequence[UUID]) -> list[EligibilityFile]:
    """Return files of questions in the order of their ids, with their payers."""
    rows = EligibilityFile.objects.visible_to(scope).select_related("payer").filter(id__in=list(file_ids))
    found = {row.id: row for row in rows}
    return [found[id] for id in file_ids if id in found]


def progress_of(*, scope: Scope, file_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """
    Return file -> how many of its questions are how far: `asked`, or what became of them.

    A question that was followed by another counts as `again`.
    """
    found: dict[UUID, dict[str, int]] = {id: {} for id in file_ids}
    for file_id, word, count in sql.rows(_PROGRESS, (scope.practice_id, list(file_ids))):
        found[file_id][word] = count
    return found


_PROGRESS = """
SELECT x.file_id, CASE WHEN k.state = 'queued' OR EXISTS (
        SELECT 1 FROM coverage_eligibilityexchange y
        WHERE y.practice_id = x.practice_id AND y.check_of_id = x.check_of_id AND y.number > x.number
    ) THEN 'again' ELSE k.state END AS word, count(*)
FROM coverage_eligibilityexchange x
JOIN coverage_eligibilitycheck k ON k.practice_id = x.practice_id AND k.id = x.check_of_id
WHERE x.practice_id = %s AND x.file_id = ANY(%s) GROUP BY 1, 2
"""
