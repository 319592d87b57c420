"""What can be done with a remittance: received, posted once, taken back exactly."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from django.db import connection, transaction

from rapport.kernel.ids import new_uuid
from rapport.kernel.money import Money, NotMoney
from rapport.kernel.problems import Conflict, FieldError, Invalid, Problem, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12 import remit835 as x
from rapport.protocols.x12.envelope import check
from rapport.protocols.x12.syntax import Finding, NotX12, read
from rapport.rooms.claims import queries as claims
from rapport.rooms.claims import services as claim_services
from rapport.rooms.ledger import queries as entries
from rapport.rooms.ledger import services as ledger
from rapport.rooms.ledger.rules import entries as book

from . import events, queries
from .models import EraFile, Remittance, RemittanceLine
from .rules.planning import is_denied, plan_for


class RemittanceHeld(Conflict):
    code = "remittance-held"
    title = "The remittance does not balance, or is not this practice's; nothing was posted."


def _cents(value: Decimal) -> int:
    return Money.from_decimal(value).cents


def _content(data: bytes) -> tuple[str, list[x.Remittance], list[Finding]]:
    """Read a file. :return: digest of what it says without its envelope, its checks, its faults"""
    findings: list[Finding] = []
    digest = sha256()
    try:
        for segment in check(read(data), findings=[]):
            if segment.position:
                parts = segment.elements
                # Control numbers belong to the envelope: a file sent again gets new ones.
                if parts[0] in ("ST", "SE"):
                    parts = parts[:2]
                digest.update("\x1f".join(parts).encode("latin-1") + b"\x1e")
        checks = list(x.remittances(check(read(data), findings=findings)))
    except NotX12 as error:
        raise Invalid(
            "The file cannot be read as X12.",
            errors=(FieldError(f"/segments/{error.index}", error.rule, error.message),),
            reason="parse",
        ) from error
    if not checks:
        raise Invalid(
            "The file holds no remittance (835).",
            errors=(FieldError("", "no-remittance"),),
            reason="parse",
        )
    for one in checks:
        findings.extend(one.findings)
    return digest.hexdigest(), checks, findings


def receive(*, scope: Scope, data: bytes, via: str, now: datetime) -> tuple[EraFile, bool]:
    """
    Keep a file, match what it says to our claims, and post it when nothing stands against it.

    :param via: `upload` or `channel`
    :return: the file, and whether it is new: the same content, in whatever envelope, is not
    :raises Invalid: it cannot be read as an 835; the position is named
    """
    digest, checks, findings = _content(data)
    with connection.cursor() as cursor:
        # Of five that arrive at once one is first; the others then find it.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"{scope.practice_id}|era|{digest}"],
        )
    known = EraFile.objects.visible_to(scope).filter(content_sha256=digest).first()
    if known is not None:
        return known, False
    id = new_uuid()
    ref = default_store().put(data=data, aad=f"{scope.practice_id}|era|{id}")
    held = _holds(scope, checks, findings)
    readable = not any(finding.rule == "amount" for finding in held)
    file = EraFile.objects.create(
        id=id, practice_id=scope.practice_id, content_sha256=digest, blob_key=ref.key, sha256=ref.sha256,
        received_via=via, state=_first_state(held, findings), created_at=now, updated_at=now,
        findings=[
            {"rule": f.rule, "severity": f.severity, "segment": f.segment, "position": f.position,
             "element": f.element, "message": f.message}
            for f in [*findings, *held]
        ][:200],
    )  # fmt: skip
    for position, one in enumerate(checks if readable else (), 1):
        _keep(scope, file, position, one, now=now)
    _tell(scope, file, events.ERA_RECEIVED, now)
    if file.state == "held":
        _tell(scope, file, events.ERA_HELD, now)
    else:
        _post_if_clear(scope, file, now=now)
    scope.trail.target("era_file", file.id, file.version)
    return file, True


def _first_state(held: list[Finding], findings: list[Finding]) -> str:
    """A file with any error is held: what does not balance is not posted in parts."""
    return "held" if any(f.severity == "error" for f in [*held, *findings]) else "received"


def _holds(scope: Scope, checks: Iterable[x.Remittance], findings: list[Finding]) -> list[Finding]:
    """Return what keeps the whole file from being posted, beside what the reader found."""
    practice = tenancy.get_practice(scope=scope)
    held = []
    for one in checks:
        by_tax_id = not one.payee_npi and practice.tax_id and one.payee_tax_id == practice.tax_id
        if not by_tax_id and (not practice.npi or one.payee_npi != practice.npi):
            held.append(
                Finding("N1", 0, "04", "payee-not-ours", "error", "The payee is not this practice.")
            )
        for place, index, amount in _amounts(one):
            try:
                _cents(amount)
            except NotMoney:
                held.append(
                    Finding(
                        place, index, "", "amount", "error", "An amount has a fraction of a cent."
                    )
                )
    return held


def _amounts(one: x.Remittance) -> Iterable[tuple[str, int, Decimal]]:
    """Yield every amount of a check with its segment and position."""
    yield "BPR", 0, one.total
    for provider in one.provider_adjustments:
        yield "PLB", provider.index, provider.amount
    for claim in one.claims:
        yield "CLP", claim.index, claim.charge
        yield "CLP", claim.index, claim.paid
        for adjustment in claim.adjustments:
            yield "CAS", claim.index, adjustment.amount
        for line in claim.lines:
            yield "SVC", line.index, line.charge
            yield "SVC", line.index, line.paid
            yield "AMT", line.index, line.allowed or Decimal(0)
            for adjustment in line.adjustments:
                yield "CAS", line.index, adjustment.amount


def _post_if_clear(scope: Scope, file: EraFile, *, now: datetime) -> None:
    """
    Post a file by itself when nothing in it needs a person's eye; else note why it waits.

    Whatever posting meets is undone alone: the file stays, and waits with the reason.
    """
    reasons = _doubts(scope, file)
    if not reasons:
        try:
            with transaction.atomic():
                _post(scope, file, now=now)
        except Problem as problem:
            file.refresh_from_db()
            reasons = [("posting-refused", f"Posting it met: {problem.code}.")]
        else:
            return
    file.findings = [
        *file.findings,
        *(
            {"rule": rule, "severity": "warning", "segment": "CLP", "position": 0, "element": "",
             "message": message}
            for rule, message in dict(reasons).items()
        ),
    ]  # fmt: skip
    file.save(update_fields=["findings"])


def _doubts(scope: Scope, file: EraFile) -> list[tuple[str, str]]:
    """Return what a person should look at before a file is posted: (rule, message)."""
    found = []
    taken_back: dict[tuple[UUID, UUID], int] = {}
    seen: set[tuple[UUID, UUID]] = set()
    for check_row in queries.remittances_of(scope=scope, era_file_id=file.id):
        if check_row.same_trace:
            found.append(
                ("same-trace", "Another remittance has this payer, number, day and amount.")
            )
        for line in queries.lines_of(scope=scope, remittance_id=check_row.id):
            if line.claim_id is None or line.appointment_id is None or line.status_code == "23":
                found.append(("unmatched", "A service or claim was not matched to one of ours."))
                continue
            service = (line.claim_id, line.appointment_id)
            standing = queries.decided(
                scope=scope, claim_id=line.claim_id, appointment_id=line.appointment_id
            )
            if line.status_code == "22":
                if not any(queries.mirrors(reversal=line, line=one) for one in standing):
                    found.append(
                        (
                            "reversal-unknown",
                            "A reversal takes back what was never posted here like that.",
                        )
                    )
                taken_back[service] = taken_back.get(service, 0) + 1
            elif line.position:
                if len(standing) > taken_back.get(service, 0) or service in seen:
                    found.append(("paid-before", "A service was decided before, and not reversed."))
                seen.add(service)
    return found


def _keep(scope: Scope, file: EraFile, position: int, one: x.Remittance, *, now: datetime) -> None:
    """Write down one check and its services."""
    same = Remittance.objects.visible_to(scope).filter(
        payer_identifier=one.payer_tax_id, trace=one.trace, paid_on=one.paid_on, total_cents=_cents(one.total)
    ).exclude(era_file_id=file.id)  # fmt: skip
    check_row = Remittance.objects.create(
        practice_id=scope.practice_id, era_file=file, position=position, payer_name=one.payer_name[:80],
        payer_identifier=one.payer_tax_id[:80], payee_npi=one.payee_npi[:10], trace=one.trace[:60],
        method=one.method[:3], paid_on=one.paid_on, total_cents=_cents(one.total),
        provider_adjustments=[
            {"reason": p.reason, "reference": p.reference, "cents": _cents(p.amount)}
            for p in one.provider_adjustments
        ],
        same_trace=same.exists(), created_at=now,
    )  # fmt: skip
    for number, payment in enumerate(one.claims, 1):
        _keep_claim(scope, check_row, number, payment)


def _keep_claim(scope: Scope, remittance: Remittance, number: int, payment: x.ClaimPayment) -> None:
    facts = claims.find_for_remittance(
        scope=scope, control_number=payment.control, payer_claim_number=payment.payer_claim_number
    )
    rows = []
    if payment.adjustments or not payment.lines:
        rows.append(_line(scope, remittance, number, 0, payment, None, facts))
    rows += [
        _line(scope, remittance, number, position, payment, line, facts)
        for position, line in enumerate(payment.lines, 1)
    ]
    RemittanceLine.objects.bulk_create(rows)


def _line(
    scope: Scope, remittance: Remittance, number: int, position: int, payment: x.ClaimPayment,
    line: x.ServiceLine | None, facts: claims.ClaimFacts | None,
) -> RemittanceLine:  # fmt: skip
    matched, how = _match(payment, line, facts)
    adjustments = line.adjustments if line else payment.adjustments
    return RemittanceLine(
        practice_id=scope.practice_id, remittance=remittance, claim_position=number, position=position,
        control_number=payment.control[:38], status_code=payment.status[:2],
        payer_claim_number=payment.payer_claim_number[:50],
        claim_id=facts.claim_id if facts else None,
        appointment_id=matched.appointment_id if matched else None,
        patient_id=facts.patient_id if facts else None,
        service_code=line.procedure[:48] if line else "",
        service_on=(line.service_on if line else None) or payment.service_on,
        charge_cents=_cents(line.charge if line else payment.charge),
        # Services carry the claim's money; the claim's own row carries it only when there are none.
        paid_cents=_cents(line.paid) if line else (0 if payment.lines else _cents(payment.paid)),
        allowed_cents=_cents(line.allowed) if line and line.allowed is not None else None,
        adjustments=[
            {"group": a.group, "reason": a.reason, "cents": _cents(a.amount), "plan": plan_for(a.group, a.reason)}
            for a in adjustments
        ],
        remarks=[r[:10] for r in (line.remarks if line else payment.remarks)],
        matched_by=how,
    )  # fmt: skip


def _match(
    payment: x.ClaimPayment, line: x.ServiceLine | None, facts: claims.ClaimFacts | None
) -> tuple[claims.LineFacts | None, str]:
    """Find our service: by its own number, else by code and day, else when there is only one."""
    if facts is None or not facts.lines:
        return None, "unmatched"
    if line is None:
        return facts.lines[0], "claim"
    for ours in facts.lines:
        if line.control and ours.control_number == line.control.strip().upper():
            return ours, "line_control"
    code = line.original_procedure or line.procedure
    day = line.service_on or payment.service_on
    same = [
        o for o in facts.lines if o.service_code == code and (day is None or o.service_on == day)
    ]
    if len(same) == 1:
        return same[0], "code_and_date"
    if (
        len(facts.lines) == 1
        and len(payment.lines) == 1
        and _cents(line.charge) == facts.lines[0].charge_cents
    ):
        return facts.lines[0], "only_line"
    return None, "unmatched"


def post_file(*, scope: Scope, era_file_id: UUID, now: datetime) -> EraFile:
    """
    Post what a file says. What was posted before is not posted again.

    Services that nobody knows are booked against the payer's clearing account, never dropped.

    A file that was taken back can be posted again.

    :raises RemittanceHeld: it does not balance, or is not this practice's
    :raises StateConflict: a claim it speaks of is in a state that no payer decides in
    """
    scope.require(Permission.REMITTANCES_POST)
    file = queries.get_era_file(scope=scope, era_file_id=era_file_id, lock=True)
    if file.state == "held":
        raise RemittanceHeld(
            "Look at its findings, and ask the payer for a right one.", findings=file.findings[:20]
        )
    if file.state in ("received", "unposted"):
        _post(scope, file, now=now)
    scope.trail.target("era_file", file.id, file.version)
    return file


@transaction.atomic
def _post(scope: Scope, file: EraFile, *, now: datetime) -> None:
    """Post every check of a file, all of it or nothing."""
    file.postings += 1
    for check_row in queries.remittances_of(scope=scope, era_file_id=file.id):
        # Entries count from the day they are posted, in the practice's zone; the payer's date is kept
        # on the remittance. A check dated tomorrow would else be invisible in today's balance.
        day = scope.day_of(now)
        by_claim: dict[int, list[RemittanceLine]] = {}
        for line in queries.lines_of(scope=scope, remittance_id=check_row.id):
            by_claim.setdefault(line.claim_position, []).append(line)
        for lines in by_claim.values():
            _post_claim(scope, lines, day=day, turn=file.postings, now=now)
            crashpoint(Crashpoint.REMITTANCE_CLAIM_POSTED)
        for number, adjustment in enumerate(check_row.provider_adjustments, 1):
            if adjustment["cents"]:
                source = book.Source(
                    "remittance", check_row.id, _turn(f"PLB-{number}", file.postings)
                )
                entry = book.payer_level(
                    source, day, cents=-adjustment["cents"], reason=adjustment["reason"]
                )
                ledger.post(scope=scope, entry=entry, now=now)
    _set_state(file, "posted", now)
    _tell(scope, file, events.ERA_POSTED, now)


def _turn(name: str, turn: int) -> str:
    """Return an entry's name for one posting of a file: each posting has entries of its own."""
    return name if turn == 1 else f"{name}@{turn}"


