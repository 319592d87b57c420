"""Sessions: how one begins, its turning cookie, its token for forms, and what ends it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import Any

from rapport.sandbox.portal.settings import is_on, number, setting
from rapport.sandbox.portal.store import Store

OLD_COOKIE_SECONDS = 10
"""A page's pictures and its next click may still carry the cookie from before."""
TURN_SECONDS = 1


def begin(store: Store, *, login: str, user_agent: str, state: str) -> dict[str, Any]:
    """
    Begin a session.

    :param state: open; or half, push or notice: the sign-in is not over
    """
    with store.exclusive():
        if state == "open":
            _alone(store, login)
        now = time.time()
        id = store.run(
            "INSERT INTO session (token, turned_at, login, user_agent, csrf, began_at, seen_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (secrets.token_urlsafe(24), now, login, user_agent, secrets.token_urlsafe(16), now, now, state),
        )
        return store.one("SELECT * FROM session WHERE id = ?", (id,)) or {}


def put_state(store: Store, *, session: dict[str, Any], state: str) -> None:
    """Let a sign-in go on to its next step; `open` is the last."""
    with store.exclusive():
        if state == "open":
            _alone(store, session["login"])
        store.run("UPDATE session SET state = ?, seen_at = ? WHERE id = ?", (state, time.time(), session["id"]))
        session["state"] = state


def _alone(store: Store, login: str) -> None:
    """Some portals end a person's other sessions when they sign in again; their next page says why."""
    if is_on(store, "one_session"):
        store.run("UPDATE session SET state = 'elsewhere' WHERE login = ? AND state = 'open'", (login,))


def find(store: Store, *, token: str, user_agent: str) -> dict[str, Any] | None:
    """
    Return the session of a cookie, or None when it has ended or never was.

    A session that was closed from elsewhere is still told, with that as its state. A session that comes
    with another User-Agent than it began with is ended, where the portal pins it.
    """
    if not token:
        return None
    with store.exclusive():
        session = store.one("SELECT * FROM session WHERE token = ?", (token,)) or store.one(
            "SELECT s.* FROM old_cookie o JOIN session s ON s.id = o.session_id WHERE o.token = ? AND o.until > ?",
            (token, time.time()),
        )
        if session is None:
            return None
        pinned = is_on(store, "pin_user_agent") and session["user_agent"] != user_agent
        most = number(store, "session_most_seconds")
        unused = session["seen_at"] < time.time() - number(store, "session_seconds")
        if pinned or unused or (most and session["began_at"] < time.time() - most):
            end(store, session=session)
            return None
        store.run("UPDATE session SET seen_at = ? WHERE id = ?", (time.time(), session["id"]))
        return session


def turn(store: Store, *, session: dict[str, Any]) -> str:
    """Give a session its next cookie, and return it; the one before works for a moment still. Empty: it has ended."""
    with store.exclusive():
        row = store.one("SELECT * FROM session WHERE id = ?", (session["id"],))
        if row is None or row["state"] == "elsewhere":
            return ""
        how = setting(store, "rotate")
        if how == "0" or (how != "each" and row["turned_at"] > time.time() - TURN_SECONDS):
            return str(row["token"])
        token, now = secrets.token_urlsafe(24), time.time()
        store.run("DELETE FROM old_cookie WHERE until < ?", (now,))
        store.run("INSERT INTO old_cookie (token, session_id, until) VALUES (?, ?, ?)", (row["token"], row["id"], now + OLD_COOKIE_SECONDS))
        store.run("UPDATE session SET token = ?, turned_at = ? WHERE id = ?", (token, now, row["id"]))
        return token


def end(store: Store, *, session: dict[str, Any]) -> None:
    """End a session."""
    store.run("DELETE FROM session WHERE id = ?", (session["id"],))
    store.run("DELETE FROM old_cookie WHERE session_id = ?", (session["id"],))


def form_token(session: dict[str, Any]) -> str:
    """Return a token for a form: another each time, all good for the session."""
    salt = secrets.token_hex(6)
    return f"{salt}.{_sign(session, salt)}"


def is_form_token(session: dict[str, Any], token: str) -> bool:
    """Tell whether a token was made for this session."""
    salt, _, signature = token.partition(".")
    return hmac.compare_digest(_sign(session, salt).encode(), signature.encode())


def _sign(session: dict[str, Any], salt: str) -> str:
    return hmac.new(session["csrf"].encode(), salt.encode(), hashlib.sha256).hexdigest()[:32]
