"""A portal that shares its host with others: below a path, of which its definition knows nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rapport.connectors.portals import cassette
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.kit import recording
from rapport.connectors.portals.multipart import decode, encode
from rapport.connectors.portals.predicates import holds
from rapport.connectors.portals.terms import Predicate
from rapport.connectors.portals.transport import Hosts
from rapport.platform.net.guarded import UrlNotAllowed

BASE = "https://portal.example.org/elm-house"


@pytest.mark.parametrize("written", [BASE, f"{BASE}/", f"{BASE}/?x=1"])
def test_its_address_keeps_its_path(written: str) -> None:
    hosts = Hosts(written, ["$base"], local=False)
    assert (hosts.base_url, hosts.origin, hosts.under) == (BASE, "https://portal.example.org", "/elm-house")
    assert hosts.is_base(f"{BASE}/people?x=1")
    assert not hosts.is_base("https://portal.example.org/elm-house-two/people"), "a neighbour gets nothing of the session"
    assert not hosts.is_base("https://portal.example.org/people")
    assert Hosts("https://portal.example.org/", ["$base"], local=False).base_url == "https://portal.example.org"


@pytest.mark.parametrize("path", ["/a/../b", "/./a", "/a/%2e%2e/b"])
def test_a_path_that_leads_up_is_no_address(path: str) -> None:
    with pytest.raises(UrlNotAllowed):
        Hosts(f"https://portal.example.org{path}", ["$base"], local=False)


def test_what_a_definition_says_of_addresses_holds_below_the_path() -> None:
    led = Answer(302, f"{BASE}/people", b"", {"location": f"{BASE}/login?next=x"}, "/elm-house")
    assert (led.path, led.leads_to) == ("/people", "/login")
    assert holds(Predicate(redirect_to="/login"), led)
    assert Answer(302, f"{BASE}/x", b"", {"location": "/elm-house"}, "/elm-house").leads_to == "/"
    # Elsewhere on the host it is another portal's sign-in page.
    assert not holds(Predicate(redirect_to="/login"), Answer(302, f"{BASE}/x", b"", {"location": "/elm-house-two/login"}, "/elm-house"))


def test_a_recording_of_it_begins_at_its_own_root(tmp_path: Path) -> None:
    page = '<html><body><a href="/elm-house/people?page=2">Next</a><a href="/other/">Other</a></body></html>'
    heads = [{"name": "Content-Type", "value": "text/html"}]

    def entry(path: str, status: int = 200, **more: str) -> dict[str, object]:
        return {
            "request": {"method": "GET", "url": f"https://portal.example.org{path}"},
            "response": {"status": status, "headers": heads + [{"name": name, "value": value} for name, value in more.items()], "content": {"text": page}},
        }  # fmt: skip

    har = json.dumps({"log": {"entries": [entry("/elm-house/people?page=1"), entry("/elm-house", 302, Location="/elm-house/login"), entry("/other/people")]}})
    seen = recording.of_har(har.encode(), base_url=BASE)
    told = recording.record(seen, tmp_path, base_url=BASE, secrets={}, marked=(), keep=("next",), plain=(), definition=None)
    kept = cassette.load((tmp_path / "recording.jsonl").read_bytes())

    assert not told.failed
    assert [one.request for one in kept] == ["GET /people?page=1", "GET /"]
    assert 'href="/people?page=2"' in kept[0].body.decode()
    assert kept[1].headers["location"] == "/login"


def test_a_form_with_parts_says_what_was_typed_whatever_it_was() -> None:
    typed = (("title", 'A "b"\r\n--x & ü'), ('odd"\r\nname', "1"), ("empty", ""))
    kind, content = encode(typed)
    assert decode(kind, content) == typed
    assert content.count(b"Content-Disposition") == 3
    assert decode("multipart/form-data; boundary=x", b"no form") == ()
