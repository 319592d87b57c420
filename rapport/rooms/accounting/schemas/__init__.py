"""The shapes of papers, debts, pay and the journal in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, Instant, MoneyIn, MoneyOut, Shape, instant
from rapport.rooms.accounting.models import BookEntry, BookLink, Paper, PayReport, PayRule
from rapport.rooms.accounting.rules.aging import Aged
from rapport.rooms.accounting.rules.journal import NAMES, Total
from rapport.rooms.accounting.states import PayBasis


class PatientPaperIn(Input):
    """Whose paper, and about which days of service or posting."""

    patient_id: str = Field(max_length=40)
    from_on: date
    to_on: date


class InvoiceIn(Input):
    """Who is to pay for visits of which days, and by when: a patient, or an organisation that pays for patients."""

    patient_id: str | None = Field(default=None, max_length=40)
    payer_id: str | None = Field(
        default=None, max_length=40, description="A payer that is billed by invoice; in place of `patient_id`."
    )
    from_on: date
    to_on: date
    due_on: date | None = None


class CreditIn(Input):
    """Why the invoice is taken back."""

    reason: str = Field(min_length=3, max_length=200)


class PeriodIn(Input):
    """First and last day."""

    from_on: date
    to_on: date


class CodeAmountIn(Input):
    """What a visit of this service code earns."""

    code: str = Field(min_length=1, max_length=10)
    amount: MoneyIn


class PayRuleIn(Input):
    """How a clinician is paid from a day on."""

    clinician_id: str = Field(max_length=40)
    from_on: date
    basis: PayBasis = PayBasis.COLLECTED
    basis_points: int = Field(ge=0, le=10_000, strict=True, description="Hundredths of a percent.")
    per_code: list[CodeAmountIn] = Field(
        default=[], max_length=50, description="A fixed amount for each visit charged, in place of the percentage."
    )


class InvoiceLine(Struct):
    """One visit: what was charged, who paid what, and what is due."""

    appointment_id: str
    service_on: Day
    code: str | None
    label: str
    charged: MoneyOut
    paid_by_payers: MoneyOut
    adjusted: MoneyOut
    payers_owe: MoneyOut
    paid: MoneyOut
    due: MoneyOut
    about: Annotated[
        str | None, Meta(description="To an organisation: what is said of whom it is about, by its `invoice_name`.")
    ] = None
    diagnoses: Annotated[list[str], Meta(description="To an organisation, where it is told them.")] = []
    authorization: Annotated[str | None, Meta(description="To an organisation: the grant's number.")] = None
    warnings: Annotated[
        list[str], Meta(description="To an organisation: such as `authorization-exhausted`. Not printed.")
    ] = []


class InvoiceOut(Shape):
    """An invoice, or the credit note that takes one back. It never changes."""

    object: Literal["invoice"]
    id: str
    kind: Literal["invoice", "credit_note"]
    number: Annotated[int, Meta(description="1, 2, 3 … in the practice, without a gap.")]
    patient_id: Annotated[str | None, Meta(description="null: an organisation's.")]
    payer_id: Annotated[str | None, Meta(description="null: a patient's.")]
    from_on: Day
    to_on: Day
    issued_on: Day
    due_on: Day | None
    lines: list[InvoiceLine]
    total: Annotated[MoneyOut, Meta(description="Below zero on a credit note.")]
    corrects_id: Annotated[str | None, Meta(description="The invoice that this credit note takes back.")]
    corrected_by_id: Annotated[str | None, Meta(description="The credit note that took it back.")]
    reason: str | None
    sha256: str
    version: int
    created_at: Instant


class StatementLine(Struct):
    """One change of what the patient owes."""

    on: Day
    kind: str
    undoes: bool
    service_on: Day | None
    amount: MoneyOut
    balance: MoneyOut


class StatementPlan(Struct):
    """A payment plan, as it stood when the statement was made."""

    payment_plan_id: str
    open: MoneyOut
    overdue: MoneyOut
    next_due_on: Day | None
    next_amount: MoneyOut


class StatementOut(Shape):
    """What happened to a patient's money in a period. Below zero: they have credit."""

    object: Literal["statement"]
    id: str
    patient_id: str
    from_on: Day
    to_on: Day
    issued_on: Day
    opening: MoneyOut
    lines: list[StatementLine]
    closing: MoneyOut
    plans: list[StatementPlan]
    due_now: Annotated[
        MoneyOut, Meta(description="The closing balance, less what payment plans have of it that is not due yet.")
    ]
    sha256: str
    version: int
    created_at: Instant


