"""Two looks of the same portal, and its second language: words, columns, and how values are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Look:
    """How one look shows things."""

    words: Mapping[str, str]
    patients: tuple[str, ...]
    """Columns of the list of patients, in order."""
    appointments: tuple[str, ...]
    notes: tuple[str, ...]
    date_format: str
    time_format: str
    statuses: Mapping[str, str]
    """Text of a status; its code is in `data-code`."""
    input_prefix: str
    """Names of form controls differ from look to look."""


_ENGLISH = {
    "title": "Fernbrook Practice Portal", "practice": "Practice code", "user": "User name", "password": "Password",
    "sign_in": "Sign in", "failed": "Sign in failed. Check user name and password.", "code": "Verification code",
    "verify": "Verify", "resend": "Send another code", "sent_to": "We sent a code to", "wrong_code": "That code is not valid.",
    "locked": "Your account is locked. Try again later.", "signed_in": "Signed in as", "sign_out": "Sign out",
    "patients": "Patients", "calendar": "Calendar", "notes": "Notes", "id": "ID", "name": "Name", "birth_on": "Date of birth",
    "status": "Status", "clinician": "Clinician", "email": "E-mail", "phone": "Phone", "insurance": "Insurance",
    "member_id": "Member ID", "sex": "Sex", "address": "Address", "start": "Start", "minutes": "Minutes", "code_col": "Service code",
    "place": "Location", "patient": "Patient", "type": "Type", "service_on": "Date of service", "signed": "Signed on",
    "next": "Next", "showing": "Showing {first}–{last} of {total}", "none": "There is nothing to show.",
    "new": "New appointment", "save": "Save appointment", "cancel": "Cancel", "saved": "The appointment was saved.",
    "taken": "The clinician already has an appointment then.", "bad": "Please correct what is marked.",
    "no_right": "You do not have permission to see this page.", "password_expired": "Your password has expired. Change your password to go on.",
    "terms": "Please accept our new terms of use to go on.", "new_device": "We do not know this device. Ask your administrator to confirm it.",
    "maintenance": "The portal is down for maintenance.", "captcha": "Please show that you are human.", "updated": "Last change",
    "changed": "Somebody changed this appointment meanwhile. Look at it again.",
}  # fmt: skip
_GERMAN = _ENGLISH | {
    "practice": "Praxiskennung", "user": "Benutzername", "password": "Kennwort", "sign_in": "Anmelden",
    "failed": "Anmeldung fehlgeschlagen.", "code": "Bestätigungscode", "verify": "Bestätigen", "resend": "Code erneut senden",
    "signed_in": "Angemeldet als", "sign_out": "Abmelden", "patients": "Patienten", "calendar": "Kalender", "notes": "Notizen",
    "name": "Name", "birth_on": "Geburtsdatum", "status": "Zustand", "clinician": "Therapeut", "email": "E-Mail-Adresse",
    "phone": "Telefon", "insurance": "Versicherung", "member_id": "Mitgliedsnummer", "sex": "Geschlecht", "next": "Weiter",
    "showing": "{first}–{last} von {total}", "none": "Nichts vorhanden.", "start": "Beginn", "place": "Ort", "patient": "Patient",
    "type": "Art", "service_on": "Behandlungstag", "signed": "Unterschrieben", "new": "Neuer Termin", "save": "Termin speichern",
    "cancel": "Abbrechen", "minutes": "Minuten",
}  # fmt: skip
_PATIENTS = ("id", "name", "birth_on", "status", "clinician", "email", "phone", "insurance", "member_id", "sex", "updated")
_APPOINTMENTS = ("id", "start", "minutes", "patient", "clinician", "code_col", "place", "status", "updated")
_NOTES = ("id", "patient", "type", "service_on", "status", "signed", "clinician")

A = Look(
    words=MappingProxyType(_ENGLISH), patients=_PATIENTS, appointments=_APPOINTMENTS, notes=_NOTES,
    date_format="%m/%d/%Y", time_format="%m/%d/%Y %I:%M %p", statuses=MappingProxyType({}), input_prefix="",
)  # fmt: skip
B = Look(
    words=MappingProxyType(
        _ENGLISH | {"user": "Login", "sign_in": "Log in", "patients": "Clients", "name": "Client", "patient": "Client",
                    "birth_on": "Born", "clinician": "Provider", "verify": "Continue", "code": "Security code",
                    "save": "Book", "place": "Where", "email": "Email address"}
    ),
    patients=("name", "id", "status", "birth_on", "clinician", "sex", "phone", "email", "member_id", "insurance", "updated"),
    appointments=("start", "patient", "clinician", "minutes", "place", "code_col", "status", "updated", "id"),
    notes=("service_on", "patient", "status", "type", "clinician", "signed", "id"),
    date_format="%Y-%m-%d", time_format="%Y-%m-%d %H:%M",
    statuses=MappingProxyType({"Active": "Current", "Inactive": "Former", "Scheduled": "Planned", "Completed": "Seen"}),
    input_prefix="f_",
)  # fmt: skip
GERMAN = Look(
    words=MappingProxyType(_GERMAN), patients=_PATIENTS, appointments=_APPOINTMENTS, notes=_NOTES,
    date_format="%d.%m.%Y", time_format="%d.%m.%Y %H:%M",
    statuses=MappingProxyType({"Active": "Aktiv", "Inactive": "Inaktiv", "Scheduled": "Geplant", "Completed": "Erledigt", "Cancelled": "Abgesagt", "Draft": "Entwurf", "Signed": "Unterschrieben"}),
    input_prefix="",
)  # fmt: skip


def look(*, name: str, language: str) -> Look:
    """Return a look: `A` or `B`; in German there is one."""
    if language == "de":
        return GERMAN
    return B if name == "B" else A


def day_text(text: str, *, look: Look, swapped: bool = False) -> str:
    """Write an ISO day as this look does; `swapped` writes month and day the other way round."""
    if not text:
        return ""
    pattern = look.date_format
    if swapped:
        pattern = pattern.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")
    return date.fromisoformat(text[:10]).strftime(pattern)


def time_text(text: str, *, look: Look) -> str:
    """Write an ISO wall time as this look does."""
    return datetime.fromisoformat(text).strftime(look.time_format) if text else ""
