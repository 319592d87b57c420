"""The roster over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from rapport.kernel.problems import NotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags, handed_on, lanes
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer, Page, path_id
from rapport.platform.db import sql

from . import at_source, examples, queries, services
from . import schemas as s
from .models import Patient

router = RoomRouter(connected="refused", tag="Roster")


def _one(
    request: ScopedRequest, *, kind: str, columns: str, table: str, build: Any, id: Any, version: int,
    status: int | None = None,
) -> Answer:
    """Answer one row in its shape, with its ETag. :param version: which column counts versions"""
    scope: Scope = request.auth
    row = sql.one(
        f"SELECT {columns} FROM {table} WHERE practice_id = %s AND id = %s",  # noqa: S608 - constants
        (scope.practice_id, id),
    )
    if row is None:
        raise NotFound()
    scope.trail.target(kind, id, row[version])
    if kind == "patient":
        scope.trail.patient_ids.add(id)
    return Answer(build(row, scope), etag=etags.of(id, row[version]), status=status)


def _patient(request: ScopedRequest, id: Any, *, status: int | None = None) -> Answer:
    return _one(
        request, kind="patient", columns=s.PATIENT_COLUMNS, table="roster_patient p",
        build=s.patient_out, id=id, version=2, status=status,
    )  # fmt: skip


_ASKED = (s.PatientAskedOut, examples.ASKED)


def _asked(request: ScopedRequest, status: int, wanted: at_source.Wanted) -> Answer:
    """Answer what was asked of another system."""
    scope = request.auth
    if wanted.outcome is None:
        return _patient(request, wanted.patient_id)
    system = getattr(wanted.outcome, "system", "")

    def asked(write: handed_on.WriteRef) -> s.PatientAskedOut:
        face = None
        if wanted.patient_id is not None:
            face = Patient.objects.visible_to(scope).values_list("face", flat=True).get(id=wanted.patient_id)
        return s.patient_asked_out(face, wanted=wanted, write=write, now=timezone.now(), system=system)

    how = handed_on.HandedOn(
        status=status, show=lambda id: _patient(request, id), asked=asked, wait=at_source.wait,
        take_over=lambda house, done: at_source.mirror_done(scope=house, outcome=done, now=timezone.now()),
        pointers=at_source.POINTERS,
    )  # fmt: skip
    return handed_on.answer(request, wanted.outcome, how=how)


def _clinician(request: ScopedRequest, id: Any, *, status: int | None = None) -> Answer:
    return _one(
        request, kind="clinician", columns=s.CLINICIAN_COLUMNS, table="roster_clinician c",
        build=s.clinician_out, id=id, version=9, status=status,
    )  # fmt: skip


def _location(request: ScopedRequest, id: Any, *, status: int | None = None) -> Answer:
    return _one(
        request, kind="location", columns=s.LOCATION_COLUMNS, table="roster_location l",
        build=s.location_out, id=id, version=12, status=status,
    )  # fmt: skip


PATIENTS = ListSpec(
    route="patients",
    columns=s.PATIENT_COLUMNS,
    source="roster_patient p",
    id_column="p.id",
    practice_column="p.practice_id",
    sorts={
        "name": Sort("p.last_name", "text"),
        "updated_at": Sort("p.updated_at", "timestamptz"),
        "created_at": Sort("p.created_at", "timestamptz"),
    },
    default_sort="name",
    filters={
        "status": Filter("p.status", "enum:inquiry|active|inactive|deceased", ("eq", "in", "ne")),
        "clinician_id": Filter(
            "", "id:clinician",
            condition="EXISTS (SELECT 1 FROM roster_careteam t WHERE t.practice_id = p.practice_id"
            " AND t.patient_id = p.id AND t.clinician_id = {value})",
        ),
        "updated_at": Filter("p.updated_at", "instant", ("gte", "gt", "lt", "lte")),
        "updated_since": Filter("p.updated_at", "instant", condition="p.updated_at >= {value}"),
    },
    build=s.patient_out,
    patient_index=0,
)  # fmt: skip


lanes.pages(
    "patients", path="/patients", action="patient.list", needs=(Permission.PATIENTS_READ,), spec=PATIENTS
)
lanes.read(
    "patient", path="/patients/{patient_id}", action="patient.read", needs=(Permission.PATIENTS_READ,),
    statement=f"SELECT {s.PATIENT_COLUMNS} FROM roster_patient p"  # noqa: S608 - constants
    " WHERE p.practice_id = %(practice)s AND p.id = %(id)s",
    id_kind="patient", patient_index=0, version_index=2,
    build=lambda row, scope: Answer(s.patient_out(row, scope), etag=etags.of(row[0], row[2])),
)  # fmt: skip


@router.get(
    "/patients",
    summary="List patients",
    needs=Permission.PATIENTS_READ,
    action="patient.list",
    returns=(200, s.PatientOut),
    list_spec=PATIENTS,
    example={"object": "list", "data": [examples.PATIENT], "has_more": False, "next_cursor": None, "prev_cursor": None},
)
def list_patients(request: ScopedRequest) -> Answer:
    """
    The roster, a page at a time, with demographics, care team and primary insurance.

    Sorted by name unless told otherwise. `updated_since` keeps a copy in step. A clinician sees
    the patients they are assigned to, where the practice keeps caseloads apart. To look for a
    person by name use `POST /v1/patients/search`: names do not belong in addresses.
    """
    return PATIENTS.run(request, scope=request.auth)


@router.get(
    "/patients/{patient_id}",
    summary="Read a patient",
    needs=Permission.PATIENTS_READ,
    action="patient.read",
    returns=(200, s.PatientOut),
    example=examples.PATIENT,
)
def get_patient(request: ScopedRequest, patient_id: str) -> Answer:
    """One patient. A patient of another practice, or outside the caller's caseload, is not found."""
    return _patient(request, path_id("patient", patient_id))


