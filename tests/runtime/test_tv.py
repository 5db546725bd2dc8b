"""POST /tv: which alerts are taken, which are refused and how, and that nothing a stranger sends breaks it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

Make = Callable[..., dict[str, Any]]
LOGBOOK = json.loads((Path(__file__).parent / "fixtures" / "logbook_payloads.json").read_text())["alerts"]


def send(client: TestClient, body: Any, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/tv", content=content, headers=headers)


@pytest.mark.parametrize("payload", LOGBOOK, ids=lambda p: f"{p['engine']}-{p.get('reason', '')}")
def test_every_alert_of_the_log_book_is_taken(webhook: TestClient, alert: Make, payload: dict[str, Any]) -> None:
    response = send(webhook, {**payload, "key": alert()["key"]})
    assert (response.status_code, response.json()) == (200, {"ok": True, "id": 1})
    stored = webhook.get("/api/events").json()["events"][0]
    known = {name: payload[name] for name in ("engine", "signal", "symbol", "tf", "price", "tp", "sl")}
    assert known.items() <= stored.items()
    assert "key" not in stored


@pytest.mark.parametrize(
    "media", ["application/json", "text/plain; charset=utf-8", "application/x-www-form-urlencoded"]
)
def test_any_content_type_is_read_as_json(webhook: TestClient, alert: Make, media: str) -> None:
    assert send(webhook, alert(), **{"content-type": media}).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"price": "2000.5", "tp": " 2.01e3 ", "sl": "1995"},
        {"tp": 0},
        {"engine": "XAU_M5_SCALP", "tp": None, "sl": None},
        {"engine": "XAU_M5_SCALP", "sl": 0},
        {"signal": "SELL", "tp": 0, "sl": 0},  # against the engine's direction: it opens nothing
        {"tf": 15},
        {"tf": "M5"},
        {"signal": "buy"},
        {"reason": None},
        {"reason": "two\nlines ```"},
        {"comment": {"deep": [1, 2, {"x": None}]}, "id": "abc", "_ts": 5},
        {"engine": "TV_TEST", "price": 111, "tp": 222, "sl": 333},
        {"engine": "TESTING", "price": -5, "tp": -1, "sl": 0},
    ],
)
def test_what_real_senders_send_is_taken(webhook: TestClient, alert: Make, changes: dict[str, Any]) -> None:
    response = send(webhook, alert(**changes))
    assert response.status_code == 200, response.text


WRONG: list[tuple[str, Any]] = [
    ("price", True), ("price", -5), ("price", 0), ("price", None), ("price", "abc"), ("price", "1_000"),
    ("price", "nan"), ("price", "1e400"), ("price", float("nan")), ("price", float("inf")), ("price", 10**400),
    ("sl", 0), ("sl", None),
    ("price", [1]), ("price", ""), ("sl", 2000), ("sl", 2001), ("sl", -1), ("sl", False), ("tp", 1999), ("tp", {}),
    ("tp", float("-inf")), ("engine", 5), ("engine", None), ("engine", ""), ("engine", "a\nb"),
    ("engine", "x" * 65), ("engine", "a\0"), ("signal", "HOLD"), ("signal", 1), ("symbol", ["XAUUSD"]),
    ("symbol", " "), ("tf", True), ("tf", None), ("tf", []), ("reason", 5), ("reason", {}), ("reason", "\ud800"),
    ("reason", "a\0b"), ("extra", float("nan")), ("extra", "\udfff"),
    ("extra", [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]), ("x\ud800", 1),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_is_refused_by_its_name(webhook: TestClient, alert: Make, field: str, value: Any) -> None:
    response = send(webhook, alert(**{field: value}))
    answer = response.json()
    assert (response.status_code, answer["ok"], answer["field"]) == (400, False, field)
    assert webhook.get("/api/events").json() == {"events": []}


@pytest.mark.parametrize("field", ["engine", "signal", "symbol", "tf", "price"])
def test_a_missing_field_is_refused_by_its_name(webhook: TestClient, alert: Make, field: str) -> None:
    body = {name: value for name, value in alert().items() if name != field}
    response = send(webhook, body)
    assert (response.status_code, response.json()["field"]) == (400, field)


@pytest.mark.parametrize(("sl", "tp"), [(1995, 2010), (2005, 2010), (1995, 1990)])
def test_a_sell_has_its_levels_the_other_way_round(webhook: TestClient, alert: Make, sl: float, tp: float) -> None:
    response = send(webhook, alert(signal="SELL", sl=sl, tp=tp))
    assert (response.status_code, response.json()["field"]) == (400, "tp" if sl > 2000 else "sl")


@pytest.mark.parametrize("key", [None, "", "wrong", "é" * 9, "\ud800", 5, True, ["x"], {"a": 1}, "x" * 9000])
def test_a_wrong_key_learns_nothing_else(webhook: TestClient, alert: Make, key: Any) -> None:
    response = send(webhook, alert(key=key, price="nonsense", engine=None))
    assert (response.status_code, response.json()) == (403, {"ok": False, "error": "forbidden"})


def test_a_stranger_is_not_told_of_repeated_fields(webhook: TestClient, alert: Make) -> None:
    good = json.dumps(alert())[:-1] + ', "price": 3}'
    assert send(webhook, good.encode()).json()["field"] == "price"
    assert send(webhook, good.replace(json.dumps(alert()["key"]), '"wrong"').encode()).status_code == 403


@pytest.mark.parametrize(
    "body", [b"", b" ", b"hello", b"{", b"[]", b"1", b"null", b'"x"', b"\xff\xfe", b'{"a": "\xff"}', b"[" * 60_000,
             b'{"a":' * 9_000, b"9" * 60_000, b"\0", b'{"key": NaN' , b"\xef\xbb\xbf[]"],
)  # fmt: skip
def test_what_is_not_a_json_object_is_a_400(webhook: TestClient, body: bytes) -> None:
    response = send(webhook, body)
    assert (response.status_code, response.json()["ok"]) == (400, False)


@pytest.mark.parametrize("size", [65_537, 10_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_64_kb_is_a_413_before_anything_else(webhook: TestClient, size: int, chunked: bool) -> None:
    body: Any = (b"x" * 4096 for _ in range(size // 4096 + 1)) if chunked else b"x" * size
    assert webhook.post("/tv", content=body).status_code == 413


def test_a_body_of_exactly_64_kb_is_read(webhook: TestClient, alert: Make) -> None:
    body = json.dumps(alert()).encode()
    assert send(webhook, body + b" " * (65_536 - len(body))).status_code == 200


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_fields = st.sampled_from(["engine", "signal", "symbol", "tf", "price", "tp", "sl", "reason", "extra"])


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(_fields, _json, max_size=4))
def test_no_value_anywhere_breaks_it(webhook: TestClient, alert: Make, changes: dict[str, Any]) -> None:
    response = send(webhook, alert(**changes, id=secrets.token_hex(8)))
    assert response.status_code in {200, 400}
    if response.status_code == 200:
        newest = webhook.get("/api/events?limit=1").json()["events"][0]
        assert newest["_id"] == response.json()["id"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_break_it(webhook: TestClient, body: bytes) -> None:
    assert send(webhook, body).status_code in {400, 403}


def test_the_key_is_taken_out_wherever_it_stands(webhook: TestClient, alert: Make) -> None:
    key = alert()["key"]
    send(webhook, alert(reason=f"oops {key}", note={"a": [key], key: 1}))
    assert key not in json.dumps(webhook.get("/api/events").json(), ensure_ascii=False)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "1.1.1.1, 52.89.214.238", "52.89.214.238"),
        ("127.0.0.1", "<script>", "127.0.0.1"),
        ("203.0.113.9", "52.89.214.238", "203.0.113.9"),
    ],
)
def test_only_the_tunnel_on_this_machine_may_name_the_caller(peer: str, forwarded: str | None, expected: str) -> None:
    from runtime.auth import caller

    assert caller(peer, forwarded) == expected
