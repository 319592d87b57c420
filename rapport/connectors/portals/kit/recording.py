"""What went between a browser and a portal, made into a recording that nobody can be known from."""

from __future__ import annotations

import base64
import json
import re
import secrets as chance
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from lxml.html import tostring

from rapport.connectors.portals import cassette, multipart
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.definition import Definition
from rapport.connectors.portals.kit import files
from rapport.connectors.portals.kit.carrier import Carrier
from rapport.connectors.portals.kit.gate import SIGNED_IN_AS, WHO
from rapport.connectors.portals.kit.outcome import Outcome, Unusable
from rapport.connectors.portals.kit.paging import NUMBERS
from rapport.connectors.portals.lexicon import FIELDS, VALUES
from rapport.connectors.portals.multipart import MULTIPART
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.predicates import take
from rapport.connectors.portals.redact import USUAL_DATES, Redactor, heads_a_row
from rapport.connectors.portals.signature import learn_volatile, line
from rapport.connectors.portals.words import clean, folded

SHORT = 4
"""What was typed and is shorter is no secret by itself: it would stand everywhere."""
PLAIN = (
    "page", "per", "per_page", "pagesize", "page_size", "limit", "offset", "start", "startwith", "size", "count", "total",
    "sort", "columns", "template", *NUMBERS,
)  # fmt: skip
"""Parameters that turn pages and choose what a page shows: nobody's."""
_SECRET = re.compile(r"pass|pwd|kennwort|secret|otp|mfa|code|pin\b", re.IGNORECASE)
_TELLING = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|\+?\d[\d ().-]{7,}\d")
_SHOWN = ("td", "dd", "th")


@dataclass(frozen=True, slots=True)
class Seen:
    """One request of a browser and its answer, as they were. Never written anywhere."""

    outgoing: Outgoing = field(repr=False)
    answer: Answer = field(repr=False)


def of_har(content: bytes, *, base_url: str) -> list[Seen]:
    """
    Return what a HAR file has of one portal.

    :param base_url: address of the portal: its host, and the path below which it lies there
    :raises Unusable: it is none
    """
    try:
        entries = json.loads(content)["log"]["entries"]
        return [one for entry in entries for one in _entry(entry, base_url)]
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise Unusable("this is no HAR file") from problem


def _entry(entry: Mapping[str, Any], base_url: str) -> Iterator[Seen]:
    request, response = entry["request"], entry["response"]
    if not belongs(request["url"], base_url) or not response["status"]:
        return
    body = response["content"].get("text") or ""
    raw = base64.b64decode(body) if response["content"].get("encoding") == "base64" else body.encode()
    heads: dict[str, str] = {}
    for one in response["headers"]:  # a header that is there twice, as for two cookies, keeps both
        name = one["name"].lower()
        heads[name] = f"{heads[name]}\n{one['value']}" if name in heads else one["value"]
    posted = request.get("postData") or {}
    sent = (posted.get("text") or "", posted.get("mimeType") or "")
    found = seen(request["method"], request["url"], *sent, response["status"], heads, raw, base_url=base_url)
    if found is not None:
        yield found


def belongs(url: str, base_url: str) -> bool:
    """Tell whether an address is one of the portal, and not of what else lies on its host."""
    parts, base = urlsplit(url), urlsplit(base_url)
    under = base.path.rstrip("/")
    return parts.netloc == base.netloc and (parts.path == under or parts.path.startswith(f"{under}/"))


def _within(url: str, base_url: str) -> str:
    """Write an address of the portal from its own root, as definitions do; any other stays as it is."""
    if not belongs(url, base_url):
        return url
    parts = urlsplit(url)
    path = parts.path.removeprefix(urlsplit(base_url).path.rstrip("/")) or "/"
    return path + (f"?{parts.query}" if parts.query else "")


def _rooted(answer: Answer, base_url: str) -> Answer:
    """Write the links of a page from the portal's own root too, where it shares its host."""
    if not urlsplit(base_url).path.strip("/") or answer.got != "html":
        return answer
    tree = answer.tree
    tree.rewrite_links(lambda link: _within(urljoin(base_url, link), base_url) if link.startswith("/") or "://" in link else link, resolve_base_href=False)
    return replace(answer, body=tostring(tree, encoding="utf-8", doctype="<!doctype html>"))


def seen(
    method: str, url: str, posted: str, posted_type: str, status: int, headers: Mapping[str, str], body: bytes, *, base_url: str
) -> Seen | None:  # fmt: skip
    """Return an exchange as the kit knows it; None: a picture, a style or a script, which say nothing."""
    target = _within(url, base_url)
    heads = {name.lower(): value for name, value in headers.items()}
    if "location" in heads:
        heads["location"] = _within(urljoin(url, heads["location"]), base_url)
    answer = _rooted(Answer(status, target, body, heads), base_url)
    if answer.got == "other" and not 300 <= status < 400 and answer.content_type.partition("/")[0] in ("image", "font", "text", "audio", "video"):
        return None
    if "javascript" in answer.content_type:
        return None
    sent: Any = None
    form: tuple[tuple[str, str], ...] = ()
    if posted and "json" in posted_type:
        with suppress(ValueError):
            sent = json.loads(posted)
    elif posted and "urlencoded" in posted_type:
        form = tuple(parse_qsl(posted, keep_blank_values=True))
    elif posted and MULTIPART in posted_type:
        form = multipart.decode(posted_type, posted.encode())
    return Seen(Outgoing(method, target, form=form, body=sent), answer)


