"""What coverage has to say of claims: authorisations, enrolment with the payer, credentials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.rooms.claims.models import Claim, ClaimLine
from rapport.rooms.claims.rules.findings import Finding
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.coverage.rules.authorizations import Visit
from rapport.rooms.coverage.rules.notices import Notice
from rapport.rooms.coverage.states import Standing

from .materials import Materials


def ask_coverage(
    *, scope: Scope, claims: Sequence[Claim], materials: Materials, now: datetime
) -> dict[UUID, list[Finding]]:
    """
    Let each line use the authorisation that is for it now, and return claim -> what coverage finds.

    Few questions, however many claims they are. The lines in `materials` then name what they use.
    """
    today = scope.day_of(now)
    found: dict[UUID, list[Finding]] = {claim.id: [] for claim in claims}
    _authorize(scope, claims, materials, found, now=now)
    payers = {claim.payer_id for claim in claims}
    enrolled = coverage.enrollment_notices_of(
        scope=scope, payer_ids=payers, transactions=("837P", "835"), on=today
    )
    credentials = coverage.credentials_of(scope=scope, payer_ids=payers)
    for claim in claims:
        if claim.format == "837p":
            for notice in enrolled.get(claim.payer_id, ()):
                found[claim.id].append(_finding(notice, "/payer/enrollments", "2010BB NM109"))
        clinician_id = materials.billed_clinician_id(claim)
        assert clinician_id is not None
        said = credentials.notice(
            payer_id=claim.payer_id, clinician_id=clinician_id,
            days=[claim.service_from_on, claim.service_to_on],
        )  # fmt: skip
        if said is not None:
            found[claim.id].append(_finding(said, "/clinician", "2310B NM1"))
    return found


def _finding(notice: Notice, pointer: str, position: str) -> Finding:
    return Finding(
        notice.code, "error" if notice.serious else "warning", pointer, position, notice.message
    )


def _authorize(
    scope: Scope, claims: Sequence[Claim], materials: Materials, found: dict[UUID, list[Finding]], *,
    now: datetime,
) -> None:  # fmt: skip
    visits: dict[UUID, list[Visit]] = {}
    for claim in claims:
        assert claim.policy_id is not None
        visits.setdefault(claim.policy_id, []).extend(map(_visit, materials.lines[claim.id]))
    used = coverage.authorization_notices(scope=scope, visits=visits, today=scope.day_of(now))
    changed: dict[UUID | None, list[UUID]] = {}
    for claim in claims:
        said: dict[str, Finding] = {}
        for line in materials.lines[claim.id]:
            id, notices = used.get(line.appointment_id, (None, []))
            if id != line.authorization_id:
                changed.setdefault(id, []).append(line.id)
                line.authorization_id = id
            for notice in notices:
                said.setdefault(notice.code, _finding(notice, "/lines", "2300 REF*G1"))
        if claim.format == "cms1500" and len({line.authorization_id for line in materials.lines[claim.id]}) > 1:
            said["authorizations-differ"] = Finding(
                "authorizations-differ", "error", "/lines", "2400 REF*G1",
                "A paper form has one box for an authorisation, and the services use different ones: make a claim for each.",
            )  # fmt: skip
        found[claim.id] += said.values()
    for authorization_id, lines in changed.items():
        ClaimLine.objects.visible_to(scope).filter(id__any_of=lines).update(authorization_id=authorization_id)
    numbers = {id for id in changed if id is not None and id not in materials.authorizations}
    if numbers:
        materials.authorizations.update(coverage.numbers_of(scope=scope, authorization_ids=numbers))


def _visit(line: ClaimLine) -> Visit:
    return Visit(line.appointment_id, line.service_on, line.service_code, line.units, Standing.IN_FLIGHT)
