"""tv-telegram as people meet it: the real process between a real store and a Telegram that may do anything."""

from __future__ import annotations

import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.telegram import TOKEN, Refusal, Sent, Telegram
from tests.runtime.conftest import ROOT

Make = Callable[..., dict[str, Any]]
Wait = Callable[..., None]
GONE = Refusal(400, "Bad Request: chat not found")


@pytest.fixture
def telegram(environ: dict[str, str]) -> Iterator[Telegram]:
    """Telegram, and a bot that is told to use it."""
    fake = Telegram().start()
    environ.update(TELEGRAM_BOT_TOKEN=TOKEN, TELEGRAM_CHAT_ID="42", TELEGRAM_BASE_URL=fake.url, TELEGRAM_TIMEOUT="1")
    yield fake
    fake.stop()


@pytest.fixture
def webhook(service: Callable[..., Any], environ: dict[str, str]) -> Any:
    running = service().start()
    environ["TV_URL"] = running.url
    return running


@pytest.fixture
def bot(service: Callable[..., Any], telegram: Telegram, webhook: Any) -> Any:
    """A bot that has been on before, so that it tells everything from here on."""
    return service("runtime.telegram").start(stderr=subprocess.STDOUT)


def rows(environ: dict[str, str], query: str) -> list[Any]:
    place = Path(environ["TRADING_STATE_DIR"]) / "webhook.db"
    with sqlite3.connect(place, timeout=10) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def send(webhook: Any, alert: Make, *reasons: str, **changes: Any) -> None:
    for reason in reasons:
        assert webhook.post(alert(reason=reason, id=reason, **changes)).status_code == 200


def names(start: int, count: int) -> list[str]:
    return [f"n{number:03}" for number in range(start, start + count)]


def told(telegram: Telegram) -> list[str]:
    return re.findall(r"\bn\d{3}\b", telegram.text)


def resident(bot: Any) -> float:
    """MB, printed too."""
    found = int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{bot.process.pid}/status").read_text())[0]) / 1000
    sys.stdout.write(f"\ntv-telegram: {found:.0f} MB\n")
    return found


def test_alerts_are_told_together_in_order_and_once(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait
) -> None:
    begun = time.monotonic()
    send(webhook, alert, *names(0, 20))
    took = time.monotonic() - begun
    wait_until(lambda: len(told(telegram)) >= 20)
    time.sleep(1.5)
    assert told(telegram) == names(0, 20)
    assert len(telegram.sent) <= 3 + took, "one a second at most"
    assert {one.chat for one in telegram.sent} == {"42"}
    assert resident(bot) <= 90


def test_each_kind_of_news_is_told_with_what_matters(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait, environ: dict[str, str]
) -> None:
    short = {"engine": "COINM_SHORT", "signal": "SELL", "symbol": "BTCUSDT.P", "price": 68000, "tp": 67000, "sl": 69000}
    webhook.post(alert(**short))
    webhook.post(alert(engine="USDTM_LONG"))
    webhook.post(alert(engine="TV_TEST", sl=0, reason="<b>&lt; @all"))
    webhook.post(alert(price="x"))
    webhook.post(alert(**short, event_type="CLOSE", exit=67000, id="end"))
    webhook.post({"ops_key": environ["OPS_ADMIN_KEY"]}, "/api/reset_lock")
    wait_until(lambda: "VERROU LIBÉRÉ" in telegram.text)
    for words in ("OUVERT", "qté 0.06", "REFUSÉ (verrou)", "TEST", "<b>&lt; @all", "REFUSÉ (invalide)"):
        assert words in telegram.text
    for words in ("FERMÉ", "68000 → 67000", "+1.00 R", "+60.00 USD"):
        assert words in telegram.text
    assert "<code>&lt;b&gt;&amp;lt; @all</code>" in "".join(one.html for one in telegram.sent)


def test_history_is_not_told_and_a_storm_is_counted(
    service: Callable[..., Any], webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait
) -> None:
    send(webhook, alert, "n900")
    bot = service("runtime.telegram").start()
    bot.stop()
    send(webhook, alert, *names(0, 62))
    bot.start()
    wait_until(lambda: "n061" in telegram.text)
    assert told(telegram) == names(37, 25)
    assert "et 37 de plus" in telegram.text


def test_old_news_are_counted(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait, environ: dict[str, str]
) -> None:
    bot.stop()
    send(webhook, alert, *names(0, 3))
    environ["TELEGRAM_MAX_AGE"] = "1"
    time.sleep(1.1)
    bot.start()
    wait_until(lambda: telegram.sent)
    assert "et 3 de plus de" in telegram.text
    assert told(telegram) == []


