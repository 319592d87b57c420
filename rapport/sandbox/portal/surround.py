"""What happens before and after every page: trouble on order, the session and its next cookie, rights, the log."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, abort, g, redirect, render_template, request

from rapport.sandbox.portal import doors
from rapport.sandbox.portal.cells import View
from rapport.sandbox.portal.forms import Form, dressed
from rapport.sandbox.portal.kinds import RIGHTS
from rapport.sandbox.portal.looks import look
from rapport.sandbox.portal.settings import is_on, setting
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.trouble import next_faults

COOKIE = "fernbrook"
CSRF_COOKIE = "fernbrook_csrf"
View_ = Callable[..., Any]


def page(store: Store, template: str, *, status: int = 200, form: Form | None = None, **values: Any) -> Response:
    """Return a page in the look of this request; `form` is shown with today's trouble."""
    session = g.get("session")
    text = render_template(
        template, look=g.look, w=g.look.words, language=g.language, session=session, name=g.get("name", ""),
        rights=RIGHTS.get(g.get("role", ""), ()), token=doors.form_token(session) if session else "",
        form=dressed(form, look=g.look, faults=g.faults) if form else None, marks=is_on(store, "column_marks"), **values,
    )  # fmt: skip
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def view(store: Store) -> View:
    """Return how things are shown to this request."""
    return View(
        look=g.look, faults=g.faults, today=store.setting("today"), zero_width=is_on(store, "zero_width")
    )


def audit(store: Store, *, action: str, record: Any, outcome: str, **detail: Any) -> None:
    """Write down a write that was tried: kept, refused or ignored."""
    session = g.get("session") or {}
    store.run(
        "INSERT INTO audit (at, login, session_id, action, record, outcome, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (time.time(), session.get("login", ""), session.get("id"), action, str(record), outcome, json.dumps(detail)),
    )


def hang_up() -> Response:
    """Close the connection as a broken network would, and return an answer that nobody gets a byte of."""
    with contextlib.suppress(OSError):
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response("", status=500)


def must_carry_token() -> None:
    """Let nobody write who did not see a page of this session."""
    token = request.form.get("csrf") or request.headers.get("X-CSRF-Token", "")
    if not doors.is_form_token(g.session, token):
        abort(400)


def signed_in(right: str, store: Store) -> Callable[[View_], View_]:
    """Let only those in who are signed in and may; some portals answer both refusals with the same 403."""

    def around(shown: View_) -> View_:
        @wraps(shown)
        def guarded(*given: Any, **named: Any) -> Any:
            return refusal(store, right) or shown(*given, **named)

        return guarded

    return around


def refusal(store: Store, right: str) -> Any:
    """Return the answer for somebody who is not signed in or may not, or None."""
    if not g.session or g.session["state"] != "open":
        if is_on(store, "shared_403"):
            return page(store, "refused.html", status=403)
        if g.get("ended") == "elsewhere":
            return redirect("/login?reason=elsewhere")
        return redirect(f"/login?next={request.path}")
    if right and right not in RIGHTS[g.role]:
        return page(store, "refused.html", status=403)
    return None


def surround(app: Flask, store: Store, *, host: str, sign_in_page: Callable[[], Response]) -> None:
    """Put trouble, look and log around each page of an app; `sign_in_page` is what trouble shows in place of others."""

    @app.before_request
    def begin() -> Response | None:
        g.at, g.began = time.time(), time.monotonic()
        g.session, g.ended = None, ""
        if request.path.startswith("/_sandbox"):
            return None
        browser = request.headers.get("Sec-Fetch-Mode") == "navigate"
        g.faults = next_faults(store, method=request.method, path=request.path, browser=browser)
        g.language = g.faults.value("language") or setting(store, "language")
        g.look = look(name=g.faults.value("look") or setting(store, "look"), language=g.language)
        if host == "portal":
            _find_session(store)
        return _instead(store, sign_in_page)

    @app.after_request
    def finish(answer: Response) -> Response:
        if request.path.startswith("/_sandbox"):
            return answer
        session = g.get("session") or g.get("was") or {}
        store.run(
            "INSERT INTO request (at, host, login, session_id, method, path, user_agent, status, ms, call, faults)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (g.at, host, session.get("login", ""), session.get("id"), request.method, request.full_path.rstrip("?"),
             request.headers.get("User-Agent", ""), 0 if "drop_request" in g.faults else answer.status_code, round((time.monotonic() - g.began) * 1000, 1),
             g.get("call", ""), ",".join(fault.name for fault in g.faults.each)),
        )  # fmt: skip
        if "drop_reply" in g.faults:
            return hang_up()
        if "truncate" in g.faults:
            whole = answer.get_data()
            answer.set_data(whole[: len(whole) // 2])
        if host == "portal" and g.session and not g.get("by_header"):
            _turn_cookie(store, answer)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _find_session(store: Store) -> None:
    agent = request.headers.get("User-Agent", "")
    found = doors.find(store, token=request.cookies.get(COOKIE, ""), user_agent=agent)
    if found and "expire" in g.faults:
        doors.end(store, session=found)
        found = None
    if found and found["state"] == "elsewhere":
        g.ended, g.was, found = "elsewhere", found, None
    become(store, found)


def become(store: Store, session: dict[str, Any] | None) -> None:
    """Go on with this request as the person of a session."""
    g.session = session
    user = store.one("SELECT name, role FROM user WHERE login = ?", (session["login"],)) if session else None
    g.name, g.role = (user["name"], user["role"]) if user else ("", "")


def _turn_cookie(store: Store, answer: Response) -> None:
    token = doors.turn(store, session=g.session)
    if not token:
        answer.delete_cookie(COOKIE)
        return
    answer.set_cookie(COOKIE, token, httponly=True, samesite="Lax")
    if not doors.is_form_token(g.session, request.cookies.get(CSRF_COOKIE, "")):
        answer.set_cookie(CSRF_COOKIE, doors.form_token(g.session), samesite="Lax")


def _instead(store: Store, sign_in_page: Callable[[], Response]) -> Response | None:
    """Do what goes wrong before a page is made, and return what is shown in its place."""
    for fault in g.faults.each:
        if fault.name == "slow":
            time.sleep(float(fault.value or 1))
        elif fault.name == "drop_request":
            return hang_up()
        elif fault.name == "status":
            return _server_error(fault.value)
        elif fault.name in ("maintenance", "captcha"):
            return page(store, "notice.html", notice=fault.name, status=int(fault.value or 200))
        elif fault.name == "login_page":
            return sign_in_page()
    return None


def _server_error(value: str) -> Response:
    status, _, wait = value.partition(":")
    answer = Response("<h1>Error</h1>", status=int(status or 503), content_type="text/html")
    if wait:
        answer.headers["Retry-After"] = wait
    return answer
