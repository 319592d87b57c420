"""Papers as PDF: typeset from what was frozen, so that the same paper always says the same."""

from __future__ import annotations

from typing import Any

from rapport.kernel.ids import type_id
from rapport.platform.paper.typeset import typeset

from .models import Paper
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
        return {
            "heads": ["Day", "", "Service of", "Amount", "Balance"], "left": 3, "rows": rows,
            "totals": [["Balance before", dollars(content["opening"])], ["Balance", dollars(content["closing"])]],
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


def _word(line: dict[str, Any]) -> str:
    word = _MOVED.get(line["kind"], line["kind"].replace("_", " "))
    return f"{word}, undone" if line["undoes"] else word
