"""`rapport`: one command, with sub-commands. Exit codes: 0 done, 1 findings or failure, 2 usage."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "up": "start everything on this machine, play one visit, serve until Ctrl-C",
    "serve": "serve the API and the pages",
    "worker": "run jobs, deliver webhooks, look after the audit chain",
    "migrate": "make the database what this version needs",
    "demo": "load the demo practices when the store is empty",
    "visit": "play one visit through the public API, a line per step",
    "doctor": "say what is unsafe or missing here",
    "keys": "show the installation's key ids, or add a new key",
    "connect": "write, try and fit the definition of a portal",
    "x12": "check, show or round-trip X12 files",
}
"""Each is a module of this folder with `register(parser)` and `run(arguments) -> int`."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(prog="rapport", description="The open practice platform.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        module = importlib.import_module(f"rapport.interfaces.cli.{name}")
        sub = commands.add_parser(name, help=summary, description=module.__doc__)
        module.register(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
