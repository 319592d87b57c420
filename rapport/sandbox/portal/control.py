"""What a test orders and looks at, behind a key: settings, trouble, codes that were sent, rows, the log."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from rapport.sandbox.portal.store import Store, now_text
from rapport.sandbox.portal.trouble import BadTrouble, put_script

SETTINGS = (
    "look", "language", "session_seconds", "rotate", "pin_user_agent", "shared_403", "one_session", "phantom_row",
    "allow_overlap", "late_seconds",
)  # fmt: skip
TABLES = ("patient", "appointment", "note", "session", "code", "request", "user")
CHANGES = {
    "patient": ("first", "middle", "last", "status", "email", "phone", "member_id", "payer", "birth_on"),
    "appointment": ("status", "start_at"),
    "user": ("password", "factor", "notice", "role", "locked_until", "wrong"),
}


def control(store: Store, *, key: str) -> Blueprint:
    """Return the calls under `/_sandbox`."""
    calls = Blueprint("sandbox", __name__, url_prefix="/_sandbox")

    @calls.before_request
    def check_key() -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
            abort(401)

    @calls.put("/settings")
    def put_settings() -> Any:
        wanted = request.get_json()
        unknown = set(wanted) - set(SETTINGS)
        if unknown:
            return _refused(f"no such setting: {', '.join(sorted(unknown))}")
        for name, value in wanted.items():
            store.put_setting(name, str(value))
        return jsonify({name: store.setting(name) for name in SETTINGS})

    @calls.put("/trouble")
    def put_trouble() -> Any:
        try:
            put_script(store, request.get_json())
        except BadTrouble as problem:
            return _refused(str(problem))
        return jsonify({"kept": True})

    @calls.get("/<table>")
    def rows(table: str) -> Any:
        if table not in TABLES:
            abort(404)
        return jsonify({"data": store.rows(f"SELECT rowid AS id, * FROM {table} ORDER BY rowid")})  # noqa: S608 - a table of the list

    @calls.delete("/<table>")
    def forget(table: str) -> Any:
        if table not in ("session", "request", "code"):
            abort(404)
        store.run(f"DELETE FROM {table}")  # noqa: S608 - a table of the list
        return jsonify({"forgotten": True})

    @calls.patch("/<table>/<key_value>")
    def change(table: str, key_value: str) -> Any:
        wanted = request.get_json()
        if table not in CHANGES or set(wanted) - set(CHANGES[table]):
            return _refused("that cannot be changed here")
        key_column = "login" if table == "user" else "id"
        for name, value in wanted.items():
            store.run(f"UPDATE {table} SET {name} = ? WHERE {key_column} = ?", (value, key_value))  # noqa: S608 - names of the list
        if table != "user":
            store.run(f"UPDATE {table} SET updated_at = ? WHERE id = ?", (now_text(), key_value))  # noqa: S608 - a table of the list
        return jsonify({"changed": True})

    return calls


def _refused(detail: str) -> Response:
    answer = jsonify({"detail": detail})
    answer.status_code = 422
    return answer
