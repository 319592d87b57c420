from __future__ import annotations

import random

import pytest

from rapport.connectors.clearinghouse_sftp.mapper import (
    OVERLAP_SECONDS,
    Cursor,
    Entry,
    is_finished,
    is_partial_of,
    partial_name,
    remote_name,
)
from rapport.protocols.x12.kinds import kind_of

ISA = (
    "ISA*00*          *00*          *ZZ*60054          *ZZ*CLINICBH01     *260105*0930*^*00501"
    "*000000901*0*T*:~"
)
NOON = 1_790_000_000


def test_a_name_keeps_what_every_server_takes() -> None:
    assert remote_name("batch-000000101.837") == "batch-000000101.837"
    assert remote_name("../etc/pass wd") == "etc-pass-wd.837"


def test_a_name_of_nothing_is_a_defect() -> None:
    with pytest.raises(ValueError, match="name"):
        remote_name("../..")


def test_an_upload_is_recognised_as_unfinished_by_its_own_file_only() -> None:
    partial = partial_name("batch-1.837", "c0ffee")

    assert is_partial_of(partial, "batch-1.837")
    assert not is_partial_of(partial, "batch-11.837")
    assert not is_partial_of("batch-1.837", "batch-1.837")


@pytest.mark.parametrize("name", [".hidden", "a.part", "a.tmp", "a.filepart"])
def test_answers_still_being_written_are_not_fetched(name: str) -> None:
    assert not is_finished(name)
    assert is_finished("00000001_835.x12")


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ("\nTA1*000000101*260105*0930*A*000~\nIEA*0*000000901~", "TA1"),
        ("GS*FA*A*B*20260105*0930*1*X*005010X231A1~", "999"),
        ("TA1*000000101*260105*0930*A*000~GS*FA*A*B*20260105*0930*1*X*005010X231A1~", "999"),
        ("GS*HN*A*B*20260105*0930*1*X*005010X214~", "277CA"),
        ("GS*HN*A*B*20260105*0930*1*X*005010X212~", "277"),
        ("GS*HP*A*B*20260105*0930*1*X*005010X221A1~", "835"),
        ("GS*RA*A*B*20260105*0930*1*X*005010X218~", "unknown"),
        ("GS~", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_kind_is_read_off_the_envelope(rest: str, kind: str) -> None:
    assert kind_of((ISA + rest).encode()) == kind


def test_the_kind_is_read_with_the_delimiters_of_the_file_itself() -> None:
    file = ISA.replace("*", "|").replace("~", "\n") + "GS|HP|A|B|20260105|0930|1|X|005010X221A1\n"
    assert kind_of(file.encode()) == "835"


@pytest.mark.parametrize("data", [b"", b"<html>", b"ISA*too short~"])
def test_what_is_no_interchange_is_unknown(data: bytes) -> None:
    assert kind_of(data) == "unknown"


def test_a_cursor_reads_back_as_written() -> None:
    cursor = Cursor().behind([Entry("a", 1, NOON), Entry("b", 2, NOON - 5)], now=NOON)
    assert Cursor.read(cursor.write()) == cursor
    assert Cursor.read("") == Cursor()


def test_a_file_of_the_same_second_with_an_earlier_name_is_not_missed() -> None:
    cursor = Cursor().behind([Entry("m", 1, NOON)], now=NOON)
    assert cursor.fresh([Entry("a", 1, NOON), Entry("m", 1, NOON)]) == [Entry("a", 1, NOON)]


def test_a_file_that_grew_since_is_fetched_again() -> None:
    cursor = Cursor().behind([Entry("a", 1, NOON)], now=NOON)
    assert cursor.fresh([Entry("a", 9, NOON + 1)]) == [Entry("a", 9, NOON + 1)]


def test_a_file_dated_in_the_future_hides_nothing_that_comes_after_it() -> None:
    odd = Entry("odd", 1, NOON + 86_400)
    cursor = Cursor().behind([odd], now=NOON)

    assert cursor.fresh([odd, Entry("new", 1, NOON)]) == [Entry("new", 1, NOON)]


def test_old_marks_are_dropped_so_that_a_cursor_stays_short() -> None:
    cursor = Cursor().behind([Entry("old", 1, NOON)], now=NOON)
    later = NOON + OVERLAP_SECONDS + 1
    assert len(cursor.behind([Entry("new", 1, later)], now=later).seen) == 1


@pytest.mark.parametrize("seed", range(20))
def test_every_file_is_fetched_exactly_once_however_they_come(seed: int) -> None:
    chance = random.Random(seed)
    there: list[Entry] = []
    fetched: list[Entry] = []
    cursor = Cursor()
    now = NOON
    for number in range(200):
        now += chance.choice((0, 0, 1, 30))
        there.append(Entry(f"{chance.random()}", number, now - chance.randrange(300)))
        if chance.random() < 0.3:
            taken = cursor.fresh(there)[: chance.randrange(1, 5)]
            fetched += taken
            cursor = Cursor.read(cursor.behind(taken, now=now).write())
    while taken := cursor.fresh(there)[:3]:
        fetched += taken
        cursor = cursor.behind(taken, now=now)

    assert sorted(fetched, key=lambda one: one.size) == there
