"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEW_APPOINTMENT = {
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "service_code": "90837",
    "start_local": "2026-11-02T09:00:00",
    "time_zone": "America/Los_Angeles",
    "duration_minutes": 60,
    "location_id": "loc_01h455vb4pex5vsknk084sn02v",
    "external_ids": [{"system": "urn:example:crm", "value": "visit-1"}],
}

APPOINTMENT = {
    "object": "appointment",
    "id": "appt_01h455vb4pex5vsknk084sn02q",
    "status": "booked",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "patient": {"id": "pat_01h455vb4pex5vsknk084sn02q", "display_name": "Annie Rivera"},
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "clinician": {"id": "clin_01h455vb4pex5vsknk084sn02r", "display_name": "Maya Chen, PhD"},
    "service_code": "90837",
    "service_code_id": "svc_01h455vb4pex5vsknk084sn02q",
    "start_at": "2026-11-02T17:00:00.000Z",
    "end_at": "2026-11-02T18:00:00.000Z",
    "time_zone": "America/Los_Angeles",
    "start_local": "2026-11-02T09:00:00",
    "utc_offset": "-08:00",
    "duration_minutes": 60,
    "location_id": "loc_01h455vb4pex5vsknk084sn02v",
    "telehealth": False,
    "telehealth_mode": None,
    "patient_setting": None,
    "place_of_service_code": "11",
    "modifiers": [],
    "place_rule": "In person: the place-of-service code of the location, no modifier.",
    "telehealth_session": None,
    "overbooked": False,
    "group_session_id": None,
    "warnings": [{"code": "authorization-low", "message": "1 left of the authorisation after this visit."}],
    "eligibility": {
        "check_id": "elig_01h455vb4pex5vsknk084sn02r", "as_of": "2026-11-01T15:00:02.000Z", "coverage": "active",
        "copay": {"amount": 2500, "currency": "USD"}, "coinsurance_basis_points": None,
        "deductible_remaining": {"amount": 12000, "currency": "USD"}, "authorization": "required",
    },
    "ended_reason": None,
    "ended_by": None,
    "external_ids": [{"system": "urn:example:crm", "value": "visit-1"}],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-10-26T15:00:00.000Z"},
    "version": 1,
    "created_at": "2026-10-26T15:00:00.000Z",
    "updated_at": "2026-10-26T15:00:00.000Z",
}

ASKED = APPOINTMENT | {
    "source": {"system": "sandbox-portal", "remote_id": "A-4711", "as_of": "2026-10-26T15:00:00.000Z"},
    "write": {"id": "cwr_01h455vb4pex5vsknk084sn02q", "state": "intended"},
}
"""On its way to a portal."""

SLOT = {
    "object": "slot",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "start_at": "2026-11-02T17:00:00.000Z",
    "end_at": "2026-11-02T17:50:00.000Z",
    "time_zone": "America/Los_Angeles",
    "start_local": "2026-11-02T09:00:00",
    "utc_offset": "-08:00",
}

NEW_WORK_SCHEDULE = {
    "time_zone": "America/Los_Angeles",
    "shifts": [{"weekday": "monday", "starts": "09:00", "ends": "17:00"}],
}

WORK_SCHEDULE = {
    "object": "work_schedule",
    "id": "wsch_01h455vb4pex5vsknk084sn02q",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "time_zone": "America/Los_Angeles",
    "shifts": [{"weekday": "monday", "starts": "09:00", "ends": "17:00"}],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-11-02T17:00:00.000Z"},
    "version": 1,
}

HISTORY = {
    "object": "appointment_history",
    "action": "check_in",
    "status_before": "booked",
    "status": "checked_in",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "start_at": "2026-11-02T17:00:00.000Z",
    "end_at": "2026-11-02T18:00:00.000Z",
    "by_type": "user",
    "version": 2,
    "at": "2026-11-02T16:58:00.000Z",
}


def page(member: Mapping[str, Any]) -> dict[str, Any]:
    """Return a list of one."""
    return {"object": "list", "data": [member], "has_more": False, "next_cursor": None, "prev_cursor": None}


NEW_GROUP = {
    "label": "Thursday evening",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "service_code": "90853",
    "capacity": 8,
    "patient_ids": ["pat_01h455vb4pex5vsknk084sn02q"],
}
NEW_MEMBER = {"patient_id": "pat_01h455vb4pex5vsknk084sn02q"}
GROUP = {
    "object": "group",
    "id": "grp_01h455vb4pex5vsknk084sn02q",
    "label": "Thursday evening",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "clinician": {"id": "clin_01h455vb4pex5vsknk084sn02r", "display_name": "Maya Chen, PhD"},
    "service_code": "90853",
    "capacity": 8,
    "members_count": 1,
    "members": [{"id": "pat_01h455vb4pex5vsknk084sn02q", "display_name": "Annie Rivera"}],
    "active": True,
    "version": 1,
    "created_at": "2026-10-26T15:00:00.000Z",
    "updated_at": "2026-10-26T15:00:00.000Z",
}
NEW_GROUP_SESSION = {
    "start_local": "2026-11-05T18:00:00",
    "time_zone": "America/Los_Angeles",
    "duration_minutes": 90,
    "location_id": "loc_01h455vb4pex5vsknk084sn02v",
    "repeat": {"every_weeks": 1, "times": 2},
}
GROUP_SESSION = {
    "object": "group_session",
    "id": "gses_01h455vb4pex5vsknk084sn02q",
    "status": "booked",
    "group_id": "grp_01h455vb4pex5vsknk084sn02q",
    "label": "Thursday evening",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "clinician": {"id": "clin_01h455vb4pex5vsknk084sn02r", "display_name": "Maya Chen, PhD"},
    "service_code": "90853",
    "start_at": "2026-11-06T02:00:00.000Z",
    "end_at": "2026-11-06T03:30:00.000Z",
    "time_zone": "America/Los_Angeles",
    "start_local": "2026-11-05T18:00:00",
    "utc_offset": "-08:00",
    "duration_minutes": 90,
    "location_id": "loc_01h455vb4pex5vsknk084sn02v",
    "telehealth": False,
    "capacity": 8,
    "seats_left": 7,
    "members": [
        {
            "appointment_id": "appt_01h455vb4pex5vsknk084sn02q",
            "patient": {"id": "pat_01h455vb4pex5vsknk084sn02q", "display_name": "Annie Rivera"},
            "status": "booked",
        }
    ],
    "overbooked": False,
    "version": 1,
    "created_at": "2026-10-26T15:00:00.000Z",
    "updated_at": "2026-10-26T15:00:00.000Z",
}
SESSIONS_BOOKED = {"object": "group_sessions_booked", "sessions": [GROUP_SESSION]}
CALENDAR_ENTRY = {
    "object": "calendar_entry",
    "kind": "group_session",
    "id": "gses_01h455vb4pex5vsknk084sn02q",
    "status": "booked",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "start_at": "2026-11-06T02:00:00.000Z",
    "end_at": "2026-11-06T03:30:00.000Z",
    "time_zone": "America/Los_Angeles",
    "location_id": "loc_01h455vb4pex5vsknk084sn02v",
    "service_code": "90853",
    "patient": None,
    "group": {"id": "grp_01h455vb4pex5vsknk084sn02q", "label": "Thursday evening"},
}
