"""What a monitor has to say, told by the real tv-telegram; and what people ask and order of the monitor from there."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from miner.alerts.handover import deliver
from miner.alerts.notices import Notice
from runtime import clock
from tests.fakes.telegram import TOKEN, Refusal, Telegram

Wait = Callable[..., None]


@pytest.fixture
def telegram(environ: dict[str, str]) -> Iterator[Telegram]:
    fake = Telegram().start()
    environ.update(TELEGRAM_BOT_TOKEN=TOKEN, TELEGRAM_CHAT_ID="42", TELEGRAM_BASE_URL=fake.url, TELEGRAM_TIMEOUT="1")
    environ.update(TELEGRAM_LANGUAGE="en")
    yield fake
    fake.stop()


@pytest.fixture
def place(environ: dict[str, str]) -> Path:
    """The webhook's store: on this host there is no webhook."""
    return Path(environ["TRADING_STATE_DIR"]) / "webhook.db"


def hand(place: Path, *texts: str, kind: Any = "firing", severity: Any = "warning") -> None:
    deliver(place, [Notice(text, clock.iso(clock.now()), "rig", kind, severity, text) for text in texts])


def told(telegram: Telegram) -> list[str]:
    return [text for one in telegram.sent for text in one.text.split("\n") if text.startswith("n")]


def test_a_host_without_a_webhook_is_told_at_once_and_each_key_once(
    service: Callable[..., Any], telegram: Telegram, place: Path, wait_until: Wait
) -> None:
    hand(place, "n0 was there before the bot was ever on")
    service("runtime.telegram").start()
    hand(place, "n1 <b>", "n2")
    hand(place, "n2", "n3", severity="critical")
    wait_until(lambda: len(told(telegram)) >= 3)
    hand(place, "n1 <b>", "n4")
    wait_until(lambda: "n4" in told(telegram))
    assert told(telegram) == ["n1 <b>", "n2", "n3", "n4"]
    assert "rig · " in telegram.text


def test_what_is_wrong_waits_for_nothing_of_ours(
    service: Callable[..., Any], telegram: Telegram, environ: dict[str, str], place: Path, wait_until: Wait
) -> None:
    """In a group, news have 3 s between them; Telegram itself allows 20 a minute, and so many at once."""
    environ.update(TELEGRAM_CHAT_ID="-1001234567890", TELEGRAM_ALLOWED_CHATS="42")
    service("runtime.telegram").start()
    for number in range(4):
        hand(place, f"n{number}", severity="critical")
        wait_until(lambda number=number: f"n{number}" in told(telegram))  # type: ignore[misc]
    sent = [at for at, method in telegram.calls if method == "sendMessage"]
    assert min(after - before for before, after in pairwise(sent)) < 3
    assert len(sent) == 4


def failing(place: Path) -> int:
    """How often in a row the bot itself found Telegram dead, as it writes it down."""
    with closing(sqlite3.connect(place, timeout=10)) as connection:
        row = connection.execute("SELECT attempts FROM outbox WHERE sink = 'telegram' AND error IS NOT NULL").fetchone()
    return row[0] if row else 0


def test_telegram_that_is_down_or_limits_is_told_everything_once_when_it_is_back(
    service: Callable[..., Any], telegram: Telegram, place: Path, wait_until: Wait
) -> None:
    bot = service("runtime.telegram").start()
    hand(place, "n00")
    wait_until(lambda: told(telegram) == ["n00"])
    telegram.stop()
    for number in range(1, 41):
        hand(place, f"n{number:02}", kind="firing" if number % 2 else "resolved")
    wait_until(lambda: failing(place))
    bot.kill()
    telegram.refuse = [Refusal(429, "Too Many Requests: retry after 1", retry_after=1), Refusal(502, "Bad Gateway")]
    bot.start()
    wait_until(lambda: failing(place) > 1)
    assert told(telegram) == ["n00"]
    telegram.start()
    wait_until(lambda: "n40" in told(telegram), 60)
    assert told(telegram) == [f"n{number:02}" for number in range(41)]


def test_what_telegram_refuses_for_good_is_kept_and_sent_again_on_demand(
    service: Callable[..., Any], telegram: Telegram, place: Path, wait_until: Wait
) -> None:
    service("runtime.telegram").start()
    telegram.refuse.append(Refusal(400, "Bad Request: chat not found"))
    hand(place, "n1")

    def letters() -> list[Any]:
        with closing(sqlite3.connect(place, timeout=10)) as connection:
            return connection.execute("SELECT sink, ref FROM dead_letters").fetchall()

    wait_until(lambda: letters() == [("telegram.health", 1)])
    hand(place, "n2")
    wait_until(lambda: told(telegram) == ["n2"])
    with closing(sqlite3.connect(place, timeout=10)) as connection, connection:
        connection.execute("UPDATE dead_letters SET retry = 1")
    wait_until(lambda: told(telegram) == ["n2", "n1"])
    wait_until(lambda: letters() == [])


def aged(text: str, days: float) -> Notice:
    return Notice(text, clock.iso(clock.now() - timedelta(days=days)), "rig", "firing", "warning", text)


