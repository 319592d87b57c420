"""What goes wrong, how it is met, and which trace each has to leave: in a run, a write, a sign-in, or the portal's log."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from rapport.rooms.exchange.models import (
    AttentionItem,
    Breaker,
    SignIn,
    SyncRun,
    Write,
    WriteHistory,
)
from rapport.rooms.exchange.states import RunState
from tests.connect.stage import until

if TYPE_CHECKING:
    from tests.faults.soak.soak import Soak

LISTS = {
    "patients": "/patients$", "appointments": "/calendar", "notes": "/notes", "claims": "/billing/claims",
    "payments": "/billing/payments", "clinicians": "/staff",
}  # fmt: skip
"""Kind -> its list at the portal; with `$` that very address: others begin like it."""
FORM, ORACLE = "/appointments/new", "/home"

Stir = Callable[["Soak", str], None]
Trace = Callable[["Soak", str, datetime], str]
"""Soak, kind, since when -> what was seen; empty: nothing yet."""


def read(soak: Soak, kind: str) -> None:
    """Have the list read."""
    soak.refresh(kind)


def read_thrice(soak: Soak, kind: str) -> None:
    """Have the list read three times, one after the other."""
    for _ in range(3):
        since = timezone.now()
        soak.refresh(kind)
        until("a reading to be over", partial(runs, soak, kind, since), seconds=120)


def book(soak: Soak, kind: str) -> None:
    """Have a form sent by a worker."""
    soak.desk.book()


def runs(soak: Soak, kind: str, since: datetime) -> list[SyncRun]:
    """Return readings of a kind since then that are over."""
    with soak.stage.house.entered() as scope:
        rows = SyncRun.objects.visible_to(scope).filter(connection_id=soak.linked.uuid, kind=kind, began_at__gte=since)
        return list(rows.exclude(state=RunState.RUNNING))


def published(soak: Soak, kind: str, since: datetime) -> str:
    """A reading went well in spite of it."""
    return next((f"published ({one.verdict})" for one in runs(soak, kind, since) if one.state == "published"), "")


def in_the_middle(fault: str) -> Trace:
    """Return what sees that some pages of a list were so, and others not, and that all of them were used."""

    def seen(soak: Soak, kind: str, since: datetime) -> str:
        met = {
            fault in one["faults"] for one in soak.stage.portal.rows("request")
            if one["at"] >= since.timestamp() and one["path"].startswith(LISTS[kind].rstrip("$"))
        }  # fmt: skip
        said = published(soak, kind, since)
        return f"{said}, some pages of each" if said and met == {True, False} else ""

    return seen


def not_used(*reasons: str) -> Trace:
    """Return what sees a reading that was not used, for one of these reasons."""

    def seen(soak: Soak, kind: str, since: datetime) -> str:
        for one in runs(soak, kind, since):
            if one.state != "published" and one.reason in reasons:
                return f"{one.state} ({one.reason})"
        return ""

    return seen


def either(*traces: Trace) -> Trace:
    """Return what sees one of several traces."""
    return lambda soak, kind, since: next((said for trace in traces if (said := trace(soak, kind, since))), "")


def opened_breaker(soak: Soak, kind: str, since: datetime) -> str:
    """Three in a row, and the portal is asked once an interval."""
    with soak.stage.house.entered() as scope:
        row = Breaker.objects.visible_to(scope).filter(kind="transport", opened_at__gte=since).first()
    return "asked once an interval (breaker)" if row else ""


def and_asked_for(trace: Trace, matter: str) -> Trace:
    """Return what sees a trace, and that somebody was asked to look."""

    def seen(soak: Soak, kind: str, since: datetime) -> str:
        with soak.stage.house.entered() as scope:
            item = AttentionItem.objects.visible_to(scope).filter(matter=matter, seen_at__gte=since).exists()
        said = trace(soak, kind, since)
        return f"{said}, somebody was asked" if said and item else ""

    return seen


def renewed(soak: Soak, kind: str, since: datetime) -> str:
    """Somebody signed in again."""
    with soak.stage.house.entered() as scope:
        row = SignIn.objects.visible_to(scope).filter(ended_at__gte=since, outcome="signed_in").first()
    return f"signed in again (epoch {row.epoch})" if row else ""


def came_back(soak: Soak, kind: str, since: datetime) -> str:
    """A sign-in that found nobody there was no sign-in for the portal, and the next one came soon."""
    with soak.stage.house.entered() as scope:
        rows = SignIn.objects.visible_to(scope).filter(began_at__gte=since).order_by("began_at")
        outcomes = list(rows.values_list("outcome", flat=True))
    return f"signed in after {', '.join(outcomes[:-1])}" if outcomes[-1:] == ["signed_in"] and "not_begun" in outcomes else ""


def tried_again(soak: Soak, kind: str, since: datetime) -> str:
    """The portal's log has the fault, and the same list given afterwards."""
    log = [
        one for one in soak.stage.portal.rows("request")
        if one["at"] >= since.timestamp() and one["path"].startswith(LISTS[kind].rstrip("$")) and one["login"] == soak.linked.login
    ]  # fmt: skip
    broken = next((one for one in log if one["status"] >= 500), None)
    if broken and any(one["status"] == 200 and one["id"] > broken["id"] for one in log):
        return "asked again"
    return ""


