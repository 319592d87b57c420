"""Wrong passwords: limits by login, by address and over all (security S-032)."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.identity import throttle
from rapport.platform.identity.models import Attempt
from tests.support.cast import PASSWORD, House

from .people import Caller, hire, trail


def test_one_login_from_one_address(willow: House) -> None:
    """S-032 Twenty wrong passwords: refused from the eleventh on; the owner elsewhere is not."""
    maya = hire(willow)
    attacker = Caller()

    answers = [attacker.password(maya.login, f"wrong password {number}") for number in range(20)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 10
    assert 0 < int(answers[-1]["Retry-After"]) <= 15 * 60
    assert attacker.password(maya.login).status_code == 429
    Caller().sign_in(maya)
    rows = trail(willow, "auth.password")
    assert rows.count(("deny", "bad")) == 10
    assert rows.count(("deny", "throttled")) == 11
    # Going on does not make it longer: it ends fifteen minutes after the tenth.
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=5), tick=False):
        assert attacker.password(maya.login).json()["code"] == "mfa-required"


def test_a_forged_forwarding_header_changes_nothing(willow: House) -> None:
    """S-032 A new X-Forwarded-For with each try counts as the same address."""
    maya = hire(willow)
    attacker = Caller()

    statuses = [
        attacker.call(
            "POST", "/v1/sessions", {"login": maya.login, "password": f"wrong {number}"},
            **{"X-Forwarded-For": f"198.51.100.{number}"},
        ).status_code
        for number in range(12)
    ]  # fmt: skip

    assert statuses == [401] * 10 + [429] * 2


def test_many_logins_from_one_address(willow: House) -> None:
    """S-032 Two hundred logins from one address: refused from the fifty-first on."""
    attacker = Caller()

    statuses = [
        attacker.password(f"{new_uuid().hex}@example.org", f"guess number {number}").status_code
        for number in range(200)
    ]

    assert statuses == [401] * 50 + [429] * 150
    Caller().sign_in(hire(willow))  # control: others are let in meanwhile


def test_one_password_on_many_logins_from_many_addresses(willow: House) -> None:
    """S-032 A sprayed password is refused from its twenty-first login on, whoever sends it."""
    sprayed = f"Spring {new_uuid().hex}"

    answers = [Caller().password(f"{new_uuid().hex}@example.org", sprayed) for _ in range(25)]

    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 5
    other = Caller().password(f"{new_uuid().hex}@example.org", f"Autumn {new_uuid().hex}")
    assert other.status_code == 401  # control: another password is still judged


def test_an_attack_from_everywhere_does_not_lock_the_owner_out(willow: House) -> None:
    """S-032 Where the person has signed in before, wrong passwords from elsewhere do not count."""
    maya = hire(willow)
    home = Caller()
    home.sign_in(maya)
    for number in range(31):
        Caller().password(maya.login, f"wrong password {new_uuid().hex} {number}")

    assert Caller().password(maya.login).status_code == 429  # control: the login's limit is reached
    assert home.password(maya.login).json()["code"] == "mfa-required"


def test_no_password_or_login_is_kept_in_the_counters(willow: House) -> None:
    maya = hire(willow)
    Caller().password(maya.login, "wrong " + PASSWORD)

    for attempt in Attempt.objects.order_by("-id")[:4]:
        assert len(bytes(attempt.bucket)) == 32
        assert maya.login.encode() not in bytes(attempt.bucket)
    assert int(throttle.short(PASSWORD)) < 2**20
