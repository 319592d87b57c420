"""What a recording says of a portal's sign-in and of its session: the part of a draft before the lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from rapport.connectors.portals import markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.kit.outcome import Unusable
from rapport.connectors.portals.words import clean, folded

Note = Callable[[str, Any, str], None]
_USER = re.compile(r"user|login|e-?mail|account", re.IGNORECASE)
WHO = re.compile(r"^(who|user|username|account|profile|me|signed.?in.*|logged.?in.*|current.?user)$", re.IGNORECASE)
SIGNED_IN_AS = re.compile(r"^\w+ (in )?(as|als)\b")
_TOKEN = re.compile(r"csrf|token|verification", re.IGNORECASE)
_TYPED = ("text", "email", "tel", "")
VETO = ("resend", "send another", "another", "again", "cancel", "forgot", "back")


def gate(
    exchanges: Sequence[Exchange], languages: Sequence[str], note: Note, questions: dict[str, str], *,
    beside: Collection[str] = (), carried: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """
    Return the members of a definition that say how one gets in and stays in.

    :param beside: paths that lie on the host and not below the portal's base: the sign-in of several practices
    :param carried: what was found to carry the session when it was recorded
    :raises Unusable: there is no sign-in page in the recording
    """
    pages = [(one, one.answer(one.request.partition(" ")[2].partition(" ")[0])) for one in exchanges]
    shown = [answer for _, answer in pages if answer.got == "html" and answer.status == 200]
    entry = next((page for page in shown if _password(page) is not None), None)
    if entry is None:
        raise Unusable("the recording does not begin at the sign-in page")
    start = "/" if entry.path in beside else entry.path
    note("login.start", start, "it leads to the sign-in, which lies beside the base" if entry.path in beside else "the first page with a password box")
    identity, prompts = ["username"], [_entry(entry, languages, note)]
    identity = [*[one for one in prompts[0]["fill"] if one not in ("username", "password")], "username"]
    factors: list[str] = []
    code = next((page for page in shown if _one(page, autocomplete="one-time-code") is not None), None)
    if code is not None:
        factors.append("totp")
        prompts.append(_code(code, languages))
        note("login.prompts.code", "totp", "a page has a box for a one-time code")
        questions["login.prompts.code.challenge.factor"] = "Is the code computed by an app (totp), or sent by sms or email?"
    else:
        questions["login.prompts"] = "No page for a second factor was recorded: does this portal ask for one?"
    return {
        "identity_fields": identity, "factors": factors, "session": _session(entry, exchanges, shown, languages, note, questions, carried),
        "login": {"start": start, "prompts": prompts, "rejected": [_rejected(shown, note, questions)]},
    }  # fmt: skip


def _password(page: Answer) -> HtmlElement | None:
    return next((one for one in page.tree.iter("input") if one.get("type") == "password" and markup.is_seen(one)), None)


def _one(page: Answer, **attributes: str) -> HtmlElement | None:
    return next((one for one in page.tree.iter("input") if all(one.get(name) == value for name, value in attributes.items())), None)


def _form(element: HtmlElement) -> HtmlElement:
    return next((one for one in element.iterancestors("form")), element.getroottree().getroot())


def _label(page: Answer, element: HtmlElement) -> str:
    own = next((one for one in page.tree.iter("label") if element.get("id") and one.get("for") == element.get("id")), None)
    around = own if own is not None else next(element.iterancestors("label"), None)
    return clean(markup.text_of(around)) if around is not None else clean(element.get("aria-label", ""))


def _anchor(page: Answer, element: HtmlElement, languages: Sequence[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"role": "textbox", "type": [element.get("type") or "text"]}
    if element.get("name"):
        made["name"] = [element.get("name")]
    if _label(page, element):
        made["labels"] = {languages[0]: [_label(page, element)]}
    if element.get("autocomplete") not in (None, "on", "off"):
        made["autocomplete"] = element.get("autocomplete")
    return made | ({} if element.get("name") else {"recorded": "label"})


def _press(page: Answer, form: HtmlElement, languages: Sequence[str]) -> dict[str, Any]:
    buttons = [one for one in form.iter("button", "input") if one.get("type", "submit") == "submit" and (one.tag == "button" or one.get("type"))]
    words = [clean(markup.text_of(one) or one.get("value", "")) for one in buttons]
    words = [one for one in words if one and folded(one) not in VETO][:1]
    if not words:
        raise Unusable("a form of the sign-in has no button with words")
    return {"role": "button", "labels": {languages[0]: words}, "veto": {languages[0]: list(VETO)}, "recorded": "label"}


def _entry(page: Answer, languages: Sequence[str], note: Note) -> dict[str, Any]:
    box = _password(page)
    assert box is not None
    form, fill = _form(box), dict[str, Any]()
    others = [one for one in form.iter("input") if (one.get("type") or "") in _TYPED and markup.is_seen(one)]
    user = next((one for one in others if one.get("autocomplete") in ("username", "email")), None)
    user = user if user is not None else next((one for one in others if _USER.search(one.get("name", ""))), others[-1] if others else None)
    for one in others:
        name = "username" if one is user else _named(_label(page, one) or one.get("name", ""))
        fill[name] = {"anchor": _anchor(page, one, languages), "value": f"$identity.{name}"}
        note(f"login.prompts.password.fill.{name}", _label(page, one) or one.get("name", ""), "stands in the form with the password box")
    fill["password"] = {"anchor": _anchor(page, box, languages), "value": "$secret.password"}
    seen = {"has": {"tag": "input", "type": ["password"]}}
    return {"name": "password", "seen": seen, "fill": fill, "press": _press(page, form, languages)}


def _named(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", folded(words)).strip("_") or "practice"


def _code(page: Answer, languages: Sequence[str]) -> dict[str, Any]:
    box = _one(page, autocomplete="one-time-code")
    assert box is not None
    fill = {"code": {"anchor": _anchor(page, box, languages), "value": "$code"}}
    seen = {"has": {"tag": "input", "autocomplete": "one-time-code"}}
    return {"name": "code", "seen": seen, "fill": fill, "press": _press(page, _form(box), languages), "challenge": {"factor": "totp"}}


def _rejected(shown: Sequence[Answer], note: Note, questions: dict[str, str]) -> dict[str, Any]:
    """How a refusal looks: what a second sign-in page has that the first did not."""
    again = [page for page in shown if _password(page) is not None][1:]
    for page in again:
        for one in page.tree.iter():
            if isinstance(one.tag, str) and one.get("role") == "alert":
                note("login.rejected", "role=alert", "stands on the sign-in page when it is shown again")
                return {"when": {"has": {"attributes": {"role": "alert"}}}}
    questions["login.rejected"] = "No refused sign-in was recorded: how does one look? Until then an alert on the page counts."
    return {"when": {"has": {"attributes": {"role": "alert"}}}}


def _session(
    entry: Answer, exchanges: Sequence[Exchange], shown: Sequence[Answer], languages: Sequence[str], note: Note, questions: dict[str, str],
    carried: Mapping[str, Any] | None,
) -> dict[str, Any]:  # fmt: skip
    carrier = _found(carried, note, questions) if carried else _guessed(exchanges, note, questions)
    token = _token(shown)
    if token is not None:
        carrier["csrf"] = token
        note("session.carrier.csrf", token["name"], f"a token stands in a {token['from']} of its pages")
    questions["session.idle_seconds"] = "How long does an unused session last? 15 minutes are assumed."
    oracle = _oracle(shown, languages, note, questions)
    way: list[dict[str, Any]] = []
    if all(_password(page) is not None for page in shown if page.path == entry.path):
        way = [{"when": {"redirect_to": entry.path}, "means": "session_expired"}]
        note("session.signals", entry.path, "who is led to the sign-in page has no session")
    signals = [
        {"when": {"status": [429]}, "means": "busy"}, {"when": {"status": [500, 502, 503, 504]}, "means": "portal_down"}, *way,
        {"when": {"has": {"tag": "input", "type": ["password"]}}, "means": "session_expired"},
        {"when": {"status": [401, 403]}, "ask": "oracle", "if_true": "not_permitted", "if_false": "session_expired"},
    ]  # fmt: skip
    made: dict[str, Any] = {"carrier": carrier, "oracle": oracle, "signals": signals, "idle_seconds": 900}
    out = next((one for page in shown for one in page.tree.iter("form") if re.search(r"log-?out|sign-?out", one.get("action", ""))), None)
    if out is not None:
        made["sign_out"] = {"method": out.get("method", "get").upper(), "path": urlsplit(out.get("action", "")).path}
        note("session.sign_out", made["sign_out"]["path"], "a form leads there")
    return made


def _guessed(exchanges: Sequence[Exchange], note: Note, questions: dict[str, str]) -> dict[str, Any]:
    """Nothing was left out to see what is needed: whatever the portal sets."""
    cookies = sorted({line.partition("=")[0] for one in exchanges for line in one.headers.get("set-cookie", "").splitlines() if line})
    if not cookies:
        questions["session.carrier"] = "No cookie was seen: what carries the session?"
    note("session.carrier.cookies", cookies, "the portal sets them")
    return {"cookies": cookies or ["session"]}


def _found(carried: Mapping[str, Any], note: Note, questions: dict[str, str]) -> dict[str, Any]:
    """What a request could not be without when it was recorded."""
    made: dict[str, Any] = {"cookies": carried["cookies"]}
    note("session.carrier", carried["words"], "left out of a request that shows something, it did not show it")
    if carried["headers"]:
        made["local_storage"] = sorted({one["key"] for one in carried["headers"].values()})
        made["header_recipe"] = {name: one["recipe"] for name, one in carried["headers"].items()}
    if carried["rotates"]:
        made["rotates"] = True
        note("session.carrier.rotates", True, "answers bring another cookie")
    if carried["unknown"]:
        questions["session.carrier.header_recipe"] = f"What are these made of, which are needed: {', '.join(carried['unknown'])}?"
    return made


def _token(shown: Sequence[Answer]) -> dict[str, str] | None:
    for page in shown:
        for one in page.tree.iter("input"):
            if one.get("type") == "hidden" and _TOKEN.search(one.get("name", "")):
                return {"from": "input", "name": one.get("name", ""), "send_as": "field", "send_name": one.get("name", "")}
    for page in shown:
        for one in page.tree.iter("meta"):
            if _TOKEN.search(one.get("name", "")):
                return {"from": "meta", "name": one.get("name", ""), "send_as": "header", "send_name": "X-CSRF-Token"}
    return None


def _oracle(shown: Sequence[Answer], languages: Sequence[str], note: Note, questions: dict[str, str]) -> dict[str, Any]:
    """A page that says who is signed in, in an element that no sign-in page has."""
    for page in shown:
        if _password(page) is not None:
            continue
        for one in page.tree.iter():
            if isinstance(one.tag, str) and WHO.match(one.get("id", "")) and clean(markup.text_of(one)):
                subject: dict[str, Any] = {"element": {"id": one.get("id")}}
                before = SIGNED_IN_AS.match(clean(markup.text_of(one)))
                if before:
                    subject["after"] = {languages[0]: [before[0]]}
                note("session.oracle", page.path, f"#{one.get('id')} stands there, and on no sign-in page")
                return {"call": {"path": page.path}, "true_when": {"status": [200], "has": {"id": one.get("id")}}, "subject": subject}
    questions["session.oracle"] = "Which page says who is signed in, and where? Until that is said nobody counts as signed in."
    last = next((page.path for page in reversed(shown) if _password(page) is None), "/")
    return {"call": {"path": last}, "true_when": {"status": [200], "has": {"id": "who-is-signed-in"}}, "subject": {"element": {"id": "who-is-signed-in"}}}
