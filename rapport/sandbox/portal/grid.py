"""The lists as JSON arrays without names, and the metadata that tells which column is where."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask, abort, g, jsonify, request

from rapport.sandbox.portal.kinds import GRIDS, KINDS, RIGHTS
from rapport.sandbox.portal.listing import Asked, Listing, as_grid, listing
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.surround import refusal, view

MOST = 1000


def routes(app: Flask, store: Store) -> None:
    """Add these addresses."""

    @app.get("/data/me")
    def me() -> Any:
        if not g.session or g.session["state"] != "open":
            return jsonify({"logged_in": False})
        return jsonify({"logged_in": True, "user": g.session["login"], "name": g.name, "role": g.role})

    @app.get("/data/<kind>/columns.json")
    def columns(kind: str) -> Any:
        return _checked(store, kind) or jsonify({"columns": as_grid(_listing(store, kind, 0, 0))[0], "version": secrets.token_hex(4)})

    @app.get("/data/<kind>")
    def rows(kind: str) -> Any:
        refused = _checked(store, kind)
        if refused:
            return refused
        limit = min(max(0, request.args.get("limit", 25, type=int)), MOST)
        offset = max(0, request.args.get("offset", 0, type=int))
        shown = _listing(store, kind, offset, limit)
        return jsonify({"count": shown.total, "rows": as_grid(shown)[1]})


def _checked(store: Store, kind: str) -> Any:
    if kind not in GRIDS:
        abort(404)
    return refusal(store, KINDS[kind].right)


def _listing(store: Store, kind: str, offset: int, limit: int) -> Listing:
    """Return a part of a list; who may enter a new row is counted one for it."""
    asked = Asked(kind, offset, limit, dict(request.args))
    return listing(store, asked=asked, view=view(store), phantom="register" in RIGHTS[g.role])
