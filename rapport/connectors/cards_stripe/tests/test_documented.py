"""Replies as the public reference words them, and what each means here. None was captured from the service."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.cards_stripe import mapper
from rapport.connectors.cards_stripe.mapper import Reply

EXCHANGES = json.loads((Path(__file__).parent / "documented" / "exchanges.json").read_text())["exchanges"]


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda one: one["name"])
def test_a_documented_reply_means_what_the_reference_says(exchange: dict[str, Any]) -> None:
    if exchange["reads"] == "trouble":
        body = json.dumps(exchange["body"]).encode()
        answer: Any = mapper.trouble(Reply(exchange["status"], exchange.get("headers", {}), body))
    else:
        answer = getattr(mapper, exchange["reads"])(exchange["body"])

    kind, *values = exchange["means"]
    assert type(answer).__name__ == kind
    if kind == "Refused":
        assert [answer.code, answer.again] == values
        assert answer.words.endswith(".")
    else:
        found = astuple(answer)
        assert [found[number] for number in range(len(values))] == values


def test_a_lost_card_is_not_called_so_to_whoever_holds_it() -> None:
    for code in ("lost_card", "stolen_card", "fraudulent", "pickup_card"):
        assert mapper.refused(code).words == "The bank does not accept this card."
    assert mapper.refused("a_code_of_next_year").words == mapper.DECLINED
