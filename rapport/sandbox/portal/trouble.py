"""Trouble on order: what the portal does wrong next, and for how long. Kept with the portal's state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rapport.sandbox.portal.store import Store

FAULTS = {
    "expire": "end the session before the page is made",
    "status": "answer with this status (`value`) and a page of the server's own",
    "slow": "wait this many seconds (`value`) first",
    "drop_request": "close the connection and do nothing",
    "drop_reply": "do what was asked, then close the connection",
    "login_page": "answer 200 with the sign-in page",
    "maintenance": "answer 200 with a page about maintenance",
    "captcha": "answer 200 with a puzzle",
    "no_next": "leave the link to the next page out",
    "no_rows": "show an empty table without saying that it is empty",
    "drop_column": "leave out the column of this name (`value`)",
    "rename_column": "head the column of this name (`value`) with other words",
    "extra_column": "add a column that nobody knows",
    "swap_heads": "swap the heads of two columns and not their contents (`value`: one,other)",
    "unknown_status": "show a status that nobody knows in every row whose number this divides (`value`)",
    "swap_days": "write day and month the other way round",
    "ignore_write": "answer as if it was kept, and keep nothing",
}


class BadTrouble(ValueError):
    """The script cannot be carried out; the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that applies to one request."""

    name: str
    value: str


def put_script(store: Store, script: Any) -> None:
    """
    Keep a script: `[{"fault", "on", "method"?, "value"?, "times"?, "after"?}]`.

    `on` is the beginning of the paths it applies to; `times` how many requests (default 1, 0: all);
    `after` how many matching requests pass before it begins.

    :raises BadTrouble: it is not such a list
    """
    if not isinstance(script, list):
        raise BadTrouble("a list is needed")
    for item in script:
        if not isinstance(item, dict) or item.get("fault") not in FAULTS:
            raise BadTrouble(f"`fault` must be one of {', '.join(FAULTS)}")
        if not str(item.get("on", "")).startswith("/"):
            raise BadTrouble("`on` must be the beginning of a path")
    store.put_setting("trouble", json.dumps(script))


def next_faults(store: Store, *, method: str, path: str) -> list[Fault]:
    """Return what goes wrong with this request, and count it."""
    with store.exclusive():
        script = json.loads(store.setting("trouble", "[]"))
        found = []
        for item in script:
            if not path.startswith(item["on"]) or item.get("method", method) != method:
                continue
            if item.get("after", 0) > 0:
                item["after"] -= 1
                continue
            times = item.get("times", 1)
            if times < 0:
                continue
            found.append(Fault(item["fault"], str(item.get("value", ""))))
            if times > 0:
                item["times"] = times - 1 or -1
        if found or script:
            store.put_setting("trouble", json.dumps(script))
        return found
