"""Papers as PDF: typeset from what was frozen, so that the same paper always says the same."""

from __future__ import annotations

from datetime import date
from typing import Any

from rapport.kernel.ids import type_id
from rapport.platform.paper.typeset import typeset

from .models import Paper, PaymentPlan
from .rules.journal import dollars
from .states import PaperKind

_TITLES = {
    PaperKind.INVOICE: "Invoice",
    PaperKind.CREDIT_NOTE: "Credit note",
    PaperKind.STATEMENT: "Statement of account",
    PaperKind.SUPERBILL: "Superbill",
}
_MOVED = {
    "charge": "Charge", "transfer_to_patient": "Your share, as your payer decided", "patient_payment": "Payment",
    "write_off": "Adjustment", "refund": "Refund", "refund_set_aside": "Refund",
}  # fmt: skip
_NOTE = (
    "This is a statement of services for your own payer; it is no bill. Codes are those of the day of service."
)


def paper_pdf(paper: Paper) -> bytes:
    """
    Return a paper as PDF.

    :raises CannotTypeset: it could not be made; the reason holds nothing of the paper
    """
    kind = PaperKind(paper.kind)
    content: dict[str, Any] = paper.content
    practice = content["practice"]
    title = _TITLES[kind] + (f" {paper.number}" if paper.number is not None else "")
    made = paper.issued_on
    return typeset(
        "account",
        {
            "title": title,
            "date": [made.year, made.month, made.day],
            "practice": {"name": practice["name"], "lines": [*practice["address"], *_numbers(practice)]},
            "patient": _addressee(content),
            "facts": _facts(paper, kind),
            **_table(content, kind),
            "note": _NOTE if kind is PaperKind.SUPERBILL else "",
            "footer": f"{type_id(_object(kind), paper.id)} · SHA-256 {bytes(paper.sha256).hex()}",
        },
    )


def _addressee(content: dict[str, Any]) -> list[str]:
    to = content.get("payer") or content["patient"]
    return [to["name"], *to["address"]]


def _object(kind: PaperKind) -> str:
    return "invoice" if kind is PaperKind.CREDIT_NOTE else kind.value


def _numbers(practice: dict[str, Any]) -> list[str]:
    named = (("NPI", practice["npi"]), ("Tax id", practice["tax_id"]), ("Phone", practice["phone"]))
    return [f"{name} {value}" for name, value in named if value]


def _facts(paper: Paper, kind: PaperKind) -> list[list[str]]:
    facts = [
        ["Date", paper.issued_on.isoformat()],
        ["Period", f"{paper.from_on.isoformat()} to {paper.to_on.isoformat()}"],
    ]
    if paper.due_on:
        facts.append(["Due", paper.due_on.isoformat()])
    if kind is PaperKind.CREDIT_NOTE:
        facts += [["Takes back", f"invoice {paper.content['corrects']}"], ["Reason", paper.reason]]
    if kind is PaperKind.SUPERBILL:
        facts.append(["Born", paper.content["born_on"]])
    return facts


def _table(content: dict[str, Any], kind: PaperKind) -> dict[str, Any]:
    """Return heads, rows and totals. The first `left` columns are words, the others amounts."""
    lines = content["lines"]
    if kind is PaperKind.STATEMENT:
        rows = [
            [line["on"], _word(line), line["service_on"] or "", dollars(line["amount"]), dollars(line["balance"])]
            for line in lines
        ]
        totals = [["Balance before", dollars(content["opening"])], ["Balance", dollars(content["closing"])]]
        return {
            "heads": ["Day", "", "Service of", "Amount", "Balance"], "left": 3, "rows": rows,
            "totals": totals + _planned(content),
        }  # fmt: skip
    if kind is PaperKind.SUPERBILL:
        rows = [
            [
                line["service_on"], " ".join([line["code"], *line["modifiers"]]), str(line["units"]),
                line["place_of_service_code"], ", ".join(line["diagnoses"]),
                f"{line['clinician']} {line['clinician_npi']}".strip(),
                dollars(line["charged"]), dollars(line["paid"]),
            ]
            for line in lines
        ]  # fmt: skip
        return {
            "heads": ["Day", "Service", "Units", "Place", "Diagnoses", "Clinician, NPI", "Charged", "Paid"],
            "left": 6, "rows": rows,
            "totals": [["Charged", dollars(content["charged"])], ["Paid", dollars(content["paid"])]],
        }  # fmt: skip
    sign = -1 if kind is PaperKind.CREDIT_NOTE else 1
    if "payer" in content:
        return _payer_table(content, sign=sign)
    rows = [
        [
            line["service_on"], " ".join(part for part in (line["code"], line["label"]) if part),
            dollars(line["charged"]), dollars(line["paid_by_payers"] + line["adjusted"]), dollars(line["paid"]),
            dollars(sign * line["due"]),
        ]
        for line in lines
    ]  # fmt: skip
    return {
        "heads": ["Day", "Service", "Charged", "Paid by payers, adjusted", "You paid", "Due"], "left": 2,
        "rows": rows, "totals": [["Total", dollars(sign * content["total"])]],
    }  # fmt: skip


