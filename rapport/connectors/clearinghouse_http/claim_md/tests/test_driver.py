from __future__ import annotations

import time

from rapport.connectors.clearinghouse_http.claim_md.driver import ClaimMdClearinghouse
from rapport.connectors.clearinghouse_http.claim_md.settings import ClaimMdSettings
from rapport.rooms.claims.ports import Clearinghouse, Held, InDoubt, Refused
from tests.support.clearinghouse_contract import (
    HttpContract,
    claim_file,
    everything,
    named,
)
from tests.support.sandbox import SandboxProcess


class TestClaimMdClearinghouse(HttpContract):
    keyed = False
    proves_absence = False
    compares_bytes = False
    kinds = ("277CA", "835")
    verbatim = False
    no_interchange = Refused("upload-refused", False, "the upload was answered with an error")

    def driver(self, sandbox: SandboxProcess, port: int, *, login: bool = True) -> Clearinghouse:
        return ClaimMdClearinghouse(
            ClaimMdSettings(
                account_key=sandbox.api_key if login else "wrong",
                sender_id="CLINICBH01",
                base_url=f"http://127.0.0.1:{port}",
                total_seconds=4,
                page_size=2,
            )
        )

    def test_an_upload_slower_than_the_limit_is_found_once_it_is_in(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        sandbox.script({"fault": "slow", "seconds": 5})

        assert isinstance(house.send(file=claim_file(2220), **named(2220)), InDoubt)
        # Right now it is not listed, and would be taken twice if that were taken for a no.
        assert isinstance(house.find(**named(2220), sha256=""), InDoubt)
        time.sleep(2)
        assert isinstance(house.find(**named(2220), sha256=""), Held)
        assert self.accepted_times(sandbox, 2220) == 1

    def test_a_claim_that_was_turned_away_is_told_as_a_277ca(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        from tests.support.claims837 import TestClaim, write_837p

        _, behind = everything(house, "")
        house.send(file=write_837p([TestClaim(number="C2224X0", member_id="SBX277A")], control=2224), **named(2224))

        [told] = everything(house, behind)[0]
        assert told.kind == "277CA"
        assert b"TRN*2*C2224X0~" in told.data
        assert b"STC*A3:21*" in told.data


def test_the_account_key_is_not_shown_with_the_settings() -> None:
    assert "secret" not in repr(ClaimMdSettings(account_key="secret", sender_id="X"))
