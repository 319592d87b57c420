"""The history of a claim reads like a story: every event, by whom, from which segment of which file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.protocols.x12.syntax import read
from rapport.rooms.claims.rules.story import MOVES
from rapport.rooms.claims.states import Action
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    yield process
    process.stop()


def history(house: House, claim: Any) -> list[Any]:
    answer = house.biller.get(f"/v1/claims/{claim['id']}/history")
    assert answer.status_code == 200, answer.content
    found: list[Any] = answer.json()["data"]
    return found


def test_a_claim_tells_its_life_with_file_and_segment_and_without_a_person(
    willow: House, sandbox: SandboxProcess
) -> None:
    billing = Billing(willow, sandbox)
    claim = billing.claim(member_id="SBXTAKE1")
    second = props.payer(willow, "Second Plan", payer_id_code="SECND")
    props.policy(willow, billing.things["patient"], second, rank="secondary", member_id="S1")
    billing.submit(claim)
    billing.work()
    sandbox.call("POST", "/_sandbox/advance")
    billing.work()

    told = history(willow, claim)
    assert [one["at"] for one in told] == sorted(one["at"] for one in told)
    texts = [one["text"] for one in told]
    assert texts[0] == "The claim to the first payer was made, for $180.00."
    for sentence in (
        "It was frozen into a file, which waits to be sent.",
        "The clearinghouse has the file.",
        "The file was read: its syntax is right.",
        "The payer has taken it into adjudication.",
        "The payer decided: $119.00 of $180.00 paid, $36.00 taken off, $25.00 left to the patient."
        " That waits for the next payer.",
        "The payer took its decision back, and $119.00 with it.",
        "The proposal was withdrawn with the decision.",
        "The payer decided: $83.00 of $180.00 paid, $72.00 taken off, $25.00 left to the patient."
        " That waits for the next payer.",
    ):
        assert texts.count(sentence) == 1, (sentence, texts)
    proposed = "That the next payer be asked for $25.00 was proposed."
    assert texts.count(proposed) == 2, "once for each decision"
    by = {one["kind"]: one["by"] for one in told}
    assert (by["create"], by["queue"], by["record_sent"]) == ("person", "person", "practice")
    assert (by["answer"], by["decision"], by["reversal"]) == ("payer", "payer", "payer")
    # What is said stands in the file where it is said to stand.
    decisions = [one for one in told if one["kind"] in ("decision", "reversal")]
    data = [sandbox.call("GET", f"/v1/files/{name}").content for name in names(sandbox, "835")]
    found = [
        next(segment for segment in read(file) if segment.index == one["file"]["segment"]).elements[:3]
        for one, file in zip(decisions, [data[0], data[1], data[1]], strict=True)
    ]
    assert found == [["CLP", claim["control_number"], status] for status in ("1", "22", "1")]
    assert [one["file"]["segment"] > 0 for one in told if one["kind"] == "answer"] == [True, True]
    everything = str(told)
    for word in ("Rivera", "RIVERA", "Ana", "SBXTAKE1", "S1\"", "F41.1"):
        assert word not in everything


def names(sandbox: SandboxProcess, kind: str) -> list[str]:
    files = sandbox.call("GET", "/v1/files").json()["data"]
    return [file["name"] for file in files if file["kind"] == kind]


def test_every_move_has_a_sentence() -> None:
    assert {action.value for action in Action} <= set(MOVES)
