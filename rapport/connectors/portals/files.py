"""Files of a portal, taken as they are and only when they are what they should be."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from urllib.parse import unquote

from rapport.connectors.portals import signals
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.http import Caller
from rapport.connectors.portals.outgoing import build
from rapport.connectors.portals.signature import line, of
from rapport.rooms.exchange.ports import Finding, GotFile, Page, Reason, Trouble

_NAMED = re.compile(r"filename=\"?([^\";]+)", re.IGNORECASE)
_PLAIN = re.compile(r"[^\w. -]")


def fetch(caller: Caller, name: str, *, remote_id: str, now: datetime) -> GotFile | Trouble:
    """
    Fetch one file.

    :param name: of the file's rule in the definition
    """
    rule = caller.definition.files[name]
    request = build(rule.request, caller.values() | {"given.remote_id": remote_id}, expected="file")
    answer = caller.read(request, place=name)
    if isinstance(answer, Trouble):
        return answer
    if answer.content_type not in rule.content_type or not answer.body.startswith(rule.begins.encode()):
        finding = Finding(place=name, seen=answer.content_type or "nothing", expected=" or ".join(rule.content_type))
        return caller.kept(signals.trouble(Reason.DRIFT_BREAKING, findings=[finding]))
    signed = of(line(request.method, request.url, request.body, request.form))
    page = Page(signed, now, hashlib.sha256(answer.body).hexdigest(), 1)
    return GotFile(answer.body, answer.content_type, _name(answer), page, caller.session().to_bytes())


def _name(answer: Answer) -> str:
    """The portal's name for it, or the last part of its address, without anything that means something to a disk."""
    found = _NAMED.search(answer.headers.get("content-disposition", ""))
    text = found[1] if found else unquote(answer.path.rpartition("/")[2])
    return _PLAIN.sub("_", text).strip(". ")[:120] or "file"
