"""Webhooks against receivers that misbehave in every way they can."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from rapport.platform.net import guarded
from rapport.platform.outbox.models import WebhookEndpoint
from rapport.protocols.webhooks import signing
from tests.support.cast import House
from tests.support.sink import Act, sink

from .support import deliveries, due_now, endpoint, settle, tell


def seconds_until(text: str) -> float:
    return (datetime.fromisoformat(text) - timezone.now()).total_seconds()


def test_a_message_is_small_signed_and_names_nobody(willow: House) -> None:
    with sink() as receiver:
        made = endpoint(willow, receiver.url)
        patient = willow.scheduler.post(
            "/v1/patients",
            {"name": {"first": "Ana", "last": "Rivera"}, "birth_on": "1990-04-12", "sex": "female"},
        ).json()
        settle(willow)

    (got,) = [r for r in receiver.received if b"patient.created" in r.body]
    message = Webhook(made["secret"]).verify(got.body.decode(), got.headers)
    assert set(message) == {
        "id", "type", "created_at", "api_version", "practice_id", "livemode", "object",
        "changed", "request_id",
    }  # fmt: skip
    assert message["id"] == got.headers["webhook-id"]
    assert message["object"] == {
        "type": "patient",
        "id": patient["id"],
        "version": 1,
        "sequence": 1,
    }
    assert len(got.body) <= 2048
    for word in (b"Ana", b"Rivera", b"1990"):
        assert word not in got.body
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(got.body.decode() + " ", got.headers)


def test_a_message_with_many_changed_fields_still_fits(willow: House) -> None:
    with sink() as receiver:
        endpoint(willow, receiver.url)
        tell(willow, changed=[f"field_number_{n}_with_a_long_name" for n in range(90)])
        settle(willow)

    (got,) = receiver.received
    assert len(got.body) <= 2048
    assert json.loads(got.body)["changed"] == []


def test_an_ed25519_message_is_checked_with_the_published_key(willow: House) -> None:
    with sink() as receiver:
        made = endpoint(willow, receiver.url, signature="v1a")
        tell(willow)
        settle(willow)

    assert made["secret"] is None
    (got,) = receiver.received
    published = willow.admin.http.get("/.well-known/webhook-keys.json").json()["keys"]
    (key,) = [k["public_key"] for k in published if k["endpoint_id"] == made["id"]]
    assert key == made["public_key"]
    import base64

    assert signing.verify(
        message_id=got.headers["webhook-id"], timestamp=got.headers["webhook-timestamp"],
        signature=got.headers["webhook-signature"], body=got.body, now=int(time.time()),
        public_keys=[base64.b64decode(key.removeprefix("whpk_"))],
    )  # fmt: skip


def test_after_a_rotation_both_secrets_sign_for_a_day_and_then_only_the_new_one(
    willow: House,
) -> None:
    with sink() as receiver:
        old = endpoint(willow, receiver.url)
        new = willow.admin.post(f"/v1/webhook-endpoints/{old['id']}/rotate").json()
        tell(willow)
        settle(willow)
        with willow.entered() as scope:
            WebhookEndpoint.objects.visible_to(scope).update(
                previous_secret_until=timezone.now() - timedelta(seconds=1)
            )
        tell(willow)
        settle(willow)

    during, after = receiver.received
    for secret in (old["secret"], new["secret"]):
        Webhook(secret).verify(during.body.decode(), during.headers)
    Webhook(new["secret"]).verify(after.body.decode(), after.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old["secret"]).verify(after.body.decode(), after.headers)
    assert "secret" not in willow.admin.get(f"/v1/webhook-endpoints/{old['id']}").json()


def test_a_failing_receiver_is_tried_again_by_the_schedule_with_the_same_id(willow: House) -> None:
    answers = iter([500, 500, 500, 200])
    with sink(lambda *_: Act(next(answers))) as receiver:
        endpoint(willow, receiver.url)
        tell(willow)
        for expected in (5, 300, 1800):
            settle(willow)
            (waiting,) = deliveries(willow)
            assert (waiting["state"], waiting["last_status"]) == ("pending", 500)
            left = seconds_until(waiting["next_attempt_at"])
            assert expected * 0.8 - 2 <= left <= expected * 1.2
            due_now(willow)
        settle(willow)

    (done,) = deliveries(willow)
    assert (done["state"], done["attempts"]) == ("succeeded", 4)
    assert len({r.headers["webhook-id"] for r in receiver.received}) == 1
    assert len({r.body for r in receiver.received}) == 1


def test_after_the_last_try_it_is_dead_and_can_be_sent_again_by_hand(willow: House) -> None:
    status = {"now": 500}
    with sink(lambda *_: Act(status["now"])) as receiver:
        endpoint(willow, receiver.url)
        tell(willow)
        for _ in range(10):
            settle(willow)
            due_now(willow)
        (dead,) = deliveries(willow, "&state=dead")
        assert (dead["attempts"], dead["next_attempt_at"]) == (10, None)
        settle(willow)
        assert len(receiver.received) == 10
        status["now"] = 200
        again = willow.admin.post(f"/v1/webhook-deliveries/{dead['id']}/retry")
        assert (again.status_code, again.json()["state"]) == (202, "pending")
        settle(willow)

    assert deliveries(willow)[0]["state"] == "succeeded"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(willow: House, status: int) -> None:
    with sink() as canary, sink(lambda *_: Act(status, {"Location": canary.url})) as receiver:
        endpoint(willow, receiver.url)
        tell(willow)
        settle(willow)

        assert (len(receiver.received), len(canary.received)) == (1, 0)
    (failed,) = deliveries(willow)
    assert (failed["state"], failed["last_error"]) == ("pending", "redirect")
    noted = willow.auditor.get("/v1/audit-events?action=webhook.deliver").json()["data"]
    assert [(row["outcome"], row["reason"]) for row in noted] == [("error", "redirect")]


def test_a_receiver_that_is_gone_is_told_nothing_more(willow: House) -> None:
    with sink(lambda *_: Act(410)) as receiver:
        made = endpoint(willow, receiver.url)
        tell(willow)
        tell(willow)
        settle(willow)

        assert len(receiver.received) == 1
    now = willow.admin.get(f"/v1/webhook-endpoints/{made['id']}").json()
    assert (now["state"], now["disabled_reason"]) == ("disabled", "gone")
    types = [e["type"] for e in willow.admin.get("/v1/events").json()["data"]]
    assert types[-1] == "endpoint.disabled"


def test_a_receiver_that_asks_for_time_gets_it(willow: House) -> None:
    with sink(lambda *_: Act(429, {"Retry-After": "70"})) as receiver:
        endpoint(willow, receiver.url)
        tell(willow)
        settle(willow)

    (waiting,) = deliveries(willow)
    assert 65 <= seconds_until(waiting["next_attempt_at"]) <= 70


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (Act(hang_seconds=3), "timeout"),
        (Act(body=b"x" * 3000, drip_seconds=0.2), "timeout"),
        (Act(hang_up=True, body=b"half"), "broken"),
    ],
    ids=["hangs", "drips", "hangs up"],
)
def test_a_slow_or_broken_receiver_is_let_go_in_time(willow: House, act: Act, error: str) -> None:
    with sink(lambda *_: act) as receiver:
        endpoint(willow, receiver.url)
        tell(willow)
        started = time.monotonic()
        settle(willow, timeout=1.0)
        assert time.monotonic() - started < 5

    (failed,) = deliveries(willow)
    assert (failed["state"], failed["last_error"]) == ("pending", error)


def test_a_large_answer_is_not_read(willow: House) -> None:
    with sink(lambda *_: Act(body=b"x" * 10_000_000)) as receiver:
        endpoint(willow, receiver.url)
        tell(willow)
        started = time.monotonic()
        settle(willow)

    assert time.monotonic() - started < 2
    assert deliveries(willow)[0]["state"] == "succeeded"


def test_an_endpoint_that_failed_for_three_days_is_disabled_and_replay_brings_all(
    willow: House,
) -> None:
    status = {"now": 500}
    with sink(lambda *_: Act(status["now"])) as receiver:
        made = endpoint(willow, receiver.url)
        start = willow.admin.get("/v1/events").json()["next_cursor"]
        tell(willow)
        settle(willow)
        with willow.entered() as scope:
            WebhookEndpoint.objects.visible_to(scope).update(
                failing_since=timezone.now() - timedelta(days=3, seconds=1)
            )
        due_now(willow)
        settle(willow)
        path = f"/v1/webhook-endpoints/{made['id']}"
        assert willow.admin.get(path).json()["disabled_reason"] == "failing"
        tell(willow, times=3)
        settle(willow)
        assert len(deliveries(willow)) == 1
        assert willow.admin.post(f"{path}/ping").json()["code"] == "state-conflict"
        status["now"] = 200
        assert willow.admin.post(f"{path}/enable").json()["state"] == "enabled"
        replayed = willow.admin.post(f"{path}/replay", {"from_cursor": start})
        assert (replayed.status_code, replayed.json()["queued"]) == (202, 4)
        settle(willow)

    good = [r.headers["webhook-id"] for r in receiver.received if r.answered == 200]
    logged = [e["id"] for e in willow.admin.get("/v1/events").json()["data"]]
    assert sorted(good) == sorted(logged)


def test_a_name_that_turns_private_is_blocked_when_connecting(
    willow: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rebinding(url: str, **options: Any) -> guarded.Reply:
        return guarded.post(url, **options | {"local": False, "resolve": lambda *_: ["10.0.0.5"]})

    endpoint(willow, "https://hooks.example.org/")
    tell(willow)
    settle(willow, post=rebinding)

    (blocked,) = deliveries(willow)
    assert blocked["last_error"] == "blocked_address"
    assert "10.0.0.5" not in json.dumps(blocked)
    noted = willow.auditor.get("/v1/audit-events?action=webhook.deliver").json()["data"]
    assert [(row["outcome"], row["reason"]) for row in noted] == [("deny", "ssrf")]


def test_a_proxy_in_the_environment_is_not_used(
    willow: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sink() as proxy, sink() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        endpoint(willow, receiver.url)
        tell(willow)
        settle(willow)

        assert (len(receiver.received), len(proxy.received)) == (1, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/", "https://127.0.0.1", "https://[::1]", "https://10.0.0.5",
        "https://100.64.0.1", "https://100.100.100.200", "https://192.0.0.192",
        "https://[fd00:ec2::254]", "https://[::ffff:169.254.169.254]",
        "https://[64:ff9b::a9fe:a9fe]", "https://[2002:a9fe:a9fe::1]", "https://[fec0::1]",
        "https://0.0.0.0", "https://2852039166", "https://0xa9fea9fe",
        "https://0251.0376.0251.0376", "https://localhost.", "https://user@127.0.0.1",
        "file:///etc/passwd", "gopher://example.org", "https://example.org:22",
        "https://example.org:5432", "http://example.org", "https://", "no address",
    ],
)  # fmt: skip
def test_an_endpoint_inside_is_refused(
    willow: House, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    import dataclasses

    strict = dataclasses.replace(settings.RAPPORT, local_webhooks=False)
    monkeypatch.setattr(settings, "RAPPORT", strict)

    answer = willow.admin.post("/v1/webhook-endpoints", {"url": url})

    assert (answer.status_code, answer.json()["code"]) == (422, "url-not-allowed")
    assert answer.json()["errors"][0]["pointer"] == "/url"
    noted = willow.auditor.get("/v1/audit-events?outcome=deny").json()["data"]
    assert [(row["action"], row["reason"]) for row in noted] == [
        ("webhook_endpoint.create", "ssrf")
    ]
