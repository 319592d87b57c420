"""Questions about claims. They take the scope first and change nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from django.db.models import QuerySet

from rapport.kernel.problems import FieldError, NotFound, ReferenceNotFound
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id
from rapport.rooms.claims.models import (
    Billed,
    CarriedClaim,
    Channel,
    Claim,
    ClaimLine,
    Decision,
    InboundFile,
    StatusInquiry,
    Submission,
    SubmittedClaim,
    ToldStatus,
)
from rapport.rooms.claims.rules import inquiries as rules
from rapport.rooms.claims.rules.profiles import Profile
from rapport.rooms.claims.states import ClaimState, SubmissionState
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.coverage.ports import Asked as AskedFor
from rapport.rooms.ledger import queries as ledger


def get_claim(*, scope: Scope, claim_id: UUID, lock: bool = False) -> Claim:
    """Return a claim the actor may see. :raises NotFound: there is none"""
    claim = by_id(Claim, scope=scope, id=claim_id, lock=lock)
    if claim is None:
        raise NotFound(_sought=[("claim", claim_id)])
    scope.trail.patient_ids.add(claim.patient_id)
    scope.trail.target("claim", claim.id, claim.version)
    return claim


def refer_to_claim(*, scope: Scope, claim_id: UUID | None, pointer: str) -> Claim:
    """Return a claim that a body refers to. :raises ReferenceNotFound: there is none"""
    row = by_id(Claim, scope=scope, id=claim_id) if claim_id else None
    if row is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
            _sought=[("claim", claim_id)] if claim_id else [],
        )
    return row


def candidates(
    *, scope: Scope, on: date | None, charge_cents: int, service_code: str, limit: int = 10
) -> list[tuple[Claim, ClaimLine]]:
    """Return services that an unknown decision may be about: of that day, the likest in code and charge first."""
    rows = ClaimLine.objects.visible_to(scope).filter(live=True).select_related("claim")
    if on is not None:
        rows = rows.filter(service_on=on)
    else:
        rows = rows.filter(service_code=service_code, charge_cents=charge_cents)
    alike = sorted(
        rows.order_by("-service_on", "id")[:500],
        key=lambda line: (line.service_code != service_code) + (line.charge_cents != charge_cents),
    )
    scope.trail.patient_ids.update(line.claim.patient_id for line in alike[:limit])
    return [(line.claim, line) for line in alike[:limit]]


def claims_of(*, scope: Scope, claim_ids: Sequence[UUID]) -> list[Claim]:
    """Return claims in the order of their ids; those that are not the actor's to see are left out."""
    found = {row.id: row for row in Claim.objects.visible_to(scope).filter(id__in=list(claim_ids))}
    scope.trail.patient_ids.update(claim.patient_id for claim in found.values())
    return [found[id] for id in claim_ids if id in found]


def channels_of(*, scope: Scope, channel_ids: Sequence[UUID]) -> list[Channel]:
    """Return channels in the order of their ids."""
    found = {row.id: row for row in Channel.objects.visible_to(scope).filter(id__in=list(channel_ids))}
    return [found[id] for id in channel_ids if id in found]


def paid_for(*, scope: Scope, claims: Sequence[Claim]) -> dict[UUID, int]:
    """Return what was paid for each claim, in cents: as its own system says, or by the ledger."""
    ours = [claim.id for claim in claims if claim.paid_cents is None]
    paid = ledger.paid_by_payers(scope=scope, claim_ids=ours) if ours else {}
    return {
        claim.id: paid.get(claim.id, 0) if claim.paid_cents is None else claim.paid_cents
        for claim in claims
    }


