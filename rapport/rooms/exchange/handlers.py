"""
Where the mirror meets the rooms: what a portal has goes into their tables, what they write into the journal.

The rooms below know nothing of portals. They are told what was found (`mirroring`), and ask for what
is to be written by a port of their own, which stands here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from rapport.kernel.ids import parse_type_id, type_id
from rapport.kernel.outcomes import Asked, Done, Outcome, Pending, Refused
from rapport.kernel.problems import FieldError, FieldNotAtSource, NotFound, Problem
from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.db.session import entered
from rapport.platform.tenancy.queries import get_practice
from rapport.platform.tenancy.source import NotTakenOver, SourceRef, System
from rapport.rooms.charting import mirroring as charting
from rapport.rooms.claims import mirroring as claims
from rapport.rooms.claims import services as claim_services
from rapport.rooms.coverage import mirroring as coverage
from rapport.rooms.coverage import queries as payers
from rapport.rooms.ledger import mirroring as ledger
from rapport.rooms.remittance import services as remittance
from rapport.rooms.roster import mirroring as roster
from rapport.rooms.scheduling import mirroring as scheduling

from . import queries, services
from .jobs import writing
from .models import Connection, Write
from .problems import ConnectionStands
from .rules.changes import Change, Held, Origin
from .services.recipients import Recipient
from .states import WriteState

_SETTLED = (WriteState.CONFIRMED, WriteState.CONFLICTING, WriteState.REFUSED, WriteState.ABSENT)
_LOOK_SECONDS = 0.25

Bring = Callable[..., Any]


def _take_over(bring: Bring, gone: Bring) -> Recipient:
    """Return who takes one kind over: record by record, and what does not fit is held."""

    def recipient(
        *, scope: Scope, origin: Origin, changes: Sequence[Change], now: datetime
    ) -> Sequence[Held]:
        if get_practice(scope=scope).system != System.CONNECTED:
            return ()  # its own tables are its truth: what a portal has is a copy beside them
        held = []
        for change in changes:
            source = SourceRef(origin.system, change.remote_id, change.as_of or now)
            try:
                with transaction.atomic():
                    if change.what == "gone":
                        gone(scope=scope, source=source, now=now)
                    else:
                        bring(scope=scope, source=source, values=change.values, now=now)
            except NotTakenOver as reason:
                held.append(Held(change.remote_id, reason.code))
        return held

    return recipient


def _take_claims(
    *, scope: Scope, origin: Origin, changes: Sequence[Change], now: datetime
) -> Sequence[Held]:
    """
    Take claims over, and look again at remittances that came before them.

    A claim whose visit is not known is taken over and offered again: its visit may come later.
    """
    if get_practice(scope=scope).system != System.CONNECTED:
        return ()
    # Before any claim is held: whoever posts a file locks in this order.
    remittance.one_at_a_time(scope=scope)
    known: dict[str, Any] = {}

    def bring(*, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime) -> None:
        known[source.remote_id], _ = claims.mirror_claim(scope=scope, source=source, values=values, now=now)

    held = list(
        _take_over(bring, claims.claim_gone)(scope=scope, origin=origin, changes=changes, now=now)
    )
    held += [
        Held(id, "unknown-appointment") for id, claim in known.items()
        if claims.is_open_question(scope=scope, claim=claim)
    ]  # fmt: skip
    if known:
        remittance.match_again(scope=scope, now=now)
    return held


def _take_with_paper(bring: Bring, gone: Bring, *, wants: Callable[[Any, Any], bool]) -> Recipient:
    """
    Return who takes facts of notes over, and has papers of them fetched.

    :param wants: told a note and what changed of it: whether its paper is to be fetched, or fetched anew
    """

    def recipient(
        *, scope: Scope, origin: Origin, changes: Sequence[Change], now: datetime
    ) -> Sequence[Held]:
        about: dict[str, UUID] = {}

        def each(*, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime) -> None:
            note, changed = bring(scope=scope, source=source, values=values, now=now)
            if note.source_remote_id and wants(note, changed):
                about[note.source_remote_id] = note.patient_id

        held = _take_over(each, gone)(scope=scope, origin=origin, changes=changes, now=now)
        services.want_papers(
            scope=scope, connection_id=origin.connection_id, kind="notes", about=about, now=now
        )
        return held

    return recipient


def _take_era(
    *, scope: Scope, origin: Origin, document_id: UUID, data: bytes, remote_id: str, now: datetime
) -> None:
    """Read a portal's remittance as one that came through a channel."""
    if get_practice(scope=scope).system != System.CONNECTED:
        return
    try:
        remittance.receive(
            scope=scope, data=data, via="portal", source=SourceRef(origin.system, remote_id, now), now=now
        )
    except Problem as problem:
        raise NotTakenOver("unreadable") from problem


