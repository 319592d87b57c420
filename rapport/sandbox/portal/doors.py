"""Who is signed in: password, second factor, rotating session cookies, and what ends a session."""

from __future__ import annotations

import hmac
import secrets
import time
from typing import Any

import pyotp

from rapport.sandbox.portal.store import Store

WRONG_BEFORE_LOCK = 5
LOCK_SECONDS = 900
CODE_SECONDS = 300
OLD_COOKIE_SECONDS = 10
"""A page's pictures and its next click may still carry the cookie from before."""


class Refused(Exception):
    """The sign-in does not go on. `reason`: failed, locked, password_expired, terms, new_device."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def sign_in(store: Store, *, practice: str, login: str, password: str, user_agent: str) -> dict[str, Any]:
    """
    Check the first factor and begin a session, half open when a second is asked for.

    :raises Refused: see there; a locked account says so before the password is looked at
    """
    with store.exclusive():
        user = store.one("SELECT * FROM user WHERE login = ?", (login,))
        if user is None or practice.strip().upper() != store.setting("practice_code", "FERN"):
            raise Refused("failed")
        if user["locked_until"] > time.time():
            raise Refused("locked")
        if not hmac.compare_digest(user["password"], password):
            wrong = user["wrong"] + 1
            locked = time.time() + LOCK_SECONDS if wrong >= WRONG_BEFORE_LOCK else 0
            store.run("UPDATE user SET wrong = ?, locked_until = ? WHERE login = ?", (wrong, locked, login))
            raise Refused("locked" if locked else "failed")
        store.run("UPDATE user SET wrong = 0 WHERE login = ?", (login,))
        if user["notice"]:
            raise Refused(user["notice"])
        half = user["factor"] != "none"
        session = _begin(store, login, user_agent, "half" if half else "open")
        if user["factor"] in ("sms", "email"):
            send_code(store, login=login, way=user["factor"])
        return session


def _begin(store: Store, login: str, user_agent: str, state: str) -> dict[str, Any]:
    if state == "open":
        _alone(store, login)
    token = secrets.token_urlsafe(24)
    id = store.run(
        "INSERT INTO session (token, turned_at, login, user_agent, csrf, seen_at, state) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (token, time.time(), login, user_agent, secrets.token_urlsafe(16), time.time(), state),
    )
    return store.one("SELECT * FROM session WHERE id = ?", (id,)) or {}


def _alone(store: Store, login: str) -> None:
    """Some portals end a person's other sessions when they sign in again."""
    if store.setting("one_session") == "1":
        store.run("DELETE FROM session WHERE login = ? AND state = 'open'", (login,))


def send_code(store: Store, *, login: str, way: str) -> bool:
    """Send a code, unless one that was not used is alive. :return: whether one was sent"""
    alive = store.one(
        "SELECT id FROM code WHERE login = ? AND NOT spent AND sent_at > ?", (login, time.time() - CODE_SECONDS)
    )
    if alive:
        return False
    store.run(
        "INSERT INTO code (login, way, code, sent_at) VALUES (?, ?, ?, ?)",
        (login, way, f"{secrets.randbelow(1_000_000):06}", time.time()),
    )
    return True


def prove(store: Store, *, session: dict[str, Any], code: str) -> bool:
    """Check the second factor of a half-open session; a code opens one session only."""
    with store.exclusive():
        user = store.one("SELECT * FROM user WHERE login = ?", (session["login"],))
        if user is None or user["locked_until"] > time.time():
            return False
        good = _totp(store, user, code) if user["factor"] == "totp" else _sent(store, user, code)
        if good:
            _alone(store, session["login"])
            store.run("UPDATE session SET state = 'open', seen_at = ? WHERE id = ?", (time.time(), session["id"]))
            return True
        wrong = user["wrong"] + 1
        locked = time.time() + LOCK_SECONDS if wrong >= WRONG_BEFORE_LOCK else 0
        store.run("UPDATE user SET wrong = ?, locked_until = ? WHERE login = ?", (wrong, locked, user["login"]))
        return False


def _totp(store: Store, user: dict[str, Any], code: str) -> bool:
    step = int(time.time()) // 30
    for tried in (step, step - 1):
        if tried > user["last_step"] and hmac.compare_digest(pyotp.TOTP(user["totp_secret"]).at(tried * 30), code):
            store.run("UPDATE user SET last_step = ? WHERE login = ?", (tried, user["login"]))
            return True
    return False


def _sent(store: Store, user: dict[str, Any], code: str) -> bool:
    found = store.one(
        "SELECT id FROM code WHERE login = ? AND code = ? AND NOT spent AND sent_at > ?",
        (user["login"], code, time.time() - CODE_SECONDS),
    )
    if found is None:
        return False
    store.run("UPDATE code SET spent = 1 WHERE id = ?", (found["id"],))
    return True


def find(store: Store, *, token: str, user_agent: str) -> dict[str, Any] | None:
    """
    Return the session of a cookie, or None when it has ended or never was.

    A session that comes with another User-Agent than it began with is ended, where the portal pins it.
    """
    if not token:
        return None
    with store.exclusive():
        session = store.one(
            "SELECT * FROM session WHERE token = ? OR (before = ? AND turned_at > ?)",
            (token, token, time.time() - OLD_COOKIE_SECONDS),
        )
        if session is None:
            return None
        idle = float(store.setting("session_seconds", "900"))
        pinned = store.setting("pin_user_agent") == "1" and session["user_agent"] != user_agent
        if pinned or session["seen_at"] < time.time() - idle:
            end(store, session=session)
            return None
        store.run("UPDATE session SET seen_at = ? WHERE id = ?", (time.time(), session["id"]))
        return session


def turn(store: Store, *, session: dict[str, Any]) -> str:
    """Give a session its next cookie, and return it; the one before works for a moment still."""
    if store.setting("rotate", "1") != "1":
        return str(session["token"])
    with store.exclusive():
        row = store.one("SELECT * FROM session WHERE id = ?", (session["id"],))
        if row is None:
            return ""
        if row["turned_at"] > time.time() - 1:
            return str(row["token"])
        token = secrets.token_urlsafe(24)
        store.run(
            "UPDATE session SET before = token, token = ?, turned_at = ? WHERE id = ?", (token, time.time(), row["id"])
        )
        return token


def end(store: Store, *, session: dict[str, Any]) -> None:
    """End a session."""
    store.run("DELETE FROM session WHERE id = ?", (session["id"],))
