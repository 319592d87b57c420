"""The portal. Everything a person can do here, a person does with a browser; there is no other way in."""

from __future__ import annotations

from flask import Flask

from rapport.sandbox.portal import (
    appointments,
    billing,
    charting,
    exports,
    grid,
    lists,
    registering,
    rpc,
    signin,
)
from rapport.sandbox.portal.control import control
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.surround import surround


def make_app(store: Store, *, control_key: str, idp_url: str) -> Flask:
    """
    Return the portal over a store.

    :param control_key: opens `/_sandbox`
    :param idp_url: where the identity provider answers
    """
    app = Flask(__name__)
    app.register_blueprint(control(store, key=control_key))
    surround(app, store, host="portal", sign_in_page=lambda: signin.login_page(store))
    signin.routes(app, store, idp_url=idp_url)
    for family in (lists, registering, appointments, charting, billing, exports, grid, rpc):
        family.routes(app, store)
    return app
