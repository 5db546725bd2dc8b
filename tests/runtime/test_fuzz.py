"""Alerts and ledger events near the valid ones, each field of every wrong kind: no 500, and nothing nonsensical taken.

The oracle is written from the contract, not from the code: what was answered 200 is read back and looked at.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.runtime.load_kit import ENGINES

Make = Callable[..., dict[str, Any]]
Text = dict[str, str]
"""Field names and the JSON text of each value, right or wrong."""
slow = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))

_odd = st.sampled_from(
    ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "0", "-0", "0.0", "true", "false", "null", '""',
     '" "', '"nan"', '"inf"', '"1e400"', '"0x10"', '"1_0"', '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"',
     '"a\\nb"', '"a\\tb"',
     "[]", "{}", "[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]", "1" + "0" * 400, '"' + "x" * 5000 + '"', "5e-324",
     "1.7976931348623157e308", "1e15", "1e16", "1e-12", "1e-13", '"\U0001d7d9"', '"\\u0661"', "[1]", "'x'",
     '{"a": NaN}',      "1,", "01", "tru", '"BUY"', '"SELL"', '"TEST"', '"*"'],
)  # fmt: skip
_near = st.floats(1500, 2500).map(repr) | st.integers(1900, 2100).map(str) | st.integers(-3, 3).map(str)
_any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
).map(json.dumps)
values = _odd | _near | _any
FIELDS = [
    "engine",
    "signal",
    "symbol",
    "tf",
    "price",
    "tp",
    "sl",
    "reason",
    "id",
    "ts",
    "time",
    "event_type",
    "trade_id",
]
FIELDS += ["exit", "mark", "open", "high", "low", "close", "extra"]
LEDGER = ["type", "event_id", "trade_id", "engine", "symbol", "side", "entry", "stop", "qty", "risk_usd", "contract"]
LEDGER += ["contract_value", "exit", "mark", "ts", "meta", "extra"]
_changes = st.lists(st.tuples(st.sampled_from(FIELDS), values), max_size=3)
_ledger_changes = st.lists(st.tuples(st.sampled_from(LEDGER), values), max_size=3)
_spoil = st.sampled_from(["", "", "", "twice", "cut", "bytes", "bom", "tail"])


def written(pairs: list[tuple[str, str]], spoil: str) -> bytes:
    """One JSON object as a careless sender would write it."""
    if spoil == "twice":
        pairs = [*pairs, pairs[len(pairs) // 2]]
    body = ("{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in pairs) + "}").encode()
    if spoil == "cut":
        return body[: len(body) * 2 // 3]
    if spoil == "bytes":
        return body[:-20] + b"\xff\xc0" + body[-20:]
    return {"bom": b"\xef\xbb\xbf" + body, "tail": body + b" x"}.get(spoil, body)


def changed(base: dict[str, Any], changes: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(({name: json.dumps(value) for name, value in base.items()} | dict(changes)).items())


def pieces(body: bytes) -> Iterator[bytes]:
    yield from (body[at : at + 7] for at in range(0, len(body), 7))


_alerts = st.fixed_dictionaries(
    {
        "engine": st.sampled_from([*ENGINES, "TV_TEST", "XAU_M5_SCALP"]),
        "event_type": st.sampled_from(["SIGNAL", "SIGNAL", "SIGNAL", "OPEN", "CLOSE", "UPDATE", "BAR"]),
        "signal": st.sampled_from(["BUY", "SELL"]),
    }
)


@slow
@given(kind=_alerts, changes=_changes, spoil=_spoil, chunked=st.booleans())
def test_no_alert_breaks_it_and_no_nonsense_is_taken(
    webhook: TestClient, alert: Make, kind: dict[str, Any], changes: list[tuple[str, str]], spoil: str, chunked: bool
) -> None:
    up = kind["signal"] == "BUY"
    base = alert(**kind, sl=1995 if up else 2005, tp=2010 if up else 1990, id=secrets.token_hex(8))
    base |= {"high": 2005, "low": 1995, "close": 2000}
    body = written(changed(base, changes), spoil)
    answer = webhook.post("/tv", content=pieces(body) if chunked else body)
    assert answer.status_code in {200, 400, 409}, answer.text
    if answer.status_code == 200:
        assert sensible(webhook.get("/api/events?limit=1&outcome=all").json()["events"][0])
    elif answer.status_code == 409:
        webhook.post("/api/reset_lock", json={"ops_key": "ops-key-of-the-tests"})


def sensible(event: dict[str, Any]) -> bool:
    """What may be answered 200: finite everywhere; of a real engine's opening, the levels on their sides and a size."""
    json.dumps(event, allow_nan=False).encode()
    for name in ("engine", "symbol", "tf"):
        assert isinstance(event[name], str), event
        assert event[name].isprintable(), event
    if event["engine"].upper().startswith(("TEST", "TV_TEST", "NGROK_TEST")):
        assert event["qty"] == 0, event
        return True
    if event["_outcome"] in ("opened", "recorded") and event.get("event_type") in (None, "SIGNAL", "OPEN"):
        assert 0 < event["price"] < math.inf, event
        sign = 1 if event["signal"] == "BUY" else -1
        assert not event["sl"] or (event["sl"] > 0 and (event["price"] - event["sl"]) * sign > 0), event
        assert not event["tp"] or (event["tp"] > 0 and (event["tp"] - event["price"]) * sign > 0), event
    if event["_outcome"] == "opened":
        assert event["signal"] == ENGINES[event["engine"]]["signal"], event
        assert event["sl"], event
        assert 0 < event["qty"] < 1e9, event
        assert 0 < event["risk_real_usd"] <= event["risk_usd"] * (1 + 1e-9), event
    return True


