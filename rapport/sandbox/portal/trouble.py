"""Trouble on order: what the portal does wrong next, and for how long. Kept with the portal's state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rapport.sandbox.portal.store import Store

FAULTS = {
    "expire": "end the session before the page is made",
    "status": "answer with this status (`503`, or `429:7` for a Retry-After of 7 s) and a page of the server's own",
    "slow": "wait this many seconds (`1`) first",
    "drop_request": "close the connection and do nothing",
    "drop_reply": "do what was asked, then close the connection",
    "ignore_write": "answer as if it was kept, and keep nothing",
    "refuse_write": "keep nothing and show the form again, 200, with this message",
    "login_page": "answer 200 with the sign-in page, whatever was asked",
    "maintenance": "answer with a page about maintenance (a status, or 200)",
    "captcha": "answer 200 with a puzzle",
    "truncate": "send the first half of the page",
    "look": "show this page in another look (`B`)",
    "language": "show this page in another language (`de`)",
    "no_next": "leave the link to the next page out (on page `3`; none given: on each)",
    "no_rows": "show an empty table without saying that it is empty",
    "empty_list": "show an empty table, and say so",
    "wrong_total": "say this many rows more than there are (`1`, `-1`)",
    "double_rows": "show each row twice",
    "repeat_page": "show the first page again, whichever was asked for",
    "rename_label": "write other words over a column and keep its mark (`status=Standing`)",
    "rename_column": "another mark and other words (`email`)",
    "drop_column": "leave a column out (`status`)",
    "extra_column": "add a column that nobody knows",
    "reorder_columns": "put the columns in another order (`reverse`, or a number to shuffle by)",
    "swap_heads": "swap the heads of two columns and not their contents (`email,phone`)",
    "swap_columns": "swap two columns, heads and contents (`email,phone`)",
    "swap_days": "write day and month the other way round",
    "date_format": "write days so (`%d.%m.%Y`)",
    "unknown_code": "show a code that nobody knows in each row whose number this divides (`3`)",
    "other_value": "show something else in a column (`phone`, or `phone:7` for one row)",
    "script_value": "let a script of the page write something else into a column (`phone`, or `phone:7` for one row)",
    "blank_column": "show nothing in a column (`email`)",
    "rename_button": "write other words on a button (`verify=Go on`)",
    "swap_buttons": "swap the words of two buttons and not what they do (`verify,resend`)",
    "move_buttons": "put the buttons in the opposite order, before the fields",
    "rename_input": "write another label at a field (`password=Secret word`)",
    "swap_inputs": "swap the labels of two fields (`user,password`)",
    "rename_names": "give each control of the form another `name` and `id`",
}


class BadTrouble(ValueError):
    """The script cannot be carried out; the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that applies to one request."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with one request. A name can be asked for with `in`."""

    each: tuple[Fault, ...] = ()

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a fault of this name."""
        return any(fault.name == name for fault in self.each)

    def values(self, name: str) -> list[str]:
        """Return the values of all faults of a name."""
        return [fault.value for fault in self.each if fault.name == name]

    def value(self, name: str) -> str:
        """Return the value of the first fault of a name; empty: there is none."""
        return next(iter(self.values(name)), "")


_KEYS = {"fault", "on", "method", "value", "times", "after", "browser"}


def check_script(script: Any) -> list[dict[str, Any]]:
    """
    Return a script that can be carried out: `[{"fault", "on", "method"?, "value"?, "times"?, "after"?, "browser"?}]`.

    `on` is the beginning of the paths it applies to, with `$` at its end the one path; `times` how many requests (default 1, 0: all);
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
        if set(item) - _KEYS:
            raise BadTrouble(f"only {', '.join(sorted(_KEYS))} are known")
    return script


def put_script(store: Store, script: Any, *, add: bool = False) -> None:
    """Keep a script, instead of the one before or after it. :raises BadTrouble: see `check_script`"""
    checked = check_script(script)
    with store.exclusive():
        store.put_setting("trouble", json.dumps((read_script(store) if add else []) + checked))


def read_script(store: Store) -> list[dict[str, Any]]:
    """Return the script, as far as it has not been played."""
    kept: list[dict[str, Any]] = json.loads(store.setting("trouble", "[]"))
    return kept


def next_faults(store: Store, *, method: str, path: str, browser: bool) -> Faults:
    """Return what goes wrong with this request, and count it."""
    with store.exclusive():
        script = read_script(store)
        found, left = [], []
        for item in script:
            if (
                not f"{path}$".startswith(item["on"])
                or item.get("method", method) != method
                or item.get("browser", browser) != browser
            ):
                left.append(item)
            elif item.get("after", 0) > 0:
                left.append(item | {"after": item["after"] - 1})
            else:
                times = item.get("times", 1)
                found.append(Fault(item["fault"], str(item.get("value", ""))))
                if times != 1:
                    left.append(item | {"times": max(times - 1, 0)} if times else item)
        if left != script:
            store.put_setting("trouble", json.dumps(left))
        return Faults(tuple(found))
