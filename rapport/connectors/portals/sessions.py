"""
A session at a portal as bytes: what a browser carried when it was signed in, and no browser.

The bytes are secret as a whole. The room keeps them sealed; here they are taken apart, used for one
call, and put together again with what the portal changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.cookiejar import Cookie as JarCookie
from http.cookiejar import CookieJar
from typing import TypeVar

import msgspec

from rapport.rooms.exchange.ports import Factor

VERSION = 1
Storage = dict[str, dict[str, str]]
"""Origin -> key -> value."""


class NoSession(ValueError):
    """These bytes are no session of this kind, or one that belongs to another portal."""


class Secret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A structure that never shows what is in it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Cookie(Secret, frozen=True, kw_only=True):
    """One cookie, as browsers keep it."""

    name: str
    value: str
    domain: str
    """With a leading dot: for the hosts below it too."""
    path: str = "/"
    expires: float = -1
    """Seconds since 1970; -1: until the session ends."""
    http_only: bool = False
    secure: bool = False
    same_site: str = "Lax"


class Session(Secret, frozen=True, kw_only=True):
    """Somebody signed in at one portal."""

    version: int = VERSION
    base_url: str
    user_agent: str
    """With which it began; no other may be sent with it."""
    cookies: tuple[Cookie, ...] = ()
    local: Storage = {}
    """Local storage."""
    tab: Storage = {}
    """Session storage."""
    subject: str = ""
    """Who the portal said it is."""

    def to_bytes(self) -> bytes:
        """Return what `opened` takes."""
        return msgspec.json.encode(self)


class Halted(Secret, frozen=True, kw_only=True):
    """A sign-in that waits for a second factor: enough to go on in another process."""

    version: int = VERSION
    session: Session
    address: str
    """Page that the browser stood on."""
    prompt: str
    """Name of the prompt that asked."""
    factor: Factor
    masked: str = ""
    issued_at: float
    expires_at: float
    resent: bool = False
    """A new code was asked for already; that is done once."""

    def to_bytes(self) -> bytes:
        """Return what `resumed` takes."""
        return msgspec.json.encode(self)


_Kind = TypeVar("_Kind", Session, Halted)


def opened(content: bytes, *, base_url: str) -> Session:
    """
    Take a session's bytes apart.

    :param base_url: portal that it is to be used at
    :raises NoSession: it is none, or belongs elsewhere
    """
    session = _decoded(content, _SESSION)
    if session.base_url != base_url:
        raise NoSession("the session belongs to another portal")
    return session


def resumed(content: bytes, *, base_url: str) -> Halted:
    """
    Take the bytes of a challenge apart.

    :raises NoSession: they are none, or belong elsewhere
    """
    halted = _decoded(content, _HALTED)
    if halted.session.base_url != base_url:
        raise NoSession("the sign-in belongs to another portal")
    return halted


_SESSION, _HALTED = msgspec.json.Decoder(Session), msgspec.json.Decoder(Halted)
"""Made here for the reason of `definition.DECODER`."""


def _decoded(content: bytes, decoder: msgspec.json.Decoder[_Kind]) -> _Kind:
    try:
        found = decoder.decode(content)
    except msgspec.MsgspecError:
        # The text of that error quotes what it could not read.
        raise NoSession("these bytes are no session") from None
    if found.version != VERSION:
        raise NoSession("the session is of another version")
    return found


def jar_of(cookies: Iterable[Cookie]) -> CookieJar:
    """Return a jar that sends these cookies where a browser would."""
    jar = CookieJar()
    for one in cookies:
        # The jar of the standard library files hosts without a dot under `.local`.
        bare = one.domain if "." in one.domain or ":" in one.domain else f"{one.domain}.local"
        jar.set_cookie(JarCookie(
            version=0, name=one.name, value=one.value, port=None, port_specified=False, domain=bare,
            domain_specified=bare.startswith("."), domain_initial_dot=bare.startswith("."), path=one.path,
            path_specified=True, secure=one.secure, expires=int(one.expires) if one.expires >= 0 else None,
            discard=one.expires < 0, comment=None, comment_url=None,
            rest={"SameSite": one.same_site} | ({"HttpOnly": ""} if one.http_only else {}),
        ))  # fmt: skip
    return jar


def cookies_of(jar: CookieJar) -> tuple[Cookie, ...]:
    """Return what a jar holds, as browsers keep it."""
    return tuple(
        Cookie(
            name=one.name, value=one.value or "", path=one.path, secure=one.secure,
            domain=one.domain.removesuffix(".local") if one.domain.count(".") == 1 else one.domain,
            expires=-1 if one.expires is None else one.expires,
            http_only=one.has_nonstandard_attr("HttpOnly") or one.has_nonstandard_attr("httponly"),
            same_site=_same_site(one),
        )
        for one in jar
    )  # fmt: skip


def _same_site(one: JarCookie) -> str:
    said = str(one.get_nonstandard_attr("SameSite", "") or one.get_nonstandard_attr("samesite", "") or "")
    return said.capitalize() if said.capitalize() in ("Strict", "Lax", "None") else "Lax"
