from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from rapport.connectors.portals import cassette, gym, markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.cassette import Exchange, NotRecorded, Replayer
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.redact import USUAL_DATES, Redactor
from rapport.connectors.portals.tests.recorded import (
    AT,
    CASSETTES,
    LISTS,
    definition,
    replayed,
    whole,
)

PAGE = b"""<!doctype html><html lang=en><head><meta name=csrf content=tok-5551></head><body>
<h1>Rivera, Ana</h1><p>Chart of Rivera</p><form><input type=hidden name=csrf value=tok-5551><input name=phone value="503-555-0142">
<input type=password name=password value="correct horse"></form>
<table><tr><th>Name</th><th>Born</th></tr><tr data-id=204><td><a href="/patients/204">Rivera, Ana</a></td><td>12/31/1979</td></tr>
<tr data-id=205><td>O'Brien, Ben J</td><td>01/02/1980</td></tr></table><script>var who = "Rivera"</script></body></html>"""
MARKED = ("Rivera", "Ana", "O'Brien", "503-555-0142", "12/31/1979", "tok-5551", "correct horse", "204", "s3cret-cookie", "ana@example.org")


def recorded(key: bytes = b"k") -> bytes:
    names = Redactor(key, secrets={"password": "correct horse"}, keep=("Name", "Born"), plain=("page",))
    heads = {"content-type": "text/html", "set-cookie": "fern=s3cret-cookie; HttpOnly"}
    rpc = Answer(200, "", json.dumps({"id": 1, "result": [{"id": 204, "name": "Rivera, Ana", "email": "ana@example.org", "token": "tok-5551"}]}).encode())
    sheet = Answer(200, "", b"Name,Born\n\"Rivera, Ana\",12/31/1979\n", {"content-type": "text/csv"})
    return cassette.dump([
        cassette.record(Outgoing("GET", "/patients/204?page=1&name=Rivera"), Answer(200, "", PAGE, heads), redactor=names),
        cassette.record(Outgoing("POST", "/rpc", body={"method": "read", "params": [204, "Rivera"]}), rpc, redactor=names),
        cassette.record(Outgoing("POST", "/login", form=(("user", "Ana"), ("password", "correct horse"), ("csrf", "tok-5551"))), sheet, redactor=names),
        cassette.record(Outgoing("GET", "/notes/204.pdf"), Answer(200, "", b"%PDF-1.7 Rivera", {"content-type": "application/pdf"}), redactor=names),
    ])  # fmt: skip


def test_no_marked_value_stands_in_a_recording_in_any_encoding() -> None:
    assert cassette.scan(recorded(), MARKED) == []


@pytest.mark.parametrize("written", ["Rivera", "rivera", "5035550142", "correct%20horse", "correct+horse", "O&#x27;Brien", "QW5hOlJpdmVyYTp4"])
def test_the_scan_would_find_it(written: str) -> None:
    """The control: a recording with one value left in it."""
    assert cassette.scan(recorded() + written.encode(), MARKED)


def test_pseudonyms_are_stable_keep_their_shape_and_are_never_shared() -> None:
    names = Redactor(b"k")
    one, again = names.text("Rivera, Ana J 503-555-0142"), names.text("ana RIVERA")
    assert again.split()[0] == one.split()[1].lower()
    assert again.split()[1] == one.split(",")[0].upper()
    assert [len(part) for part in one.split()] == [7, 3, 1, 12]
    many = [str(number) for number in range(1, 60)]
    assert len({names.text(number) for number in many}) == len(many)
    assert Redactor(b"other").text("Rivera") != Redactor(b"k").text("Rivera")


def test_days_keep_their_format_and_their_distance() -> None:
    names = Redactor(b"k")
    first, second = names.text("12/31/1979"), names.text("01/02/1980")
    assert first != "12/31/1979"
    days = [datetime.strptime(one, "%m/%d/%Y").replace(tzinfo=UTC) for one in (first, second)]
    assert (days[1] - days[0]).days == 2
    assert names.text("1979-12-31") == days[0].strftime("%Y-%m-%d")
    assert names.text("12/31/1979 02:30 PM").endswith(" 02:30 PM")