_events = st.fixed_dictionaries(
    {"type": st.sampled_from(["OPEN", "OPEN", "CLOSE", "UPDATE"]), "side": st.sampled_from(["LONG", "SHORT"])}
)


@slow
@given(kind=_events, known=st.booleans(), changes=_ledger_changes, spoil=_spoil)
def test_no_event_breaks_the_ledger_and_no_nonsense_is_kept(
    perf: TestClient, kind: dict[str, Any], known: bool, changes: list[tuple[str, str]], spoil: str
) -> None:
    name = secrets.token_hex(6)
    base = {"trade_id": name, "engine": "E", "symbol": "S", "entry": 2000, "qty": 1, "exit": 2001, "mark": 1999}
    base |= {"stop": 1995 if kind["side"] == "LONG" else 2005, "meta": {"tf": "15"}} | kind
    if known and kind["type"] != "OPEN":
        assert perf.post("/perf/event", json=base | {"type": "OPEN"}).status_code == 200
    answer = perf.post("/perf/event", content=written(changed(base, changes), spoil))
    assert answer.status_code in {200, 400, 404, 409}, answer.text
    for path in ("/perf/summary", "/perf/equity", "/perf/kpi"):
        shown = perf.get(path)
        assert shown.status_code == 200, path
        json.dumps(shown.json(), allow_nan=False)
    for trade in perf.get("/perf/trades?limit=2").json()["trades"]:
        assert trade["side"] in ("LONG", "SHORT"), trade
        for field in ("entry", "qty"):
            assert 0 < trade[field] < math.inf, trade
        below = trade["side"] == "LONG"
        assert trade["stop"] is None or (trade["stop"] < trade["entry"]) is below, trade


@slow
@given(
    path=st.sampled_from(["/api/reset_lock", "/api/pause", "/api/resume", "/api/confirm", "/api/guards/reset"]),
    fields=st.dictionaries(st.sampled_from(["scope", "minutes", "hours", "reason", "by", "item", "extra"]), values),
    spoil=_spoil,
    key=st.sampled_from(["right", "right", "right", "wrong", "none", "header"]),
)
def test_no_request_of_an_operator_breaks_it(
    webhook: TestClient, path: str, fields: Text, spoil: str, key: str
) -> None:
    headers = {"X-Ops-Key": "ops-key-of-the-tests"} if key == "header" else {}
    given_key = {"right": '"ops-key-of-the-tests"', "wrong": '"\\ud800"'}.get(key)
    pairs = [*fields.items(), *([("ops_key", given_key)] if given_key else [])] or [("x", "1")]
    answer = webhook.post(path, content=written(pairs, spoil), headers=headers)
    assert answer.status_code in ({200, 400} if key in ("right", "header") else {400, 403}), answer.text
    assert webhook.get("/api/guards").status_code == 200
    assert webhook.get("/api/state").status_code == 200
