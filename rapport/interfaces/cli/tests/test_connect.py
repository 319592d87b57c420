"""`rapport connect` as a program: what each step says, how it ends, and what it never says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals import loader
from rapport.connectors.portals.tests.live import needs_chromium
from tests.support.sandbox_portal import Portal

pytestmark = pytest.mark.long

ROOT = loader.FOLDER.parents[3]
SHIPPED = loader.FOLDER / "sandbox-portal"
CASSETTES = SHIPPED / "cassettes"


def connect(*arguments: object, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a program of its own, without a terminal."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "DISPLAY", "WAYLAND"))}
    command = [sys.executable, "-W", "ignore", "-m", "rapport", "connect", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=mine | {"PYTHONPATH": str(ROOT)} | environment, input=typed, capture_output=True, text=True)


def printed(done: subprocess.CompletedProcess[str]) -> Any:
    """Return the JSON that a step printed."""
    return json.loads(done.stdout)


def changed(folder: Path, **members: Any) -> Path:
    """Return a definition whose list of patients says something else."""
    content = json.loads((SHIPPED / "definition.json").read_bytes())
    content["calls"]["patients"]["fields"] |= members
    folder.mkdir(parents=True)
    (folder / "definition.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    running = Portal(tmp_path_factory.mktemp("portal"))
    yield running
    running.kill()


def test_the_same_rows_come_out_again_and_other_rows_are_named_without_their_values(tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    recording = CASSETTES / "patients.jsonl"
    assert connect("replay", SHIPPED, recording, "--rows", rows, "--save").returncode == 0
    again = connect("replay", "sandbox-portal", recording, "--rows", rows, "--json")
    assert (again.returncode, printed(again)["differences"]) == (0, [])

    content = json.loads((SHIPPED / "definition.json").read_bytes())
    email = content["calls"]["patients"]["fields"]["email"] | {"column": ["insurance"], "labels": {"en": ["Insurance"]}, "type": "text", "coverage": None}
    email.pop("coverage")
    other = connect("replay", changed(tmp_path / "other", email=email), recording, "--rows", rows)
    assert other.returncode == 1
    assert ": email" in other.stdout
    kept = json.loads(rows.read_bytes())["patients"]
    assert not [one["values"]["email"] for one in kept.values() if one["values"]["email"] and one["values"]["email"] in other.stdout]


def test_the_gym_passes_a_definition_that_refuses_and_fails_one_that_guesses(tmp_path: Path) -> None:
    good = connect("gym", "sandbox-portal", CASSETTES / "payments.jsonl", "--json")
    assert (good.returncode, printed(good)["silent"]) == (0, [])
    assert printed(good)["calls"]["payments"]["mutations"] >= 25

    content = json.loads((SHIPPED / "definition.json").read_bytes())
    call = content["calls"]["payments"]
    call |= {"end": "last_page", "last_page": {"has": {"tag": "table"}}, "page": {"by": "none"}}
    call.pop("count")
    call["request"]["query"] = {"per": "100"}
    (tmp_path / "definition.json").write_text(json.dumps(content))
    guessing = connect("gym", tmp_path, CASSETTES / "payments.jsonl")
    assert guessing.returncode == 1
    assert "WRONG ROWS" in guessing.stdout


def test_what_fell_is_named_and_the_new_column_is_proposed(tmp_path: Path) -> None:
    connect("replay", "sandbox-portal", CASSETTES / "patients.jsonl", "--shapes", tmp_path)
    before, after, share = tmp_path / "patients.shape.json", tmp_path / "after.json", tmp_path / "share.json"
    shape = json.loads(before.read_bytes())["shape"]
    assert connect("diagnose", "--call", "patients", "--before", before, "--after", before).returncode == 0, "the control"

    for one in shape["columns"]:
        if one["name"] == "birth_on":
            one |= {"name": "dob", "label": "DOB"}
        if one["name"] == "phone":
            one |= {"name": "x7", "label": "Contact"}
    del shape["bound"]["birth_on"], shape["bound"]["phone"]
    after.write_text(json.dumps(shape))
    done = connect("diagnose", "--call", "patients", "--before", before, "--after", after, "--out", share, "--json")
    assert done.returncode == 1
    found = printed(done)
    assert {one["place"] for one in found["fell"]} == {f"calls.patients.fields.{name}.column" for name in ("birth_on", "phone")}
    patch = {one["place"]: one["value"] for one in found["patch"]}
    assert patch["calls.patients.fields.birth_on.labels"] == {"en": ["DOB"]}
    assert not [place for place in patch if ".phone" in place], "nothing is proposed for standing where it stood"
    assert [one["place"] for one in found["unmended"]] == ["calls.patients.fields.phone"]
    assert json.loads(share.read_bytes())["patch"] == found["patch"]


def test_recorded_pages_calibrate_too_and_what_they_do_not_say_is_asked(tmp_path: Path) -> None:
    out = tmp_path / "calibration.json"
    done = connect(
        "calibrate", "--definition", "sandbox-portal", "--recording", CASSETTES / "patients.jsonl", "--page", "patients=/patients?per=100", "--out", out, "--json"
    )  # fmt: skip
    found = printed(done)
    assert done.returncode == 1
    assert set(found["questions"]) == {"calls.patients.empty"}, "no page with an empty list is in the recording"
    assert json.loads(out.read_bytes())["calibrated"] == []
    assert "calls.patients.fields.birth_on.labels" in {one["place"] for one in found["evidence"]}


def test_a_definition_is_signed_and_one_changed_byte_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "definitions" / "sandbox-portal"
    folder.mkdir(parents=True)
    (folder / "definition.json").write_bytes((SHIPPED / "definition.json").read_bytes())
    key, signers = tmp_path / "me.key", tmp_path / "definitions" / "signers"
    assert connect("key", "--out", key).returncode == 0
    assert key.stat().st_mode & 0o077 == 0
    assert connect("key", "--out", key).returncode == 2, "a key is never written over"
    assert connect("verify", folder).returncode == 1, "nobody signed it"
    done = connect("sign", folder, "--key", key)
    assert done.returncode == 0, done.stderr
    assert key.read_text().strip() not in done.stdout
    assert connect("verify", folder).returncode == 1, "its signer is not believed here"
    signers.mkdir()
    (signers / "me.pub").write_bytes(key.with_suffix(".pub").read_bytes())
    assert connect("verify", folder).returncode == 0

    file = folder / "definition.json"
    file.write_bytes(file.read_bytes().replace(b"/home", b"/homE", 1))
    assert connect("verify", folder).returncode == 1
    key.chmod(0o644)
    assert connect("sign", folder, "--key", key).returncode == 2, "a key that others can read"


def har(portal: Portal, *addresses: str) -> bytes:
    """Return what a browser's developer tools save of somebody who signs in and opens these pages."""
    user = portal.ready["users"]["nick"]
    given = {"practice": "FERN", "user": "nick", "password": user["password"]}
    entries = []
    with portal.browser() as browser:
        for method, address, form in [("GET", "/login", None), ("POST", "/login", given), *(("GET", one, None) for one in ("/home", *addresses))]:
            page = browser.request(method, address, data=form, follow_redirects=False)
            sent = {"postData": {"mimeType": "application/x-www-form-urlencoded", "text": page.request.content.decode()}} if form else {}
            entries.append({
                "request": {"method": method, "url": str(page.request.url)} | sent,
                "response": {
                    "status": page.status_code, "headers": [{"name": name, "value": value} for name, value in page.headers.items()],
                    "content": {"text": page.text},
                },
            })  # fmt: skip
    return json.dumps({"log": {"entries": entries}}).encode()