def kept(place: Path) -> list[str]:
    with closing(sqlite3.connect(place, timeout=10)) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM health ORDER BY id")]


def cursor(place: Path) -> int:
    with closing(sqlite3.connect(place, timeout=10)) as connection:
        (intent,) = connection.execute("SELECT intent FROM outbox WHERE sink = 'telegram'").fetchone()
    return int(json.loads(intent)["cursors"]["health"])


def test_what_was_told_long_ago_is_forgotten_and_what_waits_or_was_refused_is_not(
    service: Callable[..., Any], telegram: Telegram, place: Path, wait_until: Wait
) -> None:
    bot = service("runtime.telegram").start()
    telegram.refuse.append(Refusal(400, "Bad Request: chat not found"))
    deliver(place, [aged("n1 refused", 100)])
    wait_until(lambda: not telegram.refuse)
    deliver(place, [aged("n2 told", 99), aged("n3 young", 80)])
    wait_until(lambda: told(telegram) == ["n2 told", "n3 young"] and cursor(place) == 3)
    bot.kill()
    deliver(place, [aged("n4 waits", 95)])
    assert kept(place) == ["n1 refused", "n2 told", "n3 young", "n4 waits"], "nothing here is 90 days older than n4"
    deliver(place, [aged("n5", 0)])
    assert kept(place) == ["n1 refused", "n3 young", "n4 waits", "n5"]
    bot.start()
    wait_until(lambda: told(telegram)[-2:] == ["n4 waits", "n5"] and cursor(place) == 5)
    deliver(place, [aged("n6", 0)])
    wait_until(lambda: told(telegram)[-1] == "n6")
    assert kept(place) == ["n1 refused", "n3 young", "n5", "n6"]


def test_where_no_bot_was_ever_on_only_age_counts(place: Path) -> None:
    deliver(place, [aged("n1", 100), aged("n2", 10)])
    deliver(place, [aged("n3", 0)])
    assert kept(place) == ["n2", "n3"]


def reading(metric: str, value: float | None, target: str = "", note: str = "") -> dict[str, Any]:
    return {"metric": metric, "target": target, "value": value, "note": note}