def test_a_limit_is_kept(bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait) -> None:
    telegram.refuse.append(Refusal(429, "Too Many Requests: retry after 2", retry_after=2))
    send(webhook, alert, "n001")
    wait_until(lambda: told(telegram))
    first, second = [at for at, method in telegram.calls if method == "sendMessage"]
    assert second - first >= 2
    assert told(telegram) == ["n001"]


def test_a_black_hole_delays_only_the_bot_and_nothing_is_lost(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait, environ: dict[str, str]
) -> None:
    telegram.hang()
    with httpx.Client(base_url=webhook.url) as client:
        bodies = [alert(reason=name, id=name) for name in names(0, 20)]
        took = [client.post("/tv", json=body).elapsed.total_seconds() for body in bodies]
    assert sorted(took)[17] < 0.25
    state = "SELECT error, failing_since, attempts, delivered FROM outbox WHERE sink = 'telegram'"
    wait_until(lambda: rows(environ, state)[0][2] >= 2, 20)
    error, since, _, delivered = rows(environ, state)[0]
    assert (error, delivered) == ("Timed out", 0)
    assert since
    telegram.release()
    wait_until(lambda: len(told(telegram)) >= 20, 20)
    assert told(telegram) == names(0, 20)
    wait_until(lambda: rows(environ, state) == [(None, None, 0, 20)])


def test_telegram_down_at_the_start_is_waited_for(
    service: Callable[..., Any], webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait
) -> None:
    telegram.stop()
    service("runtime.telegram").start()
    send(webhook, alert, "n001")
    time.sleep(1)
    telegram.start()
    wait_until(lambda: told(telegram) == ["n001"], 20)
    telegram.write("/lock")
    wait_until(lambda: "Verrou libre" in telegram.text, 20)
    assert [one["command"] for one in telegram.menu][:2] == ["status", "events"]


KILLS = 10


def test_killed_at_any_moment_it_skips_nothing_and_repeats_at_most_what_was_on_its_way(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait
) -> None:
    telegram.slow = 0.1
    for number in range(KILLS):
        send(webhook, alert, *names(2 * number, 2))
        if number:
            bot.start()
        time.sleep(random.uniform(0.0, 0.5))
        bot.kill()
    bot.start()
    wait_until(lambda: set(told(telegram)) >= set(names(0, 2 * KILLS)), 20)
    assert sorted(set(told(telegram))) == names(0, 2 * KILLS)
    seen, repeats = set[str](), 0
    for one in telegram.sent:
        held = set(re.findall(r"\bn\d{3}\b", one.text))
        repeats += bool(held & seen)
        seen |= held
    assert repeats <= KILLS


def test_what_telegram_refuses_for_good_is_kept_and_sent_again_on_demand(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait, environ: dict[str, str]
) -> None:
    letters = "SELECT sink, ref, reason, retry FROM dead_letters"
    telegram.refuse.append(GONE)
    send(webhook, alert, "n001")
    wait_until(lambda: rows(environ, letters))
    assert rows(environ, letters) == [("telegram", 1, "Chat not found", 0)]
    send(webhook, alert, "n002")
    wait_until(lambda: told(telegram) == ["n002"])
    telegram.refuse.append(Refusal(403, "Forbidden: bot was blocked by the user"))
    rows(environ, "UPDATE dead_letters SET retry = 1")
    wait_until(lambda: rows(environ, letters) == [("telegram", 1, "Forbidden: bot was blocked by the user", 0)])
    rows(environ, "UPDATE dead_letters SET retry = 1")
    wait_until(lambda: rows(environ, letters) == [])
    assert told(telegram) == ["n002", "n001"]


def test_one_that_cannot_be_sent_does_not_take_its_neighbours_along(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait, environ: dict[str, str]
) -> None:
    bot.stop()
    send(webhook, alert, *names(1, 3))
    telegram.refuse += [Refusal(400, "Bad Request: can't parse entities")] * 2
    bot.start()
    wait_until(lambda: len(told(telegram)) == 2)
    assert told(telegram) == ["n002", "n003"]
    assert rows(environ, "SELECT ref FROM dead_letters") == [(1,)]


def test_a_group_that_moved_is_followed(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait
) -> None:
    telegram.refuse.append(Refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1007))
    send(webhook, alert, "n001")
    wait_until(lambda: told(telegram))
    assert [one.chat for one in telegram.sent] == ["-1007"]
    bot.stop()
    assert "set TELEGRAM_CHAT_ID to it" in "".join(bot.said)


