"""Invoices, statements and superbills."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.accounting import examples, queries, services
from rapport.rooms.accounting import schemas as s
from rapport.rooms.accounting.models import Paper
from rapport.rooms.accounting.paper import paper_pdf
from rapport.rooms.accounting.states import PaperKind

from .base import PDF, file, router, wants

NUMBERED = (PaperKind.INVOICE, PaperKind.CREDIT_NOTE)


def _list(route: str, kinds: tuple[PaperKind, ...], build_page: object) -> ListSpec:
    named = ", ".join(f"'{kind.value}'" for kind in kinds)
    filters = {
        "patient_id": Filter("a.patient_id", "id:patient"),
        "payer_id": Filter("a.payer_id", "id:payer"),
        "issued_on": Filter("a.issued_on", "date", ("eq", "gte", "gt", "lt", "lte")),
    }
    if len(kinds) > 1:
        filters["kind"] = Filter("a.kind", f"enum:{'|'.join(kinds)}")
    return ListSpec(
        route=route, columns="a.id, a.patient_id", source="accounting_paper a", id_column="a.id",
        practice_column="a.practice_id", sorts={"created_at": Sort("a.created_at", "timestamptz")},
        default_sort="-created_at", filters=filters, where=f"a.kind IN ({named})", patient_index=1,
        build_page=build_page,  # type: ignore[arg-type]
    )  # fmt: skip


def _invoices(ids: list[UUID], scope: Scope) -> list[s.InvoiceOut]:
    notes = queries.credit_notes_of(scope=scope, invoice_ids=ids)
    papers = queries.papers_of(scope=scope, paper_ids=ids)
    return [s.invoice_out(paper, credit_note_id=notes.get(paper.id)) for paper in papers]


INVOICES = _list("invoices", NUMBERED, _invoices)
STATEMENTS = _list(
    "statements", (PaperKind.STATEMENT,),
    lambda ids, scope: [s.statement_out(paper) for paper in queries.papers_of(scope=scope, paper_ids=ids)],
)  # fmt: skip
SUPERBILLS = _list(
    "superbills", (PaperKind.SUPERBILL,),
    lambda ids, scope: [s.superbill_out(paper) for paper in queries.papers_of(scope=scope, paper_ids=ids)],
)  # fmt: skip


def _answer(request: ScopedRequest, paper: Paper, kind: str, *, status: int | None = None) -> Answer:
    """Show a paper, as PDF where that is what the caller accepts."""
    scope = request.auth
    scope.trail.target(kind, paper.id, 1)
    if paper.patient_id is not None:
        scope.trail.patient_ids.add(paper.patient_id)
    if status is None and wants(request, PDF):
        return file(paper_pdf(paper), PDF, f"{kind}-{paper.id}.pdf")
    shape: s.InvoiceOut | s.StatementOut | s.SuperbillOut
    if kind == "invoice":
        note = queries.credit_note_of(scope=scope, invoice_id=paper.id)
        shape = s.invoice_out(paper, credit_note_id=note.id if note else None)
    else:
        shape = s.statement_out(paper) if kind == "statement" else s.superbill_out(paper)
    return Answer(shape, status=status, etag=etags.of(paper.id, shape.version))


@router.get(
    "/invoices",
    summary="List invoices",
    needs=Permission.LEDGER_READ,
    action="invoice.list",
    returns=(200, s.InvoiceOut),
    list_spec=INVOICES,
    example=examples.page(examples.INVOICE),
)
def list_invoices(request: ScopedRequest) -> Answer:
    """Invoices and credit notes, the latest first."""
    return INVOICES.run(request, scope=request.auth)


@router.post(
    "/invoices",
    summary="Invoice a patient or an organisation",
    needs=Permission.PAYMENTS_WRITE,
    action="invoice.create",
    returns=(201, s.InvoiceOut),
    key="required",
    key_days=30,
    problems=(services.NothingToPrint,),
    example=examples.INVOICE,
    request_example=examples.NEW_INVOICE,
)
def issue_invoice(request: ScopedRequest, body: s.InvoiceIn) -> Answer:
    """
    Ask for what the patient owes for the visits of a period, as far as no standing invoice asks for it. With `payer_id`
    an organisation (EAP, employer, school, court, grant) is asked for what it owes for its patients, and told no more
    of them than its `invoice_name` and `invoice_detail` say.

    It is numbered without a gap and never changes: what is wrong is taken back by a credit note. Emits
    `invoice.issued`.
    """
    issue = services.issue_invoice if body.payer_id is None else services.invoice_payer
    paper = issue(scope=request.auth, body=body, now=timezone.now())
    return _answer(request, paper, "invoice", status=201)


@router.get(
    "/invoices/{invoice_id}",
    summary="Read an invoice",
    needs=Permission.LEDGER_READ,
    action="invoice.read",
    returns=(200, s.InvoiceOut),
    example=examples.INVOICE,
    other_types={PDF: "To print or to send."},
)
def get_invoice(request: ScopedRequest, invoice_id: str) -> Answer:
    """One invoice or credit note, as it was issued; `Accept: application/pdf` gives it as a paper."""
    paper = queries.get_paper(scope=request.auth, paper_id=path_id("invoice", invoice_id), kinds=NUMBERED)
    return _answer(request, paper, "invoice")


@router.post(
    "/invoices/{invoice_id}/credit",
    summary="Take an invoice back",
    needs=Permission.PAYMENTS_WRITE,
    action="invoice.credit",
    returns=(201, s.InvoiceOut),
    key="required",
    key_days=30,
    problems=(services.AlreadyCredited,),
    example=examples.CREDIT_NOTE,
    request_example=examples.CREDIT,
)
def credit_invoice(request: ScopedRequest, invoice_id: str, body: s.CreditIn) -> Answer:
    """
    Take an invoice back, whole, by a credit note with the next number. The ledger stays as it is, and the
    visits can be invoiced again. Emits `invoice.credited`.
    """
    paper = services.credit_invoice(
        scope=request.auth, invoice_id=path_id("invoice", invoice_id), reason=body.reason, now=timezone.now()
    )
    return _answer(request, paper, "invoice", status=201)


@router.get(
    "/statements",
    summary="List statements",
    needs=Permission.LEDGER_READ,
    action="statement.list",
    returns=(200, s.StatementOut),
    list_spec=STATEMENTS,
    example=examples.page(examples.STATEMENT),
)
def list_statements(request: ScopedRequest) -> Answer:
    """Statements that were made, the latest first."""
    return STATEMENTS.run(request, scope=request.auth)


@router.post(
    "/statements",
    summary="Make a statement",
    needs=Permission.PAYMENTS_WRITE,
    action="statement.create",
    returns=(201, s.StatementOut),
    example=examples.STATEMENT,
    request_example=examples.NEW_PAPER,
)
def issue_statement(request: ScopedRequest, body: s.PatientPaperIn) -> Answer:
    """Say what happened to a patient's money in a period, and what they owe at its end. It never changes."""
    paper = services.issue_statement(scope=request.auth, body=body, now=timezone.now())
    return _answer(request, paper, "statement", status=201)