def _take_claim_file(
    *, scope: Scope, origin: Origin, document_id: UUID, data: bytes, remote_id: str, now: datetime
) -> None:
    """Note which of the portal's claims a file carries that the portal sent to a payer."""
    if get_practice(scope=scope).system == System.CONNECTED:
        claims.note_file(scope=scope, system=origin.system, document_id=document_id, data=data, now=now)


def _take_note(
    *, scope: Scope, origin: Origin, document_id: UUID, data: bytes, remote_id: str, now: datetime
) -> None:
    """Keep the PDF of a signed note with the note."""
    if get_practice(scope=scope).system == System.CONNECTED:
        charting.note_document(
            scope=scope, source=SourceRef(origin.system, remote_id, now), document_id=document_id, now=now
        )


class _Kept:
    """A room's system of record, kept by the journal of writes."""

    kind: ClassVar[str]
    """What the mirror calls its records."""

    def wait(self, *, scope: Scope, write_id: str, seconds: float) -> Outcome:
        """Carry the write on here and now, and say where it stands when the time is over."""
        id = parse_type_id("connector_write", write_id)
        if id is None:
            raise NotFound(reason="malformed_id")
        house = system_scope(
            practice_id=scope.practice_id, actor_id=scope.practice_id, time_zone=scope.time_zone,
            livemode=scope.livemode,
        )  # fmt: skip
        deadline = time.monotonic() + seconds
        while True:
            with entered(house):
                write = Write.objects.visible_to(house).get(id=id)
                stands = services.lease(scope=house, connection_id=write.connection_id, now=timezone.now()) is not None
            if stands:  # else a worker signs in and goes on, and we look
                left = max(0.0, deadline - time.monotonic())
                writing.write(scope=house, write_id=id, wait_seconds=left, sign_in=False)
            with entered(house):
                write = Write.objects.visible_to(house).get(id=id)
                outcome = _outcome(house, write)
            if not isinstance(outcome, Pending) or time.monotonic() >= deadline:
                return outcome
            time.sleep(_LOOK_SECONDS)

    def _begin(self, ability: str, scope: Scope, asked: Asked, values: Mapping[str, Any], now: datetime) -> Outcome:
        connections = queries.working_connections(scope=scope)
        if len(connections) != 1:
            raise ConnectionStands("See the practice's connections.", current_state="none")
        connection = connections[0]
        _check_fields(connection.definition, ability, values, asked.pointers)
        seen: Mapping[str, Any] | None = None
        if asked.remote_id:
            mirrored = queries.mirrored(
                scope=scope, connection_id=connection.id, kind=self.kind, remote_id=asked.remote_id
            )
            seen = mirrored.values if mirrored is not None else None
        write = services.begin_write(
            scope=scope, connection_id=connection.id, ability=ability, values=values, key=asked.key,
            now=now, patient_id=asked.patient_id, remote_id=asked.remote_id, seen=seen,
            aside={"external_ids": asked.values.get("external_ids") or [], **asked.aside},
        )  # fmt: skip
        return _outcome(scope, write)


