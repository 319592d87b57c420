"""The sandbox portal as a program, a definition of it that the tests sign themselves, and a driver between."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals.browser import CHROMIUM

needs_chromium = pytest.mark.skipif(
    not Path(CHROMIUM).exists() and "CI" not in os.environ, reason=f"signs in with a real browser, and there is none at {CHROMIUM}"
)


def words(*english: str) -> dict[str, Any]:
    return {"en": list(english)}


PASSWORD_PROMPT = {
    "name": "password", "seen": {"has": {"tag": "input", "type": ["password"]}},
    "fill": {
        "practice": {"anchor": {"role": "textbox", "name": ["practice"], "labels": words("Practice code"), "autocomplete": "organization"}, "value": "$identity.practice_code"},
        "user": {"anchor": {"role": "textbox", "name": ["user"], "labels": words("User name", "Login"), "autocomplete": "username"}, "value": "$identity.username"},
        "password": {"anchor": {"role": "textbox", "type": ["password"], "name": ["password"], "labels": words("Password"), "only": True}, "value": "$secret.password"},
    },
    "press": {"role": "button", "labels": words("Sign in", "Log in"), "only": True, "recorded": "label"},
}  # fmt: skip
CODE_PROMPT = {
    "name": "code", "seen": {"has": {"tag": "input", "autocomplete": "one-time-code"}},
    "fill": {"code": {"anchor": {"role": "textbox", "name": ["code"], "autocomplete": "one-time-code", "labels": words("Verification code", "Security code")}, "value": "$code"}},
    "press": {"role": "button", "labels": words("Verify", "Continue"), "veto": words("another", "resend", "cancel"), "recorded": "label"},
    "challenge": {
        "factor": "totp", "masked": {"element": {"id": "destination"}},
        "factor_from": [["sms", {"has": {"id": "destination", "text_any": words("-0142")}}], ["email", {"has": {"id": "destination"}}]],
        "resend": {"role": "button", "name": ["resend"], "labels": words("Send another code")},
    },
}  # fmt: skip


def notice(reason: str, text: str) -> dict[str, Any]:
    return {"name": reason.replace("_", "-"), "seen": {"has": {"id": "notice", "text_any": words(text)}}, "means": reason}