def test_a_har_file_becomes_a_recording_with_nobody_in_it_and_a_draft(portal: Portal, tmp_path: Path) -> None:
    addresses = ["/patients", *(f"/patients?page={number}" for number in range(2, 7)), "/patients?name=zzzz"]
    (tmp_path / "one.har").write_bytes(har(portal, *addresses))
    people = [word for row in portal.rows("patient") for word in (row["email"], row["phone"], f"{row['last']}, {row['first']}") if word]
    (tmp_path / "mark").write_text("\n".join(people[:20]))
    done = connect("record", "--url", portal.ready["url"], "--har", tmp_path / "one.har", "--out", tmp_path / "rec", "--mark", tmp_path / "mark")
    assert done.returncode == 0, done.stdout + done.stderr
    kept = (tmp_path / "rec" / "recording.jsonl").read_text()
    assert not [word for word in [*people, portal.ready["users"]["nick"]["password"]] if word in kept or word in done.stdout]

    drafted = connect("draft", tmp_path / "rec", "--out", tmp_path / "mine" / "definition.json", "--json")
    assert drafted.returncode == 0, drafted.stderr
    made = json.loads((tmp_path / "mine" / "definition.json").read_bytes())
    loader.decode((tmp_path / "mine" / "definition.json").read_bytes())
    assert (made["level"], made["identity_fields"], made["login"]["start"]) == ("uncalibrated", ["practice_code", "username"], "/login")
    assert made["session"]["oracle"]["true_when"]["has"] == {"id": "who"}
    guesses = {one["place"] for one in printed(drafted)["evidence"]}
    assert {f"calls.patients.fields.{name}.labels" for name in made["calls"]["patients"]["fields"]} <= guesses
    assert connect("replay", tmp_path / "mine", tmp_path / "rec").returncode == 0