class PortalClaims:
    """What portals ask of payers: claims' `Elsewhere`, told from the mirror."""

    def has_another(self, *, scope: Scope) -> bool:
        """Tell whether the practice is linked to a portal."""
        return bool(queries.standing_connections(scope=scope))

    def open_claim(
        self, *, scope: Scope, patient_id: UUID, payer_id: UUID, days: Sequence[date]
    ) -> str | None:
        """Return the portal's id of a claim for this patient and payer on one of the days, if there is one."""
        for connection in queries.standing_connections(scope=scope):
            system = connection.definition
            known_as = roster.ids_of_patient(scope=scope, patient_id=patient_id, system=system)
            if not known_as:
                continue
            for one in queries.mirrored_on(scope=scope, connection=connection, kind="claims", days=days):
                told = one.values
                if (
                    str(told.get("patient")) in known_as
                    and told.get("service_on") in [day.isoformat() for day in days]
                    and told.get("status") != "voided"
                    and payer_id in payers.payers_called(scope=scope, system=system, id=str(told.get("payer")))
                ):
                    return one.remote_id
        return None


def _may_be_claimed_there(
    *, scope: Scope, connection: Connection, values: Mapping[str, Any], remote_id: str
) -> None:
    """Refuse to have a claim sent from the portal that is asked for here, or is to be."""
    told: dict[str, Any] = {}
    if remote_id:
        kept = queries.mirrored(
            scope=scope, connection_id=connection.id, kind="claims", remote_id=remote_id
        )
        told = dict(kept.values) if kept is not None else {}
    told |= values
    patient_id, on = None, None
    with suppress(NotTakenOver):
        patient_id = roster.find_patient(
            scope=scope, system=connection.definition, id=str(told.get("patient"))
        ).id
    with suppress(ValueError):
        on = date.fromisoformat(str(told.get("service_on")))
    claim_services.require_there(
        scope=scope, patient_id=patient_id, on=on,
        payer_ids=payers.payers_called(
            scope=scope, system=connection.definition, id=str(told.get("payer"))
        ),
    )  # fmt: skip


