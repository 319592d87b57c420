"""
Typeset documents with typst: PDF/A-2b, tagged, embedded fonts.

Runs in a child process without network and with limits on time and memory; the template folder
is all it can read. Data goes in as JSON and is never read as markup.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"
SECONDS = 30
"""A document that takes longer is refused."""
MEMORY_BYTES = 1024 * 1024 * 1024

_CHILD = """
import resource, sys
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[3]), int(sys.argv[3])))
import typst
pdf = typst.compile(sys.argv[1], root=sys.argv[4], sys_inputs={"data": sys.stdin.read()},
                    ignore_system_fonts=True, pdf_standards=["a-2b"])
sys.stdout.buffer.write(pdf)
"""


class CannotTypeset(RuntimeError):
    """The document could not be made: too long, or a defect in the template."""


def typeset(template: str, data: Mapping[str, Any]) -> bytes:
    """
    Return the PDF of a template with this data.

    :param template: name of a file in `templates`, without its ending
    :raises CannotTypeset: it could not be made; the reason holds nothing of the data
    """
    path = TEMPLATES / f"{template}.typ"
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD, str(path), str(MEMORY_BYTES), str(SECONDS), str(TEMPLATES)],
            input=json.dumps(data).encode(),
            capture_output=True,
            timeout=SECONDS + 5,
            check=False,
            env={"PATH": ""},
        )
    except subprocess.TimeoutExpired as error:
        raise CannotTypeset("it took too long") from error
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF"):
        raise CannotTypeset(f"the typesetter ended with {done.returncode}")
    return done.stdout
