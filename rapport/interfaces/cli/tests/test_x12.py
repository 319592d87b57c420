"""The `x12` sub-command: exit codes, JSON, and bytes on standard output."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from rapport.interfaces.cli import x12
from rapport.protocols.x12.tests.strategies import file_of, sample_claim


def run(*arguments: str) -> int:
    """Run the sub-command as the program does."""
    parser = argparse.ArgumentParser()
    x12.register(parser)
    return x12.run(parser.parse_args(arguments))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.edi"
    path.write_bytes(file_of(sample_claim()))
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.edi"
    path.write_bytes(file_of(sample_claim()).replace(b"1234567893", b"1234567890"))
    return path


def test_a_clean_file_is_summed_up_with_exit_code_0(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", str(good)) == 0
    assert "clean; 837P 0001" in capsys.readouterr().out


def test_findings_name_file_segment_position_element_and_rule(
    bad: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", str(good), str(bad), "--json") == 1
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert finding.pop("message")
    assert finding == {
        "file": str(bad), "segment": "NM1", "position": 10, "element": "09",
        "rule": "npi-check-digit", "severity": "error", "snip": 5,
    }  # fmt: skip
    assert run("check", str(bad)) == 1
    assert ": 10: NM1-09: error: SNIP 5: npi-check-digit: " in capsys.readouterr().out


def test_a_path_that_cannot_be_read_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", str(tmp_path / "absent.edi")) == 2
    assert run("show", str(tmp_path)) == 2
    assert "cannot read" in capsys.readouterr().err


def test_a_file_is_written_back_byte_for_byte(
    good: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run("roundtrip", str(good)) == 0
    assert capfdbinary.readouterr().out == good.read_bytes()


def test_what_is_not_x12_is_refused_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"<html>")
    assert run("show", str(path)) == 1
    assert run("roundtrip", str(path)) == 1
    assert "no-isa" in capsys.readouterr().err


def test_show_prints_the_records(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", str(good), "--json") == 0
    [record] = json.loads(capsys.readouterr().out)
    assert record["claims"][0]["control"] == "BH1001"
    assert run("show", str(good)) == 0
    assert "control: BH1001" in capsys.readouterr().out