class SuperbillLine(Struct):
    """One visit that was paid."""

    appointment_id: str
    service_on: Day
    code: str
    modifiers: list[str]
    units: int
    place_of_service_code: str
    diagnoses: list[str]
    clinician: str
    clinician_npi: str
    charged: MoneyOut
    paid: MoneyOut


class SuperbillOut(Shape):
    """What a patient paid, with the codes that their own payer asks for."""

    object: Literal["superbill"]
    id: str
    patient_id: str
    from_on: Day
    to_on: Day
    issued_on: Day
    lines: list[SuperbillLine]
    charged: MoneyOut
    paid: MoneyOut
    sha256: str
    version: int
    created_at: Instant


class AgingGroup(Struct):
    """What one payer, clinician or patient's visits leave open, by age of the service."""

    id: Annotated[str | None, Meta(description="Null: no payer or clinician is known.")]
    days_0_30: MoneyOut
    days_31_60: MoneyOut
    days_61_90: MoneyOut
    days_91_120: MoneyOut
    over_120: MoneyOut
    total: MoneyOut
    overpaid: Annotated[MoneyOut, Meta(description="Paid beyond what was owed; in no bucket and not in the total.")]


class AgingOut(Shape):
    """What is owed at the end of a day."""

    object: Literal["aging"]
    as_of: Day
    owed_by: Literal["patient", "insurance"]
    group_by: Literal["payer", "clinician", "patient"]
    groups: list[AgingGroup]
    all: AgingGroup


class JournalLine(Struct):
    """What was posted to an account on a day; a debit is positive."""

    on: Day
    account: str
    name: Annotated[str, Meta(description="As the other formats call it.")]
    amount: MoneyOut


class JournalOut(Shape):
    """Totals of days and accounts; those of a day add up to zero. It tells of no person."""

    object: Literal["journal"]
    from_on: Day
    to_on: Day
    lines: list[JournalLine]


class CodeAmount(Struct):
    """What a visit of a service code earns."""

    code: str
    amount: MoneyOut


class PayRuleOut(Shape):
    """How a clinician is paid from a day on, until the next rule."""

    object: Literal["pay_rule"]
    id: str
    clinician_id: str
    from_on: Day
    basis: Literal["collected", "billed"]
    basis_points: int
    per_code: list[CodeAmount]
    version: int
    created_at: Instant


class PayLine(Struct):
    """What the visits of one service code come to."""

    code: str
    visits: int
    charged: MoneyOut
    collected: MoneyOut
    pay: MoneyOut


class ClinicianPay(Struct):
    """What one clinician earned."""

    clinician_id: str
    name: str
    basis: Annotated[str | None, Meta(description="Null: nothing was agreed with them.")]
    basis_points: int | None
    lines: list[PayLine]
    pay: MoneyOut


class PayReportOut(Shape):
    """What clinicians earned in a period, as it was reckoned once."""

    object: Literal["pay_report"]
    id: str
    from_on: Day
    to_on: Day
    clinicians: list[ClinicianPay]
    total: MoneyOut
    sha256: str
    version: int
    created_at: Instant


def _money(line: Mapping[str, Any], *names: str) -> dict[str, MoneyOut]:
    return {name: MoneyOut(line[name]) for name in names}


def _visit(line: Mapping[str, Any]) -> str:
    return type_id("appointment", UUID(line["appointment_id"]))


def _patient(paper: Paper) -> str:
    assert paper.patient_id is not None  # a constraint: invoices and their credit notes alone go to payers
    return type_id("patient", paper.patient_id)


