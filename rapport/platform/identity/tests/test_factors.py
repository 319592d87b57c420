"""Second factors: enrol, replace, recovery codes, and no way to be without (S-024, S-030, S-031)."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
import time_machine
from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.platform.crypto import aead
from rapport.platform.identity import mfa
from rapport.platform.identity.models import MfaFactor, RecoveryCode, User
from tests.support.cast import PASSWORD, Api, House

from .people import Caller, Staff, hire, trail
from .test_signing_in import code_of


def signed_in(staff: Staff) -> Api:
    return Api(Caller().sign_in(staff)["token"])


def test_the_second_factor_cannot_be_turned_off(willow: House) -> None:
    """S-024 Neither for the practice, nor for a member, nor by the person: 403, and in the trail."""
    maya = hire(willow)
    me = signed_in(maya)
    factor = next(f for f in me.get("/v1/mfa/factors").json()["data"] if f["type"] == "totp")
    practice = f"/v1/practices/{type_id('practice', willow.id)}"
    member = f"/v1/memberships/{type_id('membership', maya.membership_id)}"
    admin = willow.admin

    for answer in (
        admin.patch(practice, {"mfa_required": False}, if_match=admin.get(practice)["ETag"]),
        admin.patch(member, {"mfa_required": False}, if_match=admin.get(member)["ETag"]),
        me.patch(f"/v1/mfa/factors/{factor['id']}", {"state": "disabled"}),
        me.delete(f"/v1/mfa/factors/{factor['id']}"),
    ):
        assert code_of(answer) == (403, "mfa-required-by-policy")
    assert trail(willow, "mfa.disable") == [("deny", "mfa-required-by-policy")] * 4
    # Control: saying that it is required changes nothing, and is no offence.
    same = admin.patch(practice, {"mfa_required": True}, if_match=admin.get(practice)["ETag"])
    assert (same.status_code, same.json()["mfa_required"]) == (200, True)


def test_a_recovery_code_works_once_and_is_never_listed(willow: House) -> None:
    """S-030 The second use is 401; the list shows a number."""
    maya = hire(willow)
    first = Caller().second(Caller().ticket(maya.login), maya.recovery[0], "recovery")
    again = Caller().second(Caller().ticket(maya.login), maya.recovery[0], "recovery")
    other = Caller().second(Caller().ticket(maya.login), maya.recovery[1].upper(), "recovery")

    assert first.status_code == other.status_code == 201
    assert first.json()["amr"] == ["pwd", "recovery"]
    assert code_of(again) == (401, "code-used")
    assert trail(willow, "mfa.recovery") == [("allow", None), ("deny", "used"), ("allow", None)]
    listed = Api(first.json()["token"]).get("/v1/mfa/factors")
    shown = {entry["type"]: entry["remaining"] for entry in listed.json()["data"]}
    assert shown == {"totp": None, "recovery": 8}
    assert not any(code.encode() in listed.content for code in maya.recovery)


def test_new_recovery_codes_take_a_fresh_code_and_void_the_old(willow: House) -> None:
    maya = hire(willow)
    me = signed_in(maya)

    assert me.post("/v1/mfa/recovery-codes").status_code == 422
    assert code_of(me.post("/v1/mfa/recovery-codes", {"code": maya.code(-90)})) == (
        401,
        "code-wrong",
    )
    made = me.post("/v1/mfa/recovery-codes", {"code": maya.fresh()})

    assert made.status_code == 201
    assert len(set(made.json()["codes"])) == 10
    caller = Caller()
    assert caller.second(caller.ticket(maya.login), maya.recovery[0], "recovery").status_code == 401
    new = caller.second(caller.ticket(maya.login), made.json()["codes"][0], "recovery")
    assert new.status_code == 201


def test_an_authenticator_is_replaced_only_by_who_shows_the_old_one(willow: House) -> None:
    maya = hire(willow)
    me, other_device = signed_in(maya), None
    with time_machine.travel(timezone.now() + timedelta(seconds=60), tick=False):
        other_device = signed_in(maya)
        assert code_of(me.post("/v1/mfa/totp", {})) == (401, "step-up-required")
        assert code_of(me.post("/v1/mfa/totp", {"code": "000000"}))[0] == 401
        begun = me.post("/v1/mfa/totp", {"code": maya.recovery[0]})
        assert begun.status_code == 201
        secret = begun.json()["secret"]
        assert f"secret={secret}" in begun.json()["otpauth_url"]
        # Until it is confirmed the old one works, and the new one does not.
        new = pyotp.TOTP(secret)
        early = Caller().second(Caller().ticket(maya.login), new.at(timezone.now()))
        assert code_of(early) == (401, "code-wrong")
        assert code_of(me.post("/v1/mfa/totp/confirm", {"code": maya.code(30)}))[0] == 401
    with time_machine.travel(timezone.now() + timedelta(seconds=120), tick=False):
        confirmed = me.post("/v1/mfa/totp/confirm", {"code": new.at(timezone.now())})
        assert confirmed.status_code == 200
        assert confirmed.json()["recovery_codes"] == []
    with time_machine.travel(timezone.now() + timedelta(seconds=180), tick=False):
        old = Caller().second(Caller().ticket(maya.login), maya.code())
        assert code_of(old) == (401, "code-wrong")
        good = Caller().second(Caller().ticket(maya.login), new.at(timezone.now()))
        assert good.status_code == 201
    # What was signed in with the old one elsewhere is at an end; this session goes on (S-037).
    assert code_of(other_device.get("/v1/me")) == (401, "token-revoked")
    assert me.get("/v1/me").status_code == 200


def test_a_secret_is_sealed_to_its_person(willow: House) -> None:
    """S-031 What is kept of secrets is sealed with its place, or an HMAC; a copied seal is broken."""
    maya, luz = hire(willow, "maya"), hire(willow, "luz")
    mine = MfaFactor.objects.get(user_id=maya.user_id)
    hers = MfaFactor.objects.get(user_id=luz.user_id)

    assert maya.secret.encode() not in bytes(mine.secret_sealed)
    assert User.objects.get(id=maya.user_id).password.startswith("argon2$argon2id$")
    stored = {bytes(code.digest) for code in RecoveryCode.objects.filter(user_id=maya.user_id)}
    assert not any(code.encode() in digest for code in maya.recovery for digest in stored)
    hers.secret_sealed = mine.secret_sealed
    with pytest.raises(aead.SealBroken):
        mfa._secret(hers)
    assert mfa._secret(mine) == maya.secret  # control


def test_a_program_has_no_second_factor(willow: House) -> None:
    hire(willow)
    key = willow.key("maya")

    for answer in (
        key.get("/v1/mfa/factors"),
        key.post("/v1/mfa/totp", {}),
        key.get("/v1/sessions"),
        key.delete("/v1/sessions"),
    ):
        assert code_of(answer) == (403, "person-only")


def test_wrong_codes_inside_a_session_count_like_those_at_the_door(willow: House) -> None:
    maya = hire(willow)
    me = signed_in(maya)

    statuses = [
        me.post("/v1/mfa/recovery-codes", {"code": "00000a"}).status_code for _ in range(11)
    ]

    assert statuses == [401] * 10 + [429]
    assert Caller().second(Caller().ticket(maya.login), maya.fresh()).status_code == 429
    assert Caller().password(maya.login, PASSWORD).status_code == 401
