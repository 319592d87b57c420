"""What has to be true when all is quiet again, told from the portal's own tables and log."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from rapport.platform.jobs.models import Job
from rapport.rooms.exchange.models import AttentionItem, Write
from rapport.rooms.exchange.states import WriteState
from tests.connect.expected import KINDS, expected
from tests.faults.soak.soak import Soak

ACTIONS = {"appointments.create": "appointment.create", "appointments.update": "appointment.change",
           "appointments.cancel": "appointment.cancel"}  # fmt: skip
"""A write -> what the portal's audit calls it."""
STATUS = {"Scheduled": "booked", "Checked in": "checked_in", "Completed": "completed", "Cancelled": "cancelled", "No show": "no_show"}


def reckon(soak: Soak) -> list[str]:
    """Return what is wrong; nothing, when the practice came through."""
    return [
        *unlike_the_portal(soak), *rooms_unlike_the_portal(soak), *twice_or_lost(soak), *unsettled(soak),
        *unneeded(soak), *without_trace(soak), *dead_jobs(soak), *not_taken_over(soak), *browsers(soak), *soak.desk.failed,
    ]  # fmt: skip


def unlike_the_portal(soak: Soak) -> list[str]:
    """Compare the mirror with the portal's tables, record by record and value by value."""
    wrong = []
    for kind in KINDS:
        there, here = expected(soak.stage.portal.rows, kind), soak.linked.mirrored(kind)
        for id in sorted(set(there) | set(here)):
            if there.get(id) != here.get(id):
                fields = sorted(
                    name for name in {**there.get(id, {}), **here.get(id, {})}
                    if there.get(id, {}).get(name) != here.get(id, {}).get(name)
                )  # fmt: skip
                wrong.append(f"mirror: {kind} {id} differs in {', '.join(fields)}; there {id in there}, here {id in here}")
    return wrong


def rooms_unlike_the_portal(soak: Soak) -> list[str]:
    """Compare what the API answers with the portal's tables."""
    there = {str(one["id"]): one for one in soak.stage.portal.rows("appointment")}
    here: dict[str, dict[str, Any]] = {}
    wrong = []
    for visit in soak.desk.rows("appointments"):
        id = visit["source"]["remote_id"]
        if id in here:
            wrong.append(f"api: appointment {id} is there twice")
        here[id] = visit
    for id, row in there.items():
        told = here.get(id)
        if told is None:
            wrong.append(f"api: appointment {id} is not there")
        elif (told["start_local"][:16], told["status"]) != (row["start_at"], STATUS[row["status"]]):
            wrong.append(f"api: appointment {id} is {told['start_local']} {told['status']}, there {row['start_at']} {row['status']}")
    wrong += [
        f"api: appointment {id} is {visit['status']}, and gone there"
        for id, visit in here.items() if id not in there and visit["status"] != "cancelled"
    ]  # fmt: skip
    return wrong


def twice_or_lost(soak: Soak) -> list[str]:
    """Compare the journal with what the portal's log says was kept: each confirmed write once, no other at all."""
    kept: Counter[tuple[str, str]] = Counter()
    starts: dict[str, set[str]] = {}
    for line in soak.stage.portal.rows("audit"):
        if line["outcome"] == "kept" and line["action"] in ACTIONS.values():
            kept[line["action"], str(line["record"])] += 1
            starts.setdefault(str(line["record"]), set()).add(json.loads(line["detail"]).get("start", ""))
    confirmed: Counter[tuple[str, str]] = Counter()
    doubtful: Counter[tuple[str, str]] = Counter()
    with soak.stage.house.entered() as scope:
        for write in Write.objects.visible_to(scope).filter(ability__in=ACTIONS):  # exports are ordered beside
            name = (ACTIONS[write.ability], write.remote_id)
            if write.state == WriteState.CONFIRMED and write.reason != "existed":
                confirmed[name] += 1
            elif write.state == WriteState.CONFLICTING and write.sends:
                doubtful[name] += 1  # sent, and changed there by a person before it was read back
    wrong = [f"twice: {action} of {id}, {n} kept and {confirmed[action, id]} confirmed"
             for (action, id), n in kept.items() if n > confirmed[action, id] + doubtful[action, id]]  # fmt: skip
    wrong += [f"lost: {action} of {id}, {n} confirmed and {kept[action, id]} kept"
              for (action, id), n in confirmed.items() if n > kept[action, id]]  # fmt: skip
    for deed in soak.desk.deeds:
        if deed.status in (200, 201) and deed.what != "cancel" and deed.start not in starts.get(deed.remote_id, set()):
            wrong.append(f"lost: {deed.what} to {deed.start} was said done and never kept")
    return wrong