def carried_in(
    *, scope: Scope, document_ids: Sequence[UUID]
) -> dict[UUID, list[tuple[str, UUID | None]]]:
    """
    Return document -> the claims that it carries to a payer: number, and the claim of that system with it.

    None: no such claim is here, or the actor may not see it.
    """
    rows = list(
        CarriedClaim.objects.visible_to(scope)
        .filter(document_id__in=list(document_ids))
        .order_by("document_id", "control_number")
    )
    here = {
        (claim.source_system, claim.control_number): claim.id
        for claim in Claim.objects.visible_to(scope).filter(
            control_number__in={row.control_number for row in rows}
        )
    }
    found: dict[UUID, list[tuple[str, UUID | None]]] = {}
    for row in rows:
        found.setdefault(row.document_id, []).append(
            (row.control_number, here.get((row.system, row.control_number)))
        )
    return found


def open_claim(
    *, scope: Scope, patient_id: UUID, payer_ids: Sequence[UUID], on: date
) -> UUID | None:
    """Return a claim that was made here, is not withdrawn, and asks one of the payers for a service of a day."""
    found: UUID | None = (
        ClaimLine.objects.visible_to(scope)
        .filter(
            live=True, service_on=on, claim__patient_id=patient_id, claim__payer_id__in=list(payer_ids),
            claim__source_remote_id__isnull=True,
        )
        .values_list("claim_id", flat=True)
        .first()
    )
    return found


def mirrored_claim(*, scope: Scope, patient_id: UUID, payer_id: UUID, on: date) -> UUID | None:
    """Return a claim of another system that asks a payer for a day of a patient, and is not withdrawn."""
    rows = Claim.objects.visible_to(scope).filter(
        patient_id=patient_id, payer_id=payer_id, service_from_on=on, source_remote_id__isnull=False
    )
    found: UUID | None = rows.exclude(state=ClaimState.VOIDED).values_list("id", flat=True).first()
    return found


_DECIDED = {ClaimState.PAID: "paid", ClaimState.DENIED: "denied"}
_NOT_SENT = (ClaimState.DRAFT, ClaimState.VALIDATED)


def asked_for(*, scope: Scope, appointment_ids: Sequence[UUID]) -> list[AskedFor]:
    """
    Return what payers are asked for visits by claims that stand.

    A claim that can still be changed names no authorisation: its next validation chooses anew.
    """
    rows = (
        ClaimLine.objects.visible_to(scope)
        .filter(appointment_id__in=list(appointment_ids), live=True)
        .exclude(claim__state=ClaimState.VOIDED)
        .values_list("appointment_id", "claim__payer_id", "claim__state", "authorization_id")
    )
    return [
        AskedFor(visit, payer, _DECIDED.get(state, "open"), None if state in _NOT_SENT else authorization)
        for visit, payer, state, authorization in rows
    ]


def lines_of(*, scope: Scope, claim_id: UUID) -> list[ClaimLine]:
    """Return a claim's lines in order."""
    return list(ClaimLine.objects.visible_to(scope).filter(claim_id=claim_id).order_by("position"))


def refer_to_claims(*, scope: Scope, claim_ids: Sequence[UUID]) -> list[UUID]:
    """Return ids of claims that a body names. :raises ReferenceNotFound: one is not there for this actor"""
    found = set(Claim.objects.visible_to(scope).filter(id__in=list(claim_ids)).values_list("id", flat=True))
    missing = [(place, id) for place, id in enumerate(claim_ids) if id not in found]
    if missing:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=tuple(FieldError(f"/claim_ids/{place}", "reference-not-found") for place, _ in missing),
            _sought=[("claim", id) for _, id in missing],
        )
    return list(claim_ids)


def lock_claims(*, scope: Scope, claim_ids: Sequence[UUID]) -> dict[UUID, Claim]:
    """Return claims by id, held until the transaction ends; in one order, so that nobody waits in a circle."""
    rows = Claim.objects.visible_to(scope).filter(id__any_of=claim_ids).order_by("id")
    held = {row.id: row for row in rows.select_for_update()}
    return {id: held[id] for id in claim_ids if id in held}


@dataclass(frozen=True, slots=True)
class Sent:
    """A claim in a file, and the file."""

    row: SubmittedClaim
    submission: Submission


