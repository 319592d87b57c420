"""The pages. Everything a person can do here, a person does with a browser; there is no other way in."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from flask import Flask, Response, abort, g, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from rapport.sandbox.portal import doors, pages
from rapport.sandbox.portal.control import control
from rapport.sandbox.portal.looks import Look, look
from rapport.sandbox.portal.pages import Asked, NotBooked
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.trouble import next_faults

COOKIE = "fernbrook"
RIGHTS = {
    "all": {"patients", "calendar", "book", "notes"},
    "desk": {"patients", "calendar", "book"},
    "clinical": {"patients", "calendar", "notes"},
}


class Hangup(HTTPException):
    """The connection is closed without an answer."""


def make_app(store: Store, *, control_key: str) -> Flask:
    """Return the portal over a store; `control_key` opens `/_sandbox`."""
    app = Flask(__name__)
    app.register_blueprint(control(store, key=control_key))
    _surround(app, store)
    _sign_in(app, store)
    _lists(app, store)
    _booking(app, store)
    return app


def hang_up() -> NoReturn:
    """Close the connection as a broken network would: no byte of an answer."""
    with contextlib.suppress(OSError):
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    abort(500)


def _look(store: Store) -> Look:
    return look(name=store.setting("look", "A"), language=store.setting("language", "en"))


def _page(store: Store, template: str, *, status: int = 200, **values: Any) -> Response:
    shown = _look(store)
    text = render_template(
        template, look=shown, w=shown.words, session=g.get("session"), name=g.get("name", ""),
        look_name=store.setting("look", "A"), language=store.setting("language", "en"), **values,
    )  # fmt: skip
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def _surround(app: Flask, store: Store) -> None:
    """What happens before and after every page: trouble on order, the session, its next cookie, the log."""

    @app.before_request
    def begin() -> Response | None:
        if request.path.startswith("/_sandbox"):
            return None
        g.faults = next_faults(store, method=request.method, path=request.path)
        for fault in g.faults:
            if fault.name == "slow":
                time.sleep(float(fault.value or 1))
            elif fault.name == "drop_request":
                hang_up()
            elif fault.name == "status":
                return Response("<h1>Error</h1>", status=int(fault.value or 503), content_type="text/html")
            elif fault.name in ("maintenance", "captcha"):
                return _page(store, "notice.html", notice=fault.name)
            elif fault.name == "login_page":
                return _page(store, "login.html", problem="")
        agent = request.headers.get("User-Agent", "")
        g.session = doors.find(store, token=request.cookies.get(COOKIE, ""), user_agent=agent)
        if g.session and any(fault.name == "expire" for fault in g.faults):
            doors.end(store, session=g.session)
            g.session = None
        if g.session:
            user = store.one("SELECT name, role FROM user WHERE login = ?", (g.session["login"],)) or {}
            g.name, g.role = user.get("name", ""), user.get("role", "")
        return None

    @app.after_request
    def finish(answer: Response) -> Response:
        if request.path.startswith("/_sandbox"):
            return answer
        session = g.get("session")
        store.run(
            "INSERT INTO request (at, login, method, path, user_agent, status) VALUES (?, ?, ?, ?, ?, ?)",
            (time.time(), session["login"] if session else "", request.method, request.full_path.rstrip("?"),
             request.headers.get("User-Agent", ""), answer.status_code),
        )  # fmt: skip
        if any(fault.name == "drop_reply" for fault in g.get("faults", ())):
            hang_up()
        if session:
            token = doors.turn(store, session=session)
            if token:
                answer.set_cookie(COOKIE, token, httponly=True, samesite="Lax")
            else:
                answer.delete_cookie(COOKIE)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _sign_in(app: Flask, store: Store) -> None:
    @app.get("/login")
    def show_login() -> Response:
        return _page(store, "login.html", problem="")

    @app.post("/login")
    def check_password() -> Any:
        prefix = _look(store).input_prefix
        try:
            g.session = doors.sign_in(
                store, practice=request.form.get(f"{prefix}practice", ""), login=request.form.get(f"{prefix}user", ""),
                password=request.form.get(f"{prefix}password", ""), user_agent=request.headers.get("User-Agent", ""),
            )  # fmt: skip
        except doors.Refused as refused:
            if refused.reason in ("failed", "locked"):
                return _page(store, "login.html", problem=refused.reason, status=429 if refused.reason == "locked" else 200)
            return _page(store, "notice.html", notice=refused.reason)
        return redirect("/login/code" if g.session["state"] == "half" else "/home")

    @app.get("/login/code")
    def show_code() -> Any:
        if not g.session:
            return redirect("/login")
        return _page(store, "code.html", problem="", destination=_destination(store))

    @app.post("/login/code")
    def check_code() -> Any:
        if not g.session:
            return redirect("/login")
        _must_carry_csrf()
        if "resend" in request.form:
            user = store.one("SELECT factor FROM user WHERE login = ?", (g.session["login"],)) or {}
            if user.get("factor") in ("sms", "email"):
                doors.send_code(store, login=g.session["login"], way=user["factor"])
            return _page(store, "code.html", problem="", destination=_destination(store))
        code = request.form.get(f"{_look(store).input_prefix}code", "").strip()
        if not doors.prove(store, session=g.session, code=code):
            return _page(store, "code.html", problem="wrong_code", destination=_destination(store))
        return redirect("/home")

    @app.post("/logout")
    def sign_out() -> Any:
        if g.session:
            doors.end(store, session=g.session)
            g.session = None
        return redirect("/login")


def _destination(store: Store) -> str:
    """Return where a code was sent, masked."""
    user = store.one("SELECT factor, phone, login FROM user WHERE login = ?", (g.session["login"],)) or {}
    if user.get("factor") == "sms":
        return f"•••-{user['phone'][-4:]}"
    if user.get("factor") == "email":
        return f"{user['login'][:1]}•••@example.org"
    return ""


def _must_carry_csrf() -> None:
    if request.form.get("csrf") != g.session["csrf"]:
        abort(400)


def _signed_in(right: str, store: Store) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only those in who are signed in and may; some portals answer both refusals with the same 403."""

    def around(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*given: Any, **named: Any) -> Any:
            shared = store.setting("shared_403") == "1"
            if not g.session or g.session["state"] != "open":
                return _page(store, "refused.html", status=403) if shared else redirect(f"/login?next={request.path}")
            if right and right not in RIGHTS[g.role]:
                return _page(store, "refused.html", status=403)
            return view(*given, **named)

        return guarded

    return around