def test_the_token_shows_nowhere(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait, environ: dict[str, str]
) -> None:
    telegram.refuse += [Refusal(500, "Internal"), Refusal(429, "Too Many Requests", retry_after=1), GONE]
    send(webhook, alert, "n001")
    wait_until(lambda: rows(environ, "SELECT * FROM dead_letters"), 20)
    telegram.stop()
    send(webhook, alert, "n002")
    wait_until(lambda: rows(environ, "SELECT attempts FROM outbox WHERE sink = 'telegram'")[0][0])
    command = Path(f"/proc/{bot.process.pid}/cmdline").read_bytes()
    assert bot.stop() == 0
    environ["TELEGRAM_BOT_TOKEN"] = other = TOKEN[:-1] + "X"
    telegram.start()
    bot.start(stderr=subprocess.STDOUT)
    wait_until(lambda: "token" in str(rows(environ, "SELECT error FROM outbox WHERE sink = 'telegram'")))
    bot.stop()
    said = "".join(bot.said)
    for words in ("delivery delayed", "will not take", "refuses the token"):
        assert words in said
    stored = b"".join(path.read_bytes() for path in Path(environ["TRADING_STATE_DIR"]).iterdir())
    for secret in (TOKEN, other, TOKEN.split(":")[1], environ["OPS_ADMIN_KEY"]):
        assert secret not in said
        assert secret.encode() not in command + stored
    assert "api.telegram.org" not in said
    assert "/bot" not in said


# commands


def reply(telegram: Telegram, wait_until: Wait, text: str, words: str = "(60 s)", **how: Any) -> Sent:
    """What is answered: the message after the command that says `words`; news may come in between."""
    before = len(telegram.sent)
    telegram.write(text, **how)
    wait_until(lambda: any(words in one.text for one in telegram.sent[before:]))
    return next(one for one in telegram.sent[before:] if words in one.text)


def pressed(telegram: Telegram, wait_until: Wait, question: Sent, number: int = 0) -> str:
    before = len(telegram.edits)
    telegram.press(number, message=question)
    wait_until(lambda: len(telegram.edits) > before)
    return telegram.edits[-1][1]


def test_questions_are_answered(
    service: Callable[..., Any],
    webhook: Any,
    telegram: Telegram,
    alert: Make,
    wait_until: Wait,
    environ: dict[str, str],
) -> None:
    environ.update(LISTEN_PORT="0", TELEGRAM_LANGUAGE="en", TELEGRAM_EVENTS="pause")
    ledger = service("runtime.perf").start()
    environ["PERF_URL"] = ledger.url
    service("runtime.telegram").start()
    send(webhook, alert, "n001", engine="USDTM_LONG")
    reply(telegram, wait_until, "/status", "Lock: USDTM_LONG")
    reply(telegram, wait_until, "/lock@trader_bot", "Lock: USDTM_LONG")
    reply(telegram, wait_until, "/events 3", "BUY USDTM_LONG XAUUSD 2000 opened")
    reply(telegram, wait_until, "/events many", "n from 1 to 20")
    reply(telegram, wait_until, "/perf", "equity 10000 (from 10000)")
    reply(telegram, wait_until, "/quote GOLD_CFD_LONG 2000 1995 2010", "qty 3, risk 15 USD")
    reply(telegram, wait_until, "/quote GOLD_CFD_LONG 2000 2001", "answered 400: sl")
    reply(telegram, wait_until, "/nonsense", "/help")
    reply(telegram, wait_until, "/help", "/pause [minutes]")


def test_a_reset_is_asked_back_and_done_once(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait
) -> None:
    send(webhook, alert, "n001", engine="USDTM_LONG")
    wait_until(lambda: told(telegram))
    question = reply(telegram, wait_until, "/reset", "Libérer le verrou ?")
    assert webhook.get("/api/state")["active_engine"] == "USDTM_LONG"
    assert "Annulé" in pressed(telegram, wait_until, question, 1)
    assert webhook.get("/api/state")["active_engine"] == "USDTM_LONG"
    question = reply(telegram, wait_until, "/reset")
    assert "détenu par USDTM_LONG" in pressed(telegram, wait_until, question)
    assert webhook.get("/api/state")["active_engine"] is None
    assert "Trop tard" in pressed(telegram, wait_until, question)


def test_a_pause_is_asked_back_obeyed_and_told(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait
) -> None:
    question = reply(telegram, wait_until, "/pause 30 GOLD_CFD_LONG", "pause GOLD_CFD_LONG pendant 30 min")
    assert "En pause" in pressed(telegram, wait_until, question)
    (pause,) = webhook.get("/api/guards")["pauses"]
    assert (pause["scope"], pause["by"]) == ("GOLD_CFD_LONG", "telegram")
    assert webhook.post(alert(reason="n001")).json()["outcome"] == "guarded"
    wait_until(lambda: "REFUSÉ (garde-fou)" in telegram.text)
    assert "pendant 30 min" in telegram.text
    reply(telegram, wait_until, "/status", "en pause : GOLD_CFD_LONG jusqu'à")
    question = reply(telegram, wait_until, "/resume GOLD_CFD_LONG", "Reprendre GOLD_CFD_LONG")
    assert "Reprise" in pressed(telegram, wait_until, question)
    wait_until(lambda: "REPRISE GOLD_CFD_LONG" in telegram.text)
    assert webhook.get("/api/guards")["pauses"] == []
    question = reply(telegram, wait_until, "/pause NOT_AN_ENGINE")
    assert "'NOT_AN_ENGINE' is no engine" in pressed(telegram, wait_until, question)