def submissions_of(*, scope: Scope, claim_id: UUID) -> list[Sent]:
    """Return the files that a claim stands in, the first try first."""
    rows = list(SubmittedClaim.objects.visible_to(scope).filter(claim_id=claim_id).order_by("attempt"))
    files = {
        file.id: file
        for file in Submission.objects.visible_to(scope).filter(id__in=[row.submission_id for row in rows])
    }
    return [Sent(row, files[row.submission_id]) for row in rows if row.submission_id in files]


def latest_submission(*, scope: Scope, claim_id: UUID) -> Submission | None:
    """Return the newest file that a claim stands in, if there is one."""
    sent = submissions_of(scope=scope, claim_id=claim_id)
    return sent[-1].submission if sent else None


def claims_in(*, scope: Scope, submission_id: UUID) -> list[SubmittedClaim]:
    """Return which claims a file carries, in their order."""
    return list(
        SubmittedClaim.objects.visible_to(scope)
        .filter(submission_id=submission_id)
        .order_by("set_number", "first_position")
        .defer("snapshot_sealed")
    )


def superseded(*, scope: Scope, submission_id: UUID) -> set[UUID]:
    """Return which claims of a file stand in a later one too: what is said of this file is history for them."""
    rows = sql.rows(
        "SELECT s.claim_id FROM claims_submittedclaim s WHERE s.practice_id = %s AND s.submission_id = %s"
        " AND EXISTS (SELECT 1 FROM claims_submittedclaim t WHERE t.practice_id = s.practice_id"
        " AND t.claim_id = s.claim_id AND t.attempt > s.attempt)",
        (scope.practice_id, submission_id),
    )
    return {row[0] for row in rows}


def get_channel(*, scope: Scope, channel_id: UUID, lock: bool = False) -> Channel:
    """Return a channel. :raises NotFound: there is none"""
    row = by_id(Channel, scope=scope, id=channel_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("channel", channel_id)])
    return row


def refer_to_channel(*, scope: Scope, channel_id: UUID, pointer: str) -> Channel:
    """Return a channel that a body refers to. :raises ReferenceNotFound: there is none"""
    row = by_id(Channel, scope=scope, id=channel_id)
    if row is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
            _sought=[("channel", channel_id)],
        )
    return row


def default_channel(*, scope: Scope) -> Channel | None:
    """Return the practice's channel when it has just one that is active."""
    active = list(Channel.objects.visible_to(scope).filter(active=True).order_by("created_at")[:2])
    return active[0] if len(active) == 1 else None


def submission_bytes(*, submission: Submission) -> bytes:
    """Return the exact bytes of a submission. :raises BlobCorrupted: they are not what was kept"""
    return default_store().get(
        key=submission.blob_key,
        aad=f"{submission.practice_id}|submission|{submission.id}",
        digest=submission.sha256,
    )


