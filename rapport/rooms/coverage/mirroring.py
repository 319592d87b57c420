"""
Policies and payers that another system has, kept here as it has them.

A payer is made when a policy first names it, and is found again by that system's id of it; where the
practice's own directory has that very code once, that entry is the payer. A name alone joins nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.audit import write as audit
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy.source import (
    GONE,
    NotTakenOver,
    SourceRef,
    one_of,
    required,
    text_of,
)
from rapport.rooms.roster import mirroring as roster
from rapport.rooms.roster import queries as people

from . import events
from .models import Payer, Policy
from .rules.members import trimmed
from .services import PolicyOverlap, one_per_rank, show_new_name, show_primary
from .states import Rank, Relationship

_RANKS = {str(place): rank.value for place, rank in enumerate(Rank, 1)} | {r.value: r.value for r in Rank}
_SAID = {"copay_cents": "copay"}
"""Column -> the field of the contract that an event names."""


def find_payer(*, scope: Scope, system: str, id: str) -> Payer:
    """
    Return the payer that a system calls so: by its id, or by the one name that it has for it.

    :raises NotTakenOver: none is, or two are
    """
    mine = Payer.objects.visible_to(scope).filter(source_system=system, source_remote_id__isnull=False)
    found: Payer | None = mine.filter(source_remote_id=id).first()
    if found is None:
        named = list(mine.filter(name=id)[:2])
        if len(named) != 1:
            raise NotTakenOver("unknown-payer", field="payer")
        found = named[0]
    return found


def mirror_policy(
    *, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime
) -> tuple[Policy, list[str]]:
    """
    Bring a policy up to what its system has of it; make it, and its payer, when they are new.

    :param values: `patient, rank, payer, payer_id, member_id, group_number, copay, starts_on, ends_on,
        status`; patient is that system's id, `rank` 1, 2, … or a word, `copay` in cents
    :return: the policy, and the columns that changed; none: nothing was told
    :raises NotTakenOver: something is missing or unknown here, or another policy of that rank is in force
    """
    scope.require(Permission.POLICIES_WRITE)
    patient = roster.find_patient(scope=scope, system=source.system, id=required(values, "patient"))
    columns = _columns(values)
    row = Policy.of_source(source, scope=scope)
    if row is not None and row.patient_id != patient.id:
        raise NotTakenOver("patient-changed", field="patient")
    columns["payer_id"] = _payer(scope, source, values, now).id
    people.get_patient(scope=scope, patient_id=patient.id, lock=True)
    made = row is None
    try:
        with one_per_rank():
            if row is None:
                row = Policy(
                    practice_id=scope.practice_id, patient_id=patient.id, created_at=now,
                    updated_at=now, **columns,
                ).sourced(source)  # fmt: skip
                row.save(force_insert=True)
                changed = sorted(columns)
            else:
                changed = row.bring_up(columns, source=source, scope=scope, now=now)
    except PolicyOverlap as overlap:
        raise NotTakenOver("policy-overlap", field="rank") from overlap
    if changed:
        _tell(row, scope=scope, made=made, changed=changed, now=now)
        show_primary(scope=scope, patient_id=patient.id, now=now)
    return row, changed


def policy_gone(*, scope: Scope, source: SourceRef, now: datetime) -> Policy | None:
    """End a policy that its system has no more, with yesterday at the latest. :return: None: never mirrored"""
    scope.require(Permission.POLICIES_WRITE)
    row = Policy.of_source(source, scope=scope)
    if row is None:
        return None
    last = max(row.starts_on, scope.day_of(now) - timedelta(days=1))
    if row.ends_on is None or row.ends_on > last:
        people.get_patient(scope=scope, patient_id=row.patient_id, lock=True)
        changed = row.bring_up({"ends_on": last}, source=source, scope=scope, now=now)
        _tell(row, scope=scope, made=False, changed=changed, now=now, reason=GONE)
        show_primary(scope=scope, patient_id=row.patient_id, now=now)
    return row


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    member = trimmed(text_of(values, "member_id", most=80))
    if len(member) < 2:
        raise NotTakenOver("missing-member-id", field="member_id")
    starts_on = _day(required(values, "starts_on"), "starts_on")
    ends_on = _day(values["ends_on"], "ends_on") if values.get("ends_on") else None
    if ends_on is not None and ends_on < starts_on:
        raise NotTakenOver("ends-before-it-starts", field="ends_on")
    if values.get("status") == "inactive" and ends_on is None:
        # Since when it is not in force nobody can say, and in force it must not look.
        raise NotTakenOver("inactive-without-end", field="ends_on")
    return {
        "rank": one_of(values, "rank", _RANKS), "member_id": member,
        "group_number": text_of(values, "group_number", most=50),
        "plan_name": text_of(values, "plan_name", most=60),
        # Another subscriber is told apart by name, birth and address, which no list of policies shows.
        "relationship": Relationship.SELF.value if values.get("relationship") == "self" else "",
        "starts_on": starts_on, "ends_on": ends_on, "copay_cents": _cents(values.get("copay")),
    }  # fmt: skip


def _day(value: Any, name: str) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise NotTakenOver(f"unreadable-{name.replace('_', '-')}", field=name) from error


def _cents(value: Any) -> int | None:
    if value is None or value == "":
        return None
    if not isinstance(value, int) or value < 0:
        raise NotTakenOver("unreadable-copay", field="copay")
    return value


def _payer(scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime) -> Payer:
    """Return the payer that a policy names, as its system has it; one policy at a time is here."""
    required(values, "payer")
    name, code = text_of(values, "payer", most=100), text_of(values, "payer_id", most=80)
    named = SourceRef(source.system, code or name, source.as_of)
    row = Payer.of_source(named, scope=scope)
    if row is None and code:
        own = Payer.objects.visible_to(scope).filter(payer_id_code=code, source_remote_id__isnull=True)
        same = list(own.select_for_update()[:2])
        if len(same) == 1:
            row = same[0].sourced(named)
            row.save(update_fields=["source_system", "source_remote_id", "source_as_of"])
    if row is None:
        row = Payer(
            practice_id=scope.practice_id, name=name, payer_id_code=code, created_at=now, updated_at=now
        ).sourced(named)  # fmt: skip
        row.save(force_insert=True)
        _note_payer(row, scope=scope, made=True, changed=(), now=now)
        return row
    changed = row.bring_up({"name": name}, source=named, scope=scope, now=now)
    if changed:
        _note_payer(row, scope=scope, made=False, changed=changed, now=now)
        show_new_name(scope=scope, payer=row, now=now)
    return row


def _tell(
    row: Policy, *, scope: Scope, made: bool, changed: list[str], now: datetime, reason: str = roster.MIRRORED
) -> None:
    said = [] if made else sorted({_SAID.get(name, name) for name in changed})
    audit.append(
        scope=scope, action=f"insurance_policy.{'create' if made else 'update'}", reason=reason,
        patient_ids=[row.patient_id], target_type="insurance_policy", target_id=row.id,
        target_version=row.version, changed=said,
    )  # fmt: skip
    emit(
        events.POLICY_CREATED if made else events.POLICY_UPDATED, scope=scope,
        object_type="insurance_policy", object_id=row.id, version=row.version, now=now, changed=said,
    )  # fmt: skip


def _note_payer(row: Payer, *, scope: Scope, made: bool, changed: Any, now: datetime) -> None:
    nobody: list[UUID] = []
    audit.append(
        scope=scope, action=f"payer.{'create' if made else 'update'}", reason=roster.MIRRORED,
        patient_ids=nobody, target_type="payer", target_id=row.id, target_version=row.version,
        changed=changed,
    )  # fmt: skip
    emit(
        events.PAYER_CREATED if made else events.PAYER_UPDATED, scope=scope, object_type="payer",
        object_id=row.id, version=row.version, now=now, changed=list(changed),
    )  # fmt: skip
