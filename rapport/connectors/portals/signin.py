"""
Signing in: the oracle before, the dialogue in a browser, the oracle after.

Each call opens a browser of its own, in a thread of its own, and closes it before it returns. A
second factor that somebody else has ends the call with a `Challenge`: its bytes hold all that the
next call needs, in whichever process that is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from rapport.connectors.portals import apart, signals
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.browser import Browser, PageFailed
from rapport.connectors.portals.definition import ChallengeRule, Definition, Login, Prompt
from rapport.connectors.portals.dialogue import Asked, Dialogue, Outcome, Through, decide, unopened
from rapport.connectors.portals.http import Caller
from rapport.connectors.portals.outgoing import build
from rapport.connectors.portals.predicates import holds
from rapport.connectors.portals.sessions import Halted, Session
from rapport.connectors.portals.transport import Hosts
from rapport.platform.net import lookup
from rapport.platform.net.lookup import Resolve
from rapport.rooms.exchange.ports import Challenge, Factor, Reason, SignedIn, Target, Trouble

MOST_SECONDS = 90.0
PLAIN_AGENT = "Mozilla/5.0 (X11; Linux x86_64) Rapport"
"""Asks the oracle before there is a session; a session is never sent with it."""

T = TypeVar("T")


@dataclass(frozen=True)
class SignIn:
    """One sign-in at one portal."""

    definition: Definition
    target: Target
    hosts: Hosts
    now: datetime
    executable: str
    resolve: Resolve = lookup.system
    began: float = field(default_factory=time.monotonic)
    """When `now` was: starting a browser takes seconds, and codes are good for few."""

    def begin(self, *, earlier: Session | None = None) -> SignedIn | Challenge | Trouble:
        """
        Sign in.

        :param earlier: a session that has ended: what the portal, or the service that signs people in for
            it, still remembers of this browser may make a factor or the password unnecessary
        """
        dishonest = self._oracle_lies()
        if dishonest is not None:
            return dishonest
        return self._in_browser(lambda signing: signing._begin(earlier))

    def go_on(self, halted: Halted, code: str | None) -> SignedIn | Challenge | Trouble:
        """Go on where a challenge stopped; without a code look whether a push was answered, or ask for a new code once."""
        if self.now.timestamp() >= halted.expires_at:
            return signals.trouble(Reason.SECOND_FACTOR_EXPIRED)
        prompt = next((one for one in self._login.prompts if one.name == halted.prompt), None)
        if prompt is None or prompt.challenge is None:
            return signals.trouble(Reason.CONNECTOR_OUTDATED)
        if code is None and halted.factor is Factor.PUSH:
            return self._look_for_push(halted, prompt, prompt.challenge)
        if code is None and (halted.resent or prompt.challenge.resend is None):
            return self._challenge(halted)
        return self._in_browser(lambda signing: signing._go_on(halted, prompt, code))

    @property
    def _login(self) -> Login:
        assert self.definition.login is not None
        return self.definition.login

    def _in_browser(self, work: Callable[[SignIn], T]) -> T:
        return apart.in_browser(
            self.executable, self.target.pace, lambda pace: work(replace(self, target=replace(self.target, pace=pace)))
        )

    def _browser(self, state: Session | None) -> Browser:
        return Browser(
            self.hosts, language=self.definition.locales[0], seconds=MOST_SECONDS, state=state,
            executable=self.executable, resolve=self.resolve, pace=self.target.pace,
        )  # fmt: skip

    def _dialogue(self, browser: Browser, code: str | None = None) -> Dialogue:
        began, then = self.now.timestamp(), self.began
        values = {f"identity.{name}": value for name, value in self.target.identity.items()}
        values |= {f"secret.{name}": value for name, value in self.target.secrets.items() if value}
        return Dialogue(self._login, browser, values, lambda: began + time.monotonic() - then, code)

    def _begin(self, earlier: Session | None) -> SignedIn | Challenge | Trouble:
        dialogue: Dialogue | None = None
        try:
            with self._browser(earlier) as browser:
                dialogue = self._dialogue(browser)
                browser.go(self.hosts.base_url + self._login.start)
                outcome = dialogue.run()
                return self._told(outcome, dialogue, browser)
        except PageFailed as failed:
            return replace(unopened(failed), gave_nothing=dialogue is None or not dialogue.answered)

    def _go_on(self, halted: Halted, prompt: Prompt, code: str | None) -> SignedIn | Challenge | Trouble:
        try:
            with self._browser(halted.session) as browser:
                dialogue = self._dialogue(browser, code)
                browser.go(halted.address)
                page = browser.read()[0]
                if decide(self._login, page, answered=False) is not prompt:
                    # The portal has forgotten that half of a sign-in; starting over is the room's to decide.
                    return self._past(dialogue, browser, page)
                if halted.factor is Factor.PUSH:
                    return self._challenge(msgspec.structs.replace(halted, session=browser.export()))
                if code is None:
                    return self._resend(halted, prompt, dialogue, browser, page)
                return self._told(dialogue.run(), dialogue, browser)
        except PageFailed as failed:
            return unopened(failed)

    def _past(self, dialogue: Dialogue, browser: Browser, page: Answer) -> SignedIn | Challenge | Trouble:
        """The page is no longer the one that asked: it has gone on by itself, or back to the start."""
        found = decide(self._login, page, answered=True)
        if found is None:
            return self._told(dialogue.run(), dialogue, browser)
        if isinstance(found, Reason):
            return dialogue.ended(found, page=page)
        return dialogue.ended(found.means or Reason.SECOND_FACTOR_EXPIRED, page=page)

    def _resend(
        self, halted: Halted, prompt: Prompt, dialogue: Dialogue, browser: Browser, page: Answer
    ) -> Challenge | Trouble:
        assert prompt.challenge is not None
        assert prompt.challenge.resend is not None
        problem = dialogue.press(f"{prompt.name}.resend", prompt.challenge.resend, page)
        if problem is not None:
            return problem
        dialogue.settled(prompt)
        again = msgspec.structs.replace(halted, session=browser.export(), resent=True)
        return self._challenge(again)

    def _told(self, outcome: Outcome, dialogue: Dialogue, browser: Browser) -> SignedIn | Challenge | Trouble:
        if isinstance(outcome, Trouble):
            return outcome
        if isinstance(outcome, Asked):
            assert outcome.prompt.challenge is not None
            if outcome.factor not in self.definition.factors:
                return dialogue.ended(Reason.SECOND_FACTOR_NEEDED)
            issued = dialogue.clock()
            return self._challenge(Halted(
                session=browser.export(), address=browser.read()[0].url, prompt=outcome.prompt.name, factor=outcome.factor,
                masked=outcome.masked, issued_at=issued, expires_at=issued + outcome.prompt.challenge.seconds,
            ))  # fmt: skip
        return self._proven(outcome, dialogue, browser)

    def _proven(self, outcome: Through, dialogue: Dialogue, browser: Browser) -> SignedIn | Trouble:
        """Ask the oracle with what the browser carries. It is asked over HTTP, as everything after this will be."""
        session = browser.export()
        with self._caller(session) as caller:
            known = caller.ask_oracle()
            if isinstance(known, Trouble):
                return replace(known, gave_nothing=not dialogue.answered)
            if not known.alive:
                page = browser.read()[0]
                finding = signals.seen(page, place="login", expected="somebody signed in, or a page that is known")
                reason = signals.plain(page, expected="")
                if reason not in (Reason.PORTAL_DOWN, Reason.BUSY):
                    reason = Reason.DRIFT_BREAKING
                return dialogue.ended(reason, page=page, findings=[finding])
            return self._signed_in(caller, known.subject, outcome)

    def _signed_in(self, caller: Caller, subject: str, outcome: Through) -> SignedIn:
        assert self.definition.session is not None
        return SignedIn(
            caller.session(subject=subject).to_bytes(), subject, self.definition.session.idle_seconds, outcome.findings
        )

    def _oracle_lies(self) -> Trouble | None:
        """An oracle that holds when nobody is signed in proves nothing afterwards."""
        with self._caller(Session(base_url=self.hosts.base_url, user_agent=PLAIN_AGENT)) as caller:
            known = caller.ask_oracle()
        if isinstance(known, Trouble):
            if known.reason is not Reason.DRIFT_SUSPECT:
                return replace(known, session=None, gave_nothing=True)
        elif not known.alive:
            return None
        return signals.trouble(Reason.CONNECTOR_OUTDATED, detail="The connector takes a public page of this portal for a signed-in one.")

    def _caller(self, session: Session) -> Caller:
        return Caller(
            self.definition, session, hosts=self.hosts, target=self.target, now=self.now, resolve=self.resolve
        )

    def _look_for_push(self, halted: Halted, prompt: Prompt, rule: ChallengeRule) -> SignedIn | Challenge | Trouble:
        """See whether a push was answered: over HTTP where the portal has an address for it. A browser goes on."""
        if rule.push is None:
            return signals.trouble(Reason.CONNECTOR_OUTDATED)
        if rule.push.poll is not None:
            with self._caller(halted.session) as caller:
                answer = caller.follow(build(rule.push.poll, caller.values()), place="login.push")
                halted = msgspec.structs.replace(halted, session=caller.session())
            if isinstance(answer, Trouble):
                return replace(answer, session=None)
            if rule.push.denied is not None and holds(rule.push.denied, answer):
                return signals.trouble(Reason.SECOND_FACTOR_DENIED)
            still = answer.got != "html" or decide(self._login, answer, answered=False) is prompt
            if still and not holds(rule.push.approved, answer):
                return self._challenge(halted)
            arrived = self._arrived(halted)
            if arrived is not None:
                return arrived
        return self._in_browser(lambda signing: signing._go_on(halted, prompt, None))

    def _arrived(self, halted: Halted) -> SignedIn | None:
        """Looking may have been all that was missing."""
        with self._caller(halted.session) as caller:
            known = caller.ask_oracle()
            if isinstance(known, Trouble) or not known.alive:
                return None
            return self._signed_in(caller, known.subject, Through())

    def _challenge(self, halted: Halted) -> Challenge:
        return Challenge(
            factor=halted.factor, masked_destination=halted.masked, issued_at=datetime.fromtimestamp(halted.issued_at, UTC),
            expires_at=datetime.fromtimestamp(halted.expires_at, UTC), resume=halted.to_bytes(),
        )  # fmt: skip

