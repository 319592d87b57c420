"""
A list read to its end, without a network: what to ask next, and what came of it.

    reading = Reading(definition, "patients", given={}, …)
    outgoing = reading.start()
    while outgoing is not None:
        outgoing = reading.take(answer to it, at=now)
    result = reading.finish()

`take` never refuses: what is wrong comes out at the end, as one `Trouble` with all that was noticed. It looks
at a page as far as the next request depends on it; its cells are read by `catch_up`, for which there is time while
the portal answers, or at the end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from rapport.connectors.portals import anchors, canary, drift, proofs, signature
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.decode import table
from rapport.connectors.portals.decode.columns import Decoded, Decoding
from rapport.connectors.portals.decode.items import extract_items
from rapport.connectors.portals.decode.raw import Extract
from rapport.connectors.portals.decode.records import extract_csv, extract_json
from rapport.connectors.portals.decode.values import EMPTY, cut
from rapport.connectors.portals.definition import Call, Definition
from rapport.connectors.portals.outgoing import Outgoing, build
from rapport.connectors.portals.predicates import search
from rapport.connectors.portals.words import clean, folded
from rapport.rooms.exchange.ports import Finding, Page, Reason, Row, Trouble, Verdict

AGAIN = 3
"""How often a list is begun anew that changes while it is read."""
HELD_BACK = {Verdict.SUSPECT: Reason.DRIFT_SUSPECT, Verdict.BREAKING: Reason.DRIFT_BREAKING}


@dataclass(frozen=True, slots=True)
class Whole:
    """Every row of a list, with proof. What `Got` needs, but for the session."""

    rows: tuple[Row, ...]
    pages: tuple[Page, ...]
    verdict: Verdict
    fingerprint: str
    shape: Mapping[str, Any]
    complete: str
    findings: tuple[Finding, ...]
    coverage: Mapping[str, float]


class Reading:
    """One list, from its first request to its last row."""

    def __init__(
        self,
        definition: Definition,
        name: str,
        *,
        given: Mapping[str, str],
        calibration: Mapping[str, Any] | None = None,
        baseline: Mapping[str, Any] | None = None,
        values: Mapping[str, str] | None = None,
    ) -> None:
        """
        :param name: of a call; a definition that is calibrated has its overlay in it already
        :param given: what the list takes
        :param calibration: of the practice; here for its canaries
        :param baseline: `{"shape": …, "coverage": …}` of the last batch that was published
        :param values: what else a request may refer to, e.g. `{"identity.practice_code": …}`
        """
        self.call: Call = definition.calls[name]
        self.place = name
        self._locales = definition.locales
        self._given = dict(given)
        self._known = ((calibration or {}).get("canary") or {}).get(name)
        self._baseline = baseline
        self._values = dict(values or {}) | {f"given.{key}": value for key, value in given.items()}
        self._left = AGAIN
        self._clear()

    def _clear(self) -> None:
        self._metadata: Answer | None = None
        self._asking_metadata = False
        self._extracts: list[Extract] = []
        self._unread: list[table.Found] = []
        self._decoding = Decoding(self.call)
        self._facts: list[proofs.Facts] = []
        self._pages: list[Page] = []
        self._asked: list[str] = []
        self._stopped = ""
        self._ids: list[Any] = []
        self._asking_ids = False
        self._broke_off = False

    def start(self) -> Outgoing:
        """
        Return the first request.

        :raises ValueMissing: the list needs something that was not given
        """
        self._clear()
        if self.call.bind.metadata is not None:
            self._asking_metadata = True
            return build(self.call.bind.metadata, self._values, expected="json")
        return self._first()

    def _first(self) -> Outgoing:
        if self.call.ids is None:
            return self._page(self.call.page.first, 0)
        self._asking_ids = True
        return self._more_ids()

    def _more_ids(self) -> Outgoing:
        assert self.call.ids is not None
        paged = {"page.offset": str(len(self._ids)), "page.size": str(self.call.ids.size)}
        return build(self.call.ids.request, self._values | paged, expected="json")

    def _take_ids(self, answer: Answer) -> Outgoing | None:
        """Keep the ids that came; ask for more of them, or for the first rows."""
        assert self.call.ids is not None
        found = search(self.call.ids.path, answer.json)
        if not isinstance(found, list) or any(isinstance(one, (dict, list)) or one is None for one in found):
            self._stopped = "no list of ids"
            return None
        self._ids += found
        if len(found) >= self.call.ids.size and len(self._ids) < self.call.ids.size * self.call.page.most:
            return self._more_ids()
        self._asking_ids = False
        if not self._ids:
            self._extracts.append(Extract((), {}, [], self._locales[0]))
            self._facts.append(proofs.facts(self.call, answer, rows=0, goes_on=False, ids=0))
            return None
        return self._rows_by_id()

    def _rows_by_id(self) -> Outgoing | None:
        assert self.call.ids is not None
        at = len(self._extracts) * self.call.ids.chunk
        some = self._ids[at : at + self.call.ids.chunk]
        if not some:
            return None
        outgoing = build(self.call.request, self._values | {"page.ids": json.dumps(some)}, expected="json")
        self._asked.append(_identity(outgoing))
        return outgoing

    def _page(self, number: int, offset: int) -> Outgoing:
        size = str(self.call.page.size or "")
        paged = {"page.number": str(number), "page.offset": str(offset), "page.size": size}
        outgoing = build(self.call.request, self._values | paged, expected=proofs.expected_of(self.call))
        self._asked.append(_identity(outgoing))
        return outgoing

    def take(self, answer: Answer, *, at: datetime) -> Outgoing | None:
        """Read an answer, and return what to ask next; None: nothing more."""
        if self._asking_metadata:
            self._asking_metadata = False
            self._metadata = answer
            return self._first()
        if self._asking_ids:
            return self._take_ids(answer)
        self._broke_off = self._broke_off or answer.breaks_off
        page, rows = self._extract(answer)
        link = self._way_on(answer) if self.call.page.by == "link" else None
        self._extracts.append(page)
        fact = proofs.facts(self.call, answer, rows=rows, goes_on=link is not None)
        following = self._follow(answer, fact, link)
        if self.call.ids is not None:
            following = self._rows_by_id() if page.found else None
            fact = proofs.facts(self.call, answer, rows=rows, goes_on=following is not None, ids=len(self._ids))
        if self.call.page.by in ("number", "offset"):
            on = following is not None or self._links_on(answer, rows)
            fact = proofs.facts(self.call, answer, rows=rows, goes_on=on)
        self._facts.append(fact)
        signed = signature.of(self._asked[len(self._pages)], volatile=self.call.volatile)
        self._pages.append(Page(signed, at, hashlib.sha256(answer.body).hexdigest(), rows))
        if proofs.moved(self._facts) and self._left:
            self._left -= 1
            return self.start()
        return following

    def _extract(self, answer: Answer) -> tuple[Extract, int]:
        """Return a page and how many rows it has; those of a table are read later."""
        if self.call.kind == "html_table":
            found = table.find(self.call, answer, place=self.place, locales=self._locales)
            self._unread.append(found)
            return found.page, len(found.rows)
        if self.call.kind == "html_items":
            page = extract_items(self.call, answer, place=self.place, locales=self._locales)
        elif self.call.kind == "csv":
            page = extract_csv(self.call, answer, place=self.place, locales=self._locales)
        else:
            page = extract_json(self.call, answer, place=self.place, locales=self._locales, metadata=self._metadata)
        return page, len(page.rows)

    def catch_up(self) -> None:
        """Read the cells of the pages that were taken, as far as they are not read yet."""
        while self._unread:
            self._unread.pop(0).read()
        for page in self._extracts[self._decoding.pages :]:
            self._decoding.take(page)

    def _way_on(self, answer: Answer) -> str | None:
        rule = self.call.page.next
        found = anchors.find(answer.tree, rule) if rule else None
        if isinstance(found, anchors.Control):
            return urljoin(answer.url, str(found.element.get("href", "")))
        if found is not None and found.why != "none":
            self._stopped = "a way to the next page that is not told apart from another"
        return None

    def _follow(self, answer: Answer, fact: proofs.Facts, link: str | None) -> Outgoing | None:
        rule = self.call.page
        if rule.by == "none" or not self._extracts[-1].found:
            return None
        following: Outgoing | None = None
        if link is not None:
            following = Outgoing("GET", link, expected=proofs.expected_of(self.call))
            self._asked.append(_identity(following))
        elif rule.by in ("number", "offset") and not self._at_end(fact):
            read = len(self._extracts)
            following = self._page(rule.first + read, self._rows_before + fact.rows)
        if following is None:
            return None
        if self._asked[-1] in self._asked[:-1] or len(self._extracts) >= rule.most:
            self._stopped = "a way on that leads back, or never ends"
            return None
        return following

    def _links_on(self, answer: Answer, rows: int) -> bool:
        """
        Tell whether a page of a list that is asked for by numbers has a link to the page after it.

        A mark of the last page that was misread is on the first page too; the page's own links say so.
        """
        rule = self.call.page
        if answer.got != "html":
            return False
        read = len(self._extracts)
        following = str(rule.first + read if rule.by == "number" else self._rows_before + rows)
        here = urlsplit(answer.url).path
        links = (urlsplit(urljoin(answer.url, str(one.get("href")))) for one in answer.tree.iter("a") if one.get("href"))
        return any(link.path == here and (rule.parameter, following) in parse_qsl(link.query) for link in links)

    def _at_end(self, fact: proofs.Facts) -> bool:
        if fact.rows == 0 or fact.marks_last:
            return True
        return fact.count is not None and self._rows_before + fact.rows >= fact.count - fact.phantom

    @property
    def _rows_before(self) -> int:
        """How many rows the pages before the one that is looked at have."""
        return sum(page.rows for page in self._pages)

    def read_file(self, content: bytes, *, content_type: str, at: datetime) -> Whole | Trouble:
        """
        Read a file that was fetched before: the one answer there is.

        :raises ValueMissing: the call needs something that was not given
        """
        self.start()
        self.take(Answer(200, "", content, headers={"content-type": content_type}), at=at)
        return self.finish()

    @property
    def pages_read(self) -> int:
        """How many pages with rows were taken so far."""
        return len(self._extracts)

    def texts(self, name: str) -> list[str]:
        """Return what stands where a field is bound, cut out of its cells: for a look at what cannot be read."""
        self.catch_up()
        rule = self.call.fields[name]
        cells = (row.cells[name].value for page in self._extracts for row in page.rows if name in row.cells)
        return [text for text in (cut(clean(str(one)), rule) for one in cells if one is not None) if folded(text) not in EMPTY]

    def reads(self, name: str) -> bool:
        """Tell whether every cell of a field so far is a value of its type."""
        self.catch_up()
        # Anew, since these may not be all pages: the days of this one may be told by those of a later one.
        so_far = Decoding(self.call)
        for page in self._extracts:
            so_far.take(page)
        return not so_far.finish()[1][name].unreadable

    def so_far(self) -> tuple[Sequence[Decoded], drift.Judged]:
        """Return what was read and what it looks like, without proof that this is all: for a look at one page."""
        self.catch_up()
        rows, tallies = self._decoding.finish()
        return rows, drift.judge(self.call, self._extracts, rows, tallies, place=self.place, given=self._given)

    def finish(self) -> Whole | Trouble:
        """Return every row with its proof, or why there are none."""
        found = self._finish()
        if not isinstance(found, Trouble) or not self._broke_off:
            return found
        # What is missing says nothing of the page while a part of it did not come.
        finding = Finding(place=self.place, seen="an answer that breaks off", expected="its end")
        return Trouble(Reason.CUT_SHORT, "The portal's list broke off in the middle.", findings=(finding, *found.findings))

    def _finish(self) -> Whole | Trouble:
        self.catch_up()
        rows, tallies = self._decoding.finish()
        broken = [one for page in self._extracts for one in page.noted if one.verdict is Verdict.BREAKING]
        proof: str | Trouble = "" if broken else self._proof(rows)
        whole = not self._given
        checked = canary.check(self._known, rows, place=self.place, whole=whole) if rows else []
        judged = drift.judge(
            self.call, self._extracts, rows, tallies, place=self.place, baseline=self._baseline, canary=checked,
            given=self._given,
        )  # fmt: skip
        if judged.verdict in HELD_BACK and not (isinstance(proof, Trouble) and judged.verdict is Verdict.SUSPECT):
            where = ", ".join(dict.fromkeys(one.place for one in judged.findings[:3]))
            return Trouble(HELD_BACK[judged.verdict], f"The portal's page has changed at {where}.", findings=judged.findings)
        if isinstance(proof, Trouble):
            return Trouble(proof.reason, proof.detail, findings=proof.findings + judged.findings)
        found = tuple(Row(row.remote_id, row.values, row.absent, row.page, row.raw) for row in rows)
        return Whole(
            found, tuple(self._pages), judged.verdict, judged.fingerprint, judged.shape, proof, judged.findings,
            judged.coverage,
        )  # fmt: skip

    def _proof(self, rows: Sequence[Decoded]) -> str | Trouble:
        if self._stopped:
            finding = Finding(place=f"{self.place}.next", seen=self._stopped, expected="one way to the next page")
            return Trouble(Reason.INCOMPLETE, f"The portal's list has {self._stopped}.", findings=(finding,))
        distinct = len({row.remote_id for row in rows} - {""}) + sum(not row.remote_id for row in rows)
        return proofs.prove(self.call, self._facts, place=self.place, distinct=distinct)


def _identity(outgoing: Outgoing) -> str:
    return signature.line(outgoing.method, outgoing.url, outgoing.body, outgoing.form)
