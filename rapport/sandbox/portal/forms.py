"""Forms as pages show them: fields with their labels, buttons, and what is wrong with them today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import request

from rapport.sandbox.portal.looks import PREFIXES, Look
from rapport.sandbox.portal.trouble import Faults

OTHER_PREFIX = "x7_"
"""What names of controls begin with when they are renamed on order."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form."""

    name: str
    words: str
    type: str = "text"
    """Of an input; or `select`, `area`, `hidden`."""
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    problem: str = ""
    autocomplete: str = "off"
    required: bool = True
    send_as: str = ""
    """The control's `name` and `id` in this look."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button of a form."""

    name: str
    words: str
    leaves: str = ""
    """Address it leads to, without sending anything."""
    sends: str = ""
    """Name of the value it sends with the form."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form."""

    id: str
    action: str
    fields: tuple[Field, ...]
    buttons: tuple[Button, ...]
    buttons_first: bool = False
    """As pages have it whose first submit button is not the one that is meant."""


def dressed(form: Form, *, look: Look, faults: Faults) -> Form:
    """Return a form in a look, with today's trouble."""
    prefix = OTHER_PREFIX if "rename_names" in faults else look.input_prefix
    fields = [replace(field, send_as=field.name if field.type == "hidden" else prefix + field.name) for field in form.fields]
    buttons = list(form.buttons)
    inputs = dict(value.partition("=")[::2] for value in faults.values("rename_input"))
    names = dict(value.partition("=")[::2] for value in faults.values("rename_button"))
    fields = [replace(field, words=inputs.get(field.name, field.words)) for field in fields]
    buttons = [replace(button, words=names.get(button.name, button.words)) for button in buttons]
    for value in faults.values("swap_inputs"):
        words = {field.name: field.words for field in fields}
        fields = [replace(field, words=words.get(_other(value, field.name), field.words)) for field in fields]
    for value in faults.values("swap_buttons"):
        words = {button.name: button.words for button in buttons}
        buttons = [replace(button, words=words.get(_other(value, button.name), button.words)) for button in buttons]
    first = form.buttons_first
    if "move_buttons" in faults:
        buttons.reverse()
        first = not first
    return replace(form, fields=tuple(fields), buttons=tuple(buttons), buttons_first=first)


def _other(pair: str, name: str) -> str:
    """Return the other one of a pair; empty: the name is not in it."""
    one, _, other = pair.partition(",")
    return {one: other, other: one}.get(name, "")


def sent(name: str) -> str:
    """Return what was sent for a field, in whichever look its page was made."""
    for prefix in (*PREFIXES, OTHER_PREFIX):
        if prefix + name in request.form:
            return request.form[prefix + name].strip()
    return ""
