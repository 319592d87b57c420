"""
What carries a session at a portal: found by leaving things out of a request that shows something, one at a time.

A header is told by what it is equal to in the page's local storage. What is sent again is what the page itself sends
whenever its address is opened; the one try that may end the session, another User-Agent, is the last.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rapport.connectors.portals.answer import Answer

OTHER_AGENT = "Rapport-Connect/1"
LONG = 8
"""A value that is shorter may be equal to another by chance."""
MOST_TRIED = 6
_JOINS = (":", ".", "|", ";")
_USUAL = frozenset((
    "accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-length", "content-type", "cookie", "dnt", "host",
    "if-modified-since", "if-none-match", "origin", "pragma", "priority", "referer", "upgrade-insecure-requests", "user-agent",
))  # fmt: skip
"""Headers that browsers send of themselves; none of them carries a session but the cookie."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as a browser sent it, and what came. Never written anywhere."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    """Names in small letters."""
    content: bytes = field(repr=False)
    answer: Answer = field(repr=False)


@dataclass(frozen=True, slots=True)
class Header:
    """A header that is made of what stands in the local storage."""

    key: str
    recipe: Mapping[str, Any]
    """As `session.carrier.header_recipe` of a definition has it."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """What a session is carried by. Names, no values."""

    cookies: tuple[str, ...] = ()
    headers: Mapping[str, Header] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    """Headers that are needed, and equal to nothing in the storage."""
    user_agent: bool | None = None
    """Whether another one is sent away; None: it was not tried."""
    rotates: bool = False

    def words(self) -> str:
        """
        Say it in a line.

        >>> Carrier(cookies=("sid",), user_agent=True).words()
        'cookie sid + User-Agent'
        """
        parts = [f"{name} from localStorage {one.key}" for name, one in self.headers.items()]
        parts += [f"{name} from a place that is not known" for name in self.unknown]
        parts += [f"cookie {name}" for name in self.cookies]
        return " + ".join([*parts, *(["User-Agent"] if self.user_agent else [])])

    def as_data(self) -> dict[str, Any]:
        """Return it as a recording keeps it."""
        return {
            "words": self.words(), "cookies": list(self.cookies), "rotates": self.rotates, "user_agent": self.user_agent, "unknown": list(self.unknown),
            "headers": {name: {"key": one.key, "recipe": dict(one.recipe)} for name, one in self.headers.items()},
        }  # fmt: skip


Ask = Callable[[Sent], Answer | None]
"""Send a request as it stands, follow no redirect; None: there was no answer."""


def find(sent: Sequence[Sent], storage: Sequence[Mapping[str, str]], *, ask: Ask) -> Carrier | None:
    """
    Find what carries the session of a browser that is signed in.

    :param sent: what the page sent when addresses were opened, newest last
    :param storage: the local storage as it stood at different times
    :return: None: nothing that was sent shows anything to somebody signed in alone
    """
    for one in _likely(sent):
        found = _try(one, storage, ask)
        if found is not None:
            return found
    return None


def _likely(sent: Sequence[Sent]) -> Iterable[Sent]:
    """The newest first, pages before what scripts ask for; each address once."""
    known = {(one.method, one.url, one.content): one for one in sent if one.answer.status == 200 and one.answer.got in ("html", "json")}
    newest = list(reversed(known.values()))
    return [*(one for one in newest if one.answer.got == "html"), *(one for one in newest if one.answer.got == "json")][:MOST_TRIED]


def _try(one: Sent, storage: Sequence[Mapping[str, str]], ask: Ask) -> Carrier | None:
    cookies = _cookies(one)
    own = [name for name in one.headers if name not in _USUAL and not name.startswith(("sec-", ":"))]
    bare = _with(one, {}, leave=own)
    if _same(one, ask(bare)):
        return None
    jar, rotates = dict(cookies), False

    def holds(request: Sent) -> bool:
        """Whether it is answered as it was; where the cookies turn, the next try has the new ones."""
        nonlocal rotates
        answer = ask(request)
        if answer is None or not _same(one, answer):
            return False
        for name, value in _set(answer):
            rotates = rotates or (name in jar and jar[name] != value and bool(value))
            if name in jar:
                jar[name] = value
        return True

    if not holds(_with(one, jar)):
        return None
    needed: list[str] = []
    for name in list(cookies):
        # With those that are known to be needed: two of them may only do it together.
        if not holds(_with(one, {other: value for other, value in jar.items() if other != name})):
            needed.append(name)
    headers, unknown = dict[str, Header](), list[str]()
    for name in own:
        if holds(_with(one, jar, leave=[name])):
            continue
        made = recipe(one.headers[name], storage)
        if made is not None:
            headers[_written(name)] = made
        else:
            unknown.append(_written(name))
    if not holds(_with(one, jar)):
        return None  # it ended meanwhile: what was missed proves nothing
    pinned = not holds(_with(replace(one, headers={**one.headers, "user-agent": OTHER_AGENT}), jar))
    return Carrier(tuple(needed), headers, tuple(unknown), pinned, rotates and bool(needed))


def _cookies(one: Sent) -> dict[str, str]:
    pairs = (pair.strip().partition("=") for pair in one.headers.get("cookie", "").split(";") if "=" in pair)
    return {name: value for name, _, value in pairs}


def _set(answer: Answer) -> Iterator[tuple[str, str]]:
    for line in answer.headers.get("set-cookie", "").split("\n"):
        name, sign, rest = line.partition("=")
        if sign:
            yield name.strip(), rest.partition(";")[0]


def _with(one: Sent, cookies: Mapping[str, str], *, leave: Iterable[str] = ()) -> Sent:
    left = {"cookie", "host", "content-length", "connection", "accept-encoding", *leave}
    heads = {name: value for name, value in one.headers.items() if name not in left and not name.startswith(":")}
    if cookies:
        heads["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return replace(one, headers=heads)


def _same(one: Sent, again: Answer | None) -> bool:
    """Whether an answer is of the kind that the browser had: a sign-in page, a refusal and an error are others."""
    if again is None or again.status != one.answer.status or again.got != one.answer.got:
        return False
    if again.got == "html":
        return _asks_password(again) == _asks_password(one.answer)
    first, second = one.answer.json, again.json
    return type(first) is type(second) and (not isinstance(first, dict) or set(first) == set(second))


def _asks_password(page: Answer) -> bool:
    return any(one.get("type") == "password" for one in page.tree.iter("input"))


def _written(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def recipe(value: str, storage: Sequence[Mapping[str, str]]) -> Header | None:
    """
    Tell which piece of the local storage a header is made of; None: it is equal to nothing there.

    >>> recipe("Bearer abcdefgh-1", [{"token": "abcdefgh-1"}])
    Header(key='token', recipe={'prefix': 'Bearer ', 'pieces': ['$local.token']})
    >>> recipe("Bearer abcdefgh-1", [{"token": "abcdefgh-2"}]) is None
    True
    """
    for kept in storage:
        known = dict(places(kept))
        for prefix in dict.fromkeys(("", value[: value.find(" ") + 1])):
            for text, encoded in _readings(value.removeprefix(prefix)):
                made = _pieces(text, known)
                if made is not None:
                    key = next(key for key in sorted(kept, key=len, reverse=True) if made[0][0].startswith(f"$local.{key}"))
                    return Header(key, {"prefix": prefix, "pieces": made[0], **({"join": made[1]} if made[1] else {}), **({"base64": True} if encoded else {})})
    return None


def places(kept: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Return what stands in the storage, and in the members of its records, each with how a definition refers to it."""
    for key, text in kept.items():
        try:
            members = json.loads(text) if text.startswith("{") else {}
        except ValueError:
            members = {}
        for name, part in members.items():
            if isinstance(part, (str, int)) and not isinstance(part, bool):
                yield str(part), f"$local.{key}.{name}"
        yield text, f"$local.{key}"


def _readings(text: str) -> Iterator[tuple[str, bool]]:
    yield text, False
    try:
        yield base64.b64decode(text, validate=True).decode(), True
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return


def _pieces(text: str, known: Mapping[str, str]) -> tuple[list[str], str] | None:
    """A text that is one value of the storage, or several with one sign between; one of them too long for a chance."""
    if len(text) >= LONG and text in known:
        return [known[text]], ""
    for join in _JOINS:
        parts = text.split(join)
        if len(parts) > 1 and all(part in known for part in parts) and any(len(part) >= LONG for part in parts):
            return [known[part] for part in parts], join
    return None
