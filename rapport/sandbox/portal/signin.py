"""Signing in at the portal: password, code, push, notices, and the way to the identity provider and back."""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, jsonify, redirect, request

from rapport.sandbox.portal import doors, factors, saml
from rapport.sandbox.portal.factors import Refused
from rapport.sandbox.portal.forms import Button, Field, Form, sent
from rapport.sandbox.portal.settings import is_on, number, setting
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.surround import audit, become, must_carry_token, page

STATES = {"none": "open", "totp": "half", "sms": "half", "email": "half", "push": "push", "sso": "open"}
NEXT = {"open": "/home", "half": "/login/code", "push": "/login/push", "notice": "/login/notice"}
GRANT_SECONDS = 60
SSO_SECONDS = 900
"""So long somebody may take at the provider."""


def login_page(store: Store, *, problem: str = "", status: int = 200, wait: int = 0) -> Response:
    """Return the page that asks for the password."""
    w, g.problem = g.look.words, problem
    form = Form("login", "/login", (
        Field("practice", w["practice"], autocomplete="organization"), Field("user", w["user"], autocomplete="username"),
        Field("password", w["password"], "password", autocomplete="current-password"),
    ), (Button("sign_in", w["sign_in"]),))  # fmt: skip
    names = store.rows("SELECT name FROM user ORDER BY login") if is_on(store, "welcome_names") else []
    answer = page(
        store, "login.html", form=form, problem=problem, status=status, names=[row["name"] for row in names],
        by_script=setting(store, "login_by") == "script",
    )  # fmt: skip
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


def routes(app: Flask, store: Store, *, idp_url: str) -> None:
    """Add the pages of signing in and out."""
    _password(app, store)
    _code(app, store)
    _push(app, store)
    _notice(app, store)
    _single(app, store, idp_url)

    @app.post("/logout")
    def sign_out() -> Any:
        if g.session:
            doors.end(store, session=g.session)
            g.session = None
        answer = redirect("/login")
        answer.delete_cookie("fernbrook")
        return answer


def _password(app: Flask, store: Store) -> None:
    @app.get("/login")
    def show_login() -> Response:
        return login_page(store, problem="elsewhere" if request.args.get("reason") == "elsewhere" else "")

    @app.post("/login")
    def take_password() -> Any:
        answer = check_password()
        return _told(answer) if request.headers.get("Accept") == "application/json" else answer

    def check_password() -> Any:
        try:
            if sent("practice").upper() != store.setting("practice_code", "FERN"):
                raise Refused("failed")
            user = factors.check_password(store, login=sent("user"), password=sent("password"))
        except Refused as refused:
            wrong = int(number(store, "wrong_status"))
            return login_page(
                store, problem=refused.reason, wait=refused.wait,
                status=429 if refused.reason == "locked" else wrong if refused.reason == "failed" else 200,
            )  # fmt: skip
        session = doors.begin(
            store, login=user["login"], user_agent=request.headers.get("User-Agent", ""),
            state="notice" if user["notice"] else STATES[user["factor"]],
        )  # fmt: skip
        become(store, session)
        _ask_factor(store, user)
        return notice_page(store, user["notice"]) if user["notice"] else redirect(NEXT[session["state"]])


def _told(answer: Response) -> Response:
    """Return an answer to the password as a script wants it: where to go, or what is wrong."""
    problem = g.get("problem")
    if problem:
        told = jsonify({"success": False, "problem": problem, "message": g.look.words[problem]})
        told.status_code = 429 if problem == "locked" else 200
        told.headers.extend({"Retry-After": answer.headers["Retry-After"]} if "Retry-After" in answer.headers else {})
        return told
    return jsonify({"success": True, "next": answer.headers.get("Location", "/login/notice")})


def _ask_factor(store: Store, user: dict[str, Any]) -> None:
    """Send what the next page will ask about."""
    if g.session["state"] == "half" and user["factor"] in ("sms", "email"):
        factors.send_code(store, login=user["login"], way=user["factor"])
    if g.session["state"] == "push":
        factors.ask_push(store, session_id=g.session["id"], login=user["login"])


def _user(store: Store) -> dict[str, Any]:
    return store.one("SELECT * FROM user WHERE login = ?", (g.session["login"],)) or {}


def _waits(state: str) -> bool:
    """Tell whether the sign-in of this request stands at a step."""
    return bool(g.session) and g.session["state"] == state


def code_form(action: str, *, resend: bool) -> Form:
    """Return the form for a code. Where one can be sent again, that is its first button."""
    w = g.look.words
    again = (Button("resend", w["resend"], sends="resend"),) if resend else ()
    field = Field("code", w["code"], autocomplete="one-time-code")
    return Form("code", action, (field,), (*again, Button("verify", w["verify"])), buttons_first=resend)


def _code(app: Flask, store: Store) -> None:
    def shown(problem: str = "") -> Response:
        where = factors.masked(_user(store))
        form = code_form("/login/code", resend=bool(where))
        return page(store, "code.html", form=form, problem=problem, destination=where)

    @app.get("/login/code")
    def show_code() -> Any:
        return shown() if _waits("half") else redirect("/login")

    @app.post("/login/code")
    def check_code() -> Any:
        if not _waits("half"):
            return redirect("/login")
        must_carry_token()
        user = _user(store)
        if "resend" in request.form:
            if user["factor"] in ("sms", "email"):
                factors.send_code(store, login=user["login"], way=user["factor"])
            return shown()
        try:
            factors.check_code(store, login=user["login"], code=sent("code"))
        except Refused as refused:
            if refused.reason == "locked":
                return login_page(store, problem="locked", status=429, wait=refused.wait)
            return shown(refused.reason)
        doors.put_state(store, session=g.session, state="open")
        return redirect("/home")