def invoice_out(paper: Paper, *, credit_note_id: UUID | None) -> InvoiceOut:
    """Return the shape of an invoice or a credit note."""
    sign = -1 if paper.kind == "credit_note" else 1
    return InvoiceOut(
        object="invoice",
        id=type_id("invoice", paper.id),
        kind=paper.kind,  # type: ignore[arg-type]
        number=paper.number or 0,
        patient_id=type_id("patient", paper.patient_id) if paper.patient_id else None,
        payer_id=type_id("payer", paper.payer_id) if paper.payer_id else None,
        from_on=paper.from_on,
        to_on=paper.to_on,
        issued_on=paper.issued_on,
        due_on=paper.due_on,
        lines=[
            InvoiceLine(
                appointment_id=_visit(line), service_on=date.fromisoformat(line["service_on"]), code=line["code"],
                label=line["label"], due=MoneyOut(sign * line["due"]), about=line.get("about"),
                diagnoses=line.get("diagnoses", []), authorization=line.get("authorization") or None,
                warnings=line.get("warnings", []),
                **_money(line, "charged", "paid_by_payers", "adjusted", "payers_owe", "paid"),
            )
            for line in paper.content["lines"]
        ],
        total=MoneyOut(paper.cents),
        corrects_id=type_id("invoice", paper.corrects_id) if paper.corrects_id else None,
        corrected_by_id=type_id("invoice", credit_note_id) if credit_note_id else None,
        reason=paper.reason or None,
        sha256=bytes(paper.sha256).hex(),
        version=2 if credit_note_id else 1,
        created_at=instant(paper.created_at),
    )  # fmt: skip


def statement_out(paper: Paper) -> StatementOut:
    """Return the shape of a statement."""
    content = paper.content
    return StatementOut(
        object="statement",
        id=type_id("statement", paper.id),
        patient_id=_patient(paper),
        from_on=paper.from_on,
        to_on=paper.to_on,
        issued_on=paper.issued_on,
        lines=[
            StatementLine(
                on=date.fromisoformat(line["on"]), kind=line["kind"], undoes=line["undoes"],
                service_on=date.fromisoformat(line["service_on"]) if line["service_on"] else None,
                **_money(line, "amount", "balance"),
            )
            for line in content["lines"]
        ],
        plans=[
            StatementPlan(
                payment_plan_id=type_id("payment_plan", UUID(plan["payment_plan_id"])),
                next_due_on=date.fromisoformat(plan["next_due_on"]) if plan["next_due_on"] else None,
                **_money(plan, "open", "overdue", "next_amount"),
            )
            for plan in content.get("plans", [])
        ],
        due_now=MoneyOut(content.get("due_now", max(0, content["closing"]))),
        sha256=bytes(paper.sha256).hex(),
        version=1,
        created_at=instant(paper.created_at),
        **_money(content, "opening", "closing"),
    )  # fmt: skip


def superbill_out(paper: Paper) -> SuperbillOut:
    """Return the shape of a superbill."""
    content = paper.content
    words = (
        "code", "modifiers", "units", "place_of_service_code", "diagnoses", "clinician", "clinician_npi",
    )  # fmt: skip
    return SuperbillOut(
        object="superbill",
        id=type_id("superbill", paper.id),
        patient_id=_patient(paper),
        from_on=paper.from_on,
        to_on=paper.to_on,
        issued_on=paper.issued_on,
        lines=[
            SuperbillLine(
                appointment_id=_visit(line), service_on=date.fromisoformat(line["service_on"]),
                charged=MoneyOut(line["charged"]), paid=MoneyOut(line["paid"]),
                **{word: line[word] for word in words},
            )
            for line in content["lines"]
        ],
        sha256=bytes(paper.sha256).hex(),
        version=1,
        created_at=instant(paper.created_at),
        **_money(content, "charged", "paid"),
    )  # fmt: skip


def aging_group(id: str | None, group: Aged) -> AgingGroup:
    """Return the shape of a group of debts."""
    young, older, old, very_old, ancient = (MoneyOut(cents) for cents in group.buckets)
    return AgingGroup(
        id, young, older, old, very_old, ancient, MoneyOut(sum(group.buckets)), MoneyOut(group.overpaid_cents)
    )


def journal_out(totals: Sequence[Total], *, from_on: date, to_on: date) -> JournalOut:
    """Return the shape of the journal."""
    return JournalOut(
        object="journal",
        from_on=from_on,
        to_on=to_on,
        lines=[
            JournalLine(one.on, one.account.value, NAMES[one.account], MoneyOut(one.cents)) for one in totals
        ],
    )


