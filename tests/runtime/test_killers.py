"""What killed or fooled the service that ran before, each by its name, sent to the real processes over the wire."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.runtime.process_kit import Answer, Daemon, Json, Line

Make = Callable[..., Json]
Wait = Callable[..., None]

# With the right key: the field that is named in the 400, and the text that stands in place of the field's value.
REFUSED = {
    "NaN price": ("price", "NaN"),
    "Infinity": ("price", "Infinity"),
    "minus Infinity as a target": ("tp", "-Infinity"),
    "1e400": ("price", "1e400"),
    "1e400 as text": ("price", '"1e400"'),
    "an integer of 400 digits": ("price", "1" + "0" * 400),
    "price true": ("price", "true"),
    "price -5": ("price", "-5"),
    "BUY with sl above price": ("sl", "2001"),
    "sl = 0 on an engine that is sized": ("sl", "0"),
    "1e-9 stop distance": ("sl", "1999.999999999"),
    "non-string engine": ("engine", "5"),
    "non-string signal": ("signal", "[]"),
    "non-string reason": ("reason", "{}"),
    "half a surrogate pair": ("reason", '"\\ud800"'),
    "half a surrogate pair as a name": ("extra", '{"\\udfff": 1}'),
    "NUL": ("reason", '"a\\u0000b"'),
    "deep nesting": ("extra", "[" * 40 + "]" * 40),
    "a field given twice": ("price", '2000, "price": 3'),
}
# Whatever the key.
NOT_JSON = {
    "empty body": b"",
    "non-JSON body": b"hello",
    "invalid UTF-8": b'{"key": "\xff"}',
    "deep nesting that never ends": b"[" * 60_000,
    "a JSON text": b'"x"',
    "a JSON list": b"[]",
}


@pytest.fixture
def both(daemon: Callable[[str], Daemon], environ: dict[str, str]) -> Iterator[tuple[Daemon, Daemon]]:
    perf = daemon("runtime.perf").start()
    environ |= {"PERF_URL": perf.url, "LISTEN_PORT": "0"}
    yield daemon("runtime.webhook").start(), perf


def raw(alert: Json, field: str, text: str) -> bytes:
    """The alert as JSON with `text` as the field's value, whether or not that is JSON."""
    whole = alert | {field: "@@"}
    return json.dumps(whole).replace('"@@"', text).encode()


def test_each_is_refused_and_nothing_came_of_it(both: tuple[Daemon, Daemon], alert: Make, wait_until: Wait) -> None:
    webhook, perf = both
    for name, (field, text) in REFUSED.items():
        answer = webhook.post(raw(alert(), field, text))
        assert (name, answer.status, answer.body.get("field")) == (name, 400, field)
    for name, body in NOT_JSON.items():
        answer = webhook.post(body)
        assert (name, answer.status, answer.body.get("ok")) == (name, 400, False)
    for name, key in {"wrong": "wrong", "non-ASCII": "clé", "surrogate": "\ud800", "a list": ["x"]}.items():
        answer = webhook.post(alert(key=key, price="nonsense"))
        assert (name, answer.status, answer.body) == (name, 403, {"ok": False, "error": "forbidden"})
    state = webhook.get("/api/state")
    assert (webhook.get("/api/events"), state["active_engine"], state["perf_pending"]) == ({"events": []}, None, 0)
    assert perf.get("/perf/summary")["total_trades"] == 0
    assert "Traceback" not in webhook.said


def test_what_wrongly_did_something_does_what_it_should(
    both: tuple[Daemon, Daemon], alert: Make, environ: dict[str, str], wait_until: Wait
) -> None:
    webhook, perf = both
    short = {"engine": "COINM_SHORT", "signal": "SELL", "symbol": "BTC", "price": 68000, "tp": 67000}
    assert webhook.post(alert(**short, sl=0)).status == 400, "a refused alert still took the lock"
    assert webhook.get("/api/state")["active_engine"] is None
    same = [webhook.post(alert()) for _ in range(4)]
    assert [answer.body.get("duplicate", False) for answer in same] == [False, True, True, True], "alert x4: 4 trades"
    against = webhook.post(alert(signal="SELL", symbol="OTHER", sl=2005, tp=1990))
    assert (against.status, against.body["outcome"]) == (200, "ignored"), "SELL on a LONG engine"
    assert webhook.post(alert(**short, sl=69000)).status == 200
    assert webhook.post(alert(**short, event_type="CLOSE")).body["outcome"] == "closed"
    assert webhook.get("/api/state")["active_engine"] is None, "a CLOSE never released it"
    wait_until(lambda: webhook.get("/api/state")["perf_pending"] == 0, 20)
    assert perf.get("/perf/summary")["total_trades"] == 2
    assert [trade["engine"] for trade in perf.get("/perf/open")["trades"]] == ["GOLD_CFD_LONG"]