def _payer_table(content: dict[str, Any], *, sign: int) -> dict[str, Any]:
    """Return the table of an invoice to an organisation: no column for what it is not told."""
    rows = [
        [
            line["service_on"], line["about"],
            " ".join([line["code"] or line["label"], *line["diagnoses"]]), line["authorization"],
            dollars(sign * line["due"]),
        ]
        for line in content["lines"]
    ]  # fmt: skip
    return {
        "heads": ["Day", "Reference", "Service", "Authorisation", "Due"], "left": 4, "rows": rows,
        "totals": [["Total", dollars(sign * content["total"])]],
    }  # fmt: skip


def _planned(content: dict[str, Any]) -> list[list[str]]:
    """Return what a statement says of payment plans, and what it asks for in place of the whole balance."""
    totals = []
    for plan in content.get("plans", []):
        totals.append(["In a payment plan", dollars(plan["open"])])
        if plan["overdue"]:
            totals.append(["Of that overdue", dollars(plan["overdue"])])
        if plan["next_due_on"]:
            totals.append([f"Next instalment, due {plan['next_due_on']}", dollars(plan["next_amount"])])
    return [*totals, ["To be paid now", dollars(content["due_now"])]] if totals else []


_HOW = {"in_person": "in person", "phone": "by phone", "video": "by video", "in_writing": "in writing"}
_TERMS = (
    "This plan has no interest and no fee. Whatever is paid for these visits counts for the oldest instalment first. "
    "Where less is owed later, since an insurance pays or something is written off, the last instalments fall away."
)
_BY_CARD = " Instalments may be charged to the card on file that was agreed to separately."


def agreement_pdf(plan: PaymentPlan) -> bytes:
    """
    Return what was agreed as PDF, as it was made: not what became of it.

    :raises CannotTypeset: it could not be made; the reason holds nothing of the plan
    """
    content: dict[str, Any] = plan.content
    practice, agreed = content["practice"], content["agreed"]
    made = date.fromisoformat(content["made_on"])
    visits = ", ".join(day for _, day, _ in content["visits"])
    return typeset(
        "account",
        {
            "title": "Payment plan",
            "date": [made.year, made.month, made.day],
            "practice": {"name": practice["name"], "lines": [*practice["address"], *_numbers(practice)]},
            "patient": _addressee(content),
            "facts": [["Date", content["made_on"]], ["Agreed", agreed["on"]], ["By", f"{agreed['by']}, {_HOW[agreed['how']]}"]],
            "heads": ["Instalment", "Due", "Amount"], "left": 2,
            "rows": [
                [str(number), due_on, dollars(cents)]
                for number, (due_on, cents) in enumerate(content["instalments"], start=1)
            ],
            "totals": [["Interest and fees", dollars(0)], ["Total", dollars(content["total"])]],
            "note": f"For services of {visits}. {_TERMS}" + (_BY_CARD if content["charge_card"] else ""),
            "footer": f"{type_id('payment_plan', plan.id)} · SHA-256 {bytes(plan.sha256).hex()}",
        },
    )  # fmt: skip


def _word(line: dict[str, Any]) -> str:
    word = _MOVED.get(line["kind"], line["kind"].replace("_", " "))
    return f"{word}, undone" if line["undoes"] else word