def test_a_recording_is_read_back_as_it_was_written() -> None:
    assert cassette.dump(cassette.load(recorded())) == recorded()


@pytest.mark.parametrize("call", LISTS)
def test_a_recording_without_anybodys_data_reads_as_whole_as_the_portal(call: str) -> None:
    got = whole(replayed(call))
    assert got.rows
    assert got.complete == "count"


def test_the_shipped_recordings_have_nobody_in_them() -> None:
    names = "Rivera O'Brien Nakamura Schmidt Adeyemi Larsen Moreau Kowalski Haddad Okafor Brandt Novák Chloe Dario Esme Inés Rafael".split()
    for file in CASSETTES.glob("*.jsonl"):
        assert cassette.scan(file.read_bytes(), [*names, "503-555-0123", "fernbrook=e", "Alder Court"]) == [], file.name


def test_a_call_is_found_by_its_signature_and_not_by_its_letters() -> None:
    kept = [Exchange("GET /data?limit=25&v=1", 200, {}, b"[1]")]
    again = Outgoing("GET", "/data?v=93&limit=25")
    assert Replayer(kept, volatile=["v"])(again).json == [1]
    with pytest.raises(NotRecorded):
        Replayer(kept)(again)
    with pytest.raises(NotRecorded, match="start"):
        Replayer(kept, volatile=["v"])(Outgoing("GET", "/data?v=93&limit=25&start=25"))


def test_two_recordings_of_one_list_read_alike() -> None:
    """Byte for byte: the same steps with the same key are the same recording."""
    first = whole(gym.replay(definition(), "notes", cassette.load((CASSETTES / "notes.jsonl").read_bytes()), given={}, at=AT))
    assert first.rows == whole(replayed("notes")).rows
    assert recorded() == recorded()


LAYOUT = b"""<html><body><table><tr><td><b>Hello, Rivera</b> <table><tr><th>Name</th><th>Phone number</th></tr><tr><th scope=row>Ana Rivera</th><td>503-555-0142</td></tr>
<tr><th>1..1 out of 1</th></tr></table> Ana was here</td></tr></table><script nonce=abc123></script></body></html>"""


def test_a_cell_around_a_whole_table_hides_its_people_and_leaves_its_heads() -> None:
    """Old portals lay their pages out in tables: everything stands in some cell."""
    page = Answer(200, "", LAYOUT, {"content-type": "text/html"})
    kept = cassette.dump([cassette.record(Outgoing("GET", "/"), page, redactor=Redactor(b"k"))])
    assert cassette.scan(kept, ("Rivera", "Ana", "503-555-0142", "abc123")) == []
    for word in ("Phone number", "1..1 out of 1"):
        assert word in kept.decode()


def test_a_portals_own_marks_before_a_parameter_do_not_make_it_somebodys() -> None:
    names = Redactor(b"k", plain=("sort",))
    assert "sort=id" in names.url("/people?@sort=id")
    assert "Rivera" not in names.url("/people?@name=Rivera")


def test_every_number_of_a_list_has_a_pseudonym_of_its_own() -> None:
    numbers = [str(number) for number in range(133)]
    for key in range(20):
        names = Redactor(bytes([key]) * 32)
        assert len({names.text(one) for one in numbers}) == len(numbers)


def day(text: str, pattern: str) -> datetime:
    return datetime.strptime(text, pattern).replace(tzinfo=UTC)


def test_days_keep_the_order_in_which_a_page_writes_them() -> None:
    names = Redactor(b"k" * 32, dates=USUAL_DATES)
    for days, pattern in ((["13/02/1980", "05/06/1990"], "%d/%m/%Y"), (["02/13/1980", "06/05/1990"], "%m/%d/%Y")):
        tree = markup.parse(("<table>" + "".join(f"<tr><td>{day}</td></tr>" for day in days) + "</table>").encode())
        names.page(tree)
        shown = [cell.text for cell in tree.iter("td")]
        moved = [day(one, pattern) - day(two, pattern) for one, two in zip(days, shown, strict=True)]
        assert moved[0] == moved[1]
        assert shown != days
