"""Questions about remittances. They change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db.rows import by_id

from .models import EraFile, Remittance, RemittanceLine


def get_era_file(*, scope: Scope, era_file_id: UUID, lock: bool = False) -> EraFile:
    """Return a file. :raises NotFound: there is none"""
    row = by_id(EraFile, scope=scope, id=era_file_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("era_file", era_file_id)])
    scope.trail.target("era_file", row.id, row.version)
    return row


def get_remittance(*, scope: Scope, remittance_id: UUID) -> Remittance:
    """Return a check. :raises NotFound: there is none"""
    row: Remittance | None = (
        Remittance.objects.visible_to(scope).select_related("era_file").filter(id=remittance_id).first()
    )
    if row is None:
        raise NotFound(_sought=[("remittance", remittance_id)])
    return row


def waiting_files(*, scope: Scope) -> list[EraFile]:
    """Return the files in which a service was matched to none of ours, and that wait for a person; held."""
    unmatched = RemittanceLine.objects.visible_to(scope).filter(
        Q(claim_id=None) | Q(appointment_id=None), remittance__era_file_id=OuterRef("id")
    )
    rows = EraFile.objects.visible_to(scope).filter(Exists(unmatched), state="received")
    return list(rows.select_for_update(of=("self",)).order_by("created_at"))


def decided(*, scope: Scope, claim_id: UUID, appointment_id: UUID) -> list[RemittanceLine]:
    """
    Return the payer's posted decisions about one service that no reversal (22) has taken back.

    Decisions and reversals of one service are paired in the order they were posted.
    """
    standing: list[RemittanceLine] = []
    posted = (
        RemittanceLine.objects.visible_to(scope)
        .filter(claim_id=claim_id, appointment_id=appointment_id)
        .filter(remittance__era_file__state="posted", remittance__posted_before=False)
        .order_by("remittance__created_at", "remittance_id", "claim_position", "position")
    )
    for line in posted:
        if line.status_code != "22":
            standing.append(line)
        elif mirrored := next((one for one in standing if mirrors(reversal=line, line=one)), None):
            standing.remove(mirrored)
    return standing


def mirrors(*, reversal: RemittanceLine, line: RemittanceLine) -> bool:
    """Tell whether a reversal takes back exactly this decision."""
    opposite = sorted((a["group"], a["reason"], -a["cents"]) for a in reversal.adjustments)
    same = sorted((a["group"], a["reason"], a["cents"]) for a in line.adjustments)
    return (reversal.paid_cents, reversal.charge_cents, opposite) == (
        -line.paid_cents, -line.charge_cents, same,
    )  # fmt: skip


def remittances_of(*, scope: Scope, era_file_id: UUID) -> list[Remittance]:
    """Return the checks of a file in order."""
    return list(
        Remittance.objects.visible_to(scope)
        .select_related("era_file")
        .filter(era_file_id=era_file_id)
        .order_by("position")
    )


def lines_of(*, scope: Scope, remittance_id: UUID) -> list[RemittanceLine]:
    """Return a check's services in order, and note whose they are."""
    rows = list(
        RemittanceLine.objects.visible_to(scope)
        .filter(remittance_id=remittance_id)
        .order_by("claim_position", "position")
    )
    scope.trail.patient_ids.update(row.patient_id for row in rows if row.patient_id)
    return rows


def stands_posted(*, scope: Scope, check: Remittance) -> bool:
    """
    Tell whether this very check, to the last service, was posted from another file, or is in this
    one before.

    The number alone says nothing: payers use one number for different remittances.
    """
    alike = Remittance.objects.visible_to(scope).filter(
        payer_identifier=check.payer_identifier, trace=check.trace, paid_on=check.paid_on,
        total_cents=check.total_cents,
    )  # fmt: skip
    elsewhere = Q(era_file__state="posted", posted_before=False) & ~Q(era_file_id=check.era_file_id)
    others = alike.filter(elsewhere | Q(era_file_id=check.era_file_id, position__lt=check.position))
    ours = _said(scope, check)
    return any(_said(scope, other) == ours for other in others)


def _said(scope: Scope, check: Remittance) -> tuple[object, ...]:
    """Return all that a check says of who pays whom what."""
    lines = lines_of(scope=scope, remittance_id=check.id)
    return check.payer_name, check.payee_npi, check.method, check.provider_adjustments, [
        (
            line.claim_position, line.position, line.control_number, line.status_code,
            line.payer_claim_number, line.service_code, line.service_on, line.charge_cents,
            line.paid_cents, line.adjustments,
        )
        for line in lines
    ]  # fmt: skip


def files_of(*, scope: Scope, era_file_ids: Sequence[UUID]) -> list[EraFile]:
    """Return files in the order of their ids."""
    found = {row.id: row for row in EraFile.objects.visible_to(scope).filter(id__in=list(era_file_ids))}
    return [found[id] for id in era_file_ids if id in found]


def checks_of(*, scope: Scope, era_file_ids: Sequence[UUID]) -> list[Remittance]:
    """Return the checks of several files, those of a file in order."""
    rows = Remittance.objects.visible_to(scope).filter(era_file_id__in=list(era_file_ids))
    return list(rows.select_related("era_file").order_by("era_file_id", "position"))


def checks_by_id(*, scope: Scope, remittance_ids: Sequence[UUID]) -> list[Remittance]:
    """Return checks in the order of their ids."""
    rows = Remittance.objects.visible_to(scope).select_related("era_file")
    found = {row.id: row for row in rows.filter(id__in=list(remittance_ids))}
    return [found[id] for id in remittance_ids if id in found]


def lines_by_check(
    *, scope: Scope, remittance_ids: Sequence[UUID]
) -> dict[UUID, list[RemittanceLine]]:
    """Return the services of several checks, each check's in order, and note whose they are."""
    lines: dict[UUID, list[RemittanceLine]] = {id: [] for id in remittance_ids}
    rows = RemittanceLine.objects.visible_to(scope).filter(remittance_id__in=list(remittance_ids))
    for row in rows.order_by("remittance_id", "claim_position", "position"):
        lines[row.remittance_id].append(row)
        if row.patient_id:
            scope.trail.patient_ids.add(row.patient_id)
    return lines
