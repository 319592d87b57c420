"""Sending a form, once, and telling what became of it. From the first byte on nothing is a `Trouble`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapport.connectors.portals import forms, markup, signals
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.definition import RefusedRule, Write
from rapport.connectors.portals.http import MOST_HOPS, Caller, led, no_turn
from rapport.connectors.portals.outgoing import ValueMissing, build
from rapport.connectors.portals.predicates import holds, take
from rapport.connectors.portals.transport import HostNotAllowed
from rapport.platform.net.guarded import SendFailed
from rapport.platform.net.lookup import BlockedAddress
from rapport.rooms.exchange.ports import InDoubt, NoTurn, Reason, Refused, Submitted, Trouble

Told = Submitted | Refused | InDoubt


def submit(caller: Caller, write: Write, *, name: str, values: Mapping[str, Any]) -> Told | Trouble:
    """
    Open a form, fill it and send it, once.

    :param name: of the write, for what is reported
    :param values: in the names of the contract; `remote_id` and others that the form's address needs among them
    """
    given = {f"given.{key}": str(value) for key, value in values.items() if value is not None}
    try:
        request = build(write.open, caller.values() | given, expected="html")
    except ValueMissing as missing:
        return signals.trouble(Reason.CONNECTOR_OUTDATED, detail=f"The form cannot be opened without {missing}.")
    shown = caller.definition.calls[write.read_back]
    page = caller.read(request, place=name, nothing=shown.empty.when if "remote_id" in shown.needs else None)
    if isinstance(page, Trouble):
        return page
    if page.status != 200:  # as the record's own page is when there is none
        return Refused(caller.session().to_bytes(), "The portal has no such record any more.")
    outgoing = forms.filled(write, page, values=values, place=name)
    if isinstance(outgoing, Trouble):
        return caller.kept(signals.trouble(Reason.CUT_SHORT) if page.breaks_off else outgoing)
    if isinstance(outgoing, forms.NoSuchChoice):
        return Refused(caller.session().to_bytes(), "The portal offers no such choice.", outgoing.fields)
    try:
        answer = caller.send(outgoing)
    except SendFailed as failed:
        if not failed.may_have_arrived:
            return caller.kept(signals.trouble(Reason.PORTAL_DOWN))
        return InDoubt("The form was sent and no answer came.", caller.session().to_bytes())
    except (HostNotAllowed, BlockedAddress):
        return caller.kept(signals.trouble(Reason.HOST_NOT_ALLOWED))
    except NoTurn:
        return caller.kept(no_turn())
    return _told(caller, write, answer, name)


def _told(caller: Caller, write: Write, answer: Answer, name: str) -> Told:
    done = False
    for _ in range(MOST_HOPS):
        refused = next((rule for rule in write.refused if holds(rule.when, answer, expected="html")), None)
        if refused is not None:
            return _refused(caller, refused, answer)
        done = done or holds(write.done, answer, expected="html")
        remote_id = take(write.remote_id, answer) if write.remote_id else None
        if done and (remote_id or not write.remote_id or not answer.leads_to):
            return Submitted(caller.session().to_bytes(), remote_id)
        if not answer.leads_to:
            break
        lost = caller.classified(answer, expected="html", place=name, redirects=True)
        if lost is not None:
            return _lost(lost)
        # A browser shows the page to which it is led; asking for that changes nothing.
        shown = caller.read(led(answer, expected="html"), place=name, redirects=True)
        if isinstance(shown, Trouble):
            return Submitted(caller.session().to_bytes()) if done else _lost(shown)
        answer = shown
    lost = caller.classified(answer, expected="html", place=name)
    return _lost(lost) if lost else InDoubt("The portal's answer says neither yes nor no.", caller.session().to_bytes())


def _lost(trouble: Trouble) -> Told:
    """What would be trouble before is doubt now, but for a portal that looked and said that we may not."""
    if trouble.reason is Reason.NOT_PERMITTED and trouble.session is not None:
        return Refused(trouble.session, trouble.detail)
    return InDoubt(f"The form was sent; then: {trouble.detail}", trouble.session)


def _refused(caller: Caller, rule: RefusedRule, answer: Answer) -> Refused:
    said = markup.find_all(answer.tree, rule.message) if rule.message else []
    fields: dict[str, str] = {}
    for one in markup.find_all(answer.tree, rule.fields) if rule.fields else []:
        fields[str(one.get(rule.field_attribute) or len(fields))] = markup.text_of(one)
    return Refused(caller.session().to_bytes(), " ".join(markup.text_of(one) for one in said), fields)
