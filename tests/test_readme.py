"""A stranger follows the README: `./run` plays a visit, the tour's blocks answer, a second visit is played."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


class Demo(NamedTuple):
    """A demo that runs: where its state is, its port, and what it printed."""

    home: Path
    port: int
    printed: str


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _environment(home: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    return kept | {"RAPPORT_HOME": str(home), "RAPPORT_PORT": str(port), "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home, port = tmp_path_factory.mktemp("stranger") / "home", _free_port()
    output = home.parent / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "rapport", "up"],
            env=_environment(home, port), cwd=ROOT, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 240
        while "Ctrl-C stops it" not in output.read_text():
            assert process.poll() is None, output.read_text()[-3000:]
            assert time.monotonic() < deadline, output.read_text()[-3000:]
            time.sleep(0.2)
        yield Demo(home, port, output.read_text())
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def _tour(demo: Demo) -> str:
    """Return the shell blocks of the tour, as they stand but for port and folder."""
    part = README.partition("## Five minutes with curl")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    script = "\necho; echo -----\n".join(blocks)
    for ours, theirs in (
        ("127.0.0.1:8000", f"127.0.0.1:{demo.port}"), (".rapport/", f"{demo.home}/"), (".venv/bin/python", sys.executable),
    ):  # fmt: skip
        assert ours in script
        script = script.replace(ours, theirs)
    return script


def _shell(script: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_visit_is_played_to_a_balance_of_nothing(demo: Demo) -> None:
    assert "patient $0.00, insurance $0.00" in demo.printed
    assert re.search(r"\d\d webhooks arrived, each signed: .*claim\.paid", demo.printed)


def test_the_tour_with_curl_answers_as_it_says(demo: Demo) -> None:
    parts = _shell(_tour(demo)).split("-----")
    read = json.JSONDecoder().raw_decode

    assert read(parts[1].strip())[0]["object"] == "actor"
    roster, end = read(parts[2].strip())
    found, _ = read(parts[2].strip()[end:].strip())
    assert len(roster["data"]) == 2
    assert found["data"]
    appointment, end = read(parts[3].strip())
    assert (appointment["object"], appointment["status"]) == ("appointment", "booked")
    assert parts[3].strip()[end:].strip() == appointment["id"]
    text = parts[4].strip()
    for kind in ("claim", "remittance"):
        listed, end = read(text)
        text = text[end:].strip()
        assert listed["data"][0]["object"] == kind
    assert len(read(text)[0]["data"]) == 5


def test_each_command_of_the_table_is_known(demo: Demo) -> None:
    help_text = subprocess.run(
        ["./run", "--help"], cwd=ROOT, capture_output=True, text=True, check=True, env=_environment(demo.home, demo.port)
    ).stdout  # fmt: skip
    runner = (ROOT / "run").read_text()
    for command in re.findall(r"^\| `\./run ([a-z0-9]+)", README, re.MULTILINE):
        assert command in help_text or f"    {command})" in runner, command


def test_a_second_visit_has_a_new_patient_and_keeps_the_first(demo: Demo) -> None:
    count = 'key="Authorization: Bearer $(pick api_key <$demo)"; curl -s "$api/patients?limit=100" -H "$key"'
    helpers = _tour(demo).partition("\necho; echo -----\n")[0]
    before = {p["id"] for p in json.loads(_shell(f"{helpers}\n{count}"))["data"]}

    played = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "rapport", "visit"], cwd=ROOT, check=False,
        capture_output=True, text=True, env=_environment(demo.home, demo.port) | {"RAPPORT_LOCAL_WEBHOOKS": "1"},
    )  # fmt: skip

    assert played.returncode == 0, played.stdout[-2000:] + played.stderr[-2000:]
    after = {p["id"] for p in json.loads(_shell(f"{helpers}\n{count}"))["data"]}
    assert before < after
    assert len(after - before) == 1
