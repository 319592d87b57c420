"""
The edge: one request is one transaction, with its scope, its audit row and its stored answer.

The middleware opens an `Edge` for each request; the gate of the route fills it in; at the end
it commits and answers, or rolls back, notes the refusal in the trail, and says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse

from rapport.kernel.ids import new_uuid, parse_type_id, type_id
from rapport.kernel.problems import (
    AuditUnavailable,
    NotFound,
    Problem,
    ReferenceNotFound,
    Unavailable,
)
from rapport.platform.access.scope import Scope, Source
from rapport.platform.audit import write as audit
from rapport.platform.db import sql
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.db.session import set_scope
from rapport.platform.tenancy.queries import house_scope

from . import idempotency, uploads


@dataclass(slots=True)
class Edge:
    """What is known of one request while it runs."""

    request: HttpRequest
    source: Source
    request_id: str
    started: float = field(default_factory=time.perf_counter)
    action: str = ""
    """The audit action of the route; empty: the route is not audited."""
    scope: Scope | None = None
    key: idempotency.Key | None = None
    work_began: bool = False
    """The view was entered: an answer of 409 or 422 from here on is worth keeping."""
    if_match: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    path_ids: list[tuple[str, UUID]] = field(default_factory=list)
    """(kind, id) of the objects named in the path, to find out why one was not seen."""
    problem: Problem | None = None
    failure: Exception | None = None
    """What a view raised that no handler knows: nothing of the request is kept."""
    route: str = ""
    afterwards: Callable[[], HttpResponse | None] | None = None
    """What to do once the work is committed, outside of any transaction, and perhaps a better answer."""
    _atomic: Any = None

    def begin(self) -> None:
        """Open the request's transaction."""
        self._atomic = transaction.atomic()
        self._atomic.__enter__()

    @property
    def is_open(self) -> bool:
        """Tell whether the transaction is open."""
        return self._atomic is not None

    def reset(self) -> None:
        """Forget everything that a second run of the same request must not see."""
        self.action, self.scope, self.key = "", None, None
        self.work_began, self.if_match = False, ""
        self.problem, self.failure, self.afterwards = None, None, None
        self.headers.clear()
        self.path_ids.clear()

    def commit(self, response: HttpResponse, problem: Problem | None = None) -> None:
        """
        Write the audit row and the stored answer, and commit.

        :param problem: a refusal whose work is kept (`Problem.keeps_work`); it is audited as such
        :raises AuditUnavailable: the trail could not be written; everything is rolled back
        """
        if not self.is_open:
            return
        try:
            if self.scope is not None and self.action:
                if problem is not None:
                    self.scope.trail.reason = problem.reason or problem.code
                try:
                    audit.append_trail(
                        scope=self.scope,
                        action=self.action,
                        outcome=problem.outcome if problem else "allow",
                    )
                except (DatabaseError, psycopg.Error) as error:
                    raise AuditUnavailable(headers={"Retry-After": "5"}) from error
            if self.scope is not None and self.key is not None and problem is None:
                idempotency.keep(self.key, scope=self.scope, response=response)
        except BaseException as error:
            self.roll_back(error)
            raise
        if connection.needs_rollback or connection.closed_in_transaction:
            # Django would roll back without a word at the end of the block, and the caller would
            # be told of work that is not there.
            lost = Unavailable(headers={"Retry-After": "1"}, reason="transaction_lost")
            self.roll_back(lost)
            raise lost
        atomic, self._atomic = self._atomic, None
        crashpoint(Crashpoint.BEFORE_COMMIT)
        atomic.__exit__(None, None, None)
        crashpoint(Crashpoint.AFTER_COMMIT)

    def roll_back(self, error: BaseException | None = None) -> None:
        """Undo whatever the request did."""
        if not self.is_open:
            return
        atomic, self._atomic = self._atomic, None
        error = error or Problem()
        try:
            atomic.__exit__(type(error), error, error.__traceback__)
        except (DatabaseError, psycopg.Error):
            connection.close()

    def refuse(self, problem: Problem, response: HttpResponse) -> None:
        """Note a refusal in the trail, in a transaction of its own, after the roll-back."""
        scope = self.scope
        if scope is None or not self.action:
            return
        keep_answer = self.key is not None and self.work_began and problem.status in (409, 422)
        reason = problem.reason or problem.code
        with transaction.atomic():
            set_scope(scope)
            if isinstance(problem, NotFound | ReferenceNotFound) and not problem.reason:
                reason = self._why_unseen(problem)
            audit.append(
                scope=scope,
                action=self.action,
                outcome="error" if problem.status >= 500 else "deny",
                reason=reason,
                target_type=self.path_ids[-1][0] if self.path_ids else None,
                target_id=self.path_ids[-1][1] if self.path_ids else None,
            )
            for further in scope.trail.extra:
                if further.get("outcome") == "deny":
                    audit.append(scope=scope, **further)
            if keep_answer and self.key is not None:
                idempotency.keep(self.key, scope=scope, response=response)

    def _why_unseen(self, problem: Problem) -> str:
        """
        Say for the trail why an object was not seen: elsewhere, out of caseload, or nowhere.

        When it lives in another practice, that practice's trail learns of the try as well. The
        caller is told nothing of this.
        """
        assert self.scope is not None
        wanted: list[tuple[str, UUID]] = list(self.path_ids)
        wanted += problem.data.pop("_sought", [])
        for kind, id in wanted:
            row = sql.one(
                "SELECT rapport_report_probe(%s, %s, %s, %s, %s, %s::inet, %s, %s)",
                (
                    kind, id, self.action, self.scope.actor_type, self.scope.actor_id,
                    self.source.ip or None, self.source.request_id, new_uuid(),
                ),
            )  # fmt: skip
            found = str(row[0]) if row else "missing"
            if isinstance(problem, ReferenceNotFound) and found == "other_practice":
                return "foreign_reference"
            if found == "here" and self.scope.caseload is not None:
                return "no_relationship"
            if found == "other_practice":
                return found
        return "missing"


