from __future__ import annotations

import time

import pytest

from rapport.connectors.clearinghouse_http.claim_md.driver import ClaimMdClearinghouse
from rapport.connectors.clearinghouse_http.claim_md.settings import ClaimMdSettings
from rapport.rooms.claims.ports import Clearinghouse, Held, InDoubt, Later, Refused
from tests.support.clearinghouse_contract import (
    ClearinghouseContract,
    claim_file,
    everything,
    named,
)
from tests.support.faultproxy import Fault, FaultProxy
from tests.support.sandbox import SandboxProcess


class TestClaimMdClearinghouse(ClearinghouseContract):
    keyed = False
    proves_absence = False
    compares_bytes = False
    kinds = ("277CA", "835")
    verbatim = False

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

    def target_port(self, sandbox: SandboxProcess) -> int:
        return sandbox.http_port

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [({"fault": "429", "seconds": 7}, Later(7)), ({"fault": "503", "seconds": 30}, Later(30))],
    )
    def test_a_busy_clearinghouse_says_when_to_come_back(
        self, sandbox: SandboxProcess, house: Clearinghouse, fault: dict[str, object], expected: Later
    ) -> None:
        sandbox.script(fault)

        assert house.send(file=claim_file(2201), **named(2201)) == expected

    @pytest.mark.parametrize("kind", ["500", "html200"])
    @pytest.mark.parametrize(("accept", "control"), [(True, 2202), (False, 2203)])
    def test_a_reply_that_says_nothing_is_in_doubt_whether_or_not_the_file_was_taken(
        self, sandbox: SandboxProcess, house: Clearinghouse, kind: str, accept: bool, control: int
    ) -> None:
        control += 10 if kind == "500" else 0
        sandbox.script({"fault": kind, "accept": accept})

        assert isinstance(house.send(file=claim_file(control), **named(control)), InDoubt)
        assert isinstance(house.find(**named(control), sha256=""), Held if accept else InDoubt)

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

    def test_half_a_reply_is_no_reply(self, proxy: FaultProxy, house: Clearinghouse) -> None:
        proxy.next(Fault("cut_response", bytes=40))

        assert isinstance(house.send(file=claim_file(2222), **named(2222)), InDoubt)

    def test_bytes_that_are_no_interchange_are_refused(self, house: Clearinghouse) -> None:
        answer = house.send(file=b"no interchange at all", **named(2223))

        assert answer == Refused("upload-refused", False, "the upload was answered with an error")

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
