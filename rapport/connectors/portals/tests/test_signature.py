from __future__ import annotations

import json

from rapport.connectors.portals import signature


def test_two_recordings_tell_what_changes_each_time() -> None:
    first = ["GET /data?v=1&rp=9&lv=3&limit=25", "GET /data?v=2&rp=8&lv=4&limit=25&start=25"]
    second = ["GET /data?v=5&rp=7&lv=1&limit=25", "GET /data?v=6&rp=6&lv=2&limit=25&start=25"]
    volatile = signature.learn_volatile(first, second)
    assert volatile == ("lv", "rp", "v")
    assert [signature.of(one, volatile=volatile) for one in first] == [signature.of(one, volatile=volatile) for one in second]
    assert signature.of(first[0], volatile=volatile) != signature.of(first[1], volatile=volatile)


def rpc(id: int, client: str, *params: object) -> str:
    return signature.line("POST", "/rpc", {"id": id, "method": "model.patient.read", "params": list(params), "client": client})


def test_rpc_calls_on_one_address_are_told_by_method_and_params() -> None:
    first = [rpc(1, "a-1", [1, 2], ["name"]), rpc(2, "a-2", [3, 4], ["name"])]
    second = [rpc(77, "b-1", [1, 2], ["name"]), rpc(78, "b-2", [3, 4], ["name"])]
    volatile = signature.learn_volatile(first, second)
    assert set(volatile) == {"id", "client"}
    assert signature.of(first[0], volatile=volatile) == signature.of(second[0], volatile=volatile)
    assert signature.of(first[0], volatile=volatile) != signature.of(first[1], volatile=volatile)
    kept = json.loads(signature.split(signature.of(first[0], volatile=volatile))[1])
    assert kept == {"method": "model.patient.read", "params": [[1, 2], ["name"]]}


def test_the_id_of_an_rpc_never_counts_and_any_other_id_does() -> None:
    assert signature.of(rpc(1, "a")) == signature.of(rpc(2, "a"))
    one, other = (signature.line("POST", "/save", {"id": number, "name": "x"}) for number in (1, 2))
    assert signature.of(one) != signature.of(other)


def test_a_form_is_part_of_a_signature() -> None:
    one = signature.line("POST", "/book", None, [("patient", "4"), ("csrf", "x1")])
    other = signature.line("POST", "/book", None, [("csrf", "y2"), ("patient", "4")])
    assert signature.learn_volatile([one], [other]) == ("csrf",)
    assert signature.of(one, volatile=["csrf"]) == signature.of(other, volatile=["csrf"]) == "POST /book patient=4"
