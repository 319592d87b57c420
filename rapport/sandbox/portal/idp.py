"""A small identity provider, a host of its own: it signs people in once and sends them back with a code, or a signed answer."""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, redirect, request

from rapport.sandbox.portal import factors, saml
from rapport.sandbox.portal.factors import Refused
from rapport.sandbox.portal.forms import Button, Field, Form, sent
from rapport.sandbox.portal.settings import number
from rapport.sandbox.portal.signin import code_form
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.surround import must_carry_token, page, surround

COOKIE = "fernbrook_id"
KEPT = ("state", "response_mode", "saml")
"""What the portal asked with; it travels through the forms."""


def make_idp(store: Store, *, portal_url: str) -> Flask:
    """Return the identity provider of the portal at an address; nobody is sent back anywhere else."""
    app = Flask(__name__)
    back, back_saml = f"{portal_url}/login/sso/callback", f"{portal_url}/login/saml"
    surround(app, store, host="idp", sign_in_page=lambda: _sign_in_page(store))

    @app.before_request
    def find() -> None:
        g.session = store.one(
            "SELECT * FROM idp_session WHERE token = ? AND seen_at > ?",
            (request.cookies.get(COOKIE, ""), time.time() - number(store, "idp_session_seconds")),
        )

    @app.get("/id/authorize")
    def authorize() -> Any:
        if request.args.get("redirect_uri") != back:
            return page(store, "refused.html", status=400)
        if g.session and g.session["state"] == "open":
            return send_back(dict(request.args))
        return redirect(f"/id/signin?{_query(request.args)}")

    @app.get("/id/saml")
    def authorize_by_saml() -> Any:
        try:
            request_id, wanted = saml.read_request(request.args.get("SAMLRequest", ""))
        except saml.NotProven:
            return page(store, "refused.html", status=400)
        if wanted != back_saml:
            return page(store, "refused.html", status=400)
        given = {"saml": request_id, "state": request.args.get("RelayState", "")}
        if g.session and g.session["state"] == "open":
            return send_back(given)
        return redirect(f"/id/signin?{_query(given)}")

    def send_back(given: dict[str, str]) -> Any:
        if given.get("saml"):
            told = saml.answer(store, login=g.session["login"], request_id=given["saml"], back=back_saml)
            answer = {"SAMLResponse": told, "RelayState": given.get("state", "")}
            return page(store, "send_back.html", to=back_saml, answer=answer)
        return _send_back(store, given, to=back)

    @app.get("/id/signin")
    def show_sign_in() -> Response:
        return _sign_in_page(store)

    @app.post("/id/signin")
    def check_password() -> Any:
        try:
            user = factors.check_password(store, login=sent("user"), password=sent("password"), single=True)
        except Refused as refused:
            return _sign_in_page(store, problem=refused.reason, wait=refused.wait)
        token = secrets.token_urlsafe(24)
        id = store.run(
            "INSERT INTO idp_session (token, login, csrf, seen_at, state) VALUES (?, ?, ?, ?, 'half')",
            (token, user["login"], secrets.token_urlsafe(16), time.time()),
        )
        g.session = store.one("SELECT * FROM idp_session WHERE id = ?", (id,))
        factors.send_code(store, login=user["login"], way="email")
        answer = redirect(f"/id/verify?{_query(request.args)}")
        answer.set_cookie(COOKIE, token, httponly=True, samesite="Lax")
        return answer

    @app.get("/id/verify")
    def show_verify() -> Any:
        return _verify_page(store) if g.session else redirect(f"/id/signin?{_query(request.args)}")

    @app.post("/id/verify")
    def check_code() -> Any:
        if not g.session:
            return redirect(f"/id/signin?{_query(request.args)}")
        must_carry_token()
        login = g.session["login"]
        if "resend" in request.form:
            factors.send_code(store, login=login, way="email")
            return _verify_page(store)
        try:
            factors.check_code(store, login=login, code=sent("code"))
        except Refused as refused:
            return _verify_page(store, problem=refused.reason)
        store.run("UPDATE idp_session SET state = 'open', seen_at = ? WHERE id = ?", (time.time(), g.session["id"]))
        return send_back(dict(request.args))

    @app.route("/id/signout", methods=["GET", "POST"])
    def sign_out() -> Any:
        if g.session:
            store.run("DELETE FROM idp_session WHERE id = ?", (g.session["id"],))
            g.session = None
        answer = redirect(f"{portal_url}/login")
        answer.delete_cookie(COOKIE)
        return answer

    return app


def _query(given: Any) -> str:
    return urlencode({name: given[name] for name in KEPT if given.get(name)})


def _sign_in_page(store: Store, *, problem: str = "", wait: int = 0) -> Response:
    w = g.look.words
    form = Form("id_signin", f"/id/signin?{_query(request.args)}", (
        Field("user", w["user"], autocomplete="username"),
        Field("password", w["password"], "password", autocomplete="current-password"),
    ), (Button("sign_in", w["sign_in"]),))  # fmt: skip
    answer = page(store, "idp.html", form=form, problem=problem, destination="", status=429 if problem == "locked" else 200)
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


def _verify_page(store: Store, *, problem: str = "") -> Response:
    user = store.one("SELECT * FROM user WHERE login = ?", (g.session["login"],)) or {}
    form = code_form(f"/id/verify?{_query(request.args)}", resend=True)
    return page(store, "idp.html", form=form, problem=problem, destination=factors.masked(user))


def _send_back(store: Store, given: dict[str, str], *, to: str) -> Any:
    """Make a code of one use, and send the person back with it: by address, or by a form that sends itself."""
    code = secrets.token_urlsafe(16)
    store.run(
        "INSERT INTO grant_code (code, login, state, made_at) VALUES (?, ?, ?, ?)",
        (code, g.session["login"], given.get("state", ""), time.time()),
    )
    answer = {"code": code, "state": given.get("state", "")}
    if given.get("response_mode") == "form_post":
        return page(store, "send_back.html", to=to, answer=answer)
    return redirect(f"{to}?{urlencode(answer)}")
