"""Answering one interchange: acknowledgements first, then the checks, each due at its time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rapport.sandbox.payer import answers, era, guide
from rapport.sandbox.payer.adjudicate import ClaimPaid, Context, Payment, decide
from rapport.sandbox.payer.asking import Inquiries
from rapport.sandbox.payer.claims import Batch, Claim, read_batch
from rapport.sandbox.payer.records import dump, dump_claim, load_claim, load_provider
from rapport.sandbox.payer.scenarios import Scenario, scenario_of
from rapport.sandbox.payer.store import Store
from rapport.sandbox.payer.x12 import Interchange, Route, read, write_interchange

QUIET = (Scenario.ACKNOWLEDGEMENT_LOST, Scenario.SILENT)


@dataclass(frozen=True, slots=True)
class _Paid:
    claim: Claim
    payment: Payment


def _route(interchange: Interchange) -> Route:
    """The way back."""
    return Route(
        sender=interchange.receiver,
        receiver=interchange.sender,
        usage=interchange.header.at(15) if interchange.header.at(15) in "PT" else "T",
    )


class Payer:
    """Turns what the store holds into answers that wait, and answers that wait into files."""

    def __init__(self, store: Store, *, series: str, delay_seconds: float) -> None:
        self._store = store
        self._series = series
        self._delay = delay_seconds
        self._inquiries = Inquiries(store, series=series)

    def at_once(self, interchange: Interchange, now: datetime) -> bytes | None:
        """
        Answer an interchange of one inquiry in real time; only inside `store.change()`.

        Answers a TA1 or 999 when it is not right, else the 271 or 277; None: no answer at all.
        Nothing of it is kept, so that it may be asked again.
        """
        note = guide.envelope_note(interchange)
        ta1, groups_of = "", []
        if note != guide.ACCEPTED:
            ta1 = answers.write_ta1(interchange, note)
        else:
            verdicts = guide.check_groups(interchange)
            if any(self._inquiries.silent(group) for group in verdicts):
                return None
            told = list(self._inquiries.answers(verdicts, interchange, now, at_once=True))
            groups_of = [tuple(group) for _, group in told]
            if len(groups_of) != 1 or len(groups_of[0][2]) != 1:
                groups_of = [("FA", answers.VERSION_999, answers.write_999(verdicts))]
        return write_interchange(
            route=_route(interchange),
            control_number=self._store.next("outbound"),
            at=now,
            groups_of=groups_of,
            ta1=ta1,
        )

    def answer(self, row: Any, now: datetime) -> None:
        """Answer one interchange of the store; only inside `store.change()`."""
        interchange = read(row["data"])
        self._store.run("UPDATE interchange SET answered = 1 WHERE id = ?", row["id"])
        due_at = row["received_at"] + self._delay
        route = _route(interchange)
        common = {"route": [list(route.sender), list(route.receiver), route.usage]}
        if row["note"] != guide.ACCEPTED:
            ta1 = answers.write_ta1(interchange, row["note"])
            self._wait(row["id"], "TA1", {**common, "ta1": ta1}, due_at)
            return
        verdicts = guide.check_groups(interchange)
        batches = [
            (read_batch(one.transaction), one.accepted and not group.codes)
            for group in verdicts
            if group.group.header.at(1) == "HC"
            for one in group.sets
        ]
        quiet = any(
            scenario_of(claim.member_id) in QUIET for batch, _ in batches for claim in batch.claims
        ) or any(self._inquiries.silent(group) for group in verdicts)
        if not quiet:
            self._acknowledge(row["id"], interchange, verdicts, common, due_at)
        sets_277: list[list[str]] = []
        paid: list[_Paid] = []
        for batch, accepted in batches:
            judged = [self._judge(row, claim, accepted, now) for claim in batch.claims]
            if accepted and batch.claims:
                sets_277 += self._status(batch, judged, now)
            paid += self._decide(row, judged, now)
        if sets_277 and not quiet:
            for number, body in enumerate(sets_277, start=1):
                body[0] = f"ST*277*{number:04d}*{answers.VERSION_277CA}"
            group = ["HN", answers.VERSION_277CA, sets_277]
            self._wait(row["id"], "277CA", {**common, "groups": [group]}, due_at)
        self._pay(row["id"], interchange, paid, common, due_at)
        for kind, group in self._inquiries.answers(verdicts, interchange, now):
            if not quiet:
                self._wait(row["id"], kind, {**common, "groups": [group]}, due_at)

    def _acknowledge(
        self,
        identity: str,
        interchange: Interchange,
        verdicts: list[guide.GroupVerdict],
        common: dict[str, Any],
        due_at: float,
    ) -> None:
        if interchange.wants_ta1:
            ta1 = answers.write_ta1(interchange, guide.ACCEPTED)
            self._wait(identity, "TA1", {**common, "ta1": ta1}, due_at)
        group = ["FA", answers.VERSION_999, answers.write_999(verdicts)]
        self._wait(identity, "999", {**common, "groups": [group]}, due_at)

    def _status(
        self, batch: Batch, judged: list[answers.ClaimVerdict], now: datetime
    ) -> list[list[str]]:
        reference = f"{self._series}{self._store.next('status'):08d}"
        return answers.write_277ca(batch, judged, reference=reference, at=now)

    def _judge(self, row: Any, claim: Claim, accepted: bool, now: datetime) -> answers.ClaimVerdict:
        """Accept or refuse one claim, and keep the answer."""
        refusal, text, icn, outcome = None, "", "", "rejected_999"
        if accepted:
            known = self._original(claim) is not None
            refused = answers.refusal_of(claim, original_known=known)
            if refused is None:
                icn = f"{now:%y%j}{self._series}{self._store.next('icn'):06d}"
                outcome = "accepted"
            else:
                (refusal, text), outcome = refused, "rejected_277ca"
        self._store.run(
            "INSERT INTO claim (interchange_id, sender, number, icn, frequency, charge, outcome)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(row["id"], row["sender"], claim.number, icn, claim.frequency),
            *(str(claim.charge), outcome),
        )
        return answers.ClaimVerdict(claim, icn, refusal, text)

    def _original(self, claim: Claim) -> ClaimPaid | None:
        """The decision in force on the claim named by REF*F8."""
        row = self._store.row(
            "SELECT decision FROM claim WHERE icn = ? AND icn != '' AND decision IS NOT NULL",
            claim.original_number,
        )
        return None if row is None else load_claim(row["decision"])

    def _decide(
        self, row: Any, judged: Iterable[answers.ClaimVerdict], now: datetime
    ) -> list[_Paid]:
        paid: list[_Paid] = []
        for verdict in judged:
            if not verdict.icn:
                continue
            claim = verdict.claim
            original = self._original(claim) if claim.frequency in ("7", "8") else None
            earlier = self._store.row(
                "SELECT 1 FROM claim WHERE sender = ? AND number = ? AND outcome = 'accepted'"
                " AND icn < ?",
                *(row["sender"], claim.number, verdict.icn),
            )
            decision = decide(
                claim,
                Context(
                    icn=verdict.icn,
                    received_on=f"{now:%Y%m%d}",
                    seen_before=earlier is not None,
                    original=original,
                ),
            )
            if original is not None:
                # Once replaced or voided, a claim can be neither again.
                self._store.run("UPDATE claim SET decision = NULL WHERE icn = ?", original.icn)
            if decision.final is not None:
                self._store.run(
                    "UPDATE claim SET decision = ? WHERE icn = ?",
                    *(dump_claim(decision.final), verdict.icn),
                )
            paid += [_Paid(claim, payment) for payment in decision.payments]
        return paid

    def _pay(
        self,
        identity: str,
        interchange: Interchange,
        paid: list[_Paid],
        common: dict[str, Any],
        due_at: float,
    ) -> None:
        """Put the payments on checks: ordinary ones together per payer and payee, others alone."""
        checks: dict[tuple[str, ...], list[_Paid]] = {}
        for number, one in enumerate(paid):
            claim = one.claim
            alone = "" if one.payment.shared else str(number)
            checks.setdefault((claim.payer_id, claim.billing_npi, alone), []).append(one)
        for members in checks.values():
            claim = members[0].claim
            parties = era.Parties(
                payer_name=claim.payer_name, payer_id=claim.payer_id,
                payee_name=claim.billing_name, payee_npi=claim.billing_npi,
                payee_tax_id=claim.billing_tax_id, receiver_id=interchange.sender[1],
            )  # fmt: skip
            payload = {
                **common,
                "parties": asdict(parties),
                "claims": [asdict(c) for one in members for c in one.payment.claims],
                "adjustments": [asdict(a) for one in members for a in one.payment.adjustments],
                "copies": members[0].payment.copies,
            }
            held = members[0].payment.held
            self._wait(identity, "835", payload, None if held else due_at)

    def _wait(
        self, identity: str, kind: str, payload: dict[str, Any], due_at: float | None
    ) -> None:
        self._store.run(
            "INSERT INTO waiting (interchange_id, kind, payload, due_at) VALUES (?, ?, ?, ?)",
            *(identity, kind, dump(payload), due_at),
        )

    def release(self, now: datetime, *, everything: bool) -> list[tuple[str, bytes]]:
        """Write the answers that are due (or all); only inside `store.change()`."""
        rows = self._store.rows(
            "SELECT * FROM waiting WHERE ? OR due_at <= ? ORDER BY position",
            *(everything, now.timestamp()),
        )
        written = []
        for row in rows:
            payload = json.loads(row["payload"])
            body = self._check(payload, now) if row["kind"] == "835" else payload
            for _ in range(payload.get("copies", 1)):
                written.append(self._write(row, body, now))
            self._store.run("DELETE FROM waiting WHERE position = ?", row["position"])
        return written

    def _check(self, payload: dict[str, Any], now: datetime) -> dict[str, Any]:
        """One check as a group of one set, numbered and netted at the moment it is paid."""
        parties = era.Parties(**payload["parties"])
        claims = tuple(load_claim(claim) for claim in payload["claims"])
        entries = [load_provider(entry) for entry in payload["adjustments"]]
        trace = f"{self._series}{self._store.next('check'):08d}"
        account = f"{parties.payer_id}:{parties.payee_npi}"
        row = self._store.row("SELECT owed FROM balance WHERE account = ?", account)
        owed = Decimal(0) if row is None else Decimal(row["owed"])
        adjustments, owed = era.carry_forward(claims, entries, owed, trace)
        self._store.run("INSERT OR REPLACE INTO balance VALUES (?, ?)", account, str(owed))
        check = era.Check(parties, trace, now.date(), claims, adjustments)
        for claim in claims:
            self._store.run(
                "INSERT INTO payment (icn, paid, trace, paid_on, decision) VALUES (?, ?, ?, ?, ?)",
                *(claim.icn, str(claim.paid), trace, f"{now:%Y%m%d}", dump_claim(claim)),
            )
        group = ["HP", era.VERSION_835, [era.write_835(check, "0001")]]
        return {"route": payload["route"], "groups": [group]}

    def _write(self, row: Any, body: dict[str, Any], now: datetime) -> tuple[str, bytes]:
        sender, receiver, usage = body["route"]
        number = self._store.next("outbound")
        data = write_interchange(
            route=Route(tuple(sender), tuple(receiver), usage),
            control_number=number,
            at=now,
            groups_of=[tuple(group) for group in body.get("groups", ())],
            ta1=body.get("ta1", ""),
        )
        name = f"{number:08d}_{row['kind']}.x12"
        self._store.run(
            "INSERT INTO outbound (name, kind, sha256, data, created_at, interchange_id)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(name, row["kind"], hashlib.sha256(data).hexdigest(), data, now.timestamp()),
            row["interchange_id"],
        )
        return name, data
