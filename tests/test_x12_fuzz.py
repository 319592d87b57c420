"""The short replay of `./run fuzz`: what once broke a reader, the corpus, and the same mutations of it every time."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.fuzz import doors

KEPT = [(guide, path) for guide in doors.PARSERS for path in doors.kept(guide)]


@pytest.mark.parametrize("guide", doors.PARSERS)
def test_no_mutation_of_the_corpus_breaks_its_reader(guide: str) -> None:
    random = Random(f"replay {guide}")
    files = list(doors.seeds(guide))
    assert files
    for data in files:
        doors.feed(guide, data)
    for _ in range(60):
        doors.feed(guide, doors.mutated(random.choice(files), random))


@pytest.mark.parametrize(
    ("guide", "path"), KEPT, ids=[f"{guide}/{path.name}" for guide, path in KEPT]
)
def test_what_once_broke_a_reader_breaks_it_no_more(guide: str, path: Path) -> None:
    doors.feed(guide, path.read_bytes())


def test_the_control_a_reader_that_breaks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "roundtrip", lambda data: data[:-1])
    with pytest.raises(AssertionError):
        doors.feed("835", next(doors.seeds("835")))
