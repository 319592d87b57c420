"""Questions about remittances. They change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id

from .models import (
    Denial,
    Deposit,
    EraFile,
    PostingPolicy,
    Remittance,
    RemittanceLine,
    Underpayment,
)
from .rules.planning import NO_DECISION
from .rules.policy import STOPS


def get_era_file(*, scope: Scope, era_file_id: UUID, lock: bool = False) -> EraFile:
    """Return a file. :raises NotFound: there is none"""
    row = by_id(EraFile, scope=scope, id=era_file_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("era_file", era_file_id)])
    scope.trail.target("era_file", row.id, row.version)
    return row


def bytes_of(*, file: EraFile) -> bytes:
    """Return a file as it came. :raises BlobCorrupted: that is not what was kept"""
    return default_store().get(key=file.blob_key, aad=f"{file.practice_id}|era|{file.id}", digest=file.sha256)


def patients_in(*, scope: Scope, era_file_id: UUID) -> set[UUID]:
    """Return the patients that a file speaks of, as far as they are known here."""
    rows = RemittanceLine.objects.visible_to(scope).filter(remittance__era_file_id=era_file_id, patient_id__isnull=False)
    return set(rows.values_list("patient_id", flat=True))


def get_line(*, scope: Scope, line_id: UUID) -> RemittanceLine:
    """Return a payer's decision about a service, with its check. :raises NotFound: there is none"""
    row: RemittanceLine | None = (
        RemittanceLine.objects.visible_to(scope)
        .select_related("remittance__era_file")
        .filter(id=line_id)
        .first()
    )
    if row is None:
        raise NotFound(_sought=[("remittance_line", line_id)])
    if row.patient_id:
        scope.trail.patient_ids.add(row.patient_id)
    scope.trail.target("remittance_line", row.id)
    return row


def lines_by_id(*, scope: Scope, line_ids: Sequence[UUID]) -> list[RemittanceLine]:
    """Return payers' decisions in the order of their ids."""
    rows = RemittanceLine.objects.visible_to(scope).select_related("remittance__era_file")
    found = {row.id: row for row in rows.filter(id__in=list(line_ids))}
    scope.trail.patient_ids.update(row.patient_id for row in found.values() if row.patient_id)
    return [found[id] for id in line_ids if id in found]


def get_denial(*, scope: Scope, denial_id: UUID, lock: bool = False) -> Denial:
    """Return a denial. :raises NotFound: there is none"""
    row = by_id(Denial, scope=scope, id=denial_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("denial", denial_id)])
    scope.trail.patient_ids.add(row.patient_id)
    scope.trail.target("denial", row.id, row.version)
    return row


def denials_by_id(*, scope: Scope, denial_ids: Sequence[UUID]) -> list[Denial]:
    """Return denials in the order of their ids, each with its service and check."""
    rows = Denial.objects.visible_to(scope).select_related("line__remittance")
    found = {row.id: row for row in rows.filter(id__in=list(denial_ids))}
    scope.trail.patient_ids.update(row.patient_id for row in found.values())
    return [found[id] for id in denial_ids if id in found]


def get_underpayment(*, scope: Scope, underpayment_id: UUID, lock: bool = False) -> Underpayment:
    """Return an underpayment. :raises NotFound: there is none"""
    row = by_id(Underpayment, scope=scope, id=underpayment_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("underpayment", underpayment_id)])
    scope.trail.patient_ids.add(row.patient_id)
    scope.trail.target("underpayment", row.id, row.version)
    return row


def underpayments_by_id(*, scope: Scope, underpayment_ids: Sequence[UUID]) -> list[Underpayment]:
    """Return underpayments in the order of their ids, each with its decision and check."""
    rows = Underpayment.objects.visible_to(scope).select_related("line__remittance")
    found = {row.id: row for row in rows.filter(id__in=list(underpayment_ids))}
    scope.trail.patient_ids.update(row.patient_id for row in found.values())
    return [found[id] for id in underpayment_ids if id in found]


