from __future__ import annotations

import time

from rapport.connectors.clearinghouse_http.stedi.driver import StediClearinghouse
from rapport.connectors.clearinghouse_http.stedi.settings import StediSettings
from rapport.rooms.claims.ports import Clearinghouse, InDoubt, Sent
from tests.support.clearinghouse_contract import (
    HttpContract,
    claim_file,
    everything,
    named,
)
from tests.support.faultproxy import FaultProxy
from tests.support.sandbox import SandboxProcess

SENDER = "CLINICBH01"


class TestStediClearinghouse(HttpContract):
    compares_bytes = False

    def driver(self, sandbox: SandboxProcess, port: int, *, login: bool = True) -> Clearinghouse:
        return StediClearinghouse(
            StediSettings(
                api_key=sandbox.api_key if login else "wrong",
                sender_id=SENDER,
                base_url=f"http://127.0.0.1:{port}/2024-04-01",
                answers_url=f"http://127.0.0.1:{port}/2023-08-01",
                total_seconds=4,
                page_size=2,
            )
        )

    def test_a_call_that_finds_the_first_still_at_work_is_in_doubt_and_ends_as_one(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        file = claim_file(2120)
        sandbox.script({"fault": "slow", "seconds": 4.8})

        assert isinstance(house.send(file=file, **named(2120)), InDoubt)
        busy = house.send(file=file, **named(2120))
        time.sleep(1)

        assert isinstance(busy, InDoubt)
        assert isinstance(house.send(file=file, **named(2120)), Sent)
        assert self.accepted_times(sandbox, 2120) == 1

    def test_the_control_another_key_bills_the_same_claim_twice(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        file = claim_file(2121)

        house.send(file=file, **named(2121))
        house.send(file=file, name=named(2121)["name"], key="another")

        assert self.accepted_times(sandbox, 2121) == 2

    def test_a_999_that_is_addressed_to_somebody_else_is_about_an_envelope_that_is_not_ours(
        self, sandbox: SandboxProcess, proxy: FaultProxy, house: Clearinghouse
    ) -> None:
        house.send(file=claim_file(2124), **named(2124))
        url = f"http://127.0.0.1:{proxy.port}"
        other = StediClearinghouse(
            StediSettings(
                api_key=sandbox.api_key, sender_id="SOMEBODY",
                base_url=f"{url}/2024-04-01", answers_url=f"{url}/2023-08-01",
            )
        )  # fmt: skip

        assert "999" in {one.kind for one in everything(house, "")[0]}, "the control: ours is taken"
        assert {one.kind for one in everything(other, "")[0]} == {"277CA", "835"}


def test_the_key_is_not_shown_with_the_settings() -> None:
    assert "secret" not in repr(StediSettings(api_key="secret", sender_id=SENDER))
