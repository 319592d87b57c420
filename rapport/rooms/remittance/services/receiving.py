"""A file comes in: kept, matched, and posted by itself when nothing stands against it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Problem
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.tenancy.source import SourceRef
from rapport.protocols.x12 import remit835 as x
from rapport.rooms.claims import queries as claims
from rapport.rooms.remittance import events, queries
from rapport.rooms.remittance.models import EraFile, Remittance, RemittanceLine
from rapport.rooms.remittance.rules.planning import plan_for

from .posting import note_copy, one_at_a_time, post_rows, tell
from .reading import cents, content, faulty, holds

DOUBTS = ("unmatched", "same-trace", "paid-before", "reversal-unknown", "posting-refused")
"""Findings of ours, not of the reader: what a person should look at."""


def receive(
    *, scope: Scope, data: bytes, via: str, now: datetime, source: SourceRef | None = None
) -> tuple[EraFile, bool]:
    """
    Keep a file, match what it says to our claims, and post it when nothing stands against it.

    :param via: `upload`, `channel` or `portal`
    :param source: the portal's own record of it; None: it comes from none
    :return: the file, and whether it is new: the same content, in whatever envelope, is not
    :raises Invalid: it cannot be read as an 835; the position is named
    """
    digest, checks, findings = content(data)
    held = holds(scope=scope, checks=checks)
    one_at_a_time(scope=scope)  # of five that arrive at once one is first; the others then find it
    # A damaged copy has a digest of its own, so that it never stands in the way of the right file.
    own = sha256(digest.encode() + data).hexdigest() if faulty(findings) else digest
    known = EraFile.objects.visible_to(scope).filter(content_sha256__in=[digest, own]).first()
    if known is not None:
        if source is not None and not known.mirrored:
            known.sourced(source).save(
                update_fields=["source_system", "source_remote_id", "source_as_of"]
            )
        return known, False
    id = new_uuid()
    ref = default_store().put(data=data, aad=f"{scope.practice_id}|era|{id}")
    readable = not any(finding.rule == "amount" for finding in held)
    state = "held" if faulty([*findings, *held]) else "received"
    file = EraFile(
        id=id, practice_id=scope.practice_id, content_sha256=own, blob_key=ref.key, sha256=ref.sha256,
        received_via=via, state=state, created_at=now, updated_at=now,
        findings=[
            {"rule": f.rule, "severity": f.severity, "segment": f.segment, "position": f.position,
             "element": f.element, "message": f.message}
            for f in [*findings, *held]
        ][:200],
    )  # fmt: skip
    if source is not None:
        file.sourced(source)
    file.save(force_insert=True)
    for position, one in enumerate(checks if readable else (), 1):
        _keep(scope, file, position, one, now=now)
    tell(scope=scope, file=file, event=events.ERA_RECEIVED, now=now)
    if file.state == "held":
        tell(scope=scope, file=file, event=events.ERA_HELD, now=now)
    else:
        _post_if_clear(scope, file, now=now)
    scope.trail.target("era_file", file.id, file.version)
    return file, True


def match_again(*, scope: Scope, now: datetime) -> int:
    """
    Match what waits anew, once more claims are known here, and post what nothing stands against any more.

    Run after claims of another system came in: a remittance may have been read before its claims. What
    was matched stays as it was.

    :return: how many files were looked at
    """
    one_at_a_time(scope=scope)
    waiting = queries.waiting_files(scope=scope)
    for file in waiting:
        data = default_store().get(
            key=file.blob_key, aad=f"{file.practice_id}|era|{file.id}", digest=file.sha256
        )
        _, checks, _ = content(data)
        if _match_lines(scope, file, checks):
            file.findings = [one for one in file.findings if one["rule"] not in DOUBTS]
            file.save(update_fields=["findings"])
            _post_if_clear(scope, file, now=now)
    return len(waiting)


def _match_lines(scope: Scope, file: EraFile, checks: Sequence[x.Remittance]) -> bool:
    """Match the services of a file that were matched to none. :return: whether one more is known"""
    better = False
    for row in queries.remittances_of(scope=scope, era_file_id=file.id):
        payments = checks[row.position - 1].claims
        for line in queries.lines_of(scope=scope, remittance_id=row.id):
            if line.claim_id is not None and line.appointment_id is not None:
                continue
            payment = payments[line.claim_position - 1]
            facts = claims.find_for_remittance(
                scope=scope, control_number=payment.control, payer_claim_number=payment.payer_claim_number
            )
            service = payment.lines[line.position - 1] if line.position else None
            matched, how = _match(payment, service, facts)
            found = (
                facts.claim_id if facts else None, matched.appointment_id if matched else None,
                facts.patient_id if facts else None, how,
            )  # fmt: skip
            if found != (line.claim_id, line.appointment_id, line.patient_id, line.matched_by):
                line.claim_id, line.appointment_id, line.patient_id, line.matched_by = found
                line.save(update_fields=["claim_id", "appointment_id", "patient_id", "matched_by"])
                better = True
    return better


def _post_if_clear(scope: Scope, file: EraFile, *, now: datetime) -> None:
    """
    Post a file by itself when nothing in it needs a person's eye; else note why it waits.

    Whatever posting meets is undone alone: the file stays, and waits with the reason.
    """
    reasons = _doubts(scope, file)
    if not reasons:
        try:
            with transaction.atomic():
                post_rows(scope=scope, file=file, now=now)
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
        if check_row.posted_before:
            continue
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
        payer_identifier=one.payer_tax_id, trace=one.trace, paid_on=one.paid_on, total_cents=cents(one.total)
    ).exclude(era_file_id=file.id)  # fmt: skip
    check_row = Remittance.objects.create(
        practice_id=scope.practice_id, era_file=file, position=position, payer_name=one.payer_name[:80],
        payer_identifier=one.payer_tax_id[:80], payee_npi=one.payee_npi[:10], trace=one.trace[:60],
        method=one.method[:3], paid_on=one.paid_on, total_cents=cents(one.total),
        provider_adjustments=[
            {"reason": p.reason, "reference": p.reference, "cents": cents(p.amount)}
            for p in one.provider_adjustments
        ],
        same_trace=same.exists(), created_at=now,
    )  # fmt: skip
    for number, payment in enumerate(one.claims, 1):
        _keep_claim(scope, check_row, number, payment)
    note_copy(scope=scope, check=check_row)


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
        charge_cents=cents(line.charge if line else payment.charge),
        # Services carry the claim's money; the claim's own row carries it only when there are none.
        paid_cents=cents(line.paid) if line else (0 if payment.lines else cents(payment.paid)),
        allowed_cents=cents(line.allowed) if line and line.allowed is not None else None,
        adjustments=[
            {"group": a.group, "reason": a.reason, "cents": cents(a.amount), "plan": plan_for(a.group, a.reason)}
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
        and cents(line.charge) == facts.lines[0].charge_cents
    ):
        return facts.lines[0], "only_line"
    return None, "unmatched"