@router.post(
    "/patients",
    summary="Add a patient",
    needs=Permission.PATIENTS_WRITE,
    action="patient.create",
    returns=(201, s.PatientOut),
    problems=(services.ExternalIdTaken, *handed_on.PROBLEMS),
    connected="port",
    accepted=_ASKED,
    example=examples.PATIENT,
    request_example=examples.NEW_PATIENT,
)
def create_patient(request: ScopedRequest, body: s.PatientIn) -> Answer:
    """
    Add a patient to the roster.

    An external id that another patient has is refused with `external-id-taken`. Emits
    `patient.created`.
    In a connected practice it is done at the portal, where one with the same name and day of birth is looked for first.
    """
    if request.auth.connected:
        wanted = at_source.add(
            scope=request.auth, now=timezone.now(), body=body, key=handed_on.key_of(request)
        )
        return _asked(request, 201, wanted)
    patient = services.create_patient(scope=request.auth, now=timezone.now(), body=body)
    return _patient(request, patient.id)


@router.put(
    "/patients/by-external-id",
    summary="Create or change a patient by external id",
    needs=Permission.PATIENTS_WRITE,
    action="patient.put",
    returns=(200, s.PatientOut),
    problems=(services.ExternalIdTaken,),
    example=examples.PATIENT,
    request_example=examples.NEW_PATIENT
    | {"external_ids": [{"system": "urn:example:crm", "value": "7"}]},
)
def put_patient(request: ScopedRequest, body: s.PatientIn) -> Answer:
    """The patient with the first of `external_ids` gets the fields that are sent; made when there is none: 201."""
    patient, created = services.put_patient(scope=request.auth, now=timezone.now(), body=body)
    return _patient(request, patient.id, status=201 if created else 200)


@router.patch(
    "/patients/{patient_id}",
    summary="Change a patient",
    needs=Permission.PATIENTS_WRITE,
    action="patient.update",
    returns=(200, s.PatientOut),
    match=True,
    problems=(services.ExternalIdTaken, *handed_on.PROBLEMS),
    connected="port",
    accepted=_ASKED,
    example=examples.PATIENT,
    request_example={"name": {"first": "Ana", "last": "Rivera-Soto"}},
)
def change_patient(request: ScopedRequest, patient_id: str, body: s.PatientChange) -> Answer:
    """
    Change the fields that are sent; the others stay. `null` empties a field, a list replaces it.

    Needs `If-Match`. Emits `patient.updated` with the names of the fields. In a connected practice
    it is done at the portal; what that has no place for is refused with `field-not-at-source`.
    """
    if request.auth.connected:
        wanted = at_source.change(
            scope=request.auth, patient_id=path_id("patient", patient_id), if_match=request.edge.if_match,
            now=timezone.now(), given=body.given(), key=handed_on.key_of(request),
        )  # fmt: skip
        return _asked(request, 200, wanted)
    patient = services.change_patient(
        scope=request.auth, patient_id=path_id("patient", patient_id),
        if_match=request.edge.if_match, now=timezone.now(), given=body.given(),
    )  # fmt: skip
    return _patient(request, patient.id)


