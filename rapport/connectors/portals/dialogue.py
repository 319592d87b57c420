"""
A sign-in as a dialogue: read the page, find the prompt it is, answer it, read again.

The portal decides which page comes next. A prompt is answered once: a page that comes back unsaid
is an answer too, and a password is never given twice. What is not known to the definition is not
touched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyotp

from rapport.connectors.portals import anchors, signals
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.browser import STAMP, Browser, PageFailed
from rapport.connectors.portals.definition import Fill, Login, Prompt
from rapport.connectors.portals.outgoing import resolve
from rapport.connectors.portals.predicates import holds, take
from rapport.connectors.portals.terms import Anchor
from rapport.connectors.portals.vocabulary import WORDS
from rapport.rooms.exchange.ports import Factor, Finding, Reason, Trouble

MOST_STEPS = 12
PAGE_SECONDS = 10.0
"""How long a page may take to become another after something was pressed."""
STILL_SECONDS = 0.5
"""A page that no prompt knows and that does not change for so long has been reached."""
TOTP_SECONDS = 30
TOTP_MARGIN_SECONDS = 3
"""A code is not given so near the end of its window: it might arrive in the next."""
PASSWORD = "$secret.password"  # noqa: S105 - a reference


@dataclass(frozen=True, slots=True)
class Through:
    """No prompt is left. Whether somebody is signed in is for the oracle to say."""

    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """The page asks for something that is not at hand."""

    prompt: Prompt
    factor: Factor
    masked: str


Outcome = Through | Asked | Trouble
Seen = Prompt | Reason | None


def decide(login: Login, page: Answer, *, answered: bool) -> Seen:
    """
    Return what a page is: a refusal, a prompt of the definition, or neither.

    :param answered: something was given already; before that nobody can have been rejected for it
    """
    for rule in login.rejected:
        early = not answered and rule.means in (Reason.CREDENTIALS_REJECTED, Reason.SECOND_FACTOR_DENIED)
        if not early and holds(rule.when, page):
            return rule.means
    return next((one for one in login.prompts if holds(one.seen, page)), None)


def factor_of(prompt: Prompt, page: Answer) -> Factor:
    """Return which second factor a prompt asks for on this page."""
    assert prompt.challenge is not None
    return next((factor for factor, when in prompt.challenge.factor_from if holds(when, page)), prompt.challenge.factor)


@dataclass
class Dialogue:
    """One sign-in under way in one browser."""

    login: Login
    browser: Browser
    values: Mapping[str, str] = field(repr=False)
    """Reference without `$` -> value: `identity.…`, `secret.…`."""
    clock: Callable[[], float]
    """Seconds since 1970, by the caller's clock."""
    code: str | None = field(default=None, repr=False)
    """What a person or a mailbox brought; it is given once."""
    answered: set[str] = field(default_factory=set)
    """Names of prompts that were answered."""
    findings: list[Finding] = field(default_factory=list)

    def run(self) -> Outcome:
        """Go on from the page that the browser stands on until there is nothing left to answer."""
        try:
            return self._run()
        except PageFailed as failed:
            return self._failed(failed)

    def _run(self) -> Outcome:
        pressed: Prompt | None = None
        for _ in range(MOST_STEPS):
            if self.browser.left() <= 0:
                return self.ended(Reason.PORTAL_DOWN, "The sign-in took too long.")
            page, found = self.settled(pressed)
            if found is None:
                return Through(tuple(self.findings))
            if isinstance(found, Reason):
                return self.ended(found, page=page)
            if found.means is not None:
                return self.ended(found.means, page=page)
            if found.name in self.answered:
                return self._came_back(found)
            if found.challenge is not None:
                asked = self._challenged(found, page)
                if asked is not None:
                    return asked
            problem = self._answer(found, page)
            if problem is not None:
                return problem
            pressed = found
        return self.ended(Reason.DRIFT_BREAKING, "The sign-in did not come to an end.")

    def settled(self, pressed: Prompt | None) -> tuple[Answer, Seen]:
        """Wait until the page has become another than the one that was pressed on, and stands still."""
        began, still_since, last = time.monotonic(), time.monotonic(), b""
        while True:
            try:
                page, loaded, other = self.browser.read()
            except PageFailed as failed:
                if failed.kind != "gone" or time.monotonic() - began > PAGE_SECONDS:
                    raise
                self.browser.wait(0.1)
                continue
            found = decide(self.login, page, answered=bool(self.answered) or pressed is not None)
            if page.body != last:
                last, still_since = page.body, time.monotonic()
            if found is not None and (pressed is None or other or found is not pressed):
                return page, found
            still = loaded and time.monotonic() - still_since > STILL_SECONDS
            if found is None and still and (other or time.monotonic() - began > 2 * STILL_SECONDS):
                return page, None
            if time.monotonic() - began > PAGE_SECONDS:
                return page, found
            self.browser.wait(0.1)

    def _challenged(self, prompt: Prompt, page: Answer) -> Asked | None:
        """Return what is asked of somebody else; None: the code is at hand."""
        assert prompt.challenge is not None
        factor = factor_of(prompt, page)
        if factor is Factor.TOTP and self.code is None and "secret.totp_seed" in self.values:
            self.code = self._totp(self.values["secret.totp_seed"])
        if factor is not Factor.PUSH and self.code is not None:
            return None
        if factor is Factor.SSO:
            return None
        masked = take(prompt.challenge.masked, page) if prompt.challenge.masked else None
        return Asked(prompt, factor, masked or "")

    def _totp(self, seed: str) -> str:
        left = TOTP_SECONDS - self.clock() % TOTP_SECONDS
        if left < TOTP_MARGIN_SECONDS:
            self.browser.wait(left + 0.2)
        return pyotp.TOTP(seed).at(int(self.clock()))

    def _answer(self, prompt: Prompt, page: Answer) -> Trouble | None:
        """Fill and press; None: done."""
        self.answered.add(prompt.name)
        for name, one in prompt.fill.items():
            problem = self._fill(f"{prompt.name}.{name}", one, page)
            if problem is not None:
                return problem
        if prompt.press is None:
            return self.ended(Reason.DRIFT_BREAKING, page=page)
        return self.press(f"{prompt.name}.press", prompt.press, page)

    def _fill(self, place: str, fill: Fill, page: Answer) -> Trouble | None:
        value = self.code if fill.value == "$code" else resolve(fill.value, self.values)
        if value is None:
            named = fill.value.rpartition(".")[2]
            return self.ended(Reason.CREDENTIALS_REJECTED, f"The connection has no {named}. Enter it.")
        number = self._number(place, fill.anchor, page)
        if isinstance(number, Trouble):
            return number
        secret = fill.value.startswith("$secret.")
        if not self.browser.fill(number, value, secret=secret):
            return self._guarded(place, "a box that shows what is typed", "a password box")
        if fill.value == "$code":
            self.code = None
        return None

    def press(self, place: str, anchor: Anchor, page: Answer) -> Trouble | None:
        """Press the control that an anchor means; None: done."""
        number = self._number(place, anchor, page)
        if isinstance(number, Trouble):
            return number
        self.browser.press(number)
        return None

    def _number(self, place: str, anchor: Anchor, page: Answer) -> str | Trouble:
        found = anchors.find(page.tree, anchor)
        if isinstance(found, anchors.NotFound):
            if found.why == "none":
                finding = Finding(place=place, seen="no such control", expected=anchor.role)
                return self.ended(Reason.DRIFT_BREAKING, findings=[finding])
            seen = "two controls" if found.why == "two" else "a control that means something else"
            return self._guarded(place, seen, anchor.role)
        if found.healed:
            self.findings.append(Finding(place=place, seen=f"found by {found.by}", expected=anchor.recorded, note="healed"))
        return str(found.element.get(STAMP))

    def _guarded(self, place: str, seen: str, expected: str) -> Trouble:
        return self.ended(Reason.MEANING_GUARD, findings=[Finding(place=place, seen=seen, expected=expected)])

    def _came_back(self, prompt: Prompt) -> Trouble:
        """The same page again and not a word why: nothing is tried twice."""
        if any(one.value == PASSWORD for one in prompt.fill.values()):
            return self.ended(Reason.CREDENTIALS_REJECTED, "The portal asked for the password again and did not say why.")
        if prompt.challenge is not None:
            return self.ended(Reason.SECOND_FACTOR_DENIED)
        finding = Finding(place=prompt.name, seen="the same page again", expected="another page")
        return self.ended(Reason.DRIFT_BREAKING, findings=[finding])

    def _failed(self, failed: PageFailed) -> Trouble:
        if failed.kind == "gone":
            return self.ended(Reason.DRIFT_BREAKING)
        return replace(unopened(failed), gave_nothing=not self.answered)

    def ended(
        self, reason: Reason, detail: str = "", *, page: Answer | None = None, findings: Sequence[Finding] = ()
    ) -> Trouble:
        """Return how the sign-in ended, with a picture of the page."""
        wait = page.headers.get("retry-after", "") if page is not None else ""
        found = signals.trouble(
            reason, detail=detail, findings=[*self.findings, *findings],
            retry_after=int(wait) if wait.isdigit() else None, picture=self.browser.picture(phrases(self.login)),
        )  # fmt: skip
        return replace(found, gave_nothing=not self.answered)


def unopened(failed: PageFailed) -> Trouble:
    """Return the trouble of a page that could not be reached at all."""
    if failed.kind == "elsewhere":
        detail = f"The portal led to {failed.host}, which the connector does not name or which is no public host."
        return signals.trouble(Reason.HOST_NOT_ALLOWED, detail=detail)
    return signals.trouble(Reason.PORTAL_DOWN)


def phrases(login: Login) -> frozenset[str]:
    """Return what may be read on a picture: the definition's own words, and those that sign-in pages say to everybody."""
    found: set[str] = set()
    for when in (*(rule.when for rule in login.rejected), *(prompt.seen for prompt in login.prompts)):
        found |= _words(when.text_any) | (_words(when.has.text_any) if when.has else set())
    for prompt in login.prompts:
        for anchor in [*(one.anchor for one in prompt.fill.values()), *([prompt.press] if prompt.press else [])]:
            for labels in (anchor.labels, anchor.group, anchor.synonyms, anchor.veto):
                found |= _words(labels)
    return WORDS | found


def _words(labels: Mapping[str, Sequence[str]]) -> set[str]:
    return {word.casefold() for words in labels.values() for word in words}
