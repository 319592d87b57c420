"""The shapes of the practice's own claim rules in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import Field, model_validator

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, Instant, Shape, instant, refused
from rapport.rooms.claims.models import ClaimRules
from rapport.rooms.claims.rules import own
from rapport.rooms.claims.services import Trial

Code = Annotated[str, Field(pattern=r"^[A-Z0-9]{5}$")]
Word = Annotated[str, Field(max_length=60)]


class ConditionIn(Input):
    """One fact of a claim, compared."""

    field: own.Field
    op: own.Op
    value: Annotated[int, Field(strict=True)] | bool | Word | Annotated[list[Word], Field(max_length=100)]


class ThenIn(Input):
    """What a rule does."""

    do: Literal["error", "warning", "set_modifier", "hold"]
    text: str = Field(default="", max_length=160)
    modifier: str = Field(default="", pattern=r"^([A-Z0-9]{2})?$")
    service_codes: list[Code] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _is_whole(self) -> ThenIn:
        if self.do == "set_modifier" and not self.modifier:
            raise refused("set_modifier needs a modifier")
        if self.do != "set_modifier" and not self.text:
            raise refused("say in text what is the matter")
        return self


class RuleIn(Input):
    """If all conditions hold, then do it."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,38}$")
    when: list[ConditionIn] = Field(min_length=1, max_length=10)
    then: ThenIn
    stop: bool = False


class ClaimRulesIn(Input):
    """All rules, in order, and the version they were made from."""

    rules: list[RuleIn] = Field(max_length=100)
    based_on: int = Field(ge=0)
    note: str | None = Field(default=None, max_length=200)


class TrialIn(Input):
    """Which days' claims, and which rules; without rules those that hold."""

    from_on: Day
    to_on: Day
    rules: list[RuleIn] | None = Field(default=None, max_length=100)


class ClaimRulesOut(Shape):
    """The practice's own claim rules, in one version."""

    object: Literal["claim_rules"]
    id: str
    version: int
    rules: list[dict[str, Any]]
    note: str | None
    changed_by: Annotated[str, Meta(description="The person (`usr_…`), or the API key (`key_…`) with which a program did it.")]
    created_at: Instant


class DidOut(Struct):
    """What one rule did, or would do."""

    rule_id: str
    do: str
    text: str
    modifier: str
    lines: Annotated[list[int], Meta(description="1-based lines that got the modifier.")]


class TriedClaim(Struct):
    """What rules would do to one claim."""

    claim_id: str
    did: list[DidOut]


class TrialOut(Shape):
    """What rules would have done."""

    object: Literal["claim_rules_trial"]
    claims: Annotated[int, Meta(description="How many claims were looked at; 500 at most, the earliest first.")]
    by_rule: Annotated[dict[str, int], Meta(description="Rule -> claims it would have done something to.")]
    examples: list[TriedClaim]


def rules_out(row: ClaimRules, *, by_key: bool) -> ClaimRulesOut:
    """Return one version. :param by_key: a program changed them, not a person"""
    return ClaimRulesOut(
        object="claim_rules", id=type_id("claim_rules", row.id), version=row.number, rules=list(row.rules),
        note=row.note or None, changed_by=type_id("api_key" if by_key else "user", row.by),
        created_at=instant(row.created_at),
    )  # fmt: skip


def trial_out(trial: Trial) -> TrialOut:
    """Return what rules would have done."""
    return TrialOut(
        object="claim_rules_trial",
        claims=trial.claims,
        by_rule=trial.by_rule,
        examples=[
            TriedClaim(
                type_id("claim", id),
                [DidOut(d.rule_id, d.do, d.text, d.modifier, [place + 1 for place in d.lines]) for d in done],
            )
            for id, done in trial.examples
        ],
    )