class PortalCalendar(_Kept):
    """The calendar of a connected practice: scheduling's `SystemOfRecord`."""

    kind = "appointments"

    def book(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Note that an appointment is to be made."""
        return self._begin("appointments.create", scope, asked, _said(asked.values, only=()), now)

    def change(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Note that an appointment is to be changed, where it still is as its mirror has it."""
        return self._begin("appointments.update", scope, asked, _said(asked.values, only=asked.changed), now)

    def cancel(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Note that an appointment is to be cancelled; that it then is so is the proof of it."""
        told = _said({**asked.values, "status": "cancelled"}, only=asked.changed)
        return self._begin("appointments.cancel", scope, asked, told, now)


class PortalRoster(_Kept):
    """The patients of a connected practice: the roster's `SystemOfRecord`."""

    kind = "patients"

    def add(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Note that a patient is to be added, unless the portal has somebody of that name and day of birth."""
        values = {name: value for name, value in asked.values.items() if name != "external_ids"}
        return self._begin("patients.create", scope, asked, values, now)

    def change(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Note that a patient is to be changed, where they still are as their mirror has them."""
        return self._begin("patients.update", scope, asked, asked.values, now)


class PortalCharts(_Kept):
    """The notes of a connected practice: charting's `SystemOfRecord`."""

    kind = "notes"

    def addend(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Note that a signed note is to get an addendum, which is found again among its addenda."""
        return self._begin("notes.addendum", scope, asked, asked.values, now)


class PortalBilling(_Kept):
    """The claims of a connected practice: the claims room's `SystemOfRecord`."""

    kind = "claims"

    def create(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Note that a claim is to be made for a visit that took place."""
        return self._begin("claims.create", scope, asked, asked.values, now)

    def submit(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Note that a claim is to be submitted, once a person approves it; that it then is so is the proof of it."""
        return self._begin("claims.submit", scope, asked, asked.values, now)


def _check_fields(definition: str, ability: str, values: Mapping[str, Any], pointers: Mapping[str, str]) -> None:
    """Refuse what the portal's form has no place for, and name each field."""
    can = services.ability_of(definition=definition, name=ability)
    if can is None or not can.fields:
        return
    unknown = [name for name in values if name not in can.fields and name not in can.key]
    if unknown:
        raise FieldNotAtSource(
            "Leave these out, or change them where the record is kept.",
            errors=tuple(FieldError(pointers.get(name, f"/{name}"), "field-not-at-source") for name in unknown),
        )


def _said(values: Mapping[str, Any], *, only: Sequence[str]) -> dict[str, Any]:
    """Return what the portal is told: of a change what is to be other, and nothing that has no value."""
    said = {
        name: value
        for name, value in values.items()
        if value is not None and name not in ("external_ids", "telehealth")
    }
    if values.get("telehealth"):
        said["location"] = "Telehealth"
    if only:
        names = {"location" if name == "telehealth" else name for name in only} | {"reason"}
        said = {name: value for name, value in said.items() if name in names}
    return said


def _outcome(scope: Scope, write: Write) -> Outcome:
    if write.state not in _SETTLED:
        connection = queries.get_connection(scope=scope, connection_id=write.connection_id)
        return Pending(type_id("connector_write", write.id), write.state, connection.definition)
    if write.state == WriteState.CONFIRMED:
        connection = queries.get_connection(scope=scope, connection_id=write.connection_id)
        found = services.opened(write=write, part="found") or {}
        kept = (services.opened(write=write, part="values") or {}).get("aside", {})
        return Done(connection.definition, write.remote_id, {**kept, **found}, type_id("connector_write", write.id))
    said = (services.opened(write=write, part="message") if write.message_sealed else None) or {}
    words = str(said.get("message") or "") or _WHY.get(write.reason) or _WORDS[WriteState(write.state)]
    return Refused(words, dict(said.get("fields") or {}))


_WHY = {
    "withheld_locked": "It is signed or closed there and cannot be changed any more.",
    "not_permitted": "The portal's user may not do that there.",
    "not_shown": "No page of the portal would show it afterwards, so it was not sent.",
    "gone": "The record is not there any more.",
}
_WORDS = {
    WriteState.CONFLICTING: "Something else is in its place there. See the connection's writes.",
    WriteState.REFUSED: "The portal refused it and gave no words.",
    WriteState.ABSENT: "It was sent, and is not there. See the connection's writes.",
}


def connect() -> None:
    """Name the rooms that take over what is read. Called once in each process."""
    for kind, bring, gone in (
        ("clinicians", roster.mirror_clinician, roster.clinician_gone),
        ("patients", roster.mirror_patient, roster.patient_gone),
        ("appointments", scheduling.mirror_appointment, scheduling.appointment_gone),
        ("policies", coverage.mirror_policy, coverage.policy_gone),
        ("payments", ledger.mirror_payment, ledger.payment_gone),
        ("working_hours", scheduling.mirror_shift, scheduling.shift_gone),
    ):
        services.register_recipient(kind=kind, recipient=_take_over(bring, gone))
    services.register_recipient(kind="claims", recipient=_take_claims)
    # The paper of a note that is signed; with an addendum that is new it is another.
    notes = _take_with_paper(
        charting.mirror_note, charting.note_gone, wants=lambda note, changed: charting.lacks_paper(note)
    )
    addenda = _take_with_paper(
        charting.mirror_addendum, charting.addendum_gone, wants=lambda note, changed: bool(changed)
    )
    services.register_recipient(kind="notes", recipient=notes)
    services.register_recipient(kind="addenda", recipient=addenda)
    claim_services.supply_elsewhere(PortalClaims())
    for ability in ("claims.create", "claims.submit"):
        services.register_guard(ability=ability, guard=_may_be_claimed_there)
    services.register_file_recipient(ability="eras.file", recipient=_take_era)
    services.register_file_recipient(ability="claim_files.file", recipient=_take_claim_file)
    services.register_file_recipient(ability="notes.pdf", recipient=_take_note)


__all__ = ["PortalBilling", "PortalCalendar", "PortalCharts", "PortalRoster", "connect"]