def _post_claim(
    scope: Scope, lines: list[RemittanceLine], *, day: date, turn: int, now: datetime
) -> None:
    first = lines[0]
    reversal = first.status_code == "22"
    patient = 0
    for line in lines:
        line.ledger_entry_ids = list(_post_line(scope, line, day=day, turn=turn, now=now))
        line.save(update_fields=["ledger_entry_ids"])
        patient += sum(a["cents"] for a in line.adjustments if a["plan"] == "patient")
    if first.claim_id is None:
        return
    if reversal:
        claim_services.record_reversal(
            scope=scope, claim_id=first.claim_id, detail="835:22", now=now
        )
        return
    claim_services.record_decision(
        scope=scope,
        claim_id=first.claim_id,
        denied=is_denied(
            paid_cents=sum(line.paid_cents for line in lines),
            patient_cents=patient,
            reasons=[(a["group"], a["reason"]) for line in lines for a in line.adjustments],
        ),
        payer_claim_number=first.payer_claim_number,
        detail=f"835:{first.status_code}",
        now=now,
    )


def _post_line(
    scope: Scope, line: RemittanceLine, *, day: date, turn: int, now: datetime
) -> Iterable[UUID]:
    """Post the payment and each adjustment of one service; yield the entries."""

    def put(entry: book.NewEntry) -> UUID:
        return ledger.post(scope=scope, entry=entry, now=now).entry_id

    if line.patient_id is None:
        if line.paid_cents:
            source = book.Source("remittance_line", line.id, _turn("paid", turn))
            yield put(book.payer_level(source, day, cents=line.paid_cents, reason="UNMATCHED"))
        return
    about = book.About(
        line.patient_id, line.appointment_id, claim_id=line.claim_id, service_on=line.service_on
    )
    if line.paid_cents:
        yield put(
            book.insurance_payment(
                book.Source("remittance_line", line.id, _turn("paid", turn)),
                day,
                about,
                cents=line.paid_cents,
            )
        )
    for number, adjustment in enumerate(line.adjustments, 1):
        name = f"{adjustment['group']}-{adjustment['reason']}"
        source = book.Source("remittance_line", line.id, _turn(f"{name}#{number}", turn))
        cents: int = adjustment["cents"]
        if cents == 0:
            continue
        if adjustment["plan"] == "contractual":
            yield put(book.contractual_adjustment(source, day, about, cents=cents, reason=name))
        elif adjustment["plan"] == "patient":
            yield put(book.transfer_to_patient(source, day, about, cents=cents, reason=name))


