"""The practice's own claim rules over HTTP."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.problems import ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api.lists import ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.platform.identity import members
from rapport.rooms.claims import examples, services
from rapport.rooms.claims.models import ClaimRules
from rapport.rooms.claims.queries import desk
from rapport.rooms.claims.schemas import rules as s

from .base import router

RULES = ListSpec(
    route="claim-rules",
    columns="r.id",
    source="claims_claimrules r",
    id_column="r.id",
    practice_column="r.practice_id",
    sorts={"created_at": Sort("r.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={},
    build_page=lambda ids, scope: _shown(scope, desk.rules_of(scope=scope, claim_rules_ids=ids)),
)  # fmt: skip


def _shown(scope: Scope, rows: list[ClaimRules]) -> list[s.ClaimRulesOut]:
    keys = members.keys_among(scope=scope, ids=[row.by for row in rows])
    return [s.rules_out(row, by_key=row.by in keys) for row in rows]


@router.get(
    "/claim-rules",
    summary="List the versions of the practice's claim rules",
    needs=Permission.CLAIMS_READ,
    action="claim_rules.list",
    returns=(200, s.ClaimRulesOut),
    list_spec=RULES,
    example=examples.page(examples.RULES),
)
def list_rules(request: ScopedRequest) -> Answer:
    """Every version there was, the one that holds first: what a rule once did can be read for good."""
    return RULES.run(request, scope=request.auth)


@router.get(
    "/claim-rules/{claim_rules_id}",
    summary="Read a version of the claim rules",
    needs=Permission.CLAIMS_READ,
    action="claim_rules.read",
    returns=(200, s.ClaimRulesOut),
    example=examples.RULES,
)
def get_rules(request: ScopedRequest, claim_rules_id: str) -> Answer:
    """One version of the rules, who made it and why."""
    id = path_id("claim_rules", claim_rules_id)
    [shown] = _shown(request.auth, [desk.get_rules(scope=request.auth, claim_rules_id=id)])
    return Answer(shown)


@router.post(
    "/claim-rules",
    summary="Change the practice's claim rules",
    needs=Permission.PAYERS_WRITE,
    action="claim_rules.create",
    returns=(201, s.ClaimRulesOut),
    problems=(ReferenceNotFound,),
    example=examples.RULES,
    request_example=examples.NEW_RULES,
)
def change_rules(request: ScopedRequest, body: s.ClaimRulesIn) -> Answer:
    """
    Keep all rules as a new version, in the order in which they are tried.

    A rule whose conditions all hold names a finding (`error` blocks), sets a modifier, or holds the claim; with `stop`
    no later one is tried. They are applied whenever a claim is looked through; the claim says which rule did what.
    A condition that can hold of no claim is refused, and says what its field takes; so are two rules of one id.
    `based_on` is the version that was read: another that came meanwhile is not overwritten (422 `outdated`).
    """
    row = services.change_rules(scope=request.auth, body=body, now=timezone.now())
    return Answer(s.rules_out(row, by_key=request.auth.actor_type == "api_key"))


@router.post(
    "/claim-rules/dry-run",
    summary="Try claim rules on the past",
    needs=Permission.CLAIMS_READ,
    action="claim_rules.try",
    returns=(200, s.TrialOut),
    problems=(ReferenceNotFound,),
    example=examples.TRIAL,
    request_example={"from_on": "2026-10-01", "to_on": "2026-10-31"},
)
def try_rules(request: ScopedRequest, body: s.TrialIn) -> Answer:
    """What rules would have done to the claims of some days, rule by rule and with examples. Nothing is changed."""
    return Answer(s.trial_out(services.try_rules(scope=request.auth, body=body, now=timezone.now())))