def _push(app: Flask, store: Store) -> None:
    @app.get("/login/push")
    def show_push() -> Any:
        if not _waits("push"):
            return redirect("/login")
        state = factors.push_state(store, session_id=g.session["id"])
        if state == "approved":
            doors.put_state(store, session=g.session, state="open")
            return redirect("/home")
        if state == "waiting":
            return page(store, "push.html")
        doors.end(store, session=g.session)
        g.session = None
        return page(store, "notice.html", notice=f"push_{state}")

    @app.get("/login/push/state")
    def tell_push() -> Any:
        return jsonify({"state": factors.push_state(store, session_id=g.session["id"]) if _waits("push") else "expired"})


def notice_page(store: Store, notice: str, *, done: str = "") -> Response:
    """Return a page that stands between somebody and the portal, with what a person may press there."""
    w = g.look.words
    fields: tuple[Field, ...] = ()
    if notice == "password_expired":
        fields = (Field("new_password", w["new_password"], "password", autocomplete="new-password"),)
    words = {"password_expired": "change", "terms": "accept", "new_device": "ask_admin"}[notice]
    form = Form("notice_form", "/login/notice", fields, (Button(words, w[words]),))
    return page(store, "notice.html", notice=notice, form=None if done else form, done=done)


def _notice(app: Flask, store: Store) -> None:
    @app.get("/login/notice")
    def show_notice() -> Any:
        return notice_page(store, _user(store)["notice"]) if _waits("notice") else redirect("/login")

    @app.post("/login/notice")
    def answer_notice() -> Any:
        if not _waits("notice"):
            return redirect("/login")
        must_carry_token()
        user = _user(store)
        audit(store, action=f"notice.{user['notice']}", record=user["login"], outcome="kept")
        if user["notice"] == "new_device":
            return notice_page(store, "new_device", done="asked_admin")
        if user["notice"] == "password_expired" and sent("new_password"):
            store.run("UPDATE user SET password = ? WHERE login = ?", (sent("new_password"), user["login"]))
        elif user["notice"] == "password_expired":
            return notice_page(store, "password_expired")
        store.run("UPDATE user SET notice = '' WHERE login = ?", (user["login"],))
        doors.put_state(store, session=g.session, state=STATES[user["factor"]])
        _ask_factor(store, user)
        return redirect(NEXT[g.session["state"]])


def _single(app: Flask, store: Store, idp_url: str) -> None:
    """Single sign-on: the portal sends people to the provider, and takes the code that they bring back."""

    @app.get("/login/sso")
    def leave() -> Any:
        state = secrets.token_urlsafe(12)
        if setting(store, "sso_protocol") == "saml":
            state = f"_{state}"  # an id in XML begins with a letter or this
        store.run("INSERT INTO sso_state (state, made_at) VALUES (?, ?)", (state, time.time()))
        if setting(store, "sso_protocol") == "saml":
            return redirect(saml.request_url(
                f"{idp_url}/id/saml", id=state, back=f"{request.host_url}login/saml", relay="/home"
            ))  # fmt: skip
        query = {
            "response_type": "code", "client_id": "fernbrook-portal", "scope": "openid", "state": state,
            "redirect_uri": f"{request.host_url}login/sso/callback", "response_mode": setting(store, "sso_answer"),
        }  # fmt: skip
        return redirect(f"{idp_url}/id/authorize?{urlencode(query)}")

    @app.route("/login/sso/callback", methods=["GET", "POST"])
    def come_back() -> Any:
        given = request.values
        with store.exclusive():
            known = store.changed("DELETE FROM sso_state WHERE state = ?", (given.get("state", ""),))
            granted = store.one(
                "SELECT * FROM grant_code WHERE code = ? AND state = ? AND NOT spent AND made_at > ?",
                (given.get("code", ""), given.get("state", ""), time.time() - GRANT_SECONDS),
            )
            if not known or granted is None:
                return login_page(store, problem="failed")
            store.run("UPDATE grant_code SET spent = 1 WHERE code = ?", (granted["code"],))
        return _arrived(store, granted["login"])

    @app.post("/login/saml")
    def take_answer() -> Any:
        try:
            login, asked = saml.check(store, request.form.get("SAMLResponse", ""), back=f"{request.host_url}login/saml")
        except saml.NotProven:
            return login_page(store, problem="failed")
        # Each request is answered once.
        if not store.changed("DELETE FROM sso_state WHERE state = ? AND made_at > ?", (asked, time.time() - SSO_SECONDS)):
            return login_page(store, problem="failed")
        return _arrived(store, login)


def _arrived(store: Store, login: str) -> Any:
    """Let somebody in whom the provider knows."""
    user = store.one("SELECT * FROM user WHERE login = ?", (login,)) or {}
    state = "notice" if user["notice"] else "open"
    become(store, doors.begin(store, login=user["login"], user_agent=request.headers.get("User-Agent", ""), state=state))
    return redirect(NEXT[state])
