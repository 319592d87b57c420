"""What a test orders and looks at, behind a key: settings, trouble, codes that were sent, rows, the log."""

from __future__ import annotations

import hmac
import time
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from rapport.sandbox.portal import factors
from rapport.sandbox.portal.settings import SETTINGS, setting
from rapport.sandbox.portal.store import Store, now_text
from rapport.sandbox.portal.trouble import BadTrouble, put_script, read_script

RECORDS = (
    "patient", "clinician", "hours", "policy", "appointment", "note", "addendum", "claim", "claim_line", "batch", "era", "payment", "export", "user",
)  # fmt: skip
"""What a person or the vendor can add, change and remove."""
FORGOTTEN = ("session", "idp_session", "code", "request", "attempt", "audit")
"""What can be forgotten as a whole, and row by row."""
TABLES = (*RECORDS, *FORGOTTEN, "push")
ANSWERS = {"approve": "approved", "deny": "denied", "expire": "expired"}


def control(store: Store, *, key: str) -> Blueprint:
    """Return the calls under `/_sandbox`."""
    calls = Blueprint("sandbox", __name__, url_prefix="/_sandbox")

    @calls.before_request
    def check_key() -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
            abort(401)

    _settings(calls, store)
    _trouble(calls, store)
    _factors(calls, store)
    _rows(calls, store)
    return calls


def _settings(calls: Blueprint, store: Store) -> None:
    def now() -> Response:
        return jsonify({name: setting(store, name) for name in SETTINGS})

    @calls.get("/settings")
    def get_settings() -> Any:
        return now()

    @calls.put("/settings")
    def put_settings() -> Any:
        wanted = request.get_json()
        unknown = set(wanted) - set(SETTINGS)
        if unknown:
            return _refused(f"no such setting: {', '.join(sorted(unknown))}")
        for name, value in wanted.items():
            store.put_setting(name, str(int(value) if isinstance(value, bool) else value))
        return now()

    @calls.delete("/settings")
    def reset_settings() -> Any:
        store.many("DELETE FROM setting WHERE name = ?", [(name,) for name in SETTINGS])
        return now()


def _trouble(calls: Blueprint, store: Store) -> None:
    @calls.route("/trouble", methods=["GET", "PUT", "POST", "DELETE"])
    def trouble() -> Any:
        try:
            if request.method in ("PUT", "POST"):
                put_script(store, request.get_json(), add=request.method == "POST")
            elif request.method == "DELETE":
                put_script(store, [])
        except BadTrouble as problem:
            return _refused(str(problem))
        return jsonify({"data": read_script(store)})


def _factors(calls: Blueprint, store: Store) -> None:
    @calls.put("/push/<login>")
    def push(login: str) -> Any:
        answer = ANSWERS.get(str(request.get_json().get("answer")))
        if answer is None or not factors.answer_push(store, login=login, answer=answer):
            return _refused("no push waits, or that is no answer")
        return jsonify({"answer": answer})

    @calls.get("/inbox/<login>")
    def inbox(login: str) -> Any:
        return jsonify({"data": factors.inbox(store, login=login)})

    @calls.post("/code")
    def send() -> Any:
        wanted = request.get_json()
        sent_at = time.time() - float(wanted.get("seconds_ago", 0))
        id = factors.put_code(store, login=wanted["login"], way=wanted.get("way", "sms"), sent_at=sent_at)
        return jsonify(store.one("SELECT * FROM code WHERE id = ?", (id,)))


def _rows(calls: Blueprint, store: Store) -> None:
    @calls.get("/<table>")
    def rows(table: str) -> Any:
        if table not in TABLES:
            abort(404)
        where, values = "rowid > ?", [request.args.get("after", "0")]
        known = store.columns(table)
        for name, value in request.args.items():
            if name in known:
                where += f" AND {name} = ?"
                values.append(value)
            elif name != "after":
                return _refused(f"no column {name}")
        query = f"SELECT rowid AS id, * FROM {table} WHERE {where} ORDER BY rowid"  # noqa: S608 - a table and columns that there are
        return jsonify({"data": store.rows(query, values)})

    @calls.delete("/<table>")
    def forget(table: str) -> Any:
        if table not in FORGOTTEN:
            abort(404)
        store.run(f"DELETE FROM {table}")  # noqa: S608 - a table of the list
        return jsonify({"forgotten": True})

    @calls.post("/<table>")
    def add(table: str) -> Any:
        wanted = request.get_json()
        if table not in RECORDS or set(wanted) - set(store.columns(table)):
            return _refused("that cannot be added here")
        known = store.columns(table)
        now = {name: now_text() for name in ("created_at", "updated_at") if name in known}
        values = now | wanted
        marks = ", ".join("?" * len(values))
        id = store.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))  # noqa: S608 - a table and columns that there are
        return jsonify({"id": id})

    @calls.patch("/<table>/<row>")
    def change(table: str, row: str) -> Any:
        wanted, known = request.get_json(), store.columns(table)
        if table not in (*RECORDS, "code") or not wanted or set(wanted) - set(known):
            return _refused("that cannot be changed here")
        sets = [f"{name} = ?" for name in wanted]
        values = list(wanted.values())
        if "version" in known and "version" not in wanted:
            sets.append("version = version + 1")
        if "updated_at" in known and "updated_at" not in wanted:
            sets.append("updated_at = ?")
            values.append(now_text())
        changed = store.changed(f"UPDATE {table} SET {', '.join(sets)} WHERE {_key(table)} = ?", [*values, row])  # noqa: S608 - a table and columns that there are
        return jsonify({"changed": changed == 1}) if changed else _refused("there is no such row")

    @calls.delete("/<table>/<row>")
    def remove(table: str, row: str) -> Any:
        if table not in TABLES:
            abort(404)
        removed = store.changed(f"DELETE FROM {table} WHERE {_key(table)} = ?", (row,))  # noqa: S608 - a table of the list
        return jsonify({"removed": removed})


def _key(table: str) -> str:
    return "login" if table == "user" else "id"


def _refused(detail: str) -> Response:
    answer = jsonify({"detail": detail})
    answer.status_code = 422
    return answer
