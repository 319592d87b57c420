"""The two practices of the scripted week, native and connected, and how their answers are compared."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from rapport.kernel.ids import new_uuid
from tests.connect.stage import until
from tests.support.cast import House

LEFT_OUT = {
    "*.created_at": "an instant of recording",
    "*.updated_at": "an instant of recording",
    "clinical_note.signed_at": "an instant of recording",
    "appointment_history.at": "an instant of recording",
    "document_link.expires_at": "an instant of recording",
    "document_link.sha256": "of a paper that was signed in another program",
    "*.version": "a counter",
    "*.etag": "a counter",
    "*.url": "an address that lets in whoever has it",
    "*.next_cursor": "a place in a list of ids",
    "*.request_id": "of one request",
    "*.instance": "of one request",
}
"""
What no two practices share, whatever keeps their records, and what it is: `object.field`. Only that there is one is compared, and
not which. Ids, alone or within a text, are compared by what they are ids of.
"""
DIFFERS = {
    "*.source": "names the system, the record's id there, and when it was read",
    "payer.submitter": "the practice's system of record sends its claims, unless it is said otherwise",
    "patient.relationship": "a portal's list of policies does not say how the patient and the subscriber are related",
    "insurance_policy.relationship": "as above",
    "appointment_history.by_type": "the portal's user made it; who asked for it is in the trail",
    "clinical_note.author_user_id": "its author is a user of the portal, and of nothing here",
    "clinical_note.signatures": "they are in the portal, and on the paper that was signed there",
    "clinical_note.diagnoses": "a portal's list of notes does not show them",
    "clinical_note.completeness": "what a draft still lacks, the portal knows and does not say",
    "clinical_note.content": "what a note says is in the portal, and on the paper",
    "clinical_note.addenda": "what an addendum says is there too; how many there are is here",
}
"""Fields that differ between the two by design, and why: `object.field`. `docs/connect.md` has them word for word."""
_ID = re.compile(r"\b[a-z]+(?:_[a-z]+)*_[0-9a-hjkmnp-tv-z]{26}\b")


@dataclass
class Side:
    """One of the two practices, and what its ids mean."""

    name: str
    house: House
    people: dict[str, httpx.Client]
    """`desk`, `biller`, and `clinician 1` to `3`, each with a session of their own"""
    meaning: dict[str, str] = field(default_factory=dict)
    """Id -> what it is in both: `patient 7`, `clinician 2`, `visit b`"""
    told: list[tuple[str, Any]] = field(default_factory=list)
    """What was asked, and what was answered, in words that mean the same on both sides"""
    read_now: Callable[[str], object] = lambda kind: None
    """Have a kind read at the source now"""

    def id_of(self, what: str) -> str:
        """Return the id that something has here."""
        return next(id for id, said in self.meaning.items() if said == what)

    def send(self, who: str, method: str, path: str, body: Any = None, **head: str) -> httpx.Response:
        """Ask, and ask again where the portal's pace does not let it go now. A header of no text is left out."""
        more = {"Idempotency-Key": new_uuid().hex, "Prefer": "wait"} if method != "GET" else {}
        headers = {name.replace("_", "-"): value for name, value in (more | head).items() if value}
        while True:
            answer = self.people[who].request(method, path, json=body, headers=headers, timeout=60)
            if answer.status_code != 429:
                return answer
            time.sleep(2)

    def ask(
        self, step: str, method: str, path: str, body: Any = None, *, who: str = "desk", ties: str = "", **head: str
    ) -> httpx.Response:
        """
        Ask, and keep what was answered.

        :param ties: what a list is sorted by, where many rows are alike in that: their order is then that of ids
        """
        answer = self.send(who, method, path, body, **head)
        if answer.status_code == 202:
            # It took longer than a call waits. What it then came to is looked at.
            thing, version = path.rpartition("/")[0], answer.json()["version"]
            until(f"{step} to be done", lambda: self.later(who, thing)["version"] > version, seconds=90, every=3)
            answer = self.send(who, "GET", thing)
            answer.status_code = 201 if path.endswith("addenda") else 200
        self.tell(step, answer, ties)
        return answer

    def later(self, who: str, path: str) -> dict[str, Any]:
        """Have the source read, and return what is here by now."""
        self.read_now("notes" if "clinical-notes" in path else "appointments")
        found_: dict[str, Any] = self.send(who, "GET", path).json()
        return found_

    def tell(self, step: str, answer: httpx.Response, ties: str = "") -> None:
        """Keep an answer: status, type, whether it has an ETag, and what it says."""
        said: Any = answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text
        if ties:
            said["data"].sort(key=lambda row: (row[ties], json.dumps(self.plain(row), sort_keys=True)))
        self.told.append((step, {
            "status": answer.status_code, "type": answer.headers.get("Content-Type", ""), "etag": answer.headers.get("ETag"),
            "body": said,
        }))  # fmt: skip

    def plain(self, value: Any, of: str = "") -> Any:
        """Return an answer with ids in words, and without what no two practices share."""
        if isinstance(value, dict):
            said = value.get("object")
            of = said if isinstance(said, str) and said != "list" else of
            return {
                name: stands_for(of, name) if one is not None and stands_for(of, name) else self.plain(one, of)
                for name, one in value.items()
                if f"*.{name}" not in DIFFERS and f"{of}.{name}" not in DIFFERS
            }
        if isinstance(value, list):
            return [self.plain(one, of) for one in value]
        if isinstance(value, str):
            return _ID.sub(lambda id: self.meaning.get(id[0], f"a {id[0].rpartition('_')[0]}"), value)
        return value

    def rows(self, what: str, who: str = "desk") -> list[dict[str, Any]]:
        """Return every row of a list."""
        all_, address = [], f"/v1/{what}?limit=100"
        while address:
            answer = self.people[who].get(address)
            assert answer.status_code == 200, answer.text
            all_ += answer.json()["data"]
            address = answer.links.get("next", {}).get("url", "")
        return all_

    def learn(self, kind: str, what: str, name: str, who: str = "desk") -> None:
        """Learn what things are called that have a name of their own: `learn("location", "locations", "name")`."""
        self.meaning |= {one["id"]: f"{kind} {one[name]}" for one in self.rows(what, who)}


def stands_for(of: str, name: str) -> str:
    """Return what stands in the place of a field that no two practices share. Empty: it is compared."""
    return LEFT_OUT.get(f"{of}.{name}") or LEFT_OUT.get(f"*.{name}", "")


def differing(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """Yield where two answers differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(set(one) | set(other)):
            yield from differing(one.get(name, "no such field"), other.get(name, "no such field"), f"{at}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differing(mine, theirs, f"{at}[{number}]")
    elif one != other or type(one) is not type(other):
        yield f"{at}: {one!r} and {other!r}"


def compared(native: Side, connected: Side) -> list[str]:
    """Return each difference of two sides that were asked the same, step by step."""
    return [
        f"{step}{line}"
        for (step, mine), (_, theirs) in zip(native.told, connected.told, strict=True)
        for line in differing(native.plain(mine), connected.plain(theirs))
    ]
