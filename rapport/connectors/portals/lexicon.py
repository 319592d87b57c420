"""Words by which practice systems call the things of the contract. For proposals to a person, never at run time."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.connectors.portals.words import folded

FIELDS: Mapping[str, tuple[str, ...]] = {
    "external_id": ("id", "number", "chart", "account", "record"),
    "last_name": ("name", "patient", "client", "last name", "surname", "family name", "full name", "real name", "realname"),
    "first_name": ("name", "patient", "client", "first name", "given name", "full name", "real name", "realname"),
    "birth_on": ("date of birth", "dob", "born", "birth", "birthday", "birth date", "geburtsdatum"),
    "sex": ("sex", "gender", "geschlecht"),
    "email": ("email", "e-mail", "mail", "email address", "e-mail address"),
    "phone": ("phone", "mobile", "cell", "telephone", "telefon", "phone number"),
    "status": ("status", "state", "zustand"),
    "clinician": ("clinician", "provider", "therapist", "counselor", "practitioner", "staff"),
    "payer": ("payer", "insurance", "insurer", "carrier", "plan"),
    "member_id": ("member id", "member", "policy", "subscriber id", "insurance id"),
    "patient": ("patient", "client", "name"),
    "start_local": ("start", "date and time", "date/time", "time", "when", "appointment", "begins"),
    "duration_minutes": ("minutes", "duration", "length", "min"),
    "service_code": ("service code", "cpt", "code", "procedure", "service"),
    "location": ("location", "place", "site", "office", "where"),
    "telehealth": ("location", "place", "site", "office", "where"),
    "service_on": ("date of service", "service date", "visit date", "dos", "session date", "date"),
    "type": ("type", "note type", "kind", "document", "title"),
    "signed_at": ("signed", "signed on", "signature", "date signed"),
    "number": ("number", "claim", "item", "no."),
    "charge": ("charge", "billed", "fee", "rate", "amount billed", "charged"),
    "paid": ("paid", "received", "insurance paid", "payments"),
    "trace": ("trace", "check", "eft", "check no.", "trace number", "payment number"),
    "paid_on": ("paid on", "payment date", "check date", "date paid"),
    "amount": ("amount", "total", "payment amount"),
    "claims": ("claims", "number of claims"),
    "received_on": ("received on", "payment date", "received", "date"),
    "source": ("source", "from", "paid by", "payer type"),
    "method": ("method", "payment method", "how"),
    "credentials": ("credentials", "degree", "license", "title"),
    "npi": ("npi",),
}  # fmt: skip

VALUES: Mapping[str, tuple[str, ...]] = {
    "active": ("active", "open", "current"), "inactive": ("inactive", "closed", "former", "discharged", "terminated"),
    "scheduled": ("scheduled", "planned", "upcoming"), "checked_in": ("checked in", "arrived"),
    "completed": ("completed", "seen", "attended", "show", "occurred"), "cancelled": ("cancelled", "canceled", "late cancelled"),
    "no_show": ("no show", "no-show", "missed"), "draft": ("draft", "unsigned", "in progress"), "signed": ("signed", "final", "locked"),
    "female": ("female", "f", "woman"), "male": ("male", "m", "man"), "progress": ("progress note", "progress"),
    "intake": ("intake", "intake note"), "treatment_plan": ("treatment plan",), "ready": ("ready", "unbilled", "pending submission"),
    "submitted": ("submitted", "billed", "sent"), "paid": ("paid", "closed"), "denied": ("denied", "rejected"),
    "new": ("new", "unposted", "ready"), "posted": ("posted", "applied", "processed"), "voided": ("voided", "void", "reversed"),
    "insurance": ("insurance", "payer"), "patient": ("patient", "client"), "card": ("card", "credit card"), "eft": ("eft", "ach"),
    "check": ("check", "cheque"), "true": ("telehealth", "video", "virtual"), "false": ("office", "main office", "in person"),
}  # fmt: skip

DAYS = ("%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %b %Y", "%b %d, %Y", "%B %d, %Y", "%m/%d/%y", "%d-%b-%Y", "%m-%d-%Y")
TIMES = ("%I:%M %p", "%H:%M", "%I:%M%p", "%H:%M:%S")
NEXT = ("next", "next page", "older", "more", ">", "»", "›", "weiter")
_ARROWS = " >»›→"


def leads_on(words: str) -> bool:
    """
    Tell whether a link with these words commonly leads to the next page, with or without an arrow behind them.

    >>> leads_on("Next >>"), leads_on("»"), leads_on("<< previous")
    (True, True, False)
    """
    said = folded(words)
    return said in NEXT or said.rstrip(_ARROWS) in NEXT