def unsettled(soak: Soak) -> list[str]:
    """Every write that was on its way is settled; what was not done has a reason that the portal's log bears out."""
    wrong = []
    outcomes = Counter(line["outcome"] for line in soak.stage.portal.rows("audit") if line["action"] in ACTIONS.values())
    states: Counter[str] = Counter()
    with soak.stage.house.entered() as scope:
        for write in Write.objects.visible_to(scope).filter(ability__in=ACTIONS):  # exports are ordered beside
            states[write.state] += 1
            if write.state == WriteState.REFUSED and soak.people.touched.get(write.remote_id) == "remove":
                outcomes["refused"] += 1  # there is no such record any more, and so no log of its refusal
            if write.state == WriteState.CONFLICTING and write.remote_id not in soak.people.touched:
                wrong.append(f"conflicting: {write.ability} of {write.remote_id or 'nothing'} ({write.reason}), and nobody touched it")
            if write.state not in (WriteState.CONFIRMED, WriteState.CONFLICTING, WriteState.REFUSED, WriteState.ABSENT):
                wrong.append(f"open: {write.ability} is {write.state} ({write.reason})")
    if states[WriteState.REFUSED] > outcomes["refused"]:
        wrong.append(f"refused: {states[WriteState.REFUSED]} here, {outcomes['refused']} there")
    if states[WriteState.ABSENT] != outcomes["ignored"]:
        wrong.append(f"absent: {states[WriteState.ABSENT]} here, {outcomes['ignored']} ignored there")
    return wrong


def unneeded(soak: Soak) -> list[str]:
    """Every attention item that is open still stands for something."""
    wrong = []
    with soak.stage.house.entered() as scope:
        states = dict(Write.objects.visible_to(scope).values_list("id", "state"))
        for item in AttentionItem.objects.visible_to(scope).filter(resolved_at__isnull=True):
            stands = {"write_conflicting": WriteState.CONFLICTING, "write_absent": WriteState.ABSENT}.get(item.matter)
            if stands is None or states.get(item.subject_id) != stands:
                wrong.append(f"attention: {item.matter} of {item.capability or 'the connection'} is open, and nobody needs it")
        asked = Counter(AttentionItem.objects.visible_to(scope).values_list("subject_id", flat=True))
        wrong += [f"attention: a write is {state}, and nobody was asked" for id, state in states.items()
                  if state in (WriteState.CONFLICTING, WriteState.ABSENT) and not asked[id]]  # fmt: skip
    return wrong


def without_trace(soak: Soak) -> list[str]:
    """Every fault that was played left its trace."""
    return [f"no trace: {one.fault.name} ({one.kind})" for one in soak.played if not one.trace]


def dead_jobs(soak: Soak) -> list[str]:
    """Nothing was given up."""
    with soak.stage.house.entered() as scope:
        rows = Job.objects.visible_to(scope).filter(state="failed").values_list("type", "error")
        return [f"dead job: {type} ({error})" for type, error in rows]


def not_taken_over(soak: Soak) -> list[str]:
    """No room refused what the portal has: the next reading brings it too, and would hide that."""
    lines = (soak.stage.home / "worker.log").read_text(errors="replace").splitlines()
    return [f"log: {line[:300]}" for line in lines if "was not taken over" in line]


def browsers(soak: Soak) -> list[str]:
    """No browser is left over from sign-ins that were killed."""
    mark, left = f"RAPPORT_HOME={os.environ['RAPPORT_HOME']}".encode(), 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"chromium" in (process / "cmdline").read_bytes()[:200] and mark in (process / "environ").read_bytes():
                left += 1
        except OSError:
            continue
    return [f"{left} processes of browsers are left"] if left else []


def table(soak: Soak) -> str:
    """Return what happened, as a table."""
    lines = [f"{'fault':34}{'played':>7}{'traced':>7}  last trace"]
    names = sorted({one.fault.name for one in soak.played})
    for name in names:
        mine = [one for one in soak.played if one.fault.name == name]
        lines.append(f"{name:34}{len(mine):7}{sum(bool(one.trace) for one in mine):7}  {mine[-1].trace}")
    deeds = Counter(f"{one.what} {one.status}{f' {one.code}' if one.code else ''}" for one in soak.desk.deeds)
    figures = soak.since_start()
    requests = [one for one in soak.stage.portal.rows("request") if one["login"] == soak.linked.login]
    lines += [
        "", f"desk: {sum(deeds.values())} calls: {', '.join(f'{n} {what}' for what, n in sorted(deeds.items()))}",
        f"people at the portal: {soak.people.done} changes, {len(soak.people.touched)} appointments",
        f"writes: {figures['writes']}   sign-ins: {figures['sign-ins']}",
        f"workers killed: {soak.killed}, in mid write: {soak.killed_in_mid_write}   administrator: {dict(soak.asked)}",
        f"requests at the portal: {len(requests)}; appointments there: {len(soak.stage.portal.rows('appointment'))}",
    ]  # fmt: skip
    return "\n".join(lines)
