"""The five calls of the contract with the client that ships, against any practice: native or connected, the same program."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from typing import Any

from rapport.interfaces.cli.client import Caller, sign_in


def main(api: str, login: str, password: str, secret: str, visit: str) -> None:
    """Make the calls and print one line of JSON for each, as `five_calls.sh` does."""

    def say(call: str, answer: Any) -> Any:
        print(json.dumps({"call": call, "status": answer.status_code, "body": answer.json()}))
        return answer.json()

    base = api.removesuffix("/v1")
    first = Caller(base).send("POST", "/sessions", {"login": login, "password": password})
    say("password", first)
    caller = sign_in(base, {"login": login, "password": password, "totp_secret": secret})
    caller.http.timeout = 60
    say("me", caller.send("GET", "/me"))
    patient = say("roster", caller.send("GET", "/patients?limit=3"))["data"][0]
    clinician, first_day = patient["clinicians"][0]["id"], date.today() + timedelta(days=80)  # noqa: DTZ011 - any day will do
    window = f"from={first_day}&to={first_day + timedelta(days=5)}"
    free = say("free", caller.send("GET", f"/availability?clinician_id={clinician}&{window}&limit=1"))["data"][0]
    say("booking", caller.send("POST", "/appointments", {
        "patient_id": patient["id"], "clinician_id": clinician, "service_code": "90837", "start_at": free["start_at"],
        "duration_minutes": 50, "telehealth": True,
    }, prefer="wait"))  # fmt: skip
    note = say("notes", caller.send("GET", "/clinical-notes?status=signed&sort=service_on&limit=2"))["data"][0]
    link = say("paper", caller.send("POST", f"/clinical-notes/{note['id']}/document-link", {}))
    paper = caller.http.get(f"/document-links/{link['url'].rpartition('/')[2]}")
    assert paper.content.startswith(b"%PDF-"), paper.status_code
    say("claim", caller.send("POST", "/claims", {"appointment_ids": [visit]}, prefer="wait"))


if __name__ == "__main__":
    main(*sys.argv[1:])
