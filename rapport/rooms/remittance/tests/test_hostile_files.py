"""S-066: files that a clearinghouse should never send, made from one that it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rapport.rooms.remittance.tests.test_posting import balance, cash, hand_in, sent_but_not_fetched
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    yield process
    process.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def _with(segment: str, change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """Return a change of the first segment of that name."""

    def changed(data: bytes) -> bytes:
        segments = data.decode().split("~")
        at = next(i for i, s in enumerate(segments) if s.strip().startswith(segment))
        segments[at] = change(segments[at])
        return "~".join(segments).encode()

    return changed


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "the end comes inside ISA": lambda data: data[:60],
    "nothing at all": lambda data: b"",
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "an amount of 1E300": _with("SVC", lambda s: "*".join([*s.split("*")[:3], "1E300"])),
    "an amount that is no number": _with("CLP", lambda s: "*".join([*s.split("*")[:4], "NaN"])),
    "the set's control number differs": _with("SE", lambda s: s + "9"),
    "the group's control number differs": _with("GE", lambda s: s + "9"),
    "the interchange's control number differs": _with("IEA", lambda s: s[:-1] + "7"),
    "the segment count is wrong": _with("SE", lambda s: "SE*3*" + s.split("*")[2]),
    "a delimiter that is a letter": lambda data: data.replace(b"*", b"E"),
    "the trailer is missing": lambda data: data[: data.rindex(b"IEA")],
    "a hundred thousand loops": lambda data: data.replace(b"LX*1~", b"LX*1~" * 100_000, 1),
}


def test_s066_a_hostile_file_is_refused_with_its_place_and_posts_nothing(billing: Billing) -> None:
    _claim, good = sent_but_not_fetched(billing)
    before = balance(billing), cash(billing.house)

    for what, change in HOSTILE.items():
        data = change(good)
        assert data != good, what
        answer = hand_in(billing, data)
        if answer.status_code == 201:
            file = answer.json()
            assert file["state"] not in ("posted", "planned"), what
            assert file["findings"], what
            assert all(finding["message"] for finding in file["findings"]), what
        else:
            assert answer.status_code in (400, 413, 422), (what, answer.content[:300])
            assert answer.json()["errors"], what
        assert (balance(billing), cash(billing.house)) == before, what

    answer = hand_in(billing, good)
    assert answer.status_code == 201, "a file that is in order goes on after them"


def test_the_control_the_file_they_were_made_from_posts(billing: Billing) -> None:
    claim, good = sent_but_not_fetched(billing)

    assert hand_in(billing, good).status_code == 201
    billing.work(fetch=False)
    assert cash(billing.house) == 11900
    assert billing.read(claim)["state"] == "paid"
