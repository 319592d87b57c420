"""TypeIDs: the public form of every id (prefix, underscore, base32 of a UUIDv7).

Source: TypeID specification v0.3 and RFC 9562 §5.7 (UUIDv7).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from uuid import UUID

PREFIXES: dict[str, str] = {
    "practice": "prac",
    "user": "usr",
    "membership": "mem",
    "api_key": "key",
    "clinician": "clin",
    "location": "loc",
    "patient": "pat",
    "insurance_policy": "pol",
    "payer": "payer",
    "payer_payment": "ppay",
    "authorization": "auth",
    "credential_span": "cred",
    "eligibility_check": "elig",
    "eligibility_file": "eligf",
    "estimate": "gfe",
    "service_code": "svc",
    "diagnosis_code": "dx",
    "rate": "rate",
    "work_schedule": "wsch",
    "appointment": "appt",
    "group": "grp",
    "group_session": "gses",
    "clinical_note": "note",
    "addendum": "add",
    "document": "doc",
    "document_link": "dlk",
    "claim": "clm",
    "claim_line": "clv",
    "claim_batch": "cbat",
    "claim_proposal": "cprp",
    "work_item": "work",
    "claim_rules": "crul",
    "claim_attachment": "catt",
    "submission": "sbm",
    "acknowledgement": "ack",
    "channel": "chan",
    "era_file": "era",
    "inbound_file": "inb",
    "remittance": "rem",
    "posting_policy": "ppol",
    "remittance_line": "rln",
    "denial": "den",
    "underpayment": "upay",
    "deposit": "dep",
    "payment": "pay",
    "ledger_entry": "led",
    "card": "card",
    "card_processor": "cpr",
    "card_refund": "crf",
    "payout": "pout",
    "autopay_enrolment": "apy",
    "planned_charge": "plc",
    "book_closing": "bkc",
    "invoice": "inv",
    "statement": "stm",
    "superbill": "sbl",
    "payment_plan": "pplan",
    "pay_rule": "prule",
    "pay_report": "prep",
    "book_link": "bkl",
    "book_entry": "bke",
    "telehealth_session": "tel",
    "connection": "conn",
    "challenge": "chal",
    "attention_item": "attn",
    "connector_write": "wrt",
    "connector_run": "run",
    "drift_report": "drift",
    "artefact": "art",
    "event": "evt",
    "webhook_endpoint": "whe",
    "delivery": "dlv",
    "job": "job",
    "audit_event": "aud",
    "session": "sess",
    "mfa_factor": "mfa",
    "request": "req",
}
"""Kind of object -> TypeID prefix. A prefix is never reused for another kind."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_FORM = re.compile(r"^([a-z]{2,8})_([0-7][0-9a-hjkmnp-tv-z]{25})$")
_PAIRS = [_ALPHABET[high] + _ALPHABET[low] for high in range(32) for low in range(32)]


def new_uuid() -> UUID:
    """
    Return a UUIDv7: 48 bits of unix milliseconds, 12 of the part of one that has passed, then random.

    What one process makes in turn is in order also within a millisecond (RFC 9562 §6.2, method 3).
    """
    return new_uuids(1)[0]


def new_uuids(count: int) -> list[UUID]:
    """
    Return so many UUIDv7 of one moment, in order: one look at the clock, and one at the system's randomness.

    >>> made = new_uuids(1000)
    >>> {id.version for id in made}, {id.variant for id in made}, made == sorted(set(made))
    ({7}, {'specified in RFC 4122'}, True)
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    head = milliseconds << 80 | 0x7 << 76 | (rest << 12) // 1_000_000 << 64 | 0x2 << 62
    noise = os.urandom(8 * count)
    drawn = sorted(int.from_bytes(noise[at : at + 8], "big") >> 2 for at in range(0, 8 * count, 8))
    return [UUID(int=head | value) for value in drawn]


def fresh_uuids() -> Iterator[UUID]:
    """Yield new UUIDv7 without end, drawn some hundreds at a time."""
    while True:
        yield from new_uuids(500)


def type_id(kind: str, value: UUID) -> str:
    """
    Return the public id of an object.

    >>> type_id("patient", UUID("01890a5d-ac96-774b-bcce-b302099a8057"))
    'pat_01h455vb4pex5vsknk084sn02q'
    """
    number = value.int
    pairs = _PAIRS
    return (
        f"{PREFIXES[kind]}_"
        f"{pairs[number >> 120 & 1023]}{pairs[number >> 110 & 1023]}{pairs[number >> 100 & 1023]}"
        f"{pairs[number >> 90 & 1023]}{pairs[number >> 80 & 1023]}{pairs[number >> 70 & 1023]}"
        f"{pairs[number >> 60 & 1023]}{pairs[number >> 50 & 1023]}{pairs[number >> 40 & 1023]}"
        f"{pairs[number >> 30 & 1023]}{pairs[number >> 20 & 1023]}{pairs[number >> 10 & 1023]}"
        f"{pairs[number & 1023]}"
    )


def parse_type_id(kind: str, text: str) -> UUID | None:
    """Return the UUID inside a public id of this kind, or None when it is not one.

    >>> parse_type_id("patient", "pat_01h455vb4pex5vsknk084sn02q")
    UUID('01890a5d-ac96-774b-bcce-b302099a8057')
    >>> parse_type_id("claim", "pat_01h455vb4pex5vsknk084sn02q") is None
    True
    """
    found = _FORM.match(text)
    if found is None or found.group(1) != PREFIXES[kind]:
        return None
    number = 0
    for letter in found.group(2):
        number = number << 5 | _VALUES[letter]
    return UUID(int=number)