def inbound_bytes(*, scope: Scope, inbound_file_id: UUID) -> tuple[InboundFile, bytes]:
    """Return a file that came through a channel, and its bytes."""
    row = InboundFile.objects.visible_to(scope).get(id=inbound_file_id)
    data = default_store().get(
        key=row.blob_key, aad=f"{row.practice_id}|inbound|{row.id}", digest=row.sha256
    )
    return row, data


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """What a remittance needs to know of a claim it may be about."""

    claim_id: UUID
    patient_id: UUID
    payer_id: UUID
    control_number: str
    charge_cents: int
    rank: str
    has_further_payer: bool
    """What this payer leaves to the patient is asked of another one first."""
    lines: tuple[LineFacts, ...]
    voids: UUID | None = None
    """Of a claim that only asks to take another one back, and about which nothing was decided: that one, with the same services."""

    def meant(self, *, reversal: bool) -> UUID:
        """Return which claim a decision is about: some payers name in a reversal the claim that asked for it."""
        return self.voids if reversal and self.voids else self.claim_id


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One service of such a claim."""

    position: int
    control_number: str
    service_code: str
    modifiers: tuple[str, ...]
    service_on: date
    charge_cents: int
    appointment_id: UUID


PRINTED = 14
"""Characters of our control number that box 26 of the CMS-1500 has room for, and that come back of a claim on paper."""
# A stretch of the index of numbers for each: ours are of digits and capitals alone, so `ZZZZ` stands behind them all.
_PRINTED = """
SELECT n.short, min(c.id::text)::uuid FROM unnest(%s::text[]) AS n (short)
JOIN claims_claim c ON c.practice_id = %s AND c.control_number >= n.short AND c.control_number <= n.short || 'ZZZZ'
WHERE left(c.control_number, 14) = n.short AND length(c.control_number) = 18 AND c.source_remote_id IS NULL
GROUP BY n.short HAVING count(*) = 1
"""


def find_for_remittance(
    *, scope: Scope, named: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], ClaimFacts]:
    """
    Return the claims that a remittance's claim payments are about; those that nobody knows are left out.

    By our control number (CLP01), else by as much of it as the paper form has room for, else by the payer's own number
    (CLP07); by the last two only where one claim has it, and never by a guess.

    :param named: (CLP01, CLP07) of each claim payment
    """
    pairs = set(named)
    written = {number.strip() for number, _ in pairs}
    # Another system's number is kept as it writes it.
    by_number = {
        claim.control_number: claim
        for claim in _known(scope).filter(control_number__any_of=written | {number.upper() for number in written})
    }
    found: dict[tuple[str, str], Known] = {}
    for pair in pairs:
        number = pair[0].strip()
        if (claim := by_number.get(number.upper()) or by_number.get(number)) is not None:
            found[pair] = claim
    printed = {pair: short for pair in pairs if pair not in found and len(short := pair[0].strip().upper()) == PRINTED}
    if printed:
        ids = dict(sql.rows(_PRINTED, (sorted(set(printed.values())), scope.practice_id)))
        rows = {claim.id: claim for claim in _known(scope).filter(id__any_of=set(ids.values()))} if ids else {}
        found |= {pair: rows[ids[short]] for pair, short in printed.items() if ids.get(short) in rows}
    others = {theirs for pair in pairs if pair not in found and (theirs := pair[1])}
    by_theirs: dict[str, list[Known]] = {}
    if others:
        for claim in _known(scope).filter(payer_claim_number__any_of=others):
            by_theirs.setdefault(claim.payer_claim_number, []).append(claim)
    for pair in pairs:
        if pair not in found and len(same := by_theirs.get(pair[1], [])) == 1:
            found[pair] = same[0]
    facts = facts_of(scope=scope, claims=found.values())
    return {pair: facts[claim.id] for pair, claim in found.items()}


class Known(Protocol):
    """What `facts_of` reads of a claim: a row of the table, or the columns alone, which are sooner made."""

    id: UUID
    patient_id: UUID
    payer_id: UUID
    control_number: str
    payer_claim_number: str
    charge_cents: int
    rank: str
    service_from_on: date
    source_remote_id: str | None
    frequency: str
    original_id: UUID | None


_COLUMNS = tuple(Known.__annotations__)


def _known(scope: Scope) -> QuerySet[Claim, Any]:
    return Claim.objects.visible_to(scope).values_list(*_COLUMNS, named=True)


def facts_of(*, scope: Scope, claims: Iterable[Known]) -> dict[UUID, ClaimFacts]:
    """Return what a remittance needs to know of claims, by their ids."""
    known = {claim.id: claim for claim in claims}
    lines: dict[UUID, list[LineFacts]] = {id: [] for id in known}
    if known:
        columns = ("position", "control_number", "service_code", "modifiers", "service_on", "charge_cents", "appointment_id")
        rows = ClaimLine.objects.visible_to(scope).filter(claim_id__any_of=known).order_by("claim_id", "position")
        for claim_id, position, number, code, modifiers, *rest in rows.values_list("claim_id", *columns):
            lines[claim_id].append(LineFacts(position, number, code, tuple(modifiers), *rest))
    further = _with_further_payer(scope, list(known.values()))
    voids = _voids(scope, known.values())
    return {
        claim.id: ClaimFacts(
            claim_id=claim.id, patient_id=claim.patient_id, payer_id=claim.payer_id,
            control_number=claim.control_number, charge_cents=claim.charge_cents, rank=claim.rank,
            has_further_payer=claim.id in further,
            lines=tuple(lines[claim.id]), voids=voids.get(claim.id),
        )
        for claim in known.values()
    }  # fmt: skip


def _voids(scope: Scope, claims: Iterable[Known]) -> dict[UUID, UUID]:
    """Return those of these claims that void another one, without a decision of their own -> that one."""
    asked = {claim.id: claim.original_id for claim in claims if claim.frequency == "void" and claim.original_id}
    if not asked:
        return asked
    rows = Decision.objects.visible_to(scope).filter(claim_id__in=asked, withdrawn_at=None)
    own = set(rows.values_list("claim_id", flat=True))
    return {id: original for id, original in asked.items() if id not in own}


def further_payers(*, scope: Scope, claim_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these claims after whose payer another one can be asked. Another system's are for it to ask."""
    if not claim_ids:
        return set()
    return _with_further_payer(scope, list(_known(scope).filter(id__any_of=claim_ids)))


