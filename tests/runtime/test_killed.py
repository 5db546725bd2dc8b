"""kill -9 in the middle of load, fifty times, of any service, in start-up too: nothing lost, doubled or invented."""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runtime import settings
from runtime.engines import is_test
from tests.runtime.load_kit import Sender, Sent
from tests.runtime.process_kit import OUTBOX, Daemon
from tests.runtime.replay_kit import Replay

KILLS = 50
SEED = int(os.environ.get("CHAOS_SEED", time.time_ns() % 1_000_000))
FINAL = ("duplicate", "invalid", "locked", "rejected")


@pytest.mark.timeout(900)
def test_kill_9_in_the_middle_of_load(
    daemon: Callable[[str], Daemon], environ: dict[str, str], wait_until: Callable[..., None]
) -> None:
    perf = daemon("runtime.perf").start()
    environ |= {"PERF_URL": perf.url, "LISTEN_PORT": "0"}
    webhook = daemon("runtime.webhook")
    webhook.outbox = False
    webhook.start()
    outbox = daemon(OUTBOX)
    outbox.launch()
    sent = under_load(webhook, environ, lambda: kill_again_and_again(webhook, perf, outbox))
    wait_until(lambda: settled(webhook), 60)
    state = webhook.get("/api/state")
    for service in (webhook, outbox, perf):
        service.stop()
    events = rows(environ, "webhook", "events")
    assert (state["perf_dead"], state["perf_error"], state["journal_error"]) == (0, None, None), state
    acked_are_stored(sent, events)
    none_is_invented(sent, events)
    journal_has_each_once(Path(environ["JOURNAL_PATH"]), events)
    jsonl_has_each_once(Path(environ["EVENTS_JSONL"]), events)
    ledger_has_each_once(environ, events)
    lock_is_what_the_events_say(environ, events, state)


def under_load(webhook: Daemon, environ: dict[str, str], work: Callable[[], None]) -> list[Sent]:
    enough = threading.Event()
    senders = [Sender(f"{SEED}-{n}", webhook, environ["TV_WEBHOOK_KEY"], enough) for n in range(4)]
    for sender in senders:
        sender.start()
    try:
        work()
    finally:
        enough.set()
    for sender in senders:
        sender.join()
    return [one for sender in senders for one in sender.sent]


def kill_again_and_again(webhook: Daemon, perf: Daemon, outbox: Daemon) -> None:
    """Mostly one of the three, sometimes all; one in five new processes dies before it is ready."""
    dice = random.Random(SEED)
    killed = 0
    while killed < KILLS:
        time.sleep(dice.uniform(0.0, 0.3))
        victims = dice.choice([[webhook], [outbox], [outbox], [perf], [webhook, perf, outbox]])
        for victim in victims:
            victim.kill()
            killed += 1
        if dice.random() < 0.2:
            victims[0].launch()
            time.sleep(dice.uniform(0.2, 0.8))
            victims[0].kill()
            killed += 1
        for victim in victims:
            victim.launch()
        for victim in victims:
            if victim is not outbox:
                victim.wait_ready()


def settled(webhook: Daemon) -> bool:
    state = webhook.get("/api/state")
    return not any(sink["pending"] for sink in state["sinks"].values())


def rows(environ: dict[str, str], service: str, table: str) -> list[sqlite3.Row]:
    path = Path(environ["TRADING_STATE_DIR"]) / f"{service}.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return list(connection.execute(f"SELECT * FROM {table} ORDER BY 1"))  # noqa: S608 - a table of ours


def acked_are_stored(sent: list[Sent], events: list[sqlite3.Row]) -> None:
    """Every 200 names its event; that of a repetition names the first, which a trade's own name can tell as well."""
    stored = {event["id"]: json.loads(event["payload"]) for event in events}
    acked = [(one.body, answer.body) for one in sent for answer in one.answers if answer.status == 200]
    for body, answer in acked:
        kept = stored[answer["id"]]
        same_trade = answer.get("duplicate") and kept.get("trade_id", "-") == body.get("trade_id")
        assert kept["n"] == body["n"] or (same_trade and kept["engine"] == body["engine"]), (kept, body)
    new = Counter(answer["id"] for _, answer in acked if not answer.get("duplicate"))
    assert max(new.values()) == 1
    assert len(acked) > len(new) > 10 * KILLS
    assert {answer.status for one in sent for answer in one.answers} <= {200, 400, 403, 409, 503}


def none_is_invented(sent: list[Sent], events: list[sqlite3.Row]) -> None:
    """Each stored event was sent, not oftener than it was sent; each delivery was accepted once."""
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    times = {one.body["n"]: one.times for one in sent}
    stored = Counter(number(event) for event in events)
    assert {n for n, count in stored.items() if count > times[n]} == set()
    accepted = Counter(number(event) for event in events if event["outcome"] not in FINAL and not pressed_twice(event))
    assert [n for n, count in accepted.items() if count > 1] == []


def pressed_twice(event: sqlite3.Row) -> bool:
    """Without an id a test alert is never a repetition: people press the button twice."""
    return is_test(event["engine"]) and "id" not in json.loads(event["payload"])


def number(event: sqlite3.Row) -> str:
    """A refused alert is kept with what was sent as a text in `body`."""
    found = json.loads(event["payload"])
    return str(found["n"] if "n" in found else json.loads(found["body"])["n"])


def journal_has_each_once(journal: Path, events: list[sqlite3.Row]) -> None:
    text = journal.read_text()
    blocks = re.findall(r"^```json\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(re.findall("^## ", text, re.MULTILINE))
    assert [json.loads(block)["_id"] for block in blocks] == [e["id"] for e in events if e["outcome"] not in FINAL]


def jsonl_has_each_once(path: Path, events: list[sqlite3.Row]) -> None:
    """Refused and repeated alerts too, in the order of their ids, each on a whole line."""
    told = path.read_text().removesuffix("\n").split("\n")
    found = [(line["_id"], line["_outcome"]) for line in map(json.loads, told)]
    assert found == [(event["id"], event["outcome"]) for event in events]


def ledger_has_each_once(environ: dict[str, str], events: list[sqlite3.Row]) -> None:
    """Its own history says: every trade opened once, closed once if it was closed, marked as often as it was told."""
    trades, messages = rows(environ, "webhook", "trades"), rows(environ, "webhook", "perf_messages")
    history = Counter((row["type"], row["trade_id"]) for row in rows(environ, "perf", "history"))
    bodies = [json.loads(message["body"]) for message in messages]
    assert history == Counter((body["type"], body["trade_id"]) for body in bodies)
    assert {name for kind, name in history if kind == "OPEN"} == {trade["trade_id"] for trade in trades}
    closed = {trade["trade_id"] for trade in trades if trade["closed_by"] is not None}
    assert {name for kind, name in history if kind == "CLOSE"} == closed
    assert {trade["opened_by"] for trade in trades} == {event["id"] for event in events if event["outcome"] == "opened"}


def lock_is_what_the_events_say(environ: dict[str, str], events: list[sqlite3.Row], state: Any) -> None:
    replay = Replay(settings.webhook(environ))
    for event in events:
        if event["outcome"] != "invalid":
            assert (event["id"], replay.step(event).outcome) == (event["id"], event["outcome"])
    assert state["active_engine"] == (replay.lock.engine if replay.lock else None)
