"""Signatures, checked by the public library as a receiver would."""

from __future__ import annotations

import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from rapport.protocols.webhooks import signing
from rapport.protocols.webhooks.schedule import RETRY_SECONDS, delay_before

SECRET = bytes(range(32))
BODY = b'{"id":"evt_1","type":"claim.submitted"}'


def test_the_public_library_accepts_our_signature_and_refuses_any_change() -> None:
    at = int(time.time())
    sent = signing.headers("evt_1", at, [signing.sign_v1(SECRET, "evt_1", at, BODY)])
    receiver = Webhook(signing.secret_text(SECRET))

    assert receiver.verify(BODY, sent) == {"id": "evt_1", "type": "claim.submitted"}
    for changed in (sent | {"webhook-id": "evt_2"}, sent | {"webhook-timestamp": str(at - 400)}):
        with pytest.raises(WebhookVerificationError):
            receiver.verify(BODY, changed)
    with pytest.raises(WebhookVerificationError):
        receiver.verify(BODY + b" ", sent)


def test_during_a_rotation_either_secret_is_right() -> None:
    at = int(time.time())
    other = bytes(reversed(SECRET))
    signatures = [signing.sign_v1(secret, "evt_1", at, BODY) for secret in (SECRET, other)]

    for secret in (SECRET, other):
        assert signing.verify(
            message_id="evt_1", timestamp=str(at), signature=" ".join(signatures), body=BODY,
            now=at, secrets=[secret],
        )  # fmt: skip


@pytest.mark.parametrize("late", [-301, 301])
def test_an_old_or_future_signature_is_refused(late: int) -> None:
    signature = signing.sign_v1(SECRET, "evt_1", 1000, BODY)
    assert not signing.verify(
        message_id="evt_1", timestamp="1000", signature=signature, body=BODY, now=1000 + late,
        secrets=[SECRET],
    )  # fmt: skip


def test_an_ed25519_signature_is_checked_with_the_public_key_alone() -> None:
    signature = signing.sign_v1a(SECRET, "evt_1", 1000, BODY)
    key = signing.public_key(SECRET)

    def check(body: bytes) -> bool:
        return signing.verify(
            message_id="evt_1", timestamp="1000", signature=signature, body=body, now=1000,
            public_keys=[key],
        )  # fmt: skip

    assert check(BODY)
    assert not check(BODY + b"x")


def test_the_schedule_keeps_inside_its_jitter_and_ends() -> None:
    for attempt, seconds in enumerate(RETRY_SECONDS, 1):
        assert delay_before(attempt, chance=0) == pytest.approx(seconds * 0.8)
        assert delay_before(attempt, chance=1) == pytest.approx(seconds * 1.2)
    assert delay_before(len(RETRY_SECONDS) + 1, chance=0) is None
