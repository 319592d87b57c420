"""The walls stand: the real tree keeps every contract, and each planted offence breaks its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = "from importlinter.cli import lint_imports_command; lint_imports_command()"

HOUSE = {
    "rapport/config/settings.py": "import rapport.interfaces.rest.v1\n",
    "rapport/interfaces/rest/v1.py": "from rapport.rooms.claims import api\n",
    "rapport/interfaces/cli/main.py": (
        "from rapport.config import settings\nfrom rapport.rooms.roster import services\n"
    ),
    "rapport/connectors/courier_one/driver.py": "from rapport.rooms.claims import ports\n",
    "rapport/connectors/courier_two/driver.py": "",
    "rapport/rooms/claims/api.py": (
        "from rapport.rooms.roster import schemas\n\nfrom . import services\n"
    ),
    "rapport/rooms/roster/schemas.py": "",
    "rapport/rooms/claims/services/sending.py": (
        "from rapport.rooms.claims import models\nfrom rapport.rooms.roster import queries\n"
    ),
    "rapport/rooms/claims/models.py": "import django\n\nfrom . import states\n",
    "rapport/rooms/claims/ports.py": "",
    "rapport/rooms/claims/rules/scrub.py": "from rapport.kernel import money\n",
    "rapport/rooms/claims/states.py": "",
    "rapport/rooms/remittance/services.py": "from rapport.rooms.claims import services\n",
    "rapport/rooms/roster/queries.py": "from . import models\n",
    "rapport/rooms/roster/services.py": "from . import queries\n",
    "rapport/rooms/roster/models.py": "import django\n",
    "rapport/rooms/roster/rules/phones.py": "",
    "rapport/rooms/roster/states.py": "",
    "rapport/platform/audit/write.py": "from rapport.platform.db import sql\n",
    "rapport/platform/audit/api.py": "from rapport.platform.api import router\n",
    "rapport/platform/api/router.py": "from rapport.platform.audit import write\n",
    "rapport/platform/db/sql.py": "import psycopg\n",
    "rapport/protocols/x12/reader.py": "from rapport.kernel import money\n",
    "rapport/protocols/webhooks/signing.py": "import cryptography\n",
    "rapport/kernel/money.py": "import decimal\n",
    "rapport/sandbox/payer/program.py": "import socket\n",
}
"""A house in small that keeps every contract."""


def _build(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for parent in path.relative_to(folder).parents:
            if parent.name:
                (folder / parent / "__init__.py").touch()


def broken(folder: Path) -> list[str]:
    """Run the contracts of this repository over a tree; return the names of the broken ones."""
    run = subprocess.run(
        [sys.executable, "-c", RUN, "--no-cache", "--config", str(ROOT / ".importlinter")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    names = re.findall(r"^(.+?) ?BROKEN", run.stdout, re.MULTILINE)
    assert run.returncode in (0, 1), run.stdout + run.stderr
    assert "kept," in run.stdout, run.stdout + run.stderr
    return names


def test_this_repository_keeps_every_contract() -> None:
    assert broken(ROOT) == []


def test_the_house_in_small_keeps_every_contract(tmp_path: Path) -> None:
    _build(tmp_path, HOUSE)

    assert broken(tmp_path) == []


OFFENCES = {
    "the platform imports a room": (
        "platform/db/sql.py", "from rapport.rooms.roster import queries", "Floors:",
    ),
    "an interface other than the command line imports config": (
        "interfaces/rest/v1.py", "from rapport.config import settings", "Floors:",
    ),
    "a floor that nobody placed": ("attic/box.py", "", "Floors:"),
    "the sandbox borrows the product's reader": (
        "sandbox/payer/program.py", "from rapport.protocols.x12 import reader",
        "Sandbox: programs of their own",
    ),
    "the product imports the sandbox": (
        "connectors/courier_one/driver.py", "from rapport.sandbox.payer import program",
        "Sandbox: the product does not know",
    ),
    "a lower room enters a higher one": (
        "rooms/roster/services.py", "from rapport.rooms.claims import queries", "Rooms:",
    ),
    "a room that nobody placed": ("rooms/gossip/services.py", "", "Rooms:"),
    "a model imports a service": (
        "rooms/roster/models.py", "from . import services", "Inside a room:",
    ),
    "a file with a name of its own": ("rooms/roster/helpers.py", "", "Inside a room:"),
    "a room takes another room's tables": (
        "rooms/claims/models.py", "from rapport.rooms.roster import models",
        "Doors: rooms call one another",
    ),
    "a connector takes a room's tables": (
        "connectors/courier_one/driver.py", "from rapport.rooms.claims import models",
        "Doors: a connector",
    ),
    "a service takes another room's shapes": (
        "rooms/claims/services/sending.py",
        "from rapport.rooms.roster import schemas",
        "Doors: rooms call one another",
    ),
    "an interface takes tables": (
        "interfaces/rest/v1.py", "from rapport.rooms.roster import models", "Doors: interfaces",
    ),
    "the command line takes tables": (
        "interfaces/cli/main.py", "from rapport.rooms.roster import models", "Doors: the command",
    ),
    "a connector leans on another": (
        "connectors/courier_one/driver.py", "from rapport.connectors.courier_two import driver",
        "Connectors know nothing",
    ),
    "a rule imports the framework": (
        "rooms/roster/rules/phones.py", "from django.conf import settings", "Plain values:",
    ),
    "a rule reaches the database through the platform": (
        "rooms/claims/rules/scrub.py", "from rapport.platform.db import sql", "Plain values:",
    ),
    "a protocol imports an HTTP client": (
        "protocols/x12/reader.py", "import httpx", "Bare floors:",
    ),
    "a protocol opens a socket": ("protocols/x12/reader.py", "import socket", "Bare floors:"),
    "cryptography outside the one file that may": (
        "protocols/x12/reader.py", "import cryptography", "Bare floors:",
    ),
    "the kernel imports a package": ("kernel/money.py", "import msgspec", "Bare floors:"),
    "two platform packages need each other": (
        "platform/db/sql.py", "from rapport.platform.audit import write", "No circles:",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "line", "contract"), OFFENCES.values(), ids=OFFENCES.keys())
def test_a_planted_offence_breaks_the_contract_meant_for_it(
    tmp_path: Path, file: str, line: str, contract: str
) -> None:
    name = f"rapport/{file}"
    _build(tmp_path, HOUSE | {name: f"{HOUSE.get(name, '')}{line}\n"})

    assert any(found.startswith(contract) for found in broken(tmp_path))


def test_a_test_may_go_where_its_room_may_not(tmp_path: Path) -> None:
    _build(
        tmp_path,
        HOUSE
        | {
            "rapport/rooms/roster/tests/test_story.py": "from rapport.rooms.claims import models\n",
            "rapport/protocols/x12/tests/test_reader.py": "import pytest\n",
        },
    )

    assert broken(tmp_path) == []