_BELOW = """
SELECT u.payer_id, u.service_code,
    count(*) FILTER (WHERE u.state <> 'noted'), count(*) FILTER (WHERE u.state = 'open'),
    count(*) FILTER (WHERE u.state = 'disputed'),
    coalesce(sum(u.expected_cents) FILTER (WHERE u.state <> 'noted'), 0)::bigint,
    coalesce(sum(u.allowed_cents) FILTER (WHERE u.state <> 'noted'), 0)::bigint,
    coalesce(sum(u.recovered_cents), 0)::bigint,
    count(*) FILTER (WHERE u.state = 'noted'),
    coalesce(sum(u.allowed_cents - u.expected_cents) FILTER (WHERE u.state = 'noted'), 0)::bigint
FROM remittance_underpayment u
WHERE u.practice_id = %s AND u.state <> 'withdrawn' AND u.decided_on BETWEEN %s AND %s
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Below:
    """What one payer allowed for one service beside its contract."""

    payer_id: UUID
    service_code: str
    count: int
    """Decisions below the contract."""
    open: int
    disputed: int
    expected_cents: int
    """Of those below."""
    allowed_cents: int
    """Of those below."""
    recovered_cents: int
    above: int
    """Decisions above it."""
    above_cents: int


def below_contract(*, scope: Scope, starts_on: date, ends_on: date) -> list[Below]:
    """Return what was allowed beside contracts by checks of some days, both included, by payer and code."""
    return [Below(*row) for row in sql.rows(_BELOW, (scope.practice_id, starts_on, ends_on))]


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


Service = tuple[UUID | None, UUID | None, int]
"""Claim, appointment, and which line of the claim; 0: the claim as a whole."""


def service_of(line: RemittanceLine) -> Service:
    """Return which service of ours a payer's decision is about."""
    return line.claim_id, line.appointment_id, line.claim_line


def files_stopped_by(*, scope: Scope, rules: Sequence[str]) -> list[EraFile]:
    """Return the files that wait for a person by one of these rules, in the order they came; held."""
    named = Q()
    for rule in rules:
        named |= Q(findings__contains=[{"rule": rule}])
    rows = EraFile.objects.visible_to(scope).filter(named, state="received")
    return list(rows.select_for_update(of=("self",)).order_by("created_at"))


def standing(*, scope: Scope, claim_ids: Iterable[UUID]) -> dict[Service, list[RemittanceLine]]:
    """
    Return the payers' posted decisions about claims that no reversal (22) has taken back, by service.

    Which of a decision and its reversal was posted first does not matter.
    """
    return {service: pair[0] for service, pair in _paired(scope=scope, claim_ids=claim_ids).items() if pair[0]}


def waiting_reversals(*, scope: Scope, claim_ids: Sequence[UUID]) -> list[RemittanceLine]:
    """Return the reversals of claims in files that wait only for the decisions that they take back."""
    rows = RemittanceLine.objects.visible_to(scope).filter(
        claim_id__any_of=claim_ids, status_code="22", remittance__era_file__state="received",
        remittance__posted_before=False,
    )  # fmt: skip
    return [
        row
        for row in rows.select_related("remittance__era_file").order_by("remittance__created_at", "id")
        if {one["rule"] for one in row.remittance.era_file.findings} & STOPS.keys() == {"reversal-unknown"}
    ]


def left_alone(*, scope: Scope, claim_ids: Iterable[UUID]) -> set[UUID]:
    """Return the posted reversals of claims that no posted decision belongs to."""
    return {
        line.id for _, alone in _paired(scope=scope, claim_ids=claim_ids).values() for line in alone
    }