def test_a_value_that_would_be_left_in_stops_the_recording(portal: Portal, tmp_path: Path) -> None:
    """The control of the scan: a heading that every page shows, marked as if it were somebody's."""
    (tmp_path / "one.har").write_bytes(har(portal, "/patients"))
    (tmp_path / "mark").write_text("viewport\n")
    done = connect("record", "--url", portal.ready["url"], "--har", tmp_path / "one.har", "--out", tmp_path / "rec", "--mark", tmp_path / "mark")
    assert done.returncode == 1
    assert "aaaaaaaa" in done.stdout
    assert "viewport" not in done.stdout
    assert not (tmp_path / "rec").exists()


def test_what_cannot_be_used_ends_with_2_and_says_so_in_a_line(portal: Portal, tmp_path: Path) -> None:
    (tmp_path / "open.json").write_text('{"password": "hunter22"}')
    (tmp_path / "open.json").chmod(0o644)
    url = portal.ready["url"]
    wrong: list[list[object]] = [
        ["assess", "--definition", "sandbox-portal", "--url", url, "--user", "nick", "--secrets", tmp_path / "open.json"],
        ["assess", "--definition", "nothing-such", "--url", url, "--user", "nick"],
        ["assess", "--definition", "sandbox-portal", "--url", "http://portal.example", "--user", "nick", "--identity", "practice_code=F"],
        ["assess", "--definition", "csv-export", "--url", url, "--user", "nick"],
        ["record", "--url", url, "--out", tmp_path / "rec"],
        ["replay", "sandbox-portal", tmp_path / "none.jsonl"],
        ["gym", tmp_path / "none", CASSETTES],
        ["calibrate", "--definition", "sandbox-portal", "--out", tmp_path / "o", "--page", "patients"],
        ["diagnose", "--call", "patients", "--before", SHIPPED / "definition.json", "--after", SHIPPED / "definition.json"],
    ]
    for arguments in wrong:
        done = connect(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "hunter22" not in done.stderr


def test_each_step_has_help_and_none_takes_a_secret() -> None:
    from rapport.interfaces.cli.connect import STEPS

    for name, _, _ in STEPS:
        done = connect(name, "--help")
        assert done.returncode == 0
        assert "--password" not in done.stdout


@needs_chromium
def test_an_assessment_says_what_a_user_may_and_names_nobody(portal: Portal) -> None:
    def looked_at(login: str, password: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        user = portal.ready["users"][login]
        seed = user["totp_secret"] if user["factor"] == "totp" else ""
        return connect(
            "assess", "--definition", "sandbox-portal", "--url", portal.ready["url"], "--user", login, "--identity", "practice_code=FERN", "--json",
            RAPPORT_PORTAL_PASSWORD=password or user["password"], RAPPORT_PORTAL_TOTP_SEED=seed, **more,
        )  # fmt: skip

    before = portal.rows("appointment")
    all_of_it = looked_at("nick")
    assert all_of_it.returncode == 0, all_of_it.stdout
    found = printed(all_of_it)
    assert found["role"]["may_not"] == []
    assert {"patients.read", "claims.read", "appointments.create"} <= set(found["role"]["may"])
    assert portal.rows("appointment") == before
    people = [word for row in portal.rows("patient") for word in (row["email"], row["phone"], f"{row['last']}, {row['first']}") if word]
    assert not [word for word in people if word in all_of_it.stdout]

    admin = looked_at("uma")
    assert admin.returncode == 1
    assert "claims.read" in printed(admin)["role"]["may_not"]

    alone = looked_at("dana")
    assert alone.returncode == 1, "its code goes to a telephone, and nobody is here to type it"
    assert printed(alone)["factors"]["asked"] == ["sms"]

    wrong = looked_at("nick", "no such password")
    assert wrong.returncode == 1
    assert printed(wrong)["trouble"]["reason"] == "credentials_rejected"
    assert "no such password" not in wrong.stdout + wrong.stderr
