"""Everything at one address: JSON-RPC with a token in the Authorization header, as single-page programs have it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, g, jsonify, request

from rapport.sandbox.portal import doors, factors, models
from rapport.sandbox.portal.factors import Refused
from rapport.sandbox.portal.models import RpcError
from rapport.sandbox.portal.settings import setting
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.surround import become, page

Call = Callable[[Store, list[Any]], Any]


def routes(app: Flask, store: Store) -> None:
    """Add the address, and the page whose script uses it."""

    @app.get("/app")
    def single_page() -> Response:
        g.session = None
        return page(store, "app.html")

    @app.post("/rpc")
    def call() -> Any:
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict) or not isinstance(asked.get("params", []), list):
            return jsonify({"id": None, "error": ["BadRequest", "an object with id, method and params is needed"]})
        method, params = str(asked.get("method", "")), asked.get("params", [])
        g.call, g.by_header = method, True
        g.session = None
        if method == "common.login":
            return _login(store, asked.get("id"), params)
        session = _session(store)
        if session is None:
            return Response("", status=401)
        become(store, session)
        return jsonify({"id": asked.get("id")} | _answer(store, method, params))


def _answer(store: Store, method: str, params: list[Any]) -> dict[str, Any]:
    try:
        return {"result": _found(method)(store, params)}
    except RpcError as error:
        return {"error": [error.kind, error.message]}
    except (TypeError, ValueError, KeyError, IndexError):
        return {"error": ["BadRequest", "the parameters are not those of this method"]}


def _found(method: str) -> Call:
    if method in _COMMON:
        return _COMMON[method]
    start, _, verb = method.rpartition(".")
    prefix, _, model = start.partition(".")
    if prefix != "model" or model not in models.MODELS or verb not in models.VERBS:
        raise RpcError("NotFound", f"no method {method}")
    return lambda store, params: models.VERBS[verb](store, models.MODELS[model], *params)


def _session(store: Store) -> dict[str, Any] | None:
    """Return the session of the Authorization header, or None when it is no more."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        login, _, token = base64.b64decode(encoded, validate=True).decode().split(":", 2)
    except (binascii.Error, ValueError):
        return None
    found = doors.find(store, token=token, user_agent=request.headers.get("User-Agent", ""))
    if found and "expire" in g.faults:
        doors.end(store, session=found)
        return None
    fits = scheme == "Session" and found is not None and found["login"] == login and found["state"] == "open"
    return found if fits else None


def _login(store: Store, id: Any, params: list[Any]) -> Any:
    """Sign in; a second factor is asked for by an error, and given with the password the next time."""
    login = str(params[0]) if params else ""
    given = params[1] if len(params) > 1 and isinstance(params[1], dict) else {}
    try:
        user = factors.check_password(store, login=login, password=str(given.get("password", "")))
        if user["factor"] in ("sms", "email", "totp"):
            if not given.get("code"):
                if user["factor"] != "totp":
                    factors.send_code(store, login=login, way=user["factor"])
                return jsonify({"id": id, "error": ["LoginException", "code", factors.masked(user)]})
            factors.check_code(store, login=login, code=str(given["code"]))
        elif user["factor"] != "none":
            return jsonify({"id": id, "error": ["LoginException", user["factor"], ""]})
    except Refused as refused:
        answer = Response("", status=429 if refused.reason == "locked" else 401)
        if refused.wait:
            answer.headers["Retry-After"] = str(refused.wait)
        return answer
    session = doors.begin(store, login=login, user_agent=request.headers.get("User-Agent", ""), state="open")
    become(store, session)
    return jsonify({"id": id, "result": [session["id"], session["token"]]})


def _logout(store: Store, params: list[Any]) -> bool:
    doors.end(store, session=g.session)
    return True


def _preferences(store: Store, params: list[Any]) -> dict[str, str]:
    return {"login": g.session["login"], "name": g.name, "role": g.role, "language": setting(store, "language")}


_COMMON: Mapping[str, Call] = MappingProxyType({
    "common.logout": _logout, "model.user.get_preferences": _preferences,
})  # fmt: skip