def fingerprint(request: HttpRequest) -> bytes:
    """Return the digest of method, path and body by which a repeated request is known."""
    digest = sha256()
    for part in (request.method or "", request.get_full_path()):
        digest.update(part.encode() + b"\n")
    # A form's boundary is drawn anew at each try: what counts is the file.
    kind = uploads.FORM if uploads.is_form(request) else request.headers.get("Content-Type") or ""
    digest.update(kind.encode() + b"\n")
    digest.update(uploads.file_in(request))
    return digest.digest()


def new_request_id() -> tuple[UUID, str]:
    """Return a fresh request id, as UUID and in its public form."""
    value = new_uuid()
    return value, type_id("request", value)


def note_path_ids(edge: Edge, kwargs: dict[str, Any]) -> None:
    """Remember the ids in the path: `patient_id="pat_…"` is a patient."""
    for name, value in kwargs.items():
        if name.endswith("_id") and isinstance(value, str):
            kind = PATH_KINDS.get(name)
            id = parse_type_id(kind, value) if kind else None
            if kind and id:
                edge.path_ids.append((kind, id))


PATH_KINDS: dict[str, str] = {
    f"{kind}_id": kind
    for kind in (
        "practice user membership api_key clinician location patient insurance_policy payer authorization "
        "credential_span eligibility_check estimate "
        "service_code appointment group group_session clinical_note document claim claim_proposal channel era_file remittance "
        "payment ledger_entry telehealth_session event webhook_endpoint delivery job session "
        "connection challenge attention_item connector_write artefact "
        "remittance_line denial underpayment deposit "
        "work_item claim_rules claim_attachment "
        "claim_batch "
        "card card_processor payout autopay_enrolment planned_charge "
        "invoice statement superbill pay_report payer_payment payment_plan"
    ).split()
}
"""Name of a path parameter -> kind of object."""

__all__ = ["PATH_KINDS", "Edge", "fingerprint", "house_scope", "new_request_id", "note_path_ids"]
