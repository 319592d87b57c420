"""Claims become a file: written, held to the guide, frozen. From here on nothing of it changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid, new_uuids
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12.check import check_bytes
from rapport.protocols.x12.claim837p import Body
from rapport.protocols.x12.claim837p import Claim as Record
from rapport.protocols.x12.envelope import Numbers
from rapport.protocols.x12.syntax import Finding as X12Finding
from rapport.rooms.claims import mapping, queries
from rapport.rooms.claims.models import Claim, Submission, SubmittedClaim

from .judging import build_record
from .numbers import control_number_of, take_numbers

ENVELOPE = 2
"""Segments before the first ST: ISA and GS."""


@dataclass(slots=True)
class Set:
    """One transaction set that was written, and what the guide says against its claims."""

    body: Body
    faults: dict[str, list[X12Finding]]
    """CLM01 -> errors inside that claim."""
    common: list[X12Finding]
    """Errors that stand in no claim: of the submitter or of the billing provider."""

    @property
    def clean(self) -> bool:
        """The guide has nothing against it."""
        return not self.faults and not self.common


def write_set(
    records: Sequence[Record], *, settings: Mapping[str, Any], practice: Any, batch_id: str, at: datetime
) -> Set:
    """
    Write claims as one transaction set, read it back, and hold it to the guide.

    :param settings: the channel's
    :param at: local time of the practice
    """
    body = mapping.to_set(
        records, settings=settings, practice_name=practice.name, contact_phone=practice.phone,
        batch_id=batch_id, at=at,
    )  # fmt: skip
    alone = mapping.to_file(
        [body.segments], settings=settings, numbers=Numbers(1, 1, 1), at=at, test=not practice.livemode
    )
    made = Set(body, {}, [])
    spans = iter(body.claims.items())
    control, (first, last) = next(spans, ("", (0, 0)))
    for fault in check_bytes(b"".join(alone)).findings:
        if fault.severity != "error":
            continue
        position = fault.position - ENVELOPE
        while control and position > last:
            control, (first, last) = next(spans, ("", (0, 0)))
        if control and first <= position:
            made.faults.setdefault(control, []).append(fault)
        else:
            made.common.append(fault)
    return made


def note_claims(
    *, scope: Scope, submission_id: UUID, made: Set, records: Mapping[UUID, Record], set_number: int,
    batch_id: str, now: datetime,
) -> None:  # fmt: skip
    """Keep of each claim of a set where it stands in the file, and what it was made from."""
    attempts = dict(
        sql.rows(
            "SELECT claim_id, max(attempt) FROM claims_submittedclaim"
            " WHERE practice_id = %s AND claim_id = ANY(%s) GROUP BY claim_id",
            (scope.practice_id, list(records)),
        )
    )
    rows = [
        _row(id, claim_id, record, made.body, attempt=attempts.get(claim_id, 0) + 1)
        for id, (claim_id, record) in zip(new_uuids(len(records)), records.items(), strict=True)
    ]
    sql.run(
        "INSERT INTO claims_submittedclaim (practice_id, submission_id, set_number, batch_id, created_at,"
        " id, claim_id, attempt, first_position, last_position, lines, snapshot_sealed)"
        " SELECT %s, %s, %s, %s, %s, r.id, r.claim_id, r.attempt, r.first, r.last, r.lines::jsonb, r.snapshot"
        " FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::int[], %s::text[], %s::bytea[])"
        " AS r (id, claim_id, attempt, first, last, lines, snapshot)",
        (
            scope.practice_id, submission_id, set_number, batch_id, now,
            *map(list, zip(*rows, strict=True)),
        ),
    )  # fmt: skip


def _row(id: UUID, claim_id: UUID, record: Record, body: Body, *, attempt: int) -> tuple[Any, ...]:
    first, last = body.claims[record.control]
    lines = {line.control: body.lines[line.control] for line in record.lines}
    snapshot = aead.seal(mapping.pack(record), aad=f"submission|{id}".encode(), purpose="field")
    return id, claim_id, attempt, first, last, json.dumps(lines), snapshot


def record_of(row: SubmittedClaim) -> Record:
    """Return a claim as it was put into a file."""
    return mapping.unpack(
        aead.open_(bytes(row.snapshot_sealed), aad=f"submission|{row.id}".encode(), purpose="field")
    )


def keep_file(
    *, scope: Scope, id: UUID, channel_id: UUID, bodies: Iterable[list[str]], batch_id: str, key: str,
    claim: Claim | None, attempt: int, substitutions: int, now: datetime, kind: str = "837",
) -> Submission:  # fmt: skip
    """
    Put an envelope with numbers that were never used around these sets, and keep the file.

    `kind` is ST01 of its sets.

    The numbers are taken under the channel's lock, in the transaction that keeps the file.

    :raises NumbersUsedUp: the channel has none left
    """
    channel = queries.get_channel(scope=scope, channel_id=channel_id, lock=True)
    practice = tenancy.get_practice(scope=scope)
    numbers = take_numbers(channel)
    data = b"".join(
        mapping.to_file(
            bodies, settings=channel.settings, numbers=numbers, at=now.astimezone(scope.time_zone),
            test=not practice.livemode, kind=kind,
        )
    )  # fmt: skip
    # Outside the database: if the transaction is undone the sweep removes it. Never the reverse.
    ref = default_store().put(data=data, aad=f"{scope.practice_id}|submission|{id}")
    return Submission.objects.create(
        id=id,
        practice_id=scope.practice_id,
        claim=claim,
        channel=channel,
        attempt=attempt,
        key=key,
        file_name=f"{batch_id}.{kind}",
        interchange_number=channel.last_interchange,
        group_number=channel.last_group,
        batch_id=batch_id,
        blob_key=ref.key,
        sha256=ref.sha256,
        size=ref.size,
        substitutions=substitutions,
        state_changed_at=now,
        created_at=now,
    )


def freeze_one(
    *, scope: Scope, claim: Claim, channel_id: UUID, now: datetime
) -> tuple[Submission | None, list[X12Finding]]:
    """Make the file of one claim. :return: it, or None and what the guide says against it"""
    record = build_record(scope=scope, claim=claim)
    channel = queries.get_channel(scope=scope, channel_id=channel_id)
    batch_id = control_number_of("B")
    made = write_set(
        [record], settings=channel.settings, practice=tenancy.get_practice(scope=scope), batch_id=batch_id,
        at=now.astimezone(scope.time_zone),
    )  # fmt: skip
    if not made.clean:
        return None, [*made.common, *(fault for mine in made.faults.values() for fault in mine)]
    id = new_uuid()
    attempt = SubmittedClaim.objects.visible_to(scope).filter(claim_id=claim.id).count() + 1
    note_claims(
        scope=scope, submission_id=id, made=made, records={claim.id: record}, set_number=1,
        batch_id=batch_id, now=now,
    )  # fmt: skip
    return keep_file(
        scope=scope, id=id, channel_id=channel_id, bodies=[made.body.segments], batch_id=batch_id,
        key=f"{claim.control_number}-{attempt}", claim=claim, attempt=attempt,
        substitutions=made.body.substitutions, now=now,
    ), []  # fmt: skip


def alone(
    *, scope: Scope, row: SubmittedClaim, submission: Submission
) -> Iterator[bytes]:
    """
    Return one claim of a batch's file by itself, under the file's numbers.

    Other patients stand in that file: whoever may read this claim may not read them.
    """
    channel = queries.get_channel(scope=scope, channel_id=submission.channel_id)
    practice = tenancy.get_practice(scope=scope)
    at = submission.created_at.astimezone(scope.time_zone)
    body = mapping.to_set(
        [record_of(row)], settings=channel.settings, practice_name=practice.name,
        contact_phone=practice.phone, batch_id=row.batch_id, at=at,
    )  # fmt: skip
    return mapping.to_file(
        [body.segments], settings=channel.settings,
        numbers=Numbers(submission.interchange_number, submission.group_number, row.set_number),
        at=at, test=not practice.livemode,
    )  # fmt: skip
