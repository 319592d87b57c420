"""What can be set while the portal runs, and how it is at the beginning."""

from __future__ import annotations

from rapport.sandbox.portal.store import Store

SETTINGS: dict[str, tuple[str, str]] = {
    "look": ("A", "`A`, `B` or `C`: other words, columns, orders, formats and names of form controls"),
    "language": ("en", "`en` or `de`; the codes stay"),
    "column_marks": ("1", "0: heads carry no `data-column`"),
    "patient_order": ("id", "`id` or `name`: how patients are listed"),
    "per_page": ("25", "rows of a page"),
    "phantom_row": ("0", "1: each count is one too high; `shown`: and the last page has an empty row for something new"),
    "zero_width": ("0", "1: ages and names have zero-width spaces, names no-break spaces, and those written from right to left marks that say so"),
    "session_seconds": ("900", "how long a session lives without use"),
    "session_most_seconds": ("0", "how long a session lives however much it is used; 0: without end"),
    "rotate": ("1", "0: the cookie stays; 1: turns at most once a second; `each`: with each answer"),
    "pin_user_agent": ("0", "1: another User-Agent ends the session"),
    "one_session": ("0", "1: a new sign-in ends the person's other sessions"),
    "shared_403": ("0", "1: no session and no right are the same 403"),
    "login_by": ("form", "`form`, or `script`: the page sends the password by script and is answered in JSON"),
    "welcome_names": ("0", "1: the sign-in page names its users"),
    "lock_after": ("5", "wrong tries in a row before an account is locked"),
    "lock_seconds": ("900", "how long it is locked, and what Retry-After says"),
    "wrong_delay_seconds": ("0", "wait after a wrong password, doubled each time, 20 s at most"),
    "wrong_status": ("200", "status of the page after a wrong password (200 or 401)"),
    "code_seconds": ("300", "life of a code, and of its silence"),
    "code_late_seconds": ("0", "how long a code is on its way to the phone or the mailbox"),
    "push_seconds": ("60", "how long a push waits"),
    "idp_session_seconds": ("3600", "life of a session at the identity provider"),
    "sso_protocol": ("oidc", "`oidc` or `saml`: how the portal and the provider speak"),
    "sso_answer": ("redirect", "`redirect` or `form_post`: how the provider sends people back"),
    "allow_overlap": ("0", "1: a clinician can be booked twice at once"),
    "late_seconds": ("0", "lists show what is new this much later"),
    "export_seconds": ("1", "how long an export is prepared"),
}  # fmt: skip


def setting(store: Store, name: str) -> str:
    """Return how something is set. A name that is not in the list is an error of this program."""
    return store.setting(name, SETTINGS[name][0])


def is_on(store: Store, name: str) -> bool:
    """Return whether something is switched on."""
    return setting(store, name) not in ("0", "")


def number(store: Store, name: str) -> float:
    """Return a setting that is a number."""
    return float(setting(store, name))