@router.get(
    "/statements/{statement_id}",
    summary="Read a statement",
    needs=Permission.LEDGER_READ,
    action="statement.read",
    returns=(200, s.StatementOut),
    example=examples.STATEMENT,
    other_types={PDF: "To print or to send."},
)
def get_statement(request: ScopedRequest, statement_id: str) -> Answer:
    """One statement, as it was made; `Accept: application/pdf` gives it as a paper."""
    id = path_id("statement", statement_id)
    paper = queries.get_paper(scope=request.auth, paper_id=id, kinds=(PaperKind.STATEMENT,))
    return _answer(request, paper, "statement")


@router.get(
    "/superbills",
    summary="List superbills",
    needs=Permission.LEDGER_READ,
    action="superbill.list",
    returns=(200, s.SuperbillOut),
    list_spec=SUPERBILLS,
    example=examples.page(examples.SUPERBILL),
)
def list_superbills(request: ScopedRequest) -> Answer:
    """Superbills that were made, the latest first."""
    return SUPERBILLS.run(request, scope=request.auth)


@router.post(
    "/superbills",
    summary="Make a superbill",
    needs=Permission.PAYMENTS_WRITE,
    action="superbill.create",
    returns=(201, s.SuperbillOut),
    problems=(services.NothingToPrint,),
    example=examples.SUPERBILL,
    request_example=examples.NEW_PAPER,
)
def issue_superbill(request: ScopedRequest, body: s.PatientPaperIn) -> Answer:
    """
    List the visits of a period that the patient has paid, with codes, diagnoses and who treated them.

    Left out are fees for missed visits, visits that are not paid, and visits without a signed note.
    """
    paper = services.issue_superbill(scope=request.auth, body=body, now=timezone.now())
    return _answer(request, paper, "superbill", status=201)


@router.get(
    "/superbills/{superbill_id}",
    summary="Read a superbill",
    needs=Permission.LEDGER_READ,
    action="superbill.read",
    returns=(200, s.SuperbillOut),
    example=examples.SUPERBILL,
    other_types={PDF: "To print or to send."},
)
def get_superbill(request: ScopedRequest, superbill_id: str) -> Answer:
    """One superbill, as it was made; `Accept: application/pdf` gives it as a paper."""
    id = path_id("superbill", superbill_id)
    paper = queries.get_paper(scope=request.auth, paper_id=id, kinds=(PaperKind.SUPERBILL,))
    return _answer(request, paper, "superbill")
