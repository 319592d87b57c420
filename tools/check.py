"""`./run check`: style, types, walls, house lints, migrations. Exits 1 when one of them objects."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def steps() -> list[tuple[str, list[str]]]:
    """Return name and command of each check, quickest first."""
    python = sys.executable
    found = [
        ("style", [python, "-m", "ruff", "check", "--quiet", "."]),
        ("walls", [python, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]),
        ("migrations", [python, "manage.py", "makemigrations", "--check", "--dry-run"]),
        ("types", [python, "-m", "mypy", "rapport", "tools"]),
    ]
    if (ROOT / "tools" / "lint").is_dir():
        found.insert(1, ("house lints", [python, "-m", "tools.lint"]))
    return found


def main() -> int:
    """Run every check; say which objects and what it says."""
    bad = []
    with tempfile.TemporaryDirectory(prefix="rapport-check-") as home:
        environment = os.environ | {
            "RAPPORT_HOME": home, "RAPPORT_MODE": "test", "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore", "DJANGO_SETTINGS_MODULE": "rapport.config.settings",
        }  # fmt: skip
        for name, command in steps():
            began = time.monotonic()
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            verdict = "ok" if done.returncode == 0 else "FAILED"
            print(f"{name:12} {verdict:7} {time.monotonic() - began:5.1f} s", flush=True)
            if done.returncode != 0:
                bad.append(name)
                print((done.stdout + done.stderr).strip()[-6000:], flush=True)
    if bad:
        print(f"{len(bad)} check(s) failed: {', '.join(bad)}")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