def record(
    exchanges: Sequence[Seen], out: Path, *, base_url: str, secrets: Mapping[str, str], marked: Iterable[str],
    keep: Iterable[str], plain: Iterable[str], definition: Definition | None, again: Sequence[Seen] = (),
    carrier: Carrier | None = None,
) -> Outcome:  # fmt: skip
    """
    Write a recording without anybody's data, or nothing at all where the scan still finds a value in it.

    :param secrets: name -> what was typed that is secret; passwords and codes in forms are found without
    :param marked: values that the author knows to be somebody's, wherever they stand
    :param keep: words of the portal that stand in cells: texts of codes
    :param plain: names of parameters whose values are nobody's
    :param carrier: what was found to carry the session
    :param again: the same steps once more: what differs tells which parameters change each time
    """
    if not exchanges:
        raise Unusable("nothing of this portal was recorded")
    typed = {value: name for one in exchanges for name, value in one.outgoing.form if len(value) >= SHORT and _SECRET.search(name)}
    hidden = dict(secrets) | {name: value for value, name in typed.items()}
    words = {*keep, *_words_of(definition)}
    names = Redactor(
        chance.token_bytes(32), secrets=hidden, keep=words, plain={*PLAIN, *plain}, dates=USUAL_DATES, data_attributes=("data-id", "data-code", "data-value", "data-status")
    )  # fmt: skip
    told = [one for one in dict.fromkeys(clean(mark) for mark in (*marked, *_who(exchanges, definition))) if one]
    for mark in told:
        names.text(mark)  # known from now on, wherever it is repeated
    kept = [cassette.record(one.outgoing, one.answer, redactor=names) for one in exchanges]
    content = cassette.dump(kept)
    known = {folded(word) for word in words}
    values = [*told, *(value for value in hidden.values() if value), *_telling(exchanges, known)]
    left = cassette.scan(content, dict.fromkeys(values))
    data: dict[str, Any] = {
        "host": urlsplit(base_url).netloc, "exchanges": len(kept), "checked_values": len(set(values)), "left": len(left),
        "addresses": sorted({one.request.partition(" ")[2].partition("?")[0].partition(" ")[0] for one in kept}),
    }  # fmt: skip
    if again:
        data["volatile"] = learn_volatile([_line(one) for one in exchanges], [_line(one) for one in again])
    beside = sorted({urlsplit(one.outgoing.url).path for one in exchanges if "://" in one.outgoing.url})
    if beside:
        data["beside_the_base"] = beside
    if carrier is not None:
        data["carrier"] = carrier.as_data()
    if left:
        lines = [f"still there, of the form {_form(value)!r}" for value in left]
        lines.append("Nothing was written. A word of the portal goes into --keep, a value of somebody into --mark.")
        return Outcome(lines, data, failed=True)
    files.write(out / files.RECORDING, content)
    files.write_json(out / "recording.json", data)
    lines = [f"{len(kept)} exchanges in {out / files.RECORDING}.", f"{data['checked_values']} values were looked for in it, and none is there."]
    lines += [f"{one} lies beside the base: no request of a definition goes there, and `/` must lead to it." for one in beside]
    lines += [f"A session is carried by: {carrier.words()}."] if carrier is not None else []
    return Outcome(lines, data)


def _line(one: Seen) -> str:
    return line(one.outgoing.method, one.outgoing.url, one.outgoing.body, one.outgoing.form)


def _who(exchanges: Sequence[Seen], definition: Definition | None) -> Iterator[str]:
    """Who is signed in, as the pages say it: no cell has that name."""
    subject = definition.session.oracle.subject if definition and definition.session else None
    for one in exchanges:
        if one.answer.got != "html":
            continue
        told = take(subject, one.answer) if subject else None
        yield told or ""
        for element in one.answer.tree.iter():
            if isinstance(element.tag, str) and WHO.match(element.get("id", "")):
                yield SIGNED_IN_AS.sub("", clean(element.text_content()))


def _words_of(definition: Definition | None) -> set[str]:
    """Words that are the portal's and nobody's: of the definition, or those that portals commonly use."""
    words = {word for texts in (*VALUES.values(), *FIELDS.values()) for word in texts}
    for call in definition.calls.values() if definition else ():
        for one in call.fields.values():
            words |= {*one.codes, *(text for table in one.texts.values() for text in table)}
            words |= {word for said in (one.labels, one.withheld, one.not_permitted) for labels in said.values() for word in labels}
    return words


def _telling(exchanges: Sequence[Seen], keep: set[str]) -> Iterator[str]:
    """What in cells is surely somebody's: addresses of mail, numbers of telephones, names of two words."""
    for one in exchanges:
        if one.answer.got != "html":
            continue
        for cell in one.answer.tree.iter(*_SHOWN):
            if cell.tag == "th" and not heads_a_row(cell):
                continue
            text = clean(cell.text_content())
            yield from _TELLING.findall(text)
            if re.fullmatch(r"[^\W\d_][\w'-]+, [^\W\d_][\w' .-]+", text) and folded(text) not in keep:
                yield text


def _form(value: str) -> str:
    """What a value looks like, without saying it."""
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", lambda found: "A" if found[0].isupper() else "a", value))
