from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals import loader, signing
from rapport.connectors.portals.loader import NotDefined
from rapport.connectors.portals.tests.recorded import NAME

CONTENT = json.loads((loader.FOLDER / NAME / "definition.json").read_bytes())


def changed(change: Callable[[Any], None]) -> bytes:
    content = json.loads(json.dumps(CONTENT))
    change(content)
    return json.dumps(content).encode()


def put(place: str, value: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        *way, last = place.split(".")
        for step in way:
            content = content[int(step)] if isinstance(content, list) else content[step]
        if value is None:
            content.pop(last)
        else:
            content[last] = value

    return change


FIELD = "calls.patients.fields.status"


def test_the_definition_that_the_others_are_made_from_is_good() -> None:
    assert loader.decode(changed(lambda _: None)).definition == NAME


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("script", "print()", "unknown field"),
        (f"{FIELD}.xpath", "//td[3]", "unknown field"),
        (f"{FIELD}.column", ["3"], "bound by place"),
        (f"{FIELD}.column", ["col[3]"], "bound by place"),
        (f"{FIELD}.labels", {"fr": ["Statut"]}, "none of the definition's languages"),
        (f"{FIELD}.codes", {}, "knows none"),
        (f"{FIELD}.pattern", "(a+)+b", "take for ever"),
        ("calls.patients.fields.birth_on.formats", {"en": ["%m/%d/%Y"]}, "not for every language"),
        ("calls.patients.order", "", "in which order"),
        ("calls.patients.order", None, "order"),
        ("calls.patients.count", None, "ends by a count"),
        ("calls.patients.empty", {"when": {}}, "empty list"),
        ("calls.patients.empty", None, "empty"),
        ("calls.patients.empty", {"when": {"has": {"id": "empty"}}, "never": True}, "empty list"),
        ("calls.patients.empty", {"never": False}, "empty list"),
        ("calls.patients.fields.last_name.cuts", [{"at": " ", "take": -1, "before": True, "rest": True}], "not both"),
        ("calls.patients.end", "last_page", "mark of the last page"),
        ("calls.patients.page", {"by": "link"}, "goes on by a link"),
        ("calls.patients.request.path", "http://elsewhere.example/", "one slash"),
        ("calls.patients.request.path", "//elsewhere.example/", "one slash"),
        ("calls.patients.request.host", "elsewhere.example", "not among"),
        ("calls.patients.request.query", {"x": "{{ secret }}"}, "template"),
        ("calls.patients.request.query", {"x": "$secrets"}, "refers to nothing"),
        ("calls.patients.remote_id", {"from": "field", "field": "none"}, "none of the call's"),
        ("writes.appointment_create.key", [], "no key"),
        ("writes.appointment_create.key", ["mood"], "not read back"),
        ("writes.appointment_create.read_back", "nothing", "reads nothing back"),
        ("writes.appointment_create.done", {"status": [200]}, "always done"),
        ("writes.appointment_create.refused", [], "refusal"),
        ("writes.appointment_create.not_permitted", {"status": [200]}, "never permitted"),
        ("writes.appointment_create.fields.location", {"anchor": {"role": "textbox"}, "value": "x", "pieces": ["last_name"]}, "of pieces and of a value"),
        ("session.oracle.call.path", "", "names no call"),
        ("session.oracle.true_when", {"status": [200]}, "holds of everything"),
        ("session.oracle.subject", {}, "who is signed in"),
        ("session.signals.0.when", {}, "holds of everything"),
        ("login.rejected", [], "refusal"),
        ("login.code_mail", {"senders": [], "pattern": "([0-9]{6})"}, "a sender is"),
        ("login.code_mail", {"senders": ["everybody"], "pattern": "([0-9]{6})"}, "a sender is"),
        ("login.code_mail", {"senders": ["@example.org"], "pattern": "[0-9]{6}"}, "one group"),
        ("login.code_mail", {"senders": ["@example.org"], "pattern": "((a+)+b)"}, "take for ever"),
        ("login.prompts.0.fill.password.anchor.type", ["text"], "password box"),
        ("hosts", ["*"], "whole name"),
        ("hosts", ["*.example.org"], "whole name"),
        ("abilities.x", {"kind": "read", "call": "nothing"}, "stands on nothing"),
        ("level", "uncalibrated", "cites a page"),
        ("canary", [], "claims decides money or care, and nobody would see that patient, payer, charge, paid, service_on changed places"),
        ("level", "platinum", "platinum"),
    ],
)  # fmt: skip
def test_what_proves_nothing_is_not_published(place: str, value: Any, said: str) -> None:
    with pytest.raises(NotDefined, match=said):
        loader.decode(changed(put(place, value)))


