from __future__ import annotations

from dataclasses import replace

import asyncssh
import pytest

from rapport.connectors.clearinghouse_sftp.driver import SftpClearinghouse
from rapport.connectors.clearinghouse_sftp.settings import SftpSettings
from rapport.rooms.claims.ports import Clearinghouse, Held, InDoubt, Later, NotHeld, Refused, Sent
from tests.support.clearinghouse_contract import (
    BIG,
    ClearinghouseContract,
    claim_file,
    digest,
    named,
)
from tests.support.faultproxy import Fault, FaultProxy
from tests.support.sandbox import SandboxProcess


def settings_for(sandbox: SandboxProcess, port: int) -> SftpSettings:
    return SftpSettings(
        host="127.0.0.1",
        port=port,
        user=sandbox.sftp_user,
        password=sandbox.sftp_password,
        host_key=sandbox.sftp_host_key,
        keeps_received_in=("/inbound",),
        total_seconds=6,
        page_size=2,
        local=True,
    )


class TestSftpClearinghouse(ClearinghouseContract):
    def driver(self, sandbox: SandboxProcess, port: int, *, login: bool = True) -> Clearinghouse:
        settings = settings_for(sandbox, port)
        return SftpClearinghouse(settings if login else replace(settings, password="wrong"))

    def target_port(self, sandbox: SandboxProcess) -> int:
        return sandbox.sftp_port

    def test_a_server_with_another_key_is_not_given_the_file(
        self, sandbox: SandboxProcess, proxy: FaultProxy
    ) -> None:
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        house = SftpClearinghouse(replace(settings_for(sandbox, proxy.port), host_key=other))

        answer = house.send(file=claim_file(3001), **named(3001))

        assert isinstance(answer, Refused)
        assert (answer.reason_code, answer.try_again) == ("host-key-refused", False)

    def test_a_server_on_an_address_of_our_own_network_is_not_called(
        self, sandbox: SandboxProcess, proxy: FaultProxy
    ) -> None:
        file, inside = claim_file(3010), replace(settings_for(sandbox, proxy.port), local=False)

        answer = SftpClearinghouse(inside).send(file=file, **named(3010))

        assert isinstance(answer, Refused)
        assert (answer.reason_code, answer.try_again) == ("address-not-allowed", False)
        assert isinstance(
            SftpClearinghouse(inside).find(**named(3010), sha256=digest(file)), InDoubt
        )
        assert SftpClearinghouse(inside).list_inbound(after="")[0] == ()
        allowed = SftpClearinghouse(replace(inside, local=True))
        assert isinstance(allowed.send(file=file, **named(3010)), Sent), "the control"

    def test_a_connection_cut_before_the_rename_is_certainly_not_sent(
        self, sandbox: SandboxProcess, proxy: FaultProxy, house: Clearinghouse
    ) -> None:
        file = claim_file(3002, claims=BIG)
        proxy.next(Fault("cut_request", bytes=len(file) // 2))

        assert isinstance(house.send(file=file, **named(3002)), Later)
        assert list((sandbox.home / "sftp/inbound").glob("B3002.837.*.part"))

        assert isinstance(house.send(file=file, **named(3002)), Sent)
        assert not list((sandbox.home / "sftp/inbound").glob("B3002.837.*.part"))
        assert self.accepted_times(sandbox, 3002) == 1

    @pytest.mark.parametrize(("accept", "control"), [(True, 3003), (False, 3004)])
    def test_a_refused_rename_is_looked_at_before_it_is_believed(
        self, sandbox: SandboxProcess, house: Clearinghouse, accept: bool, control: int
    ) -> None:
        sandbox.script({"fault": "500", "accept": accept})

        answer = house.send(file=claim_file(control), **named(control))

        assert isinstance(answer, Sent if accept else Later)

    def test_a_rename_that_never_happened_is_in_doubt_and_then_not_held(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        file = claim_file(3005)
        sandbox.script({"fault": "drop_reply", "accept": False})

        assert isinstance(house.send(file=file, **named(3005)), InDoubt)
        assert house.find(**named(3005), sha256=digest(file)) == NotHeld()
        assert isinstance(house.send(file=file, **named(3005)), Sent)
        assert self.accepted_times(sandbox, 3005) == 1

    def test_a_rename_slower_than_our_patience_cannot_succeed_after_we_were_told_not_held(
        self, sandbox: SandboxProcess, proxy: FaultProxy
    ) -> None:
        file = claim_file(3006)
        hasty = SftpClearinghouse(replace(settings_for(sandbox, proxy.port), total_seconds=2))
        sandbox.script({"fault": "slow", "seconds": 4})

        assert isinstance(hasty.send(file=file, **named(3006)), InDoubt)
        assert hasty.find(**named(3006), sha256=digest(file)) == NotHeld()
        assert isinstance(hasty.send(file=file, **named(3006)), Sent)
        assert self.accepted_times(sandbox, 3006) == 1

    def test_absence_proves_nothing_where_files_are_picked_up(
        self, sandbox: SandboxProcess, proxy: FaultProxy
    ) -> None:
        house = SftpClearinghouse(replace(settings_for(sandbox, proxy.port), keeps_received_in=()))

        assert isinstance(house.find(**named(3007), sha256=digest(b"x")), InDoubt)
        house.send(file=claim_file(3007), **named(3007))
        assert isinstance(house.find(**named(3007), sha256=digest(claim_file(3007))), Held)

    def test_a_folder_that_is_not_there_or_not_ours_is_refused(
        self, sandbox: SandboxProcess, proxy: FaultProxy
    ) -> None:
        settings = settings_for(sandbox, proxy.port)
        reasons = []
        for folder in ("/nowhere", "/outbound"):
            house = SftpClearinghouse(replace(settings, upload_folder=folder))
            answer = house.send(file=claim_file(3008), **named(3008))
            assert isinstance(answer, Refused)
            reasons.append(answer.reason_code)

        assert reasons == ["no-such-folder", "permission-denied"]


@pytest.mark.parametrize("left_out", ["host", "user", "host_key", "password"])
def test_settings_without_which_nobody_could_log_in_safely_are_refused(left_out: str) -> None:
    whole = {"host": "edi.example.org", "user": "practice", "host_key": "ssh-ed25519 AAAA"}
    with pytest.raises(ValueError, match="needed"):
        SftpSettings(**{**whole, "password": "secret", left_out: ""})


def test_a_host_key_nobody_can_read_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(asyncssh.KeyImportError):
        SftpClearinghouse(SftpSettings("127.0.0.1", "practice", "ssh-ed25519 nonsense", "secret"))


def test_secrets_are_not_shown_with_the_settings() -> None:
    shown = repr(SftpSettings("h", "u", "k", password="hidden-1", private_key="hidden-2"))
    assert "hidden" not in shown