def _with_further_payer(scope: Scope, claims: Sequence[Known]) -> set[UUID]:
    asked = {
        claim.id: (claim.patient_id, claim.rank, claim.service_from_on)
        for claim in claims
        if claim.source_remote_id is None
    }
    found = coverage.with_policy_after(scope=scope, asked=set(asked.values()))
    return {id for id, one in asked.items() if one in found}


def open_submissions(*, scope: Scope) -> Sequence[Submission]:
    """Return the submissions that are not settled, oldest first."""
    return list(
        Submission.objects.visible_to(scope)
        .filter(
            state__in=[SubmissionState.READY, SubmissionState.SENDING, SubmissionState.IN_DOUBT]
        )
        .order_by("created_at")
    )


def open_inquiry(*, scope: Scope, claim_id: UUID, since: datetime) -> StatusInquiry | None:
    """Return a question about a claim that was asked since then, and is neither answered nor refused."""
    latest: StatusInquiry | None = (
        StatusInquiry.objects.visible_to(scope)
        .filter(claim_id=claim_id, asked_at__gte=since)
        .exclude(submission__state=SubmissionState.REFUSED)
        .order_by("-asked_at")
        .first()
    )
    if latest is None or ToldStatus.objects.visible_to(scope).filter(inquiry_id=latest.id).exists():
        return None
    return latest


def asked_before_last_send(*, scope: Scope, inquiry: StatusInquiry) -> bool:
    """Tell whether the claim was sent anew after a question: then the answer is about an earlier file."""
    return (
        SubmittedClaim.objects.visible_to(scope)
        .filter(claim_id=inquiry.claim_id, created_at__gt=inquiry.asked_at)
        .exists()
    )


def inquiries_of(*, scope: Scope, claim_id: UUID) -> list[Asked]:
    """Return what was asked of a claim's payer and what it said, the first question first."""
    told: dict[UUID, list[ToldStatus]] = {}
    for one in ToldStatus.objects.visible_to(scope).filter(claim_id=claim_id).order_by("received_at", "id"):
        told.setdefault(one.inquiry_id, []).append(one)
    rows = list(StatusInquiry.objects.visible_to(scope).filter(claim_id=claim_id).order_by("asked_at", "id"))
    files = {
        file.id: file
        for file in Submission.objects.visible_to(scope).filter(id__in=[row.submission_id for row in rows])
    }
    return [Asked(row, files[row.submission_id], told.get(row.id, [])) for row in rows]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the file it left in, and what was told."""

    inquiry: StatusInquiry
    submission: Submission
    told: list[ToldStatus]

    @property
    def state(self) -> str:
        """`answered`, `later` or `refused`; else where the file is: `ready`, `sending`, `in_doubt`, `sent`."""
        if not self.told:
            return str(self.submission.state)
        return {"later": "later", "request_refused": "refused"}.get(self.told[-1].standing, "answered")


_OVERDUE = """
SELECT c.id, s.channel_id, c.state, sent.at, asked.at, coalesce(told.standing, ''), coalesce(asked.times, 0),
    (profile.own ->> 'status_after_days')::int