@router.post(
    "/patients/search",
    summary="Search patients",
    needs=Permission.PATIENTS_READ,
    action="patient.search",
    connected="kept",
    kind="search",
    key="none",
    returns=(200, s.PatientOut),
    example={"object": "list", "data": [examples.PATIENT], "has_more": False, "next_cursor": None, "prev_cursor": None},
    request_example={"name": "riv", "birth_on": "1990-04-12"},
)
def search_patients(request: ScopedRequest, body: s.PatientSearch) -> Page:
    """
    Find patients by the start of a name, date of birth, e-mail or external id.

    All parts that are given must match. The words of `name` may be first, last or preferred
    names, in any order. What was looked for stays out of addresses and logs.
    """
    scope = request.auth
    rows = queries.search_patients(
        scope=scope, columns=s.PATIENT_COLUMNS, name=body.name, birth_on=body.birth_on,
        email=body.email, limit=body.limit,
        external_id=(body.external_id.system, body.external_id.value) if body.external_id else None,
    )  # fmt: skip
    return Page(data=[s.patient_out(row, scope) for row in rows], has_more=False, next_cursor=None)


CLINICIANS = ListSpec(
    route="clinicians",
    columns=s.CLINICIAN_COLUMNS,
    source="roster_clinician c",
    id_column="c.id",
    practice_column="c.practice_id",
    sorts={"name": Sort("c.last_name", "text"), "updated_at": Sort("c.updated_at", "timestamptz")},
    default_sort="name",
    filters={"active": Filter("c.active", "bool"), "npi": Filter("c.npi", "text")},
    build=s.clinician_out,
)


@router.get(
    "/clinicians",
    summary="List clinicians",
    needs=Permission.CLINICIANS_READ,
    action="clinician.list",
    returns=(200, s.ClinicianOut),
    list_spec=CLINICIANS,
    example={"object": "list", "data": [examples.CLINICIAN], "has_more": False, "next_cursor": None, "prev_cursor": None},
)
def list_clinicians(request: ScopedRequest) -> Answer:
    """The clinicians of the practice, by name. Use `active=true` for those who take bookings."""
    return CLINICIANS.run(request, scope=request.auth)


@router.get(
    "/clinicians/{clinician_id}",
    summary="Read a clinician",
    needs=Permission.CLINICIANS_READ,
    action="clinician.read",
    returns=(200, s.ClinicianOut),
    example=examples.CLINICIAN,
)
def get_clinician(request: ScopedRequest, clinician_id: str) -> Answer:
    """One clinician, with the identifiers that claims carry."""
    return _clinician(request, path_id("clinician", clinician_id))


@router.post(
    "/clinicians",
    summary="Add a clinician",
    needs=Permission.CLINICIANS_WRITE,
    action="clinician.create",
    returns=(201, s.ClinicianOut),
    problems=(services.ExternalIdTaken,),
    example=examples.CLINICIAN,
    request_example=examples.NEW_CLINICIAN,
)
def create_clinician(request: ScopedRequest, body: s.ClinicianIn) -> Answer:
    """Add a clinician. The NPI's check digit is verified; an intern may have none."""
    clinician = services.create_clinician(scope=request.auth, now=timezone.now(), body=body)
    return _clinician(request, clinician.id)


@router.put(
    "/clinicians/by-external-id",
    summary="Create or change a clinician by external id",
    needs=Permission.CLINICIANS_WRITE,
    action="clinician.put",
    returns=(200, s.ClinicianOut),
    problems=(services.ExternalIdTaken,),
    example=examples.CLINICIAN,
    request_example=examples.NEW_CLINICIAN
    | {"external_ids": [{"system": "urn:example:crm", "value": "7"}]},
)
def put_clinician(request: ScopedRequest, body: s.ClinicianIn) -> Answer:
    """The clinician with the first of `external_ids` gets the fields that are sent; made when there is none: 201."""
    clinician, created = services.put_clinician(scope=request.auth, now=timezone.now(), body=body)
    return _clinician(request, clinician.id, status=201 if created else 200)


