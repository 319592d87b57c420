"""What can be done to the contracted rates of a payer."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.db.models import F

from rapport.kernel.ids import new_uuid
from rapport.kernel.money import Money, NotMoney
from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db import rows
from rapport.platform.outbox.emit import emit
from rapport.rooms.coverage import events, queries
from rapport.rooms.coverage.models import ContractRate as Kept
from rapport.rooms.coverage.models import Payer
from rapport.rooms.coverage.rules.contracts import ContractRate, credential_of, merged, overlapping

MOST_RATES = 5000
"""Of one payer."""
_NEEDED = ("service_code", "rate", "starts_on")
_YES_NO = {"": None, "yes": True, "true": True, "no": False, "false": False}


def set_contract_rates(
    *, scope: Scope, payer_id: UUID, if_match: str, rates: Sequence[Any], now: datetime
) -> list[ContractRate]:
    """
    Replace all contracted rates of a payer; counts as a change of the payer.

    What was compared with the ones before stays as it was found.

    :param rates: `schemas.ContractRateIn` each
    :raises Invalid: two of them are for the same and share a day
    :raises PreconditionFailed: the payer was changed since
    """
    scope.require(Permission.PAYERS_WRITE)
    payer = queries.get_payer(scope=scope, payer_id=payer_id, lock=True)
    etags.check(payer, if_match)
    given = [_given(one) for one in rates]
    for place, one in enumerate(given):
        if one.ends_on is not None and one.ends_on < one.starts_on:
            raise _fault(f"/rates/{place}/ends_on", "before-start")
    place_of_overlap = overlapping(given)
    if place_of_overlap is not None:
        raise _fault(f"/rates/{place_of_overlap}", "overlaps")
    _keep(scope, payer, given, now=now)
    return given


def _given(one: Any) -> ContractRate:
    return ContractRate(
        service_code=one.service_code, allowed_cents=one.rate.amount, starts_on=one.starts_on, ends_on=one.ends_on,
        modifier=one.modifier or "", credential=credential_of(one.credential or ""), telehealth=one.telehealth,
        place_of_service_code=one.place_of_service_code or "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """What a schedule of rates did to those that were there."""

    added: int
    changed: int
    """Rates that got another amount or another last day."""
    known: int
    """Lines that say what was there."""


def import_contract_rates(*, scope: Scope, payer_id: UUID, data: bytes, now: datetime) -> Imported:
    """
    Take in a payer's fee schedule: CSV with a line of names, and a rate in each line.

    Columns: `service_code`, `rate` (dollars per unit), `starts_on` (YYYY-MM-DD), and if there are such `modifier`,
    `credential`, `telehealth` (yes or no), `place_of_service`, `ends_on`. A rate that is there ends on the eve of
    a later one for the same; what the file does not name stays.

    :raises Invalid: it is no such file; every wrong line is named and nothing is kept
    """
    scope.require(Permission.PAYERS_WRITE)
    payer = queries.get_payer(scope=scope, payer_id=payer_id, lock=True)
    new = _read(data)
    known = queries.contract_rates(scope=scope, payer_id=payer.id)
    whole = merged(known, new)
    if len(whole) > MOST_RATES:
        raise _fault("/lines", "too-many")
    before = {(rate.key, rate.starts_on): rate for rate in known}
    after = {(rate.key, rate.starts_on): rate for rate in whole}
    added = len(after.keys() - before.keys())
    changed = sum(1 for key, rate in before.items() if after[key] != rate)
    if added or changed:
        _keep(scope, payer, whole, now=now)
    scope.trail.count = len(new)
    return Imported(added, changed, sum(1 for rate in new if before.get((rate.key, rate.starts_on)) == rate))


def _read(data: bytes) -> list[ContractRate]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault("", "unreadable") from error
    reader = csv.DictReader(io.StringIO(text), restval="")
    reader.fieldnames = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    missing = [name for name in _NEEDED if name not in reader.fieldnames]
    if missing:
        raise Invalid("A column is missing.", errors=tuple(FieldError(f"/columns/{name}", "required") for name in missing))
    found: list[ContractRate] = []
    faults = []
    for number, line in enumerate(reader, 2):
        try:
            found.append(_rate({name: (line.get(name) or "").strip() for name in reader.fieldnames}))
        except (ValueError, KeyError, InvalidOperation, NotMoney):
            faults.append(FieldError(f"/lines/{number}", "unreadable"))
        if len(found) + len(faults) > MOST_RATES:
            raise _fault("/lines", "too-many")
    overlap = None if faults else overlapping(found)
    if overlap is not None:
        faults.append(FieldError(f"/lines/{overlap + 2}", "overlaps"))
    if faults:
        raise Invalid(f"{len(faults)} line(s) cannot be taken in.", errors=tuple(faults[:50]))
    return found


def _rate(line: dict[str, str]) -> ContractRate:
    """Return the rate of a line. :raises ValueError: it cannot be read, as `KeyError` and the problems of amounts"""
    ends_on = line.get("ends_on", "")
    rate = ContractRate(
        service_code=line["service_code"].upper(),
        allowed_cents=Money.from_decimal(Decimal(line["rate"].replace(",", "").replace("$", ""))).cents,
        starts_on=date.fromisoformat(line["starts_on"]),
        ends_on=date.fromisoformat(ends_on) if ends_on else None,
        modifier=line.get("modifier", "").upper(),
        credential=credential_of(line.get("credential", "")),
        telehealth=_YES_NO[line.get("telehealth", "").lower()],
        place_of_service_code=line.get("place_of_service", ""),
    )
    sound = (
        re.fullmatch(r"[A-Z0-9]{5}", rate.service_code)
        and re.fullmatch(r"([A-Z0-9]{2})?", rate.modifier)
        and re.fullmatch(r"([0-9]{2})?", rate.place_of_service_code)
        and len(rate.credential) <= 12
        and 0 <= rate.allowed_cents <= 10**9
        and (rate.ends_on is None or rate.ends_on >= rate.starts_on)
    )
    if not sound:
        raise ValueError("not a rate")
    return rate


def _keep(scope: Scope, payer: Payer, rates: Sequence[ContractRate], *, now: datetime) -> None:
    Kept.objects.visible_to(scope).filter(payer_id=payer.id).delete()
    rows.add_many(
        [
            Kept(
                id=new_uuid(), practice_id=scope.practice_id, payer_id=payer.id, service_code=rate.service_code,
                modifier=rate.modifier, credential=rate.credential, telehealth=rate.telehealth,
                place_of_service_code=rate.place_of_service_code, allowed_cents=rate.allowed_cents,
                starts_on=rate.starts_on, ends_on=rate.ends_on, created_at=now,
            )
            for rate in rates
        ]
    )  # fmt: skip
    Payer.objects.visible_to(scope).filter(id=payer.id).update(version=F("version") + 1, updated_at=now)
    scope.trail.target("payer", payer.id, payer.version + 1)
    scope.trail.changed = ["contract_rates"]
    emit(
        events.PAYER_UPDATED, scope=scope, object_type="payer", object_id=payer.id, version=payer.version + 1, now=now,
        changed=["contract_rates"],
    )  # fmt: skip


def _fault(pointer: str, code: str) -> Invalid:
    return Invalid("1 field is not valid.", errors=(FieldError(pointer, code),))