FROM claims_claim c
LEFT JOIN claims_payerprofile profile ON profile.practice_id = c.practice_id AND profile.payer_id = c.payer_id
JOIN LATERAL (
    SELECT submission_id, created_at AS at FROM claims_submittedclaim
    WHERE practice_id = c.practice_id AND claim_id = c.id ORDER BY attempt DESC LIMIT 1
) sent ON true
JOIN claims_submission s ON s.practice_id = c.practice_id AND s.id = sent.submission_id
JOIN claims_channel ch ON ch.practice_id = c.practice_id AND ch.id = s.channel_id AND ch.active AND ch.kind IN ('http', 'stedi', 'sftp')
LEFT JOIN LATERAL (
    SELECT max(asked_at) AS at, count(*) AS times FROM claims_statusinquiry
    WHERE practice_id = c.practice_id AND claim_id = c.id AND asked_at >= sent.at
) asked ON true
LEFT JOIN LATERAL (
    SELECT t.standing FROM claims_statusinquiry q
    JOIN claims_toldstatus t ON t.practice_id = q.practice_id AND t.inquiry_id = q.id
    WHERE q.practice_id = c.practice_id AND q.claim_id = c.id AND q.asked_at = asked.at
    ORDER BY t.received_at DESC LIMIT 1
) told ON true
WHERE c.practice_id = %s AND c.state = ANY(%s) AND c.source_remote_id IS NULL
ORDER BY sent.at, c.id
"""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A claim to be asked for, and the channel it left by."""

    claim: Claim
    channel_id: UUID


def overdue(*, scope: Scope, now: datetime, most: int) -> list[Overdue]:
    """Return the claims that are to be asked for by schedule, those that wait longest first."""
    rows = sql.rows(_OVERDUE, (scope.practice_id, sorted(rules.WAITING)))
    found = {
        claim_id: channel_id
        for claim_id, channel_id, state, sent_at, asked_at, told, times, days in rows
        if rules.due(
            state=state, sent_at=sent_at, asked_at=asked_at, told=told, asked=times,
            days=Profile().status_after_days if days is None else days, now=now,
        )
    }  # fmt: skip
    wanted = list(found)[:most]
    claims = {row.id: row for row in Claim.objects.visible_to(scope).filter(id__in=wanted)}
    return [Overdue(claims[id], found[id]) for id in wanted if id in claims]


def payers_asked(*, scope: Scope, appointment_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return appointment -> the payer that was asked for it last; those that no claim asks for are left out."""
    rows = Billed.objects.visible_to(scope).filter(appointment_id__in=list(appointment_ids))
    return dict(rows.order_by("id").values_list("appointment_id", "payer_id"))


_UNANSWERED = """
SELECT c.id FROM claims_claim c
JOIN LATERAL (
    SELECT id, asked_at FROM claims_statusinquiry
    WHERE practice_id = c.practice_id AND claim_id = c.id ORDER BY asked_at DESC LIMIT 1
) q ON q.asked_at <= %s
WHERE c.practice_id = %s AND c.state = ANY(%s)
AND NOT EXISTS (SELECT 1 FROM claims_toldstatus t WHERE t.practice_id = c.practice_id AND t.inquiry_id = q.id)
AND NOT EXISTS (SELECT 1 FROM claims_workitem w WHERE w.practice_id = c.practice_id AND w.claim_id = c.id
    AND w.kind = 'status' AND w.updated_at > q.asked_at)
"""


def unanswered(*, scope: Scope, now: datetime) -> list[UUID]:
    """Return the undecided claims whose last question was not answered in time, and of which nobody was told since."""
    waiting = sorted({*rules.WAITING, ClaimState.UNKNOWN})
    return [row[0] for row in sql.rows(_UNANSWERED, (now - rules.PATIENCE, scope.practice_id, waiting))]
