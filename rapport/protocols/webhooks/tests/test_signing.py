"""Signatures, checked by the public library as a receiver would."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
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


def test_we_accept_what_the_public_library_signs() -> None:
    at = datetime.now(UTC)
    theirs = Webhook(signing.secret_text(SECRET)).sign("evt_1", at, BODY.decode())

    def check(body: bytes) -> bool:
        return signing.verify(
            message_id="evt_1", timestamp=str(int(at.timestamp())), signature=theirs, body=body,
            now=int(at.timestamp()), secrets=[SECRET],
        )  # fmt: skip

    assert check(BODY)
    assert not check(BODY + b" ")


@pytest.mark.parametrize(
    "signature",
    ["", "v1", "v1,", "v1,!", "v1a,!", "v1a,AAAA", "v2,AAAA", "AAAA", "v1,\u00e9", "v1a,\u00e9"],
)
def test_a_signature_that_is_none_is_refused_and_nothing_breaks(signature: str) -> None:
    assert not signing.verify(
        message_id="evt_1", timestamp="1000", signature=signature, body=BODY, now=1000,
        secrets=[SECRET], public_keys=[signing.public_key(SECRET), b"short"],
    )  # fmt: skip


@pytest.mark.parametrize("timestamp", ["", "-1000", "1000.0", "1e3", " 1000", "9" * 40, "\u0661"])
def test_a_timestamp_that_is_none_is_refused(timestamp: str) -> None:
    signature = signing.sign_v1(SECRET, "evt_1", 1000, BODY)
    assert not signing.verify(
        message_id="evt_1", timestamp=timestamp, signature=signature, body=BODY, now=1000,
        secrets=[SECRET],
    )  # fmt: skip


def test_a_kind_of_signature_does_not_stand_for_the_other() -> None:
    v1a = signing.sign_v1a(SECRET, "evt_1", 1000, BODY)
    v1 = signing.sign_v1(signing.public_key(SECRET), "evt_1", 1000, BODY)

    for signature in (v1a.replace("v1a,", "v1,"), v1.replace("v1,", "v1a,")):
        assert not signing.verify(
            message_id="evt_1", timestamp="1000", signature=signature, body=BODY, now=1000,
            secrets=[SECRET], public_keys=[signing.public_key(SECRET)],
        )  # fmt: skip


@pytest.mark.parametrize("text", ["", "AAAA", "whsec_!", "whsec_A", "WHSEC_AAAA", "whsec_é"])
def test_a_secret_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_|base64|ASCII|padding|Only"):
        signing.secret_bytes(text)


@given(secret=st.binary(min_size=24, max_size=64), body=st.binary(), at=st.integers(0, 10**12 - 1))
def test_what_was_signed_verifies_and_its_secret_survives_as_text(
    secret: bytes, body: bytes, at: int
) -> None:
    kept = signing.secret_bytes(signing.secret_text(secret))

    assert kept == secret
    assert signing.verify(
        message_id="evt_1", timestamp=str(at), signature=signing.sign_v1(secret, "evt_1", at, body),
        body=body, now=at, secrets=[kept],
    )  # fmt: skip