def test_what_waited_while_the_bot_was_down_changes_nothing(bot: Any, telegram: Telegram, wait_until: Wait) -> None:
    for command in ("/pause 30", "/reset", "/resume"):
        assert reply(telegram, wait_until, command, "non exécutée", ago=300).buttons == []
    reply(telegram, wait_until, "/status", "État", ago=300)


def test_others_get_no_answer_and_their_words_are_not_logged(bot: Any, telegram: Telegram, wait_until: Wait) -> None:
    telegram.write("/reset strange-words", chat=666)
    telegram.press_of(666)
    reply(telegram, wait_until, "/status", "État")
    assert {one.chat for one in telegram.sent} == {"42"}
    assert telegram.edits == telegram.toasts == []
    bot.stop()
    said = "".join(bot.said)
    assert said.count("chat 666 may not give commands") == 2
    assert "strange-words" not in said


def test_a_wrong_operators_key_and_a_dead_webhook_are_told(
    service: Callable[..., Any], webhook: Any, telegram: Telegram, wait_until: Wait, environ: dict[str, str]
) -> None:
    environ["OPS_ADMIN_KEY"] = "not-the-webhooks-key"
    service("runtime.telegram").start()
    question = reply(telegram, wait_until, "/reset")
    assert "refuse la clé" in pressed(telegram, wait_until, question)
    question = reply(telegram, wait_until, "/pause 5")
    webhook.stop()
    reply(telegram, wait_until, "/status", "tv-webhook ne répond pas")
    assert "tv-webhook ne répond pas" in pressed(telegram, wait_until, question)
    reply(telegram, wait_until, "/perf", "perf ne répond pas")


# the service


def test_it_stops_at_once_whatever_telegram_does(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait
) -> None:
    begun = time.monotonic()
    assert bot.stop() == 0
    telegram.hang()
    bot.start()
    send(webhook, alert, "n001")
    time.sleep(0.5)
    middle = time.monotonic()
    assert bot.stop() == 0
    assert time.monotonic() - middle < 2
    assert middle - begun < 15


def test_systemd_is_told_that_it_is_ready_and_alive(
    service: Callable[..., Any], webhook: Any, telegram: Telegram, environ: dict[str, str], tmp_path: Path
) -> None:
    telegram.stop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        environ.update(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000")
        bot = service("runtime.telegram").start()
        heard = ""
        while not all(words in heard for words in ("READY=1", "WATCHDOG=1", "STATUS=commands: cannot hear commands")):
            heard += manager.recv(4096).decode() + "\n"
        bot.stop()
        while "STOPPING=1" not in heard:
            heard += manager.recv(4096).decode()


def test_a_store_that_is_not_there_yet_is_waited_for(
    telegram: Telegram, environ: dict[str, str], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        given = environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "TRADING_STATE_DIR": str(tmp_path / "late")}
        command = [sys.executable, "-m", "runtime.telegram"]
        with subprocess.Popen(command, cwd=ROOT, env=os.environ | given, stdout=subprocess.DEVNULL) as process:
            heard = manager.recv(4096).decode()
            assert "STATUS=waiting for the store" in heard
            assert "EXTEND_TIMEOUT_USEC" in heard
            (tmp_path / "late").mkdir()
            while "READY=1" not in heard:
                heard = manager.recv(4096).decode()
            process.terminate()
            assert process.wait(10) == 0


def test_a_bot_that_is_off_talks_to_nobody_and_forgets(
    bot: Any, webhook: Any, telegram: Telegram, alert: Make, environ: dict[str, str]
) -> None:
    bot.stop()
    environ["TELEGRAM_ENABLED"] = "false"
    telegram.calls.clear()
    bot.start()
    send(webhook, alert, "n001")
    time.sleep(1.2)
    assert telegram.calls == []
    assert rows(environ, "SELECT * FROM outbox WHERE sink = 'telegram'") == []
    assert bot.stop() == 0


def test_a_wrong_environment_is_said_in_one_go(environ: dict[str, str]) -> None:
    env = environ | {"TELEGRAM_BOT_TOKEN": "", "PATH": "/usr/bin", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "runtime.telegram"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("tv-telegram cannot start:\nTELEGRAM_BOT_TOKEN is not set")
    assert "TELEGRAM_CHAT_ID" in done.stderr