def unpost_file(*, scope: Scope, era_file_id: UUID, reason: str, now: datetime) -> EraFile:
    """
    Take back exactly what a file posted, by entries that reverse each of it.

    :raises StateConflict: it is not posted
    """
    scope.require(Permission.REMITTANCES_POST)
    file = queries.get_era_file(scope=scope, era_file_id=era_file_id, lock=True)
    if file.state != "posted":
        raise StateConflict(
            f"A file that is {file.state} cannot be taken back.", current_state=file.state
        )
    for check_row in queries.remittances_of(scope=scope, era_file_id=file.id):
        claim_ids = set()
        for line in queries.lines_of(scope=scope, remittance_id=check_row.id):
            for entry_id in line.ledger_entry_ids:
                ledger.reverse(scope=scope, entry_id=entry_id, reason=reason, now=now)
            if line.claim_id:
                claim_ids.add(line.claim_id)
        for number in range(1, len(check_row.provider_adjustments) + 1):
            entry = _ledger_entry(scope, check_row.id, _turn(f"PLB-{number}", file.postings))
            if entry is not None:
                ledger.reverse(scope=scope, entry_id=entry, reason=reason, now=now)
        for claim_id in claim_ids:
            claim_services.record_reversal(
                scope=scope, claim_id=claim_id, detail="835:unposted", now=now
            )
    _set_state(file, "unposted", now)
    _tell(scope, file, events.ERA_UNPOSTED, now)
    scope.trail.reason = reason
    scope.trail.target("era_file", file.id, file.version)
    return file


def _ledger_entry(scope: Scope, remittance_id: UUID, line: str) -> UUID | None:
    """Return the ledger entry of a check's own posting, if there is one."""
    row = entries.entry_by_source(scope=scope, kind="remittance", id=remittance_id, line=line)
    return row.id if row else None


def _set_state(file: EraFile, state: str, now: datetime) -> None:
    file.state, file.updated_at = state, now
    file.version += 1
    file.save(update_fields=["state", "postings", "updated_at", "version"])


def _tell(scope: Scope, file: EraFile, event: str, now: datetime) -> None:
    emit(
        event, scope=scope, object_type="era_file", object_id=file.id, version=file.version, now=now,
        changed=["state"],
    )  # fmt: skip


__all__ = ["RemittanceHeld", "post_file", "receive", "unpost_file"]