def _paired(
    *, scope: Scope, claim_ids: Iterable[UUID]
) -> dict[Service, tuple[list[RemittanceLine], list[RemittanceLine]]]:
    """Return by service the decisions that stand, and the reversals that found none."""
    found: dict[Service, tuple[list[RemittanceLine], list[RemittanceLine]]] = {}
    posted = (
        RemittanceLine.objects.visible_to(scope)
        .filter(claim_id__any_of=claim_ids, appointment_id__isnull=False)
        .filter(remittance__era_file__state="posted", remittance__posted_before=False)
        .exclude(status_code__in=NO_DECISION)
        .order_by("remittance__created_at", "remittance_id", "claim_position", "position")
    )
    for line in posted:
        found.setdefault(service_of(line), ([], []))[line.status_code == "22"].append(line)
    for decisions, reversals in found.values():
        for reversal in list(reversals):
            mate = next((one for one in decisions if mirrors(reversal=reversal, line=one)), None)
            if mate is not None:
                decisions.remove(mate)
                reversals.remove(reversal)
    return found


def decided(*, scope: Scope, claim_id: UUID, appointment_id: UUID) -> list[RemittanceLine]:
    """Return the payer's posted decisions about the services of one visit that no reversal (22) has taken back."""
    by_service = standing(scope=scope, claim_ids=[claim_id])
    return [line for service, lines in by_service.items() if service[1] == appointment_id for line in lines]


def mirrors(*, reversal: RemittanceLine, line: RemittanceLine) -> bool:
    """Tell whether a reversal takes back exactly this decision."""
    if (reversal.paid_cents, reversal.charge_cents) != (-line.paid_cents, -line.charge_cents):
        return False
    opposite = sorted((a["group"], a["reason"], -a["cents"]) for a in reversal.adjustments)
    return opposite == sorted((a["group"], a["reason"], a["cents"]) for a in line.adjustments)


def same_trace(*, scope: Scope, payer_identifier: str, trace: str, but: UUID) -> list[Remittance]:
    """Return the checks with this payer and number in other files than one; what is held is no check yet."""
    rows = Remittance.objects.visible_to(scope).filter(payer_identifier=payer_identifier, trace=trace)
    return list(rows.exclude(era_file_id=but).exclude(era_file__state="held"))


def get_policy(*, scope: Scope, lock: bool = False) -> PostingPolicy | None:
    """Return the practice's own posting policy; None: it has set none."""
    rows = PostingPolicy.objects.visible_to(scope)
    found: PostingPolicy | None = (rows.select_for_update() if lock else rows).first()
    return found


def remittances_of(*, scope: Scope, era_file_id: UUID) -> list[Remittance]:
    """Return the checks of a file in order."""
    return list(
        Remittance.objects.visible_to(scope)
        .select_related("era_file")
        .filter(era_file_id=era_file_id)
        .order_by("position")
    )


def posted_checks(*, scope: Scope, starts_on: date, ends_on: date) -> list[Remittance]:
    """Return the checks that stand posted and were decided (`decided_on`) on some days, both included."""
    rows = Remittance.objects.visible_to(scope).filter(
        Q(paid_on__gte=starts_on) | Q(paid_on=None),
        Q(paid_on__lte=ends_on) | Q(created_at__date__lte=ends_on + timedelta(days=1)), posted_before=False,
        era_file__state="posted",
    )  # fmt: skip
    found = rows.select_related("era_file").order_by("paid_on", "id")
    return [row for row in found if starts_on <= decided_on(scope=scope, check=row) <= ends_on]


def decided_on(*, scope: Scope, check: Remittance) -> date:
    """Return the day that a payer's decision counts from: the check's, at the latest the day on which it came here."""
    came_on = scope.day_of(check.created_at)
    return min(check.paid_on or came_on, came_on)


def lines_of(*, scope: Scope, remittance_id: UUID) -> list[RemittanceLine]:
    """Return a check's services in order, and note whose they are."""
    rows = list(
        RemittanceLine.objects.visible_to(scope)
        .filter(remittance_id=remittance_id)
        .order_by("claim_position", "position")
    )
    scope.trail.patient_ids.update(row.patient_id for row in rows if row.patient_id)
    return rows


def stands_posted(*, scope: Scope, check: Remittance, lines: Sequence[RemittanceLine]) -> bool:
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
    ours = None
    for other in others:
        ours = ours or _said(check, lines)
        if _said(other, lines_of(scope=scope, remittance_id=other.id)) == ours:
            return True
    return False