def _lists(app: Flask, store: Store) -> None:
    def listed(asked: Asked, title: str) -> Response:
        shown = pages.listing(store, asked=asked, look=_look(store), faults=g.faults)
        query = {name: value for name, value in request.args.items() if name != "page"}
        return _page(store, "list.html", shown=shown, title=title, kind=asked.kind, query=query)

    def page() -> int:
        return max(1, request.args.get("page", 1, type=int))

    @app.get("/")
    def front() -> Any:
        return redirect("/home" if g.session else "/login")

    @app.get("/home")
    @_signed_in("", store)
    def home() -> Response:
        return _page(store, "home.html")

    @app.get("/patients")
    @_signed_in("patients", store)
    def patients() -> Response:
        return listed(Asked("patients", page()), "patients")

    @app.get("/patients/<int:number>")
    @_signed_in("patients", store)
    def one_patient(number: int) -> Response:
        row = store.one("SELECT * FROM patient WHERE id = ?", (number,)) or abort(404)
        return _page(store, "patient.html", row=row)

    @app.get("/calendar")
    @_signed_in("calendar", store)
    def calendar() -> Response:
        asked = Asked("appointments", page())
        for name, clause in (("from", "a.start_at >= ?"), ("to", "a.start_at < ?"), ("patient", "a.patient_id = ?")):
            if request.args.get(name):
                asked.where += f" AND {clause}"
                asked.values.append(request.args[name])
        asked.where += " AND a.updated_at <= ?"
        asked.values.append(pages.shown_until(store))
        return listed(asked, "calendar")

    @app.get("/notes")
    @_signed_in("notes", store)
    def notes() -> Response:
        return listed(Asked("notes", page()), "notes")


def _booking(app: Flask, store: Store) -> None:
    fields = ("patient", "clinician", "start", "minutes", "code", "place")

    def form(**values: Any) -> Response:
        people = store.rows("SELECT id, first || ' ' || last AS name FROM clinician ORDER BY id")
        return _page(store, "booking.html", clinicians=people, **({"given": {}, "marked": {}} | values))

    @app.get("/appointments/new")
    @_signed_in("book", store)
    def show_form() -> Response:
        return form()

    @app.post("/appointments/new")
    @_signed_in("book", store)
    def keep_form() -> Any:
        _must_carry_csrf()
        prefix = _look(store).input_prefix
        given = {name: request.form.get(prefix + name, "") for name in fields}
        try:
            number = pages.book(store, form=given, faults=g.faults)
        except NotBooked as problem:
            return form(given=given, marked=problem.marked)
        return redirect(f"/appointments/{number}")

    @app.get("/appointments/<int:number>")
    @_signed_in("calendar", store)
    def one_appointment(number: int) -> Response:
        return _page(store, "saved.html", number=number)
