"""A file comes in: kept, matched, and posted by itself when nothing stands against it."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from django.db import transaction

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Problem
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.tenancy.source import SourceRef
from rapport.rooms.remittance import events, queries
from rapport.rooms.remittance.models import EraFile
from rapport.rooms.remittance.rules.policy import STOPS, Policy, Stop

from .judging import judge, plan, policy_of
from .keeping import Loaded, keep, load, match_lines
from .posting import note_copy, one_at_a_time, post_rows, save_lines, tell, write
from .reading import content, faulty, holds

DOUBTS = frozenset(STOPS) | {"posting-refused"}
"""Findings of ours, not of the reader: what a person should look at."""


def receive(
    *, scope: Scope, data: bytes, via: str, now: datetime, source: SourceRef | None = None
) -> tuple[EraFile, bool]:
    """
    Keep a file, match what it says to our claims, and post it when nothing stands against it.

    :param via: `upload`, `channel`, `portal` or `paper`
    :param source: the portal's own record of it; None: it comes from none
    :return: the file, and whether it is new: the same content, in whatever envelope, is not
    :raises Invalid: it cannot be read as an 835; the position is named
    """
    digest, checks, findings = content(data)
    held = holds(scope=scope, checks=checks)
    one_at_a_time(scope=scope)  # of five that arrive at once one is first; the others then find it
    # A damaged copy has a digest of its own, so that it never stands in the way of the right file.
    own = sha256(digest.encode() + data).hexdigest() if faulty(findings) else digest
    known = EraFile.objects.visible_to(scope).filter(content_sha256__in=[digest, own]).first()
    if known is not None:
        if source is not None and not known.mirrored:
            known.sourced(source).save(
                update_fields=["source_system", "source_remote_id", "source_as_of"]
            )
        return known, False
    id = new_uuid()
    ref = default_store().put(data=data, aad=f"{scope.practice_id}|era|{id}")
    readable = not any(finding.rule == "amount" for finding in held)
    state = "held" if faulty([*findings, *held]) else "received"
    file = EraFile(
        id=id, practice_id=scope.practice_id, content_sha256=own, blob_key=ref.key, sha256=ref.sha256,
        received_via=via, state=state, created_at=now, updated_at=now,
        findings=[
            {"rule": f.rule, "severity": f.severity, "segment": f.segment, "position": f.position,
             "element": f.element, "message": f.message}
            for f in [*findings, *held]
        ][:200],
    )  # fmt: skip
    if source is not None:
        file.sourced(source)
    file.save(force_insert=True)
    policy = policy_of(scope=scope)
    loaded = keep(scope=scope, file=file, checks=checks, now=now) if readable else []
    tell(scope=scope, file=file, event=events.ERA_RECEIVED, now=now)
    if file.state == "held":
        plan(scope=scope, lines=[line for one in loaded for line in one.lines], policy=policy)
        for one in loaded:
            write(scope=scope, one=one, lines=one.lines)
        tell(scope=scope, file=file, event=events.ERA_HELD, now=now)
    else:
        _post_if_clear(scope, file, loaded, policy=policy, now=now)
        look_again(scope=scope, now=now)
        file.refresh_from_db()
    scope.trail.target("era_file", file.id, file.version)
    return file, True


def match_again(*, scope: Scope, now: datetime) -> int:
    """
    Match what waits anew, once more claims are known here, and post what nothing stands against any more.

    Run after claims of another system came in: a remittance may have been read before its claims. What
    was matched stays as it was.

    :return: how many files were looked at
    """
    one_at_a_time(scope=scope)
    waiting = queries.waiting_files(scope=scope)
    policy = policy_of(scope=scope)
    for file in waiting:
        _, checks, _ = content(queries.bytes_of(file=file))
        loaded = load(scope=scope, file=file)
        if match_lines(scope=scope, loaded=loaded, checks=checks):
            _post_if_clear(scope, file, loaded, policy=policy, now=now)
    return len(waiting)


def look_again(*, scope: Scope, now: datetime) -> None:
    """Post what waits only for what was posted since: a reversal that came before what it takes back."""
    one_at_a_time(scope=scope)
    policy = policy_of(scope=scope)
    posted = True
    while posted:  # what posts may be what another one waits for
        posted = False
        for file in queries.files_stopped_by(scope=scope, rules=("reversal-unknown", "paid-before")):
            _post_if_clear(scope, file, load(scope=scope, file=file), policy=policy, now=now)
            posted |= file.state == "posted"


def judge_again(*, scope: Scope, file: EraFile, now: datetime) -> None:
    """Look anew at a file that waits, after a person worked on it. The caller holds the practice's turn."""
    _post_if_clear(scope, file, load(scope=scope, file=file), policy=policy_of(scope=scope), now=now)


def _post_if_clear(
    scope: Scope, file: EraFile, loaded: list[Loaded], *, policy: Policy, now: datetime
) -> None:
    """
    Post a file by itself when nothing in it needs a person's eye; else note why it waits.

    Whatever posting meets is undone alone: the file stays, and waits with the reason.
    """
    for one in loaded:
        note_copy(scope=scope, one=one)
    new = [one for one in loaded if not one.written]
    stops = judge(scope=scope, loaded=loaded, policy=policy, today=scope.day_of(now)).stops
    if not stops:
        try:
            with transaction.atomic():
                post_rows(scope=scope, file=file, loaded=loaded, policy=policy, now=now)
        except Problem as problem:
            file.refresh_from_db()
            stops = [Stop("posting-refused", f"Posting it met: {problem.code}.")]
            for one in new:
                one.written = False
                for line in one.lines:
                    line.ledger_entry_ids = []
    for one in new:
        if not one.written:
            write(scope=scope, one=one, lines=one.lines)
    if file.state != "posted" and not new:
        # What a reversal takes back is known only now.
        save_lines(
            scope=scope, lines=[line for one in loaded for line in one.lines if line.status_code == "22"]
        )
    file.findings = [
        *(one for one in file.findings if one["rule"] not in DOUBTS),
        *(
            {"rule": stop.rule, "severity": "warning", "segment": "CLP", "position": 0, "element": "",
             "message": stop.message}
            for stop in stops
        ),
    ]  # fmt: skip
    file.save(update_fields=["findings"])
