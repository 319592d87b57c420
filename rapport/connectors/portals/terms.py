"""The terms of a definition: words per language, elements, controls, values, requests, and what holds of an answer."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Labels = dict[str, tuple[str, ...]]
"""Language -> words, any of which may stand there. Compared without case, accents kept."""


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every structure here: a member that is not named below is refused."""


class Element(Strict, frozen=True, kw_only=True):
    """An element of a page, told by what it is. Every member that is set must hold."""

    tag: str = ""
    id: str = ""
    name: tuple[str, ...] = ()
    """Any of these names of a form control."""
    role: str = ""
    type: tuple[str, ...] = ()
    """Any of these types of an input."""
    autocomplete: str = ""
    attributes: dict[str, str] = {}
    """Attribute -> value; an empty value: the attribute is there."""
    has_class: str = ""
    text_any: Labels = {}
    """The element's text contains one of these."""


class JsonTest(Strict, frozen=True, kw_only=True):
    """One comparison of a part of a JSON answer."""

    path: str
    """JMESPath."""
    test: Literal["equal", "not_equal", "present", "absent", "contains", "at_least", "at_most", "one_of"]
    to: Any = None


class Predicate(Strict, frozen=True, kw_only=True):
    """Something that holds of an answer, or does not. Every member that is set must hold; all of `json`."""

    status: tuple[int, ...] = ()
    address: str = ""
    """Path of the page as it was reached: the whole path, or its beginning when this ends in `*`."""
    redirect_to: str = ""
    """The answer leads elsewhere, to a path that begins so; with a `?` in it, the parameters count too."""
    text_any: Labels = {}
    """Words in the visible text of the page; any of them."""
    has: Element | None = None
    lacks: Element | None = None
    json: tuple[JsonTest, ...] = ()
    expected: Literal["", "json", "html", "csv", "file"] = ""
    """What the call was to bring; with `got`, what came instead."""
    got: Literal["", "json", "html", "csv", "other"] = ""


class Anchor(Strict, frozen=True, kw_only=True):
    """
    How a control is found, by evidence in a fixed order: `name` (with `test_id`), `id`, `labels`,
    `autocomplete`, `group` with `synonyms`, and only one of its kind. The first that finds exactly
    one control which the meaning guard lets pass is it; a lower one than `recorded` is healing.
    """

    role: Literal["textbox", "button", "link", "checkbox", "radio", "combobox", "form", "hidden", "file"]
    type: tuple[str, ...] = ()
    """Meaning guard: types of an input that may be meant; empty: any of its role."""
    test_id: str = ""
    name: tuple[str, ...] = ()
    id: str = ""
    labels: Labels = {}
    """Label, accessible name, or the text of a button or link."""
    autocomplete: str = ""
    group: Labels = {}
    """Words of the form, field set or dialogue in which it stands."""
    synonyms: Labels = {}
    """Weaker words, which count inside the group only."""
    only: bool = False
    """May be taken when it is the only one of its kind in the form."""
    veto: Labels = {}
    """Meaning guard: words it must not carry, such as resend, cancel, another."""
    recorded: Literal["name", "id", "label", "autocomplete", "group", "only"] = "name"
    """By which evidence it was found when the definition was certified."""


class Pick(Strict, frozen=True, kw_only=True):
    """One value taken out of an answer."""

    element: Element | None = None
    attribute: str = ""
    """Of the element; empty: its text."""
    json: str = ""
    """JMESPath, for a JSON answer."""
    after: Labels = {}
    """Words before the value, which are cut off."""
    before: Labels = {}
    """Words behind the value, which are cut off."""
    number: Literal["", "only", "first", "last"] = ""
    """Which number of the text is meant."""


class Request(Strict, frozen=True, kw_only=True):
    """One HTTP request. A member of `query`, `form` or `body` whose reference has no value is left out."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str
    """From `/`, with `{name}` for a reference to `$given.name`; `$base` is put before it."""
    host: str = "$base"
    query: dict[str, str] = {}
    form: dict[str, str] = {}
    body: Any = None
    """JSON; strings in it may be references."""
    headers: dict[str, str] = {}
    formats: dict[str, str] = {}
    """Name of a given value -> pattern of strftime by which a day is written."""