@router.patch(
    "/clinicians/{clinician_id}",
    summary="Change a clinician",
    needs=Permission.CLINICIANS_WRITE,
    action="clinician.update",
    returns=(200, s.ClinicianOut),
    match=True,
    problems=(services.ExternalIdTaken,),
    example=examples.CLINICIAN,
    request_example={"credentials": "PhD, ABPP"},
)
def change_clinician(request: ScopedRequest, clinician_id: str, body: s.ClinicianChange) -> Answer:
    """Change the fields that are sent. A new name shows on the clinician's patients at once."""
    clinician = services.change_clinician(
        scope=request.auth, clinician_id=path_id("clinician", clinician_id),
        if_match=request.edge.if_match, now=timezone.now(),
        given={name: getattr(body, name) for name in body.model_fields_set},
    )  # fmt: skip
    return _clinician(request, clinician.id)


LOCATIONS = ListSpec(
    route="locations",
    columns=s.LOCATION_COLUMNS,
    source="roster_location l",
    id_column="l.id",
    practice_column="l.practice_id",
    sorts={"name": Sort("l.name", "text")},
    default_sort="name",
    filters={"active": Filter("l.active", "bool")},
    build=s.location_out,
)


@router.get(
    "/locations",
    summary="List locations",
    needs=Permission.LOCATIONS_READ,
    action="location.list",
    returns=(200, s.LocationOut),
    list_spec=LOCATIONS,
    example={"object": "list", "data": [examples.LOCATION], "has_more": False, "next_cursor": None, "prev_cursor": None},
)
def list_locations(request: ScopedRequest) -> Answer:
    """The places where the practice sees patients, by name."""
    return LOCATIONS.run(request, scope=request.auth)


@router.get(
    "/locations/{location_id}",
    summary="Read a location",
    needs=Permission.LOCATIONS_READ,
    action="location.read",
    returns=(200, s.LocationOut),
    example=examples.LOCATION,
)
def get_location(request: ScopedRequest, location_id: str) -> Answer:
    """One place, with its address, zone and place-of-service code."""
    return _location(request, path_id("location", location_id))


@router.post(
    "/locations",
    summary="Add a location",
    needs=Permission.LOCATIONS_WRITE,
    action="location.create",
    connected="kept",
    returns=(201, s.LocationOut),
    problems=(services.ExternalIdTaken,),
    example=examples.LOCATION,
    request_example=examples.NEW_LOCATION,
)
def create_location(request: ScopedRequest, body: s.LocationIn) -> Answer:
    """Add a place. Without a zone it takes the practice's."""
    location = services.create_location(scope=request.auth, now=timezone.now(), body=body)
    return _location(request, location.id)


@router.put(
    "/locations/by-external-id",
    summary="Create or change a place by external id",
    needs=Permission.LOCATIONS_WRITE,
    action="location.put",
    connected="kept",
    returns=(200, s.LocationOut),
    problems=(services.ExternalIdTaken,),
    example=examples.LOCATION,
    request_example=examples.NEW_LOCATION
    | {"external_ids": [{"system": "urn:example:crm", "value": "7"}]},
)
def put_location(request: ScopedRequest, body: s.LocationIn) -> Answer:
    """The place with the first of `external_ids` gets the fields that are sent; made when there is none: 201."""
    location, created = services.put_location(scope=request.auth, now=timezone.now(), body=body)
    return _location(request, location.id, status=201 if created else 200)


@router.patch(
    "/locations/{location_id}",
    summary="Change a location",
    needs=Permission.LOCATIONS_WRITE,
    action="location.update",
    connected="kept",
    returns=(200, s.LocationOut),
    match=True,
    problems=(services.ExternalIdTaken,),
    example=examples.LOCATION,
    request_example={"name": "Main office, 2nd floor"},
)
def change_location(request: ScopedRequest, location_id: str, body: s.LocationChange) -> Answer:
    """Change the fields that are sent. Set `active` to false to take it out of booking."""
    location = services.change_location(
        scope=request.auth, location_id=path_id("location", location_id),
        if_match=request.edge.if_match, now=timezone.now(),
        given={name: getattr(body, name) for name in body.model_fields_set},
    )  # fmt: skip
    return _location(request, location.id)
