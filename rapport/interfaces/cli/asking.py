"""What a command asks of the person at it: secrets, which stand on no command line, and codes."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

_FROM = {"password": "RAPPORT_PORTAL_PASSWORD", "totp_seed": "RAPPORT_PORTAL_TOTP_SEED"}


class BadPair(ValueError):
    """Something that should be NAME=VALUE is not."""


def pairs(given: Sequence[str]) -> dict[str, str]:
    """Take NAME=VALUE apart. :raises BadPair: one is not so"""
    found = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise BadPair("NAME=VALUE is wanted, and one has no =")
        found[name] = value
    return found


def secrets(known: Mapping[str, str] | None) -> dict[str, str]:
    """Return a user's secrets: from the file that was read, else from the environment, else as they are typed."""
    if known is not None:
        return dict(known)
    found = {name: os.environ[variable] for name, variable in _FROM.items() if os.environ.get(variable)}
    if "password" not in found and sys.stdin.isatty():
        found["password"] = getpass.getpass("Password of the portal's user: ")
        found |= {"totp_seed": seed} if (seed := getpass.getpass("Seed of its authenticator app (empty: none): ")) else {}
    return found


def code(challenge: Any) -> str | None:
    """Ask for the code that a portal sent, from the person or from standard input; None: there is none."""
    where = f" to {challenge.masked_destination}" if challenge.masked_destination else ""
    if challenge.factor.value == "push":
        print("Answer the message on the telephone, then press Enter.", file=sys.stderr)
        return "" if sys.stdin.readline() else None
    print(f"The portal asks for a code ({challenge.factor.value}{where}):", file=sys.stderr)
    line = getpass.getpass("Code: ") if sys.stdin.isatty() else sys.stdin.readline()
    return line.strip() or None
