"""Scripted trouble: what the next sends shall suffer, kept on the disk until they have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rapport.sandbox.payer.store import Store

FAULTS = ("drop_reply", "409", "422", "429", "500", "503", "html200", "slow")
TAKES_THE_FILE = ("drop_reply", "slow")


class BadScript(ValueError):
    """The script names a fault there is none of, or is not shaped like one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Trouble for one send."""

    kind: str
    seconds: float
    accept: bool
    """Whether the file is taken in all the same: the reply lies, or is lost."""


def add_script(store: Store, wanted: Any) -> int:
    """Line up faults for the next sends and answer how many wait. Raises `BadScript`."""
    if not isinstance(wanted, list):
        raise BadScript("next must be a list")
    faults = [_fault(one) for one in wanted]
    with store.change():
        for fault in faults:
            record = {"kind": fault.kind, "seconds": fault.seconds, "accept": fault.accept}
            store.run("INSERT INTO script (fault) VALUES (?)", json.dumps(record))
    return len(store.rows("SELECT 1 FROM script"))


def next_fault(store: Store) -> Fault | None:
    """Take the fault that is due for the send at hand, if there is one."""
    with store.change():
        row = store.row("SELECT * FROM script ORDER BY position LIMIT 1")
        if row is None:
            return None
        store.run("DELETE FROM script WHERE position = ?", row["position"])
    return Fault(**json.loads(row["fault"]))


def _fault(one: Any) -> Fault:
    if not isinstance(one, dict) or one.get("fault") not in FAULTS:
        raise BadScript(f"fault must be one of {', '.join(FAULTS)}")
    kind, seconds = one["fault"], one.get("seconds", 1)
    accept = one.get("accept", kind in TAKES_THE_FILE)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= 600:
        raise BadScript("seconds must be a number from 0 to 600")
    if not isinstance(accept, bool):
        raise BadScript("accept must be true or false")
    return Fault(kind, float(seconds), accept)