def _said(check: Remittance, lines: Sequence[RemittanceLine]) -> tuple[object, ...]:
    """Return all that a check says of who pays whom what."""
    return check.payer_name, check.payee_npi, check.method, check.provider_adjustments, [
        (
            line.claim_position, line.position, line.control_number, line.status_code,
            line.payer_claim_number, line.service_code, line.service_on, line.charge_cents,
            line.paid_cents, [(a["group"], a["reason"], a["cents"]) for a in line.adjustments],
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


_BALANCES = """
SELECT r.payer_identifier, max(r.payer_name), coalesce(a->>'reason', ''), count(*),
    -sum((a->>'cents')::bigint)::bigint, max(r.paid_on)
FROM remittance_remittance r
JOIN remittance_erafile f ON f.practice_id = r.practice_id AND f.id = r.era_file_id
CROSS JOIN LATERAL jsonb_array_elements(r.provider_adjustments) a
WHERE r.practice_id = %s AND f.state = 'posted' AND NOT r.posted_before
GROUP BY 1, 3 ORDER BY 1, 3
"""

_UNPLACED = """
SELECT r.payer_identifier, max(r.payer_name), count(*), sum(l.paid_cents)::bigint, max(r.paid_on)
FROM remittance_remittanceline l
JOIN remittance_remittance r ON r.practice_id = l.practice_id AND r.id = l.remittance_id
JOIN remittance_erafile f ON f.practice_id = r.practice_id AND f.id = r.era_file_id
WHERE l.practice_id = %s AND l.patient_id IS NULL AND l.paid_cents <> 0 AND f.state = 'posted' AND NOT r.posted_before
GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class BesideClaims:
    """What one payer has moved with one code of its checks, beside claims."""

    payer_identifier: str
    payer_name: str
    code: str
    """Of PLB, or `UNMATCHED`: money of services that nobody knows."""
    count: int
    cents: int
    """What it has added to what the practice received; negative: taken away."""
    last_on: date | None


def beside_claims(*, scope: Scope) -> list[BesideClaims]:
    """Return what payers have moved beside claims, by payer and code, of all that stands posted."""
    found = [BesideClaims(*row) for row in sql.rows(_BALANCES, (scope.practice_id,))]
    for identifier, name, count, cents, last_on in sql.rows(_UNPLACED, (scope.practice_id,)):
        found.append(BesideClaims(identifier, name, "UNMATCHED", count, cents, last_on))
    return found


def get_deposit(*, scope: Scope, deposit_id: UUID, lock: bool = False) -> Deposit:
    """Return a deposit. :raises NotFound: there is none"""
    row = by_id(Deposit, scope=scope, id=deposit_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("deposit", deposit_id)])
    scope.trail.target("deposit", row.id, row.version)
    return row


def deposits_by_id(*, scope: Scope, deposit_ids: Sequence[UUID]) -> list[Deposit]:
    """Return deposits in the order of their ids."""
    found = {row.id: row for row in Deposit.objects.visible_to(scope).filter(id__in=list(deposit_ids))}
    return [found[id] for id in deposit_ids if id in found]


def deposits_between(*, scope: Scope, starts_on: date, ends_on: date) -> list[Deposit]:
    """Return the deposits of some days, both included, in the bank's order."""
    rows = Deposit.objects.visible_to(scope).filter(received_on__gte=starts_on, received_on__lte=ends_on)
    return list(rows.order_by("received_on", "id"))


def checks_between(*, scope: Scope, starts_on: date, ends_on: date) -> list[Remittance]:
    """Return the checks with money that payers dated on some days, both included; each check once."""
    rows = Remittance.objects.visible_to(scope).filter(
        paid_on__gte=starts_on, paid_on__lte=ends_on, posted_before=False
    )
    return list(rows.exclude(total_cents=0).select_related("era_file").order_by("paid_on", "id"))
