"""The looks of the same portal: words, columns, and how values are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from rapport.sandbox.portal.words import ENGLISH, GERMAN, GERMAN_TEXTS


@dataclass(frozen=True, slots=True)
class Look:
    """How one look shows things."""

    name: str
    words: Mapping[str, str]
    orders: Mapping[str, tuple[str, ...]]
    """Columns of a list, in order, where this look has an order of its own."""
    date_format: str
    time_format: str
    texts: Mapping[str, str]
    """Text of a value that has a code, where this look has one of its own."""
    input_prefix: str
    """Names of form controls differ from look to look."""

    def text(self, value: str) -> str:
        """Return the text of a value that has a code."""
        return self.texts.get(value, value)


def _words(**other: str) -> Mapping[str, str]:
    return MappingProxyType({**ENGLISH, **other})


A = Look(
    name="A", words=ENGLISH, orders=MappingProxyType({}), date_format="%m/%d/%Y", time_format="%m/%d/%Y %I:%M %p",
    texts=MappingProxyType({}), input_prefix="",
)  # fmt: skip
B = Look(
    name="B",
    words=_words(
        user="Login", sign_in="Log in", patients="Clients", name="Client", patient="Client", birth_on="Born", clinician="Provider",
        verify="Continue", code="Security code", save="Book", place="Where", email="Email address", charge="Billed", paid="Received",
        submit_claim="Send claim", number="Claim no.", service_on="Visit date", staff="Providers", add="Append",
    ),
    orders=MappingProxyType({
        "patients": ("name", "id", "status", "birth_on", "clinician", "sex", "phone", "email", "member_id", "insurance", "age", "updated", "chart"),
        "appointments": ("start", "patient", "clinician", "minutes", "place", "code_col", "status", "updated", "id"),
        "notes": ("service_on", "patient", "status", "type", "clinician", "signed", "id"),
        "claims": ("number", "service_on", "patient", "payer", "status", "charge", "paid", "updated", "id"),
        "payments": ("received_on", "patient", "amount", "source", "method", "status", "era", "id"),
    }),
    date_format="%Y-%m-%d", time_format="%Y-%m-%d %H:%M",
    texts=MappingProxyType({"Active": "Current", "Inactive": "Former", "Scheduled": "Planned", "Completed": "Seen"}),
    input_prefix="f_",
)  # fmt: skip
C = Look(
    name="C",
    words=_words(
        practice="Organization ID", user="Username", sign_in="Enter", verify="Submit code", code="One-time code",
        resend="Resend code", patients="Patient list", name="Patient name", birth_on="DOB", clinician="Assigned clinician",
        phone="Mobile", email="Email", insurance="Primary payer", member_id="Policy no.", status="Current status", calendar="Schedule",
        start="Date and time", minutes="Length", code_col="CPT", place="Site", save="Save", new="Schedule appointment",
        notes="To-do and notes", type="Note type", service_on="Service date", signed="Signature", claims="Billing items",
        number="Item", charge="Fee", paid="Insurance paid", eras="ERA downloads", trace="Check no.", payments="Payment log",
    ),
    orders=MappingProxyType({
        "patients": ("status", "name", "chart", "age", "birth_on", "phone", "email", "insurance", "member_id", "clinician", "sex", "id", "updated"),
        "appointments": ("id", "clinician", "patient", "start", "minutes", "code_col", "status", "place", "updated"),
        "notes": ("id", "status", "type", "service_on", "patient", "clinician", "signed"),
        "claims": ("status", "patient", "service_on", "number", "charge", "paid", "payer", "id", "updated"),
        "eras": ("paid_on", "payer", "amount", "trace", "claims", "status", "file", "id"),
    }),
    date_format="%d %b %Y", time_format="%d %b %Y %H:%M", texts=MappingProxyType({"Active": "Open", "Inactive": "Closed"}),
    input_prefix="c_",
)  # fmt: skip
LOOKS: Mapping[str, Look] = MappingProxyType({"A": A, "B": B, "C": C})
PREFIXES = tuple(one.input_prefix for one in LOOKS.values())


def look(*, name: str, language: str) -> Look:
    """Return a look in a language. German has words and formats of its own, whichever look it is."""
    found = LOOKS.get(name, A)
    if language != "de":
        return found
    return replace(found, words=GERMAN, texts=GERMAN_TEXTS, date_format="%d.%m.%Y", time_format="%d.%m.%Y %H:%M")


def day_text(text: str, *, pattern: str) -> str:
    """Write an ISO day as a pattern says."""
    return date.fromisoformat(text[:10]).strftime(pattern) if text else ""


def time_text(text: str, *, pattern: str) -> str:
    """Write an ISO wall time as a pattern says."""
    return datetime.fromisoformat(text).strftime(pattern) if text else ""


def swapped(pattern: str) -> str:
    """Return a pattern with month and day the other way round."""
    return pattern.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")


def dollars(cents: int) -> str:
    """Write cents as the pages do."""
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02}"


def years(born: str, *, today: str) -> int:
    """Return how old somebody is on a day."""
    birth, day = date.fromisoformat(born), date.fromisoformat(today)
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
