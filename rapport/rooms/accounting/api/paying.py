"""How clinicians are paid, and what they earned."""

from __future__ import annotations

import csv
import io

from django.utils import timezone

from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.accounting import examples, queries, services
from rapport.rooms.accounting import schemas as s
from rapport.rooms.accounting.models import PayReport
from rapport.rooms.accounting.rules.journal import dollars

from .base import CSV, MANAGE, READ, file, router, wants

RULES = ListSpec(
    route="pay-rules",
    columns="u.id",
    source="accounting_payrule u",
    id_column="u.id",
    practice_column="u.practice_id",
    sorts={"created_at": Sort("u.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={"clinician_id": Filter("u.clinician_id", "id:clinician")},
    build_page=lambda ids, scope: [
        s.pay_rule_out(row) for row in queries.pay_rules_of(scope=scope, rule_ids=ids)
    ],
)
REPORTS = ListSpec(
    route="pay-reports",
    columns="y.id",
    source="accounting_payreport y",
    id_column="y.id",
    practice_column="y.practice_id",
    sorts={"created_at": Sort("y.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={"to_on": Filter("y.to_on", "date", ("eq", "gte", "gt", "lt", "lte"))},
    build_page=lambda ids, scope: [
        s.pay_report_out(row) for row in queries.pay_reports_of(scope=scope, report_ids=ids)
    ],
)


@router.get(
    "/pay-rules",
    summary="List pay rules",
    needs=READ,
    action="pay_rule.list",
    returns=(200, s.PayRuleOut),
    list_spec=RULES,
    example=examples.page(examples.PAY_RULE),
)
def list_pay_rules(request: ScopedRequest) -> Answer:
    """How clinicians are paid, the latest agreement first; of one clinician the latest `from_on` holds."""
    return RULES.run(request, scope=request.auth)


@router.post(
    "/pay-rules",
    summary="Agree how a clinician is paid",
    needs=MANAGE,
    action="pay_rule.create",
    returns=(201, s.PayRuleOut),
    example=examples.PAY_RULE,
    request_example=examples.NEW_PAY_RULE,
)
def keep_pay_rule(request: ScopedRequest, body: s.PayRuleIn) -> Answer:
    """A percentage of what was collected or billed for their visits, or a fixed amount for a code, from a day on."""
    rule = services.keep_pay_rule(scope=request.auth, body=body, now=timezone.now())
    return Answer(s.pay_rule_out(rule))


@router.get(
    "/pay-reports",
    summary="List pay reports",
    needs=READ,
    action="pay_report.list",
    returns=(200, s.PayReportOut),
    list_spec=REPORTS,
    example=examples.page(examples.PAY_REPORT),
)
def list_pay_reports(request: ScopedRequest) -> Answer:
    """Pay reports that were made, the latest first."""
    return REPORTS.run(request, scope=request.auth)


@router.post(
    "/pay-reports",
    summary="Make a pay report",
    needs=MANAGE,
    action="pay_report.create",
    returns=(201, s.PayReportOut),
    example=examples.PAY_REPORT,
    request_example=examples.PERIOD,
)
def make_pay_report(request: ScopedRequest, body: s.PeriodIn) -> Answer:
    """
    Reckon what clinicians earned by what was posted in a period, and keep it as it is.

    Money that was taken back takes from what they earn. Emits `pay_report.made`.
    """
    report = services.make_pay_report(scope=request.auth, body=body, now=timezone.now())
    return Answer(s.pay_report_out(report))


@router.get(
    "/pay-reports/{pay_report_id}",
    summary="Read a pay report",
    needs=READ,
    action="pay_report.read",
    returns=(200, s.PayReportOut),
    example=examples.PAY_REPORT,
    other_types={CSV: "A line for each clinician and service code."},
)
def get_pay_report(request: ScopedRequest, pay_report_id: str) -> Answer:
    """One pay report, as it was reckoned; `Accept: text/csv` gives it as a file."""
    id = path_id("pay_report", pay_report_id)
    report = queries.get_pay_report(scope=request.auth, report_id=id)
    request.auth.trail.target("pay_report", report.id, 1)
    if wants(request, CSV):
        return file(_csv(report).encode(), f"{CSV}; charset=utf-8", f"{pay_report_id}.csv")
    return Answer(s.pay_report_out(report), etag=etags.of(report.id, 1))


def _csv(report: PayReport) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["clinician_id", "clinician", "code", "visits", "charged", "collected", "pay"])
    for one in report.content["clinicians"]:
        for line in one["lines"]:
            writer.writerow(
                [
                    one["clinician_id"], one["name"].lstrip("=+-@\t\r"), line["code"], line["visits"],
                    dollars(line["charged"]), dollars(line["collected"]), dollars(line["pay"]),
                ]
            )  # fmt: skip
    return out.getvalue()