def test_a_list_that_says_no_count_when_it_is_empty_names_what_it_shows_instead() -> None:
    def silent(content: Any) -> None:
        call = content["calls"]["patients"]
        call["count"]["unless_empty"], call["empty"] = True, {"when": {"lacks": {"id": "count"}}}

    def shown(content: Any) -> None:
        silent(content)
        content["calls"]["patients"]["empty"]["when"]["has"] = {"id": "patients"}

    with pytest.raises(NotDefined, match="nothing that is there"):
        loader.decode(changed(silent))
    assert loader.decode(changed(shown)).calls["patients"].count


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A folder with one definition, signed by a key of its own."""
    shutil.copytree(loader.FOLDER / NAME, tmp_path / NAME)
    private, public = signing.new_key()
    (tmp_path / "signers").mkdir()
    (tmp_path / "signers" / "own.pub").write_text(public)
    signing.sign(tmp_path / NAME, key=private)
    return tmp_path


def test_a_signed_definition_loads_and_says_what_it_can(signed: Path) -> None:
    manifest = loader.manifest(loader.load(NAME, folder=signed))
    abilities = {one.name: one for one in manifest.abilities}

    assert manifest.level == "gold"
    assert abilities["appointments.create"].key == ("patient", "clinician", "start_local")
    assert abilities["claims.submit"].attended
    assert not abilities["notes.addendum"].attended
    assert abilities["eras.file"].kind == "file"


def test_every_changed_byte_is_refused(signed: Path) -> None:
    file = signed / NAME / "definition.json"
    content = file.read_bytes()
    for place in range(0, len(content), len(content) // 60):
        changed_byte = bytes([content[place] ^ 1])
        file.write_bytes(content[:place] + changed_byte + content[place + 1 :])
        with pytest.raises(NotDefined):
            loader.load(NAME, folder=signed)
    file.write_bytes(content + b" ")
    with pytest.raises(NotDefined, match="canonical"):
        loader.load(NAME, folder=signed)
    file.write_bytes(content)
    assert loader.load(NAME, folder=signed).sha256


def test_who_is_not_known_signs_nothing(signed: Path) -> None:
    private, _ = signing.new_key()
    signing.sign(signed / NAME, key=private)
    with pytest.raises(NotDefined, match="nobody who is known"):
        loader.load(NAME, folder=signed)
    (signed / NAME / "definition.sig").unlink()
    with pytest.raises(NotDefined):
        loader.load(NAME, folder=signed)


def test_a_definition_that_is_refused_is_not_among_the_shipped(signed: Path) -> None:
    assert set(loader.shipped(folder=signed)) == {NAME}
    other = signed / "other"
    shutil.copytree(signed / NAME, other)
    assert set(loader._shipped.__wrapped__(signed)) == {NAME}


def test_no_name_leads_out_of_the_folder() -> None:
    for name in ("..", "../definitions/sandbox-portal", "nothing", ""):
        with pytest.raises(NotDefined):
            loader.load(name)


def test_every_definition_that_ships_holds() -> None:
    shipped = loader.shipped()
    assert {"sandbox-portal", "sandbox-portal-sso", "csv-export", "therapynotes"} <= set(shipped)
    for loaded in shipped.values():
        assert loader.manifest(loaded).sha256 == loaded.sha256


def test_what_is_not_calibrated_says_so_and_on_what_it_stands() -> None:
    loaded = loader.load("therapynotes")
    for ability in loader.manifest(loaded).abilities:
        rule = loaded.definition.abilities[ability.name]
        assert ability.level == "uncalibrated"
        assert ability.cites.startswith("https://support.therapynotes.com/") or "No public page was found" in rule.note


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    schema = loader.json_schema()
    call = schema["$defs"]["Call"]
    assert call["additionalProperties"] is False
    assert {"order", "end", "empty"} <= set(call["required"])
    assert {"key", "read_back"} <= set(schema["$defs"]["Write"]["required"])


RACE = """
import sys, threading
from rapport.connectors.portals import loader
sys.setswitchinterval(1e-6)
content = (loader.FOLDER / {name!r} / "definition.json").read_bytes()
begin = threading.Barrier(4)

def read():
    begin.wait()
    {read}

threads = [threading.Thread(target=read) for _ in range(4)]
for one in threads:
    one.start()
for one in threads:
    one.join()
"""


def ended(read: str) -> list[int]:
    """Return with what each of six new processes ended, in which four threads read at once."""
    code = RACE.format(name=NAME, read=read)
    return [subprocess.run([sys.executable, "-c", code], capture_output=True).returncode for _ in range(6)]


def test_threads_that_read_the_first_definition_at_once_do_not_end_the_process() -> None:
    """A worker begins so: several jobs, and no definition read yet. Without one decoder two of three processes died."""
    assert ended("loader.decode(content)") == [0] * 6
