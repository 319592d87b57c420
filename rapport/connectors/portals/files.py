"""Files of a portal, taken as they are and only when they are what they should be."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from urllib.parse import unquote, urljoin

from rapport.connectors.portals import anchors, signals
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.http import Caller
from rapport.connectors.portals.outgoing import Outgoing, build
from rapport.connectors.portals.predicates import holds
from rapport.connectors.portals.signature import line, of
from rapport.rooms.exchange.ports import Finding, GotFile, Page, Reason, Trouble

READY_SECONDS = 5
"""When to ask again for a file that is being prepared."""
_NAMED = re.compile(r"filename=\"?([^\";]+)", re.IGNORECASE)
_PLAIN = re.compile(r"[^\w. -]")


def fetch(caller: Caller, name: str, *, remote_id: str, now: datetime) -> GotFile | Trouble:
    """
    Fetch one file.

    :param name: of the file's rule in the definition
    """
    rule = caller.definition.files[name]
    values = caller.values() | {"given.remote_id": remote_id}
    request = build(rule.request, values, expected="html" if rule.follow else "file")
    answer = caller.read(request, place=name)
    if isinstance(answer, Trouble):
        return answer
    if rule.not_yet is not None and holds(rule.not_yet, answer):
        return caller.kept(signals.trouble(
            Reason.NOT_READY, detail="The portal is still preparing the file.", retry_after=READY_SECONDS
        ))  # fmt: skip
    if rule.follow is not None:
        link = anchors.find(answer.tree, rule.follow)
        if isinstance(link, anchors.NotFound):
            finding = Finding(place=f"{name}.follow", seen=link.why, expected="one link to the file")
            return caller.kept(signals.trouble(Reason.DRIFT_BREAKING, findings=[finding]))
        request = Outgoing("GET", urljoin(answer.url, str(link.element.get("href", ""))), expected="file")
        answer = caller.read(request, place=name)
        if isinstance(answer, Trouble):
            return answer
    if answer.content_type not in rule.content_type or not answer.body.startswith(rule.begins.encode()):
        finding = Finding(place=name, seen=answer.content_type or "nothing", expected=" or ".join(rule.content_type))
        return caller.kept(signals.trouble(Reason.DRIFT_BREAKING, findings=[finding]))
    stranger = caller.still_in() if rule.strangers else None
    if stranger is not None:
        return stranger
    signed = of(line(request.method, request.url, request.body, request.form))
    page = Page(signed, now, hashlib.sha256(answer.body).hexdigest(), 1)
    return GotFile(answer.body, answer.content_type, _name(answer), page, caller.session().to_bytes())


def _name(answer: Answer) -> str:
    """The portal's name for it, or the last part of its address, without anything that means something to a disk."""
    found = _NAMED.search(answer.headers.get("content-disposition", ""))
    text = found[1] if found else unquote(answer.path.rpartition("/")[2])
    return _PLAIN.sub("_", text).strip(". ")[:120] or "file"