def write_came_to(state: str, *through: str, reason: str = "") -> Trace:
    """Return what sees a write that went through these states (and reason) to that one."""

    def seen(soak: Soak, kind: str, since: datetime) -> str:
        with soak.stage.house.entered() as scope:
            for one in Write.objects.visible_to(scope).filter(state=state, state_changed_at__gte=since):
                moves = list(WriteHistory.objects.visible_to(scope).filter(write_id=one.id, at__gte=since).values_list("state", "reason"))
                if set(through) <= {said for said, _ in moves} and (not reason or reason in {why for _, why in moves}):
                    return " → ".join([*through, state]) + (f" ({reason})" if reason else "") + f", sent {one.sends}×"
        return ""

    return seen


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which it goes wrong."""

    name: str
    script: Callable[[random.Random, str], list[dict[str, Any]]]
    stir: Stir
    trace: Trace
    kinds: tuple[str, ...] = tuple(kind for kind in LISTS if kind != "appointments")
    """Whose list it meets. That of appointments is read for writes too, and a fault that happens once would be theirs."""
    seconds: float = 180.0
    """How long the trace may take. A portal that answers slowly is asked less: a reading of all policies then takes minutes."""
    before: Callable[[Soak], None] | None = None
    """Done instead of a script."""


def on_list(fault: str, value: str = "", *, times: int = 1, after: int = 0) -> Callable[[random.Random, str], list[dict[str, Any]]]:
    """Return the script of a fault on a list."""
    return lambda chance, kind: [{
        "fault": fault, "on": LISTS[kind], "value": value, "times": times, "after": after, "method": "GET",
    }]  # fmt: skip


def on_form(fault: str, value: str = "") -> Callable[[random.Random, str], list[dict[str, Any]]]:
    """Return the script of a fault on the form that books."""
    return lambda chance, kind: [{"fault": fault, "on": FORM, "method": "POST", "value": value}]


def ends_and_is_down(chance: random.Random, kind: str) -> list[dict[str, Any]]:
    """Return the script of a session that ends when the portal is too busy with itself to tell who is signed in."""
    return [{"fault": "expire", "on": LISTS[kind], "method": "GET"},
            {"fault": "status", "on": ORACLE, "method": "GET", "value": "503"}]  # fmt: skip


def everywhere(fault: str, value: str = "") -> Callable[[random.Random, str], list[dict[str, Any]]]:
    """Return the script of a fault on every page that is looked at, until it is taken away."""
    return lambda chance, kind: [{"fault": fault, "on": "/", "method": "GET", "value": value, "times": 0}]


def nothing(chance: random.Random, kind: str) -> list[dict[str, Any]]:
    """No script: it is not the portal that fails."""
    return []


def kill(soak: Soak) -> None:
    """End the worker at once, at whatever it is, and start another."""
    soak.kill_worker()
    soak.stage.start_worker()


def kill_after_leave(soak: Soak) -> None:
    """Have a worker that dies when the portal has the form and before its answer is noted."""
    soak.kill_worker()
    soak.stage.start_worker(RAPPORT_CRASHPOINTS="write.after_leave:1")


def book_and_die(soak: Soak, kind: str) -> None:
    """Book until the worker is dead, then start another."""
    deadline = time.monotonic() + 120
    soak.desk.book()
    while soak.stage.worker.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    died = soak.stage.worker.poll()
    soak.kill_worker()
    soak.stage.start_worker()
    soak.killed_in_mid_write += died == -9


BIG = ("appointments", "notes")
"""Read in several pieces: something can change between them."""

FAULTS: tuple[Fault, ...] = (
    Fault("session ended", on_list("expire"), read, renewed),
    Fault("one 503", on_list("status", "503"), read, not_used("portal_down")),
    Fault("500 and then not", on_list("status", "500"), read, either(tried_again, not_used("portal_down"))),
    Fault("503 everywhere", everywhere("status", "503"), read_thrice, opened_breaker),
    Fault("429, patience of 2 s", on_list("status", "429:2"), read, not_used("busy")),
    Fault("slow page", on_list("slow", "4"), read, published),
    Fault("look B in mid sync", on_list("look", "B", times=3, after=1), read, in_the_middle("look"), kinds=BIG),
    Fault("German in mid sync", on_list("language", "de", times=3, after=1), read, in_the_middle("language"), kinds=BIG),
    Fault("column gone", on_list("drop_column", "status", times=4), read,
          and_asked_for(not_used("drift_breaking"), "drift_breaking"), kinds=("notes", "claims", "payments")),
    Fault("half a page, and then a whole one", on_list("truncate"), read, published),
    Fault("half a page", on_list("truncate", times=0), read, not_used("cut_short")),
    Fault("a wrong total", on_list("wrong_total", "1", times=4), read, and_asked_for(not_used("incomplete"), "incomplete"), kinds=("patients", "claims")),
    Fault("sign-in page with 200", on_list("login_page"), read, renewed),
    Fault("maintenance", on_list("maintenance", "503", times=1), read, not_used("maintenance", "portal_down")),
    Fault("reply lost after booking", on_form("drop_reply"), book, write_came_to("confirmed", "in_doubt")),
    Fault("booking lost on its way", on_form("drop_request"), book, write_came_to("confirmed", "in_doubt", "absent")),
    Fault("booking refused", on_form("refuse_write", "No room that day."), book, write_came_to("refused")),
    Fault("booking said done and not kept", on_form("ignore_write"), book,
          and_asked_for(write_came_to("absent"), "write_absent")),
    Fault("worker killed at random", nothing, read, published, before=kill),
    Fault("worker killed after the submit", nothing, book_and_die, write_came_to("confirmed", "in_doubt", reason="worker_died"),
          before=kill_after_leave),
    Fault("portal down at the sign-in", ends_and_is_down, read, came_back),
)  # fmt: skip