def test_markdown_in_an_alert_stays_in_its_entry(
    both: tuple[Daemon, Daemon], alert: Make, environ: dict[str, str], wait_until: Wait
) -> None:
    webhook, _ = both
    evil = "x\n## 2026-01-01 00:00 | TV forged\n```\n# heading\n~~~\n<script>alert(1)</script>"
    assert webhook.post(alert(reason=evil, note="```\n## forged")).status == 200
    wait_until(lambda: webhook.get("/api/state")["journal_pending"] == 0, 20)
    text = Path(environ["JOURNAL_PATH"]).read_text()
    headings = [line for line in text.splitlines() if line.startswith("#")]
    fences = [line for line in text.splitlines() if line.startswith(("```", "~~~"))]
    assert (len(headings), fences) == (1, ["```json", "```"])


@pytest.mark.parametrize("size", [10_000_000, 100_000_000], ids=["10 MB", "100 MB"])
def test_a_large_body_is_not_read_before_the_key_is_known(daemon: Callable[[str], Daemon], size: int) -> None:
    """It is refused by what it says of its length: at once, and without its bytes having been sent."""
    webhook = daemon("runtime.webhook").start()
    parts = urlsplit(webhook.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
        begun = time.monotonic()
        line.sendall(f"POST /tv HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * 1000)
        assert line.recv(100).startswith(b"HTTP/1.1 413")
        assert time.monotonic() - begun < 2
    chunked = Line(webhook.url)
    answer = chunked_post(chunked, size // 10)
    chunked.close()
    assert answer is None or answer.status == 413
    resident = int(Path(f"/proc/{webhook.process.pid}/status").read_text().split("VmHWM:")[1].split()[0])  # type: ignore[union-attr]
    assert resident < 200_000, "kB"


def chunked_post(line: Line, size: int) -> Answer | None:
    """Without a length: in pieces, until the service has had enough."""
    pieces = (b"x" * 65_536 for _ in range(size // 65_536))
    return line.ask("POST", "/tv", pieces)  # type: ignore[arg-type]


OPEN = '{"type":"OPEN","trade_id":"%s","engine":"E","symbol":"S","side":"LONG","entry":%s,"qty":%s,"stop":%s}'
OF_THE_LEDGER = {
    "one OPEN with NaN wedges the ledger": (OPEN % ("a", "NaN", "1", "90"), 400),
    "one inf makes /perf/open answer 500 for good": (OPEN % ("b", "100", "Infinity", "90"), 400),
    "1e400": (OPEN % ("c", "1e400", "1", "90"), 400),
    "qty<0": (OPEN % ("d", "100", "-1", "90"), 400),
    "side=FOO": ((OPEN % ("e", "100", "1", "90")).replace("LONG", "FOO"), 400),
    "deep nesting": ('{"type":"OPEN","meta":' + "[" * 5000 + "]" * 5000 + "}", 400),
    "stored XSS through trade_id": (OPEN % ("<img src=x onerror=alert(1)>", "100", "1", "90"), 200),
}


def test_the_ledger_takes_no_harm(both: tuple[Daemon, Daemon]) -> None:
    _, perf = both
    for name, (body, status) in OF_THE_LEDGER.items():
        begun = time.monotonic()
        assert (name, perf.post(body.encode(), "/perf/event").status) == (name, status)
        assert time.monotonic() - begun < 3, name
    assert [trade["trade_id"] for trade in perf.get("/perf/open")["trades"]] == ["<img src=x onerror=alert(1)>"]
    assert perf.get("/perf/summary")["total_trades"] == 1
    for path in ("/perf/open", "/perf/trades"):
        answer = Line(perf.url, fresh=True).get(path)
        assert answer is not None
        assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == (
            "application/json",
            "nosniff",
        )
    assert "Traceback" not in perf.said
