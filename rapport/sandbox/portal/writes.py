"""How a form that writes is answered: kept, refused with its words and status 200, or ignored on order; each is in the audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import g

from rapport.sandbox.portal.booking import NotKept
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.surround import audit, must_carry_token


def write(
    store: Store, *, action: str, record: Any, keep: Callable[[], Any], again: Callable[[NotKept], Any],
    done: Callable[[Any], Any], **detail: Any,
) -> Any:  # fmt: skip
    """
    Carry a form out.

    :param keep: does it and returns the record's number, or None to stay with `record`; raises `NotKept`
    :param again: shows the form again, with what is wrong
    :param done: shows that it was kept, given the number
    """
    must_carry_token()
    if "ignore_write" in g.faults:
        audit(store, action=action, record=record, outcome="ignored", **detail)
        return done(record or 0)
    try:
        if "refuse_write" in g.faults:
            raise NotKept({}, message=g.faults.value("refuse_write") or "bad")
        kept = keep()
    except NotKept as refused:
        audit(store, action=action, record=record, outcome="refused", why=refused.message, **detail)
        return again(refused)
    audit(store, action=action, record=kept or record, outcome="kept", **detail)
    return done(kept or record)


def message(words: Any, refused: NotKept | None) -> str:
    """Return what a page says above a form that was not kept."""
    return str(words.get(refused.message, refused.message)) if refused else ""
