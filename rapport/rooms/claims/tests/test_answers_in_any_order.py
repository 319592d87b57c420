"""R-20: what a clearinghouse and a payer say of a claim ends the same in whatever order it comes, late and twice too."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from rapport.kernel.ids import parse_type_id, type_id
from rapport.platform.access.scope import Scope
from rapport.rooms.claims import queries, services
from rapport.rooms.claims.models import (
    Acknowledgement,
    Channel,
    Claim,
    InboundFile,
    Submission,
    WorkItem,
)
from rapport.rooms.claims.ports import Held, InDoubt, Sent
from rapport.rooms.claims.ports import InboundFile as Arrived
from rapport.rooms.claims.services.decisions import record_decision
from rapport.rooms.claims.states import MOVES, Action, ClaimState, Move
from tests.faults import ROUNDS
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess

Piece = Callable[[Scope], None]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


class Case:
    """A claim whose file has left, and all that can be heard of it; nothing was heard yet."""

    def __init__(self, house: House, sandbox: SandboxProcess) -> None:
        self.house = house
        self.billing = Billing(house, sandbox)
        made = self.billing.claim(member_id="SBXLATE01")
        self.billing.submit(made)
        id = parse_type_id("claim", made["id"])
        assert id is not None
        self.claim_id = id
        with house.entered() as scope:
            row = queries.latest_submission(scope=scope, claim_id=id)
            assert row is not None
            self.channel_id = row.channel_id
            sending = services.begin_sending(scope=scope, submission_id=row.id, now=timezone.now())
            assert sending is not None
            self.sending = sending
            control = Claim.objects.visible_to(scope).get(id=id).control_number
        before = {data for _, data in sandbox.answers()}
        assert sandbox.send(sending.file, sending.key).status_code == 202
        for _ in range(100):
            heard = {kind: data.decode() for kind, data in sandbox.answers() if data not in before}
            if len(heard) == 2:
                break
            time.sleep(0.05)
        syntax, taken = heard["999"], heard["277CA"]
        self.files = {
            "syntax is right": syntax,
            "syntax is wrong": syntax.replace("IK5*A~", "IK5*R*5~").replace("AK9*A*1*1*1~", "AK9*R*1*1*0~"),
            "payer takes it": taken,
            "payer turns it away": taken.replace("STC*A2:20:PR*", "STC*A7:164:IL*").replace("REF*1K*", "REF*D9*"),
            "of no file of ours": syntax.replace(f"AK1*HC*{row.group_number}*", "AK1*HC*77*"),
            "of no claim of ours": taken.replace(control, "0" * len(control)),
        }
        assert len(set(self.files.values())) == len(self.files), "each is another file"
        self.pieces: dict[str, Piece] = {
            **{what: self._arrives(what) for what in self.files},
            "it was sent": lambda scope: self._note(scope, Sent("R1")),
            "in doubt": lambda scope: self._note(scope, InDoubt("no reply")),
            "it is held": self._held,
            "payer pays": lambda scope: record_decision(
                scope=scope, claim_id=self.claim_id, denied=False, payer_claim_number="ICN1", detail="835:1",
                now=timezone.now(),
            ),
        }  # fmt: skip

    def _arrives(self, what: str, times: Sequence[str] = ("first", "first", "under another name")) -> Piece:
        def arrive(scope: Scope) -> None:
            for name in times:
                file = Arrived(name=f"{what}, {name}", kind=what, data=self.files[what].encode())
                services.receive_file(scope=scope, channel_id=self.channel_id, arrived=file, now=timezone.now())

        return arrive

    def _note(self, scope: Scope, answer: Sent | InDoubt) -> None:
        assert services.record_answer(scope=scope, sending=self.sending, answer=answer, now=timezone.now())

    def _held(self, scope: Scope) -> None:
        assert services.resolve_doubt(scope=scope, sending=self.sending, answer=Held("R1"), now=timezone.now())

    def ends(self, order: Sequence[str], *, late: bool = False) -> dict[str, Any]:
        """Hear it in this order, and return where that ends. All of it is forgotten again."""
        with self.house.entered() as scope:
            for what in order:
                self.pieces[what](scope)
            for what in order if late else ():
                if what in self.files:
                    self._arrives(what, ["late"])(scope)
            found = self._now(scope)
            transaction.set_rollback(True)
        return found

    def _now(self, scope: Scope) -> dict[str, Any]:
        claim = Claim.objects.visible_to(scope).get(id=self.claim_id)
        acks = Acknowledgement.objects.visible_to(scope).filter(claim_id=self.claim_id)
        return {
            "claim": claim.state,
            "payer's number": claim.payer_claim_number,
            "file": Submission.objects.visible_to(scope).get(id=self.sending.submission_id).state,
            "waits for a person": sorted(
                WorkItem.objects.visible_to(scope).filter(claim_id=self.claim_id, resolved_at=None).values_list("kind", "code")
            ),
            "heard": sorted(set(acks.values_list("kind", "verdict"))),
            "parked": sorted(
                InboundFile.objects.visible_to(scope).filter(outcome="parked").exclude(name__endswith="late").values_list("name", flat=True)
            ),
        }  # fmt: skip


@pytest.fixture
def case(willow: House, sandbox: SandboxProcess) -> Case:
    return Case(willow, sandbox)


STRANGE = ("of no file of ours", "of no claim of ours")
STORIES: dict[str, tuple[tuple[str, ...], str]] = {
    "all is well": (("it was sent", "syntax is right", "payer takes it", STRANGE[0]), "accepted"),
    "turned away by the payer": (
        ("it was sent", "syntax is right", "payer takes it", "payer turns it away"), "rejected"
    ),
    "turned away for its form": (("it was sent", "syntax is wrong", "syntax is right", STRANGE[1]), "rejected"),
    "decided": (("it was sent", "syntax is right", "payer takes it", "payer pays"), "paid"),
    "turned away, and then decided": (("it was sent", "syntax is right", "payer turns it away", "payer pays"), "paid"),
    "the reply was lost": (("in doubt", "it is held", "syntax is right", "payer takes it"), "accepted"),
}  # fmt: skip
"""What is heard, and the state in which that ends."""


def orders(pieces: Sequence[str], *, of: int = 1) -> list[tuple[str, ...]]:
    """Every order, in the suite one in three; what was in doubt is asked for only after it was. :param of: one in so many"""
    found = [
        order for order in itertools.permutations(pieces)
        if "it is held" not in order or order.index("in doubt") < order.index("it is held")
    ]  # fmt: skip
    return found[:: of if ROUNDS > 1 else of * 3]


def test_r20_in_whatever_order_answers_come_and_however_often_the_end_is_the_same(case: Case) -> None:
    """Each file comes three times: again as it was, and again under another name."""
    for story, (pieces, state) in STORIES.items():
        first = case.ends(pieces)
        assert (first["claim"], first["file"]) == (state, "sent"), story
        assert len(first["waits for a person"]) == (state == "rejected"), story
        for order in orders(pieces):
            assert case.ends(order) == first, (story, order)


def test_r20_an_answer_that_comes_late_reopens_nothing(case: Case) -> None:
    for story, (pieces, _) in STORIES.items():
        for order in orders(pieces, of=3):
            assert case.ends(order, late=True) == case.ends(order), (story, order)


def test_r20_what_is_about_nothing_of_ours_is_parked_and_moves_nothing(case: Case) -> None:
    untouched = case.ends(())
    found = case.ends(STRANGE)

    assert len(found.pop("parked")) == 4, "each of two files, under two names"
    assert found == {name: value for name, value in untouched.items() if name != "parked"}


def test_r20_what_was_parked_or_could_not_be_read_is_shown(case: Case, aspen: House) -> None:
    case.files["not to be read"] = "ISA*no*interchange~"
    for what in (*STRANGE, "syntax is right", "not to be read"):
        with case.house.entered() as scope:
            case._arrives(what, ["once"])(scope)

    def shown(house: House, query: str = "") -> list[tuple[str, str]]:
        return [(row["name"], row["outcome"]) for row in house.biller.get(f"/v1/inbound-files{query}").json()["data"]]

    parked = [(f"{what}, once", "parked") for what in reversed(STRANGE)]
    assert shown(case.house, "?outcome=parked") == parked
    assert shown(case.house) == [("not to be read, once", "unreadable"), ("syntax is right, once", "read"), *parked]
    assert shown(case.house, "?outcome[in]=parked,unreadable") == [("not to be read, once", "unreadable"), *parked]
    assert shown(aspen) == [], "another practice's files are nobody else's"


def test_r20_the_control_each_answer_alone_ends_elsewhere(case: Case) -> None:
    alone = {
        "it was sent": "submitted", "in doubt": "unknown", "syntax is right": "acknowledged", "syntax is wrong": "rejected",
        "payer takes it": "accepted", "payer turns it away": "rejected", "payer pays": "paid",
    }  # fmt: skip
    assert {what: case.ends([what])["claim"] for what in alone} == alone


def test_r20_the_control_where_the_last_answer_wins_the_order_is_seen(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    anything = {action: Move(frozenset(ClaimState), move.target) for action, move in MOVES.items()}
    monkeypatch.setattr("rapport.rooms.claims.models.MOVES", anything)
    assert anything[Action.ACCEPT].target == "accepted"

    pieces, _ = STORIES["turned away by the payer"]
    assert len({case.ends(order)["claim"] for order in orders(pieces, of=2)}) > 1


def test_r20_after_it_was_sent_anew_answers_to_the_first_file_move_nothing(case: Case) -> None:
    house = case.house
    for what in ("it was sent", "syntax is right", "payer turns it away"):
        with house.entered() as scope:
            case.pieces[what](scope)
    biller, path = house.biller, f"/v1/claims/{type_id('claim', case.claim_id)}"
    assert biller.post(f"{path}/validate", {}).json()["state"] == "validated"
    case.billing.submit({"id": path.rpartition("/")[2]})
    case.billing.work(fetch=False)
    with house.entered() as scope:
        assert Channel.objects.visible_to(scope).get(id=case.channel_id).last_interchange == 2
    assert biller.get(path).json()["state"] == "submitted"

    for what in ("syntax is wrong", "payer pays"):
        with house.entered() as scope:
            case.pieces[what](scope)
        wanted = "submitted" if what == "syntax is wrong" else "paid"
        assert biller.get(path).json()["state"] == wanted, "a 999 is of a file, a decision of the claim"


def test_r20_a_late_acknowledgement_of_the_first_file_gives_the_claim_no_name(case: Case) -> None:
    for what in ("it was sent", "payer turns it away"):
        with case.house.entered() as scope:
            case.pieces[what](scope)
    id = type_id("claim", case.claim_id)
    case.house.biller.post(f"/v1/claims/{id}/validate", {})
    case.billing.submit({"id": id})
    case.billing.work(fetch=False)
    with case.house.entered() as scope:
        first, second = (one.submission.batch_id for one in queries.submissions_of(scope=scope, claim_id=case.claim_id))
    taken = case.files["payer takes it"]
    [number] = re.findall(r"REF\*1K\*(\w+)~", taken)
    assert f"TRN*2*{first}~" in taken

    def called(what: str, data: str) -> str:
        with case.house.entered() as scope:
            file = Arrived(name=what, kind="277CA", data=data.encode())
            services.receive_file(scope=scope, channel_id=case.channel_id, arrived=file, now=timezone.now())
            return str(Claim.objects.visible_to(scope).get(id=case.claim_id).payer_claim_number)

    of_the_second = taken.replace(f"TRN*2*{first}~", f"TRN*2*{second}~")
    assert called("of the first, before", taken) == "", "a file that was replaced says nothing of what the claim is called"
    assert called("of the second", of_the_second.replace(f"REF*1K*{number}~", "REF*1K*ICN2~")) == "ICN2"
    assert called("of the first, late", taken) == "ICN2"
    assert called("of the second, again", of_the_second) == number, "the control: the file that counts may still say otherwise"
