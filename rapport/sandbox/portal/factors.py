"""What somebody proves who they are with: a password, then a code or a nod on the phone."""

from __future__ import annotations

import hmac
import secrets
import time
from typing import Any

import pyotp

from rapport.sandbox.portal.settings import number
from rapport.sandbox.portal.store import Store

LONGEST_DELAY = 20.0
WINDOW_SECONDS = 30


class Refused(Exception):
    """The sign-in does not go on. `reason`: failed, locked, use_sso, wrong_code, used_code."""

    def __init__(self, reason: str, *, wait: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        """Seconds until it may be tried again; 0: nothing is said about that."""


def check_password(store: Store, *, login: str, password: str, single: bool = False) -> dict[str, Any]:
    """
    Check a password. A locked account says so before the password is looked at.

    :param single: the identity provider asks, which knows only those who sign in there
    :return: the user
    :raises Refused: failed, locked, or use_sso where the portal itself does not take this user
    """
    with store.exclusive():
        user = store.one("SELECT * FROM user WHERE login = ? AND status = 'Active'", (login,))
        if user is None:
            _note(store, login, "password", "unknown")
            raise Refused("failed")
        if user["locked_until"] > time.time():
            _note(store, login, "password", "locked")
            raise Refused("locked", wait=int(user["locked_until"] - time.time()) + 1)
        if (user["factor"] == "sso") != single:
            _note(store, login, "password", "use_sso")
            raise Refused("failed" if single else "use_sso")
        if hmac.compare_digest(user["password"].encode(), password.encode()):
            store.run("UPDATE user SET wrong = 0 WHERE login = ?", (login,))
            _note(store, login, "password")
            return user
        _note(store, login, "password", "wrong")
        problem = _wrong(store, user)
    delay = number(store, "wrong_delay_seconds") * 2 ** user["wrong"]
    time.sleep(min(delay, LONGEST_DELAY))
    raise problem or Refused("failed")


def _wrong(store: Store, user: dict[str, Any]) -> Refused | None:
    """Count a wrong try. :return: the refusal, when the account is locked by it"""
    wrong = user["wrong"] + 1
    locks = wrong >= number(store, "lock_after")
    seconds = number(store, "lock_seconds")
    store.run(
        "UPDATE user SET wrong = ?, locked_until = ? WHERE login = ?",
        (0 if locks else wrong, time.time() + seconds if locks else 0, user["login"]),
    )
    return Refused("locked", wait=int(seconds)) if locks else None


def _note(store: Store, login: str, kind: str, why: str = "") -> None:
    store.run(
        "INSERT INTO attempt (at, login, kind, good, why) VALUES (?, ?, ?, ?, ?)", (time.time(), login, kind, not why, why)
    )


def send_code(store: Store, *, login: str, way: str) -> bool:
    """Send a code, unless one that was not used is alive. :return: whether one was sent"""
    with store.exclusive():
        alive = store.one(
            "SELECT id FROM code WHERE login = ? AND NOT spent AND sent_at > ?",
            (login, time.time() - number(store, "code_seconds")),
        )
        if not alive:
            put_code(store, login=login, way=way, sent_at=time.time())
        return alive is None


def put_code(store: Store, *, login: str, way: str, sent_at: float) -> int:
    """Put a code on somebody's phone or in their mailbox. :return: its number"""
    return store.run(
        "INSERT INTO code (login, way, code, sent_at, arrives_at) VALUES (?, ?, ?, ?, ?)",
        (login, way, f"{secrets.randbelow(1_000_000):06}", sent_at, sent_at + number(store, "code_late_seconds")),
    )


def inbox(store: Store, *, login: str) -> list[dict[str, Any]]:
    """Return what has arrived on somebody's phone and in their mailbox, oldest first."""
    arrived = store.rows("SELECT * FROM code WHERE login = ? AND arrives_at <= ? ORDER BY arrives_at, id", (login, time.time()))
    return [
        {"way": row["way"], "arrived_at": row["arrives_at"], "text": f"Your Fernbrook verification code is {row['code']}."}
        for row in arrived
    ]


def check_code(store: Store, *, login: str, code: str) -> None:
    """
    Check a second factor; a code opens one session only.

    :raises Refused: wrong_code, used_code (right, but of a window that opened a session already), or locked
    """
    with store.exclusive():
        user = store.one("SELECT * FROM user WHERE login = ?", (login,)) or {}
        if not user or user["locked_until"] > time.time():
            raise Refused("locked", wait=int(number(store, "lock_seconds")))
        why = _totp(store, user, code) if user["factor"] == "totp" else _sent(store, user, code)
        _note(store, login, "code", why)
        if why:
            raise _wrong(store, user) or Refused(why)
        store.run("UPDATE user SET wrong = 0 WHERE login = ?", (login,))


def _totp(store: Store, user: dict[str, Any], code: str) -> str:
    step = int(time.time()) // WINDOW_SECONDS
    for tried in (step, step - 1):
        if hmac.compare_digest(pyotp.TOTP(user["totp_secret"]).at(tried * WINDOW_SECONDS).encode(), code.encode()):
            if tried <= user["last_step"]:
                return "used_code"
            store.run("UPDATE user SET last_step = ? WHERE login = ?", (tried, user["login"]))
            return ""
    return "wrong_code"


def _sent(store: Store, user: dict[str, Any], code: str) -> str:
    found = store.one(
        "SELECT id, spent FROM code WHERE login = ? AND code = ? AND sent_at > ? ORDER BY id DESC",
        (user["login"], code, time.time() - number(store, "code_seconds")),
    )
    if found is None:
        return "wrong_code"
    if found["spent"]:
        return "used_code"
    store.run("UPDATE code SET spent = 1 WHERE id = ?", (found["id"],))
    return ""


def masked(user: dict[str, Any]) -> str:
    """Return where a code was sent, as a page shows it."""
    if user.get("factor") == "sms":
        return f"•••-{user['phone'][-4:]}"
    if user.get("factor") in ("email", "sso"):
        return f"{user['login'][:1]}•••@example.org"
    return ""


def ask_push(store: Store, *, session_id: int, login: str) -> None:
    """Ask somebody's phone about a sign-in."""
    store.run(
        "INSERT INTO push (session_id, login, asked_at, answer) VALUES (?, ?, ?, 'waiting')", (session_id, login, time.time())
    )


def push_state(store: Store, *, session_id: int) -> str:
    """Return what the phone said: waiting, approved, denied or expired."""
    with store.exclusive():
        push = store.one("SELECT * FROM push WHERE session_id = ? ORDER BY id DESC", (session_id,))
        if push is None:
            return "expired"
        if push["answer"] == "waiting" and push["asked_at"] < time.time() - number(store, "push_seconds"):
            store.run("UPDATE push SET answer = 'expired' WHERE id = ?", (push["id"],))
            return "expired"
        return str(push["answer"])


def answer_push(store: Store, *, login: str, answer: str) -> bool:
    """Answer the push that waits, as its owner's thumb would. :return: whether one waited"""
    with store.exclusive():
        waiting = store.one("SELECT id FROM push WHERE login = ? AND answer = 'waiting' ORDER BY id DESC", (login,))
        if waiting is None:
            return False
        store.run("UPDATE push SET answer = ? WHERE id = ?", (answer, waiting["id"]))
        _note(store, login, "push", "" if answer == "approved" else answer)
        return True