class Monitor(ThreadingHTTPServer):
    """The monitor's API, as far as the bot asks of it; `answer` is what the next order gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.orders: list[tuple[str, dict[str, Any]]] = []
        self.answer: tuple[int, dict[str, Any]] = (
            202,
            {"what": "miner", "outcome": "started", "text": "cgminer: asked"},
        )
        alert = {"rule": "stick.missing", "target": "A", "severity": "warning", "since": "2026-11-26T12:00:00+00:00"}
        muted = {"rule": "x", "target": "", "severity": "info", "since": "?", "text": "m", "muted": True}
        self.pages: dict[str, Any] = {
            "/api/monitor": {
                "host": "rig",
                "alerts": [alert | {"text": "stick A <is> unplugged", "muted": False}, muted],
                "mutes": [{"scope": "stick.*", "until": "2026-11-26T13:00:00+00:00", "by": "page"}],
                "units": [{"name": "perf.service", "active": False}, {"name": "tv-webhook.service", "active": True}],
                "readings": [
                    reading("tunnel.reaches_us", 0, note="https://<x>.ngrok.app answers 502"),
                    *(reading("node.running", 1, name) for name in ("dag", "fresh", "other")),
                    *(reading("node.container", 1, name) for name in ("dag", "fresh")),
                    reading("node.height", 1000, "dag"),
                    reading("node.peers", 8, "dag"),
                    reading("node.disk_ratio", 0.432, "dag"),
                    reading("node.syncing", 1, "fresh"),
                    reading("node.running", 0, "gone", "nobody listens at a:1"),
                    reading("node.container", 0, "gone", "the container x has ended: killed for want of memory"),
                    reading("node.running", None, "old", "nobody has looked lately: f is old"),
                ],
            },
            "/api/miner": {
                "api": "up",
                "total": {
                    "ghs": 340.0,
                    "expected_ghs": 360.0,
                    "accepted": 7,
                    "rejected": 1,
                    "stale": 0,
                    "hw_errors": 3,
                },
                "pools": [{"url": "stratum+tcp://pool:3333", "user": "me.rig", "status": "Alive", "active": True}],
                "sticks": [
                    {"key": "A", "model": "CompacF", "present": True, "usable": True, "ghs": 340.0, "mhz": 500},
                    {"key": "B", "model": "R606", "present": False, "ghs": None},
                ],
            },
        }


class _Handler(BaseHTTPRequestHandler):
    server: Monitor

    def do_GET(self) -> None:
        self._answer(200, self.server.pages[self.path])

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.orders.append((self.path, given))
        self._answer(*self.server.answer)

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def monitor(environ: dict[str, str]) -> Iterator[Monitor]:
    running = Monitor()
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    environ["MONITOR_URL"] = f"http://127.0.0.1:{running.server_port}"
    yield running
    running.shutdown()
    running.server_close()


def ask(telegram: Telegram, wait_until: Wait, text: str, words: str, **how: Any) -> Any:
    before = len(telegram.sent)
    telegram.write(text, **how)
    wait_until(lambda: any(words in one.text for one in telegram.sent[before:]))
    return next(one for one in telegram.sent[before:] if words in one.text)


def press(telegram: Telegram, wait_until: Wait, question: Any) -> str:
    before = len(telegram.edits)
    telegram.press(0, message=question)
    wait_until(lambda: len(telegram.edits) > before)
    return telegram.edits[-1][1]


def test_the_monitor_is_asked_and_ordered_from_the_phone(
    service: Callable[..., Any], telegram: Telegram, monitor: Monitor, environ: dict[str, str], wait_until: Wait
) -> None:
    service("runtime.telegram").start()
    health = ask(telegram, wait_until, "/health", "rig").text
    for words in ("1 standing", "🟠 stick A <is> unplugged", "🔇 m", "not running: perf.service", "🔇 stick.* until"):
        assert words in health
    for line in (
        "🔴 tunnel https://<x>.ngrok.app answers 502",
        "🟢 node dag · block 1000 · peers: 8 · disk: 43 %",
        "🟠 node fresh · fetches the chain",
        "🟢 node other",
        "🔴 node gone · the container x has ended: killed for want of memory",
        "⚪ node old · nobody has looked lately: f is old",
    ):
        assert line in health.split("\n")
    miner = ask(telegram, wait_until, "/miner", "cgminer answers").text
    for words in ("340 / 360 GH/s", "7 accepted, 1 rejected", "⛏ stratum+tcp://pool:3333 me.rig"):
        assert words in miner
    sticks = ask(telegram, wait_until, "/sticks", "CompacF").text
    assert sticks.split("\n")[0].startswith("🟢 A CompacF · 340 GH/s · 500 MHz")
    assert sticks.split("\n")[1] == "🔴 B R606 · unplugged"
    ask(telegram, wait_until, "/mute 1h stick.missing", "no alerts for 1 h")
    ask(telegram, wait_until, "/mute", "/mute 1h [what]")
    ask(telegram, wait_until, "/unmute", "alerts are back")
    ask(telegram, wait_until, "/restart", "/restart miner")
    assert [path for path, _ in monitor.orders] == ["/api/mute", "/api/unmute"]
    (_, mute), (_, unmute) = monitor.orders
    key = {"ops_key": environ["OPS_ADMIN_KEY"], "by": "telegram"}
    assert mute == key | {"scope": "stick.missing", "minutes": 60}
    assert unmute == key | {"scope": "*"}


def test_a_restart_is_asked_back_and_says_what_came_of_it(
    service: Callable[..., Any], telegram: Telegram, monitor: Monitor, wait_until: Wait
) -> None:
    service("runtime.telegram").start()
    question = ask(telegram, wait_until, "/restart miner", "Restart cgminer?")
    time.sleep(0.3)
    assert monitor.orders == []
    assert "Asked for. cgminer: asked" in press(telegram, wait_until, question)
    assert monitor.orders[0][1]["what"] == "miner"
    for answer, words in (
        ((429, {"error": "3 of 3 restarts today"}), "Not now: 3 of 3 restarts today"),
        ((409, {"error": "it runs already"}), "Not now: it runs already"),
        ((403, {"error": "wrong key"}), "miner-monitor refuses the key"),
    ):
        monitor.answer = answer
        assert words in press(telegram, wait_until, ask(telegram, wait_until, "/restart miner", "Restart cgminer?"))
    ask(telegram, wait_until, "/mute 2h", "not executed", ago=120)
    assert len(monitor.orders) == 4


def test_a_stick_that_was_given_away_is_forgotten_once_it_was_confirmed(
    service: Callable[..., Any], telegram: Telegram, monitor: Monitor, environ: dict[str, str], wait_until: Wait
) -> None:
    service("runtime.telegram").start()
    for mistake in ("/forget", "/forget 10014812 10014813"):
        ask(telegram, wait_until, mistake, "/forget STICK")
    question = ask(telegram, wait_until, "/forget 10014812@1-1.3", "Forget the stick 10014812@1-1.3?")
    time.sleep(0.3)
    assert monitor.orders == []
    monitor.answer = (200, {"ok": True, "mutes": []})
    assert "10014812@1-1.3 is forgotten" in press(telegram, wait_until, question)
    given = {"ops_key": environ["OPS_ADMIN_KEY"], "stick": "10014812@1-1.3", "by": "telegram"}
    assert monitor.orders == [("/api/forget", given)]
    monitor.answer = (409, {"error": "A is plugged in, or is not known"})
    question = ask(telegram, wait_until, "/forget A", "Forget the stick A?")
    assert "A is plugged in, or was never seen" in press(telegram, wait_until, question)


def test_a_monitor_that_is_not_there_is_said(
    service: Callable[..., Any], telegram: Telegram, environ: dict[str, str], wait_until: Wait
) -> None:
    environ["MONITOR_URL"] = "http://127.0.0.1:9"
    service("runtime.telegram").start()
    for command in ("/health", "/miner", "/sticks", "/mute 1h"):
        ask(telegram, wait_until, command, "miner-monitor does not answer")
