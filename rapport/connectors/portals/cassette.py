"""
Recordings of a portal without anybody's data: one exchange a line, and a replayer for them.

What goes in is redacted before it is kept (`redact.py`); `scan` proves of a recording that a marked
value stands nowhere in it, in no encoding. The replayer finds an answer by the call's signature, so
that parameters which change each time do not matter.
"""

from __future__ import annotations

import base64
import csv
import html
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus

from lxml.html import tostring

from rapport.connectors.portals import signature
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.redact import Redactor

Transport = Callable[[Outgoing], Answer]
_KEPT = ("content-type", "location", "set-cookie", "retry-after")


class NotRecorded(Exception):
    """The recording has no answer to this call; says its signature."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, as they are kept."""

    request: str
    """The request line of `signature.line`."""
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def answer(self, url: str) -> Answer:
        """Return the answer as it came from an address."""
        return Answer(self.status, url, self.body, self.headers)


def record(outgoing: Outgoing, answer: Answer, *, redactor: Redactor) -> Exchange:
    """Return an exchange without secrets and values. Nothing of what came in is kept beside it."""
    # The answer first: what stands in its cells is then known in the address too.
    body = _redacted(answer, redactor)
    request = signature.line(
        outgoing.method, redactor.url(outgoing.url), None if outgoing.body is None else redactor.json(outgoing.body),
        redactor.form(outgoing.form),
    )  # fmt: skip
    heads = {name: redactor.heads(name, answer.headers[name]) for name in _KEPT if name in answer.headers}
    return Exchange(request, answer.status, heads, body)


def _redacted(answer: Answer, redactor: Redactor) -> bytes:
    if answer.got == "json":
        return json.dumps(redactor.json(answer.json), ensure_ascii=False, default=_number).encode()
    if answer.got == "html":
        tree = Answer(answer.status, answer.url, answer.body, answer.headers).tree
        redactor.page(tree)
        made: bytes = tostring(tree, encoding="utf-8", doctype="<!doctype html>")
        return made
    if answer.got == "csv":
        return _csv(answer.body, redactor)
    return b"[file]" if answer.body else b""


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


def _csv(body: bytes, redactor: Redactor) -> bytes:
    lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig", "replace"), newline="")))
    made = io.StringIO(newline="")
    csv.writer(made).writerows([line if not at else [redactor.text(cell) for cell in line] for at, line in enumerate(lines)])
    return made.getvalue().encode()


def dump(exchanges: Iterable[Exchange]) -> bytes:
    """Return a recording as JSON lines."""
    return b"".join(
        json.dumps(
            {"request": one.request, "status": one.status, "headers": dict(one.headers)} | _written(one.body), ensure_ascii=False
        ).encode()
        + b"\n"
        for one in exchanges
    )  # fmt: skip


def _written(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def load(content: bytes) -> list[Exchange]:
    """Read a recording. :raises ValueError: it is none"""
    found = []
    for text in content.decode("utf-8").splitlines():
        one = json.loads(text)
        body = base64.b64decode(one["base64"]) if "base64" in one else one["body"].encode()
        found.append(Exchange(one["request"], one["status"], one["headers"], body))
    return found


class Replayer:
    """Answers from a recording. What was asked several times is answered in turn, the last for good."""

    def __init__(self, exchanges: Sequence[Exchange], *, volatile: Sequence[str] = (), base: str = "http://portal.test") -> None:
        self._volatile = tuple(volatile)
        self._base = base
        self._kept: dict[str, list[Exchange]] = {}
        for one in exchanges:
            self._kept.setdefault(signature.of(one.request, volatile=self._volatile), []).append(one)
        self.asked: list[str] = []

    def __call__(self, outgoing: Outgoing) -> Answer:
        """
        Return the answer to a call.

        :raises NotRecorded: nothing like it was recorded
        """
        line = signature.line(outgoing.method, outgoing.url, outgoing.body, outgoing.form)
        key = signature.of(line, volatile=self._volatile)
        kept = self._kept.get(key)
        if not kept:
            raise NotRecorded(key)
        self.asked.append(key)
        one = kept.pop(0) if len(kept) > 1 else kept[0]
        return one.answer(self._base + outgoing.url if outgoing.url.startswith("/") else outgoing.url)


def scan(content: bytes, marked: Iterable[str]) -> list[str]:
    """
    Return those marked values that stand in a recording, in clear or merely written differently.

    Looked for without case: as it is, in an address, in HTML, in JSON, in base64, and of a number its
    bare figures.
    """
    text = content.decode("utf-8", "replace").casefold()
    return [value for value in marked if value and any(form in text for form in _forms(value))]


def _forms(value: str) -> set[str]:
    forms = {value, quote(value, safe=""), quote_plus(value), html.escape(value), json.dumps(value)[1:-1]}
    figures = "".join(char for char in value if char.isdigit())
    if len(figures) >= 7:
        forms.add(figures)
    found = {form.casefold() for form in forms}
    raw = value.encode()
    for pad in range(3):
        # Base64 depends on where a value begins; what lies between is the same in each of the three.
        coded = base64.b64encode(b"\0" * pad + raw).decode()
        middle = coded[(0, 2, 3)[pad] : len(coded) - (0, 3, 2)[(pad + len(raw)) % 3]]
        if len(middle) >= 6:
            found.add(middle.casefold())
    return found
