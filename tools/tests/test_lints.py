"""Each lint finds what it is meant to find, and lets the right form pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.lint import words
from tools.lint.__main__ import LINTS, ROOT, violations
from tools.lint.source import Source

SERVICES = "rapport/rooms/roster/services.py"
MODELS = "rapport/rooms/roster/models.py"

WRONG = {
    "the day is read in a service": ("clock", SERVICES, "today = date.today()\n"),
    "a default that reads the clock": (
        "clock", MODELS, "at = DateTimeField(default=timezone.now)\n",
    ),
    "an HTTP client in a room": ("network", SERVICES, "import httpx\n"),
    "urllib in a service": ("network", SERVICES, "from urllib import request\n"),
    "a socket in the platform": ("network", "rapport/platform/api/x.py", "import socket\n"),
    "a state set by update": (
        "moves", SERVICES, "def end(*, row):\n    rows.update(state='ended')\n",
    ),
    "a state set on the object": ("moves", SERVICES, "def end(*, row):\n    row.state = 'x'\n"),
    "a state set beside move": (
        "moves", MODELS, "class A:\n    def end(self):\n        self.state = 'x'\n",
    ),
    "a move outside the model": ("moves", SERVICES, "def move(*, row):\n    row.state = 'x'\n"),
    "a column without a word": (
        "fields", MODELS, "class A(M):\n    npi = models.CharField(max_length=10)\n    x = 1\n",
    ),
    "a reference without a word": (
        "fields", MODELS, "class A(M):\n    payer = PracticeForeignKey('a.B')\n",
    ),
    "a docstring like the name": (
        "echoes", SERVICES, 'class ClaimQueueColumns:\n    """Claim queue columns."""\n',
    ),
    "a docstring like the file": ("echoes", SERVICES, '"""Services."""\n'),
    "float of cents": ("cents", SERVICES, "def f(*, a):\n    return float(a.paid_cents)\n"),
    "cents divided": ("cents", SERVICES, "share = total_cents / 3\n"),
    "a float column for cents": ("cents", MODELS, "due_cents = models.FloatField()\n"),
    "two positional arguments": ("keywords", SERVICES, 'def end(scope, row):\n    "x"\n'),
    "any number of arguments": (
        "keywords", "rapport/rooms/roster/services/ending.py", "def end(*rows):\n    pass\n",
    ),
    "another room's table": (
        "tables", SERVICES, "from rapport.rooms.ledger.models import Entry\nEntry.objects.all()\n",
    ),
    "a table from an interface": (
        "tables", "rapport/interfaces/rest/v1.py",
        "from rapport.rooms.ledger.models import Entry\nEntry.objects.visible_to(scope)\n",
    ),
    "an own table past the wall": ("tables", SERVICES, "row = Patient.objects.get(id=id)\n"),
    "SQL by f-string": ("danger", SERVICES, "cursor.execute(f'SELECT {x}')\n"),
    "SQL by percent": ("danger", SERVICES, "cursor.execute('SELECT %s' % x)\n"),
    "SQL by plus": ("danger", SERVICES, "cursor.execute('SELECT ' + x)\n"),
    "SQL by format": ("danger", SERVICES, "cursor.execute('SELECT {}'.format(x))\n"),
    "trusted HTML": ("danger", SERVICES, "html = mark_safe(text)\n"),
    "no CSRF check": ("danger", SERVICES, "@csrf_exempt\ndef view(request):\n    pass\n"),
    "eval": ("danger", SERVICES, "eval(text)\n"),
    "a shell": ("danger", "rapport/interfaces/cli/x.py", "subprocess.run(c, shell=True)\n"),
    "a machine's path": ("machine", "docs/install.md", "cd /" + "work/main\n"),
    "a registry": ("machine", "requirements.lock", "--index-url https://pypi" + ".org/simple\n"),
    "a decision nobody checks": ("decisions", "docs/adr/0042-x.md", "# x\n\n## Decision\nYes.\n"),
    "a check left empty": (
        "decisions", "docs/adr/0042-x.md", "# x\n\n## Decision\nYes.\n\n## Enforced by\n\n",
    ),
    "a file nobody reads in one sitting": ("length", SERVICES, "x = 1\n" * 601),
}  # fmt: skip

RIGHT = {
    "the clock at an edge": ("rapport/rooms/roster/api.py", "now = timezone.now()\n"),
    "the clock in a package of edges": (
        "rapport/platform/identity/api/keys.py", "now = timezone.now()\n",
    ),
    "the clock in a test": ("rapport/rooms/roster/tests/test_a.py", "now = timezone.now()\n"),
    "a span of time": (SERVICES, "import time\nbegan = time.monotonic()\n"),
    "an HTTP client in a connector": ("rapport/connectors/mail/driver.py", "import httpx\n"),
    "taking an address apart": (SERVICES, "from urllib.parse import urlsplit\n"),
    "move": (
        MODELS,
        "class A:\n    def move(self):\n        A.objects.filter(id=1).update(state='x')\n"
        "        self.state = 'x'\n",
    ),
    "a state at birth": (SERVICES, "row = Claim(state='draft')\n"),
    "a column with a word": (
        MODELS, 'class A(M):\n    npi = models.CharField(max_length=10)\n    """Type 1."""\n',
    ),
    "a column that needs none": (MODELS, "class A(M):\n    created_at = models.DateTimeField()\n"),
    "keywords": (SERVICES, "def end(*, scope, row):\n    pass\n\n\ndef _end(a, b):\n    pass\n"),
    "one argument that needs no name": (SERVICES, "def name_of(row, *, short):\n    pass\n"),
    "whole cents": (SERVICES, "share_cents = total_cents // 3\n"),
    "a ratio": (SERVICES, "share = float(part) / whole\n"),
    "within what the actor sees": (SERVICES, "Patient.objects.visible_to(scope).get(id=id)\n"),
    "parameters": (SERVICES, "cursor.execute('SELECT %s', [x])\n"),
    "constant SQL in two parts": (SERVICES, "cursor.execute('SELECT 1 ' + 'FROM x')\n"),
    "what the line allows, with a reason": (
        SERVICES, "row = Release.objects.get()  # lint: allow tables - of the installation\n",
    ),
    "a decision with its check": (
        "docs/adr/0042-x.md", "# x\n\n## Decision\nYes.\n\n## Enforced by\n\n`test_x.py`\n",
    ),
    "a long file of others": ("rapport/interfaces/desk/static/vendor/htmx.js", "x\n" * 5000),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "path", "text"), WRONG.values(), ids=WRONG.keys())
def test_the_wrong_form_is_found_by_the_rule_meant_for_it(rule: str, path: str, text: str) -> None:
    assert {found.rule for found in violations([Source(path, text)])} == {rule}


@pytest.mark.parametrize(("path", "text"), RIGHT.values(), ids=RIGHT.keys())
def test_the_right_form_passes(path: str, text: str) -> None:
    assert violations([Source(path, text)]) == []


def test_an_exception_without_a_reason_is_none() -> None:
    text = "row = Release.objects.get()  # lint: allow tables\n"

    assert [found.rule for found in violations([Source(SERVICES, text)])] == ["tables"]


def test_a_long_file_is_warned_of_before_it_is_stopped() -> None:
    (warned,) = violations([Source(SERVICES, "x = 1\n" * 401)])
    (stopped,) = violations([Source(SERVICES, "x = 1\n" * 601)])

    assert (warned.warning, stopped.warning) == (True, False)


GLOSSARY = words.read_glossary(
    "| Word | What it is | Never | Fine in |\n"
    "| --- | --- | --- | --- |\n"
    "| **patient** | A person in care | client, customer | HTTP client, `rapport/connectors/` |\n"
    "| **note** | What is written | | |\n"
)


@pytest.mark.parametrize(
    "text",
    [
        "def find_client(): ...\n",
        "class ClientRow: ...\n",
        "def find(*, client_id): ...\n",
        "the_client = 1\n",
        '"""Find the clients of a practice."""\n',
        "x = 1  # the customer's own\n",
    ],
)
def test_a_banned_word_is_found_in_names_docstrings_and_comments(text: str) -> None:
    (found,) = words.check(Source(SERVICES, text), GLOSSARY)

    assert found.message.endswith("the word is patient")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (SERVICES, "x = 1  # an HTTP client is not one of ours\n"),
        (SERVICES, "raw.client.create_bucket()\n"),
        (SERVICES, "clientele = 1\n"),
        ("rapport/connectors/mail/driver.py", "client = 1\n"),
    ],
)
def test_the_same_word_in_its_right_meaning_passes(path: str, text: str) -> None:
    assert list(words.check(Source(path, text), GLOSSARY)) == []


def test_the_glossary_of_this_repository_can_be_read() -> None:
    banned = words.read_glossary((ROOT / "docs" / "words.md").read_text(encoding="utf-8"))

    assert {"client", "therapist"} <= {entry.word for entry in banned}


def test_every_lint_has_a_wrong_and_the_runner_knows_it() -> None:
    files = {path.stem for path in (ROOT / "tools" / "lint").glob("*.py")}
    lints = {lint.__module__.rsplit(".", 1)[1] for lint in LINTS}

    assert lints == files - {"__init__", "__main__", "source"}
    assert lints == {rule for rule, _, _ in WRONG.values()} | {"words"}


def test_the_runner_names_file_and_line_and_ends_with_one(tmp_path: Path) -> None:
    wrong = tmp_path / "page.md"
    wrong.write_text("fine\nsee /" + "work/x\n", encoding="utf-8")

    run = subprocess.run(
        [sys.executable, "-m", "tools.lint", str(wrong)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert run.returncode == 1
    assert f"{wrong}:2 machine" in run.stdout


def test_this_repository_passes() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tools.lint"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout
