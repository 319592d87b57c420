"""
Typeset documents with typst: PDF/A-2b, tagged, embedded fonts.

Runs in a child process with an empty environment and limits on time, memory and files: it can
write no file and leaves no core dump. Templates read inside their folder only, and name no
package, which is the one thing typst would fetch. Data goes in as JSON, is never read as markup,
and so can name neither.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .glyphs import showable_data

TEMPLATES = Path(__file__).parent / "templates"
SECONDS = 30
"""A document that takes longer is refused."""
MEMORY_BYTES = 1024 * 1024 * 1024

_CHILD = """
import resource, sys
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[3]), int(sys.argv[3])))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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

    Characters that no embedded font can show are printed by number and name (see `glyphs`).

    :param template: name of a file in `templates`, without its ending
    :raises CannotTypeset: it could not be made; the reason holds nothing of the data
    """
    if not template.isidentifier():
        raise CannotTypeset("there is no such template")
    done = _compile(template, showable_data(dict(data)))
    if done.returncode == 1:
        # Each character has a glyph, but some sequence of them has none in any one font.
        done = _compile(template, showable_data(dict(data), simple=True))
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF"):
        raise CannotTypeset(f"the typesetter ended with {done.returncode}")
    return done.stdout


def _compile(template: str, data: Any) -> subprocess.CompletedProcess[bytes]:
    path = TEMPLATES / f"{template}.typ"
    try:
        return subprocess.run(
            [sys.executable, "-I", "-c", _CHILD, str(path), str(MEMORY_BYTES), str(SECONDS), str(TEMPLATES)],
            input=json.dumps(data).encode(),
            capture_output=True,
            timeout=SECONDS + 5,
            check=False,
            env={"PATH": ""},
        )
    except subprocess.TimeoutExpired as error:
        raise CannotTypeset("it took too long") from error