def pay_rule_out(rule: PayRule) -> PayRuleOut:
    """Return the shape of a rule."""
    return PayRuleOut(
        object="pay_rule",
        id=type_id("pay_rule", rule.id),
        clinician_id=type_id("clinician", rule.clinician_id),
        from_on=rule.from_on,
        basis=rule.basis,  # type: ignore[arg-type]
        basis_points=rule.basis_points,
        per_code=[CodeAmount(code, MoneyOut(cents)) for code, cents in rule.per_code.items()],
        version=1,
        created_at=instant(rule.created_at),
    )


def pay_report_out(report: PayReport) -> PayReportOut:
    """Return the shape of a pay report."""
    return PayReportOut(
        object="pay_report",
        id=type_id("pay_report", report.id),
        from_on=report.from_on,
        to_on=report.to_on,
        clinicians=[
            ClinicianPay(
                clinician_id=one["clinician_id"], name=one["name"], basis=one["basis"],
                basis_points=one["basis_points"], pay=MoneyOut(one["pay"]),
                lines=[
                    PayLine(code=line["code"], visits=line["visits"], **_money(line, "charged", "collected", "pay"))
                    for line in one["lines"]
                ],
            )
            for one in report.content["clinicians"]
        ],
        total=MoneyOut(report.cents),
        sha256=bytes(report.sha256).hex(),
        version=1,
        created_at=instant(report.created_at),
    )  # fmt: skip


class QuickbooksLinkIn(Input):
    """From which day on totals are sent."""

    from_on: date


class CallbackIn(Input):
    """What a person came back from Intuit with."""

    state: str = Field(min_length=20, max_length=100)
    code: str = Field(min_length=1, max_length=200)
    company: str = Field(min_length=1, max_length=40, pattern=r"^[0-9]+$", description="`realmId` there.")


class MappingIn(Input):
    """Which of our accounts is which there."""

    mapping: dict[str, str] = Field(max_length=20, description="Our account: its id there.")


class BookAccount(Struct):
    """An account of the practice's books there."""

    id: str
    name: str
    kind: str


class BookLinkOut(Shape):
    """The link to the practice's books at QuickBooks Online."""

    object: Literal["book_link"]
    id: str
    state: Literal["asked", "linked", "signed_out"]
    company: str | None
    from_on: Day | None
    accounts: list[BookAccount]
    mapping: dict[str, str]
    unmapped: Annotated[list[str], Meta(description="Accounts of ours that are still to be mapped.")]
    last_code: str | None
    authorize_url: Annotated[str | None, Meta(description="Where a person allows the link; given once, when it is asked for.")]
    version: int
    updated_at: Instant


class BookEntryLine(Struct):
    """What went to one of our accounts; a debit is positive."""

    account: str
    amount: MoneyOut


class BookEntryOut(Shape):
    """Totals of one closed day for the books elsewhere, or what was added to them since."""

    object: Literal["book_entry"]
    id: str
    on: Day
    revision: int
    number: Annotated[str, Meta(description="Its number there.")]
    lines: list[BookEntryLine]
    state: Literal["ready", "sending", "in_doubt", "kept", "refused"]
    remote_id: str | None
    last_code: str | None
    version: int
    updated_at: Instant


def link_out(link: BookLink, *, authorize_url: str | None = None) -> BookLinkOut:
    """Return the shape of a link: never a token or a code."""
    return BookLinkOut(
        object="book_link",
        id=type_id("book_link", link.id),
        state=link.state,  # type: ignore[arg-type]
        company=link.company or None,
        from_on=link.from_on,
        accounts=[BookAccount(**account) for account in link.accounts],
        mapping=link.mapping,
        unmapped=[account.value for account in NAMES if account.value not in link.mapping],
        last_code=link.last_code or None,
        authorize_url=authorize_url,
        version=link.version,
        updated_at=instant(link.updated_at),
    )


def entry_out(entry: BookEntry) -> BookEntryOut:
    """Return the shape of an entry."""
    return BookEntryOut(
        object="book_entry",
        id=type_id("book_entry", entry.id),
        on=entry.on,
        revision=entry.revision,
        number=entry.number,
        lines=[BookEntryLine(account, MoneyOut(cents)) for account, cents in entry.lines],
        state=entry.state,  # type: ignore[arg-type]
        remote_id=entry.remote_id or None,
        last_code=entry.last_code or None,
        version=entry.version,
        updated_at=instant(entry.updated_at),
    )
