"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any


def page(member: dict[str, Any]) -> dict[str, Any]:
    """Return a page with one member."""
    return {
        "object": "list", "data": [member], "has_more": False, "next_cursor": None,
        "prev_cursor": None,
    }  # fmt: skip


_AT = "2026-11-02T15:00:00.000Z"
_PRACTICE = "prac_01h455vb4pex5vsknk084sn02q"
_USER = "usr_01h455vb4pex5vsknk084sn02r"
_CLINICIAN = "clin_01h455vb4pex5vsknk084sn02r"

SIGN_IN = {"login": "maya@example.org", "password": "correct horse battery staple"}
SECOND_FACTOR = {"ticket": "rmt_Zm9yIGV4YW1wbGU", "method": "totp", "code": "123456"}

SESSION = {
    "object": "session",
    "id": "sess_01h455vb4pex5vsknk084sn02t",
    "token": "rat_Zm9yIGV4YW1wbGU",
    "refresh_token": "rrt_Zm9yIGV4YW1wbGU",
    "expires_at": "2026-11-02T15:15:00.000Z",
    "session_expires_at": "2026-11-03T03:00:00.000Z",
    "scopes": ["appointments:read", "appointments:write", "self:read"],
    "roles": ["clinician"],
    "practice_id": _PRACTICE,
    "user_id": _USER,
    "clinician_id": _CLINICIAN,
    "amr": ["pwd", "otp"],
    "portal_challenges": [
        {
            "connection_id": "conn_01h455vb4pex5vsknk084sn02q",
            "challenge_id": "chal_01h455vb4pex5vsknk084sn02q",
            "factor": "sms",
            "masked_destination": "•••-•••-0142",
            "expires_at": "2026-11-02T15:05:00.000Z",
            "answer_at": "/v1/connections/conn_01h455vb4pex5vsknk084sn02q/challenges"
            "/chal_01h455vb4pex5vsknk084sn02q/answer",
        }
    ],
    "version": 1,
}

SESSION_INFO = {
    "object": "session",
    "id": "sess_01h455vb4pex5vsknk084sn02t",
    "user_id": _USER,
    "current": True,
    "amr": ["pwd", "otp"],
    "ip": "203.0.113.7",
    "user_agent": "Mozilla/5.0",
    "created_at": _AT,
    "last_used_at": _AT,
    "expires_at": "2026-11-03T03:00:00.000Z",
    "version": 1,
}

CODE_SENT = {"object": "mfa_code", "method": "email", "expires_at": "2026-11-02T15:10:00.000Z"}

RESET = {
    "object": "password_reset",
    "ticket": "rpt_Zm9yIGV4YW1wbGU",
    "expires_at": "2026-11-02T15:15:00.000Z",
}

PERSON = {"id": _USER, "login": "maya@example.org", "display_name": "Maya Chen"}

ME = {
    "object": "actor",
    "id": _USER,
    "type": "user",
    "user": PERSON,
    "api_key": None,
    "practice": {
        "id": _PRACTICE, "name": "Willow Street Counseling", "time_zone": "America/Los_Angeles",
        "livemode": False, "system": "native",
    },
    "practice_id": _PRACTICE,
    "roles": ["clinician"],
    "scopes": ["appointments:read", "appointments:write", "self:read"],
    "clinician_id": _CLINICIAN,
    "session_id": "sess_01h455vb4pex5vsknk084sn02t",
    "amr": ["pwd", "otp"],
    "version": 1,
}  # fmt: skip

FACTOR = {
    "object": "mfa_factor",
    "id": "mfa_01h455vb4pex5vsknk084sn02v",
    "type": "totp",
    "state": "active",
    "remaining": None,
    "created_at": _AT,
    "last_used_at": _AT,
    "version": 1,
}

ENROLMENT = {
    "object": "totp_enrolment",
    "id": "mfa_01h455vb4pex5vsknk084sn02v",
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "otpauth_url": "otpauth://totp/Rapport:maya%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Rapport",
    "version": 1,
}

CONFIRMED = {
    "object": "mfa_factor",
    "id": "mfa_01h455vb4pex5vsknk084sn02v",
    "type": "totp",
    "state": "active",
    "recovery_codes": ["abcde-23456"],
    "created_at": _AT,
    "version": 1,
}

RECOVERY_CODES = {"object": "recovery_codes", "codes": ["abcde-23456"], "remaining": 10}

PRACTICE = {
    "object": "practice",
    "id": _PRACTICE,
    "name": "Willow Street Counseling",
    "current": True,
    "time_zone": "America/Los_Angeles",
    "livemode": False,
    "system": "native",
    "caseload_only": True,
    "sends_to_next_payer": False,
    "mfa_required": True,
    "npi": "1234567893",
    "tax_id": "123456789",
    "taxonomy_code": "261QM0801X",
    "phone": "5035550100",
    "address": {
        "line1": "100 Willow Street", "line2": None, "city": "Portland", "state": "OR",
        "postal_code": "972050001",
    },
    "version": 2,
    "created_at": _AT,
    "updated_at": _AT,
}  # fmt: skip

NEW_API_KEY = {"name": "Scheduling bot", "scopes": ["appointments:read"]}

API_KEY = {
    "object": "api_key",
    "id": "key_01h455vb4pex5vsknk084sn02w",
    "name": "Scheduling bot",
    "owner_id": "mem_01h455vb4pex5vsknk084sn02x",
    "scopes": ["appointments:read"],
    "ip_allowlist": [],
    "hint": "bh_test_1a2b",
    "expires_at": "2027-01-31T15:00:00.000Z",
    "last_used_at": None,
    "revoked_at": None,
    "version": 1,
    "created_at": _AT,
}

API_KEY_MADE = API_KEY | {"secret": "bh_test_1a2b3c4d5e6f_Zm9yIGV4YW1wbGU_0badcafe"}

NEW_MEMBERSHIP = {
    "login": "maya@example.org", "display_name": "Maya Chen", "roles": ["clinician"],
    "clinician_id": _CLINICIAN,
}  # fmt: skip

MEMBERSHIP = {
    "object": "membership",
    "id": "mem_01h455vb4pex5vsknk084sn02x",
    "user": PERSON,
    "roles": ["clinician"],
    "clinician_id": _CLINICIAN,
    "supervises": [],
    "active": True,
    "mfa_required": True,
    "version": 1,
    "created_at": _AT,
    "updated_at": _AT,
}
