"""Two real webhooks on one PostgreSQL: one lock, one memory, one that delivers; and a server that restarts or hangs."""

from __future__ import annotations

import json
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from runtime.keys import Secret
from runtime.store import Store, tables
from tests.runtime.load_kit import ENGINES
from tests.runtime.postgres import Postgres
from tests.runtime.process_kit import Answer, Daemon, Json, Line

TRIALS = 60
LEVELS = {"signal": "BUY", "price": 2000.0, "tp": 2010, "sl": 1995}


@dataclass
class Pair:
    """Both webhooks, the server and the name of their database, and how an alert is made."""

    webhooks: tuple[Daemon, Daemon]
    server: Postgres
    name: str
    key: str

    def alert(self, engine: str, **changes: Any) -> Json:
        base = {"key": self.key, "engine": engine, "symbol": "BTCUSDT.P", "tf": "15", "reason": "two"}
        return base | ENGINES[engine] | changes

    def ids(self, where: str = "true") -> list[int]:
        query = f"SELECT id FROM webhook.events WHERE {where} ORDER BY id"  # noqa: S608 - the test's own words
        return [int(row) for row in self.server.ask(query, self.name).split()]

    def recovers(self, webhook: Daemon) -> bool:
        return webhook.post(self.alert("GOLD_CFD_LONG", id=f"{time.monotonic_ns()}")).status == 200


@pytest.fixture
def two(daemon: Callable[[str], Daemon], environ: dict[str, str], postgres: Postgres) -> Iterator[Pair]:
    name = postgres.database()
    environ["STORE_URL"] = postgres.url(name)
    webhooks = daemon("runtime.webhook").start(), daemon("runtime.webhook").start()
    yield Pair(webhooks, postgres, name, environ["TV_WEBHOOK_KEY"])


def journalled(environ: dict[str, str]) -> list[int]:
    journal = Path(environ["JOURNAL_PATH"])
    text = journal.read_text() if journal.exists() else ""  # made with its first entry
    return [json.loads(block)["_id"] for block in re.findall(r"^```json\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)]


def test_of_two_aggressive_engines_at_two_processes_one_passes(two: Pair, environ: dict[str, str]) -> None:
    done, lines = threading.Event(), [Line(one.url) for one in two.webhooks]
    pollers = [threading.Thread(target=poll, args=(one.url, done)) for one in two.webhooks]
    for poller in pollers:
        poller.start()
    with ThreadPoolExecutor(2) as both:
        for trial in range(TRIALS):
            order = random.sample(["COINM_SHORT", "USDTM_LONG"], 2)
            bodies = [two.alert(engine, id=trial) for engine in order]
            sent = [both.submit(line.post, "/tv", body) for line, body in zip(lines, bodies, strict=True)]
            status = {engine: answered(one.result()).status for engine, one in zip(order, sent, strict=True)}
            assert sorted(status.values()) == [200, 409], trial
            held = two.webhooks[trial % 2].get("/api/state")["active_engine"]
            freed = two.webhooks[1 - trial % 2].post({"ops_key": environ["OPS_ADMIN_KEY"]}, "/api/reset_lock").body
            assert status[freed["was"]] == status[held] == 200, trial
    done.set()
    for poller in pollers:
        poller.join()
    for line in lines:
        line.close()
    assert two.ids() == list(range(1, 2 * TRIALS + 1)), "no id is left out"


def poll(url: str, done: threading.Event) -> None:
    line = Line(url)
    while not done.is_set():
        line.get("/api/state")
    line.close()


def answered(answer: Answer | None) -> Answer:
    assert answer is not None
    return answer


def test_the_same_alert_at_both_is_one_trade(two: Pair) -> None:
    with ThreadPoolExecutor(6) as pool:
        for trial in range(20):
            body = two.alert("GOLD_CFD_LONG", id=f"same-{trial}")
            sent = [pool.submit(two.webhooks[n % 2].post, body) for n in range(6)]
            answers = [one.result() for one in sent]
            assert {one.status for one in answers} == {200}
            assert len({one.body["id"] for one in answers}) == 1
            assert sum("duplicate" not in one.body for one in answers) == 1
    assert two.server.ask("SELECT count(*) FROM webhook.trades", two.name) == "20"


class Sending(threading.Thread):
    """Alerts at one webhook after the other, until told to stop; keeps the ids that were acknowledged."""

    def __init__(self, two: Pair, name: str, pause: float = 0.004) -> None:
        super().__init__(daemon=True)
        self.acked: list[int] = []
        self.others: list[Answer] = []
        self._two, self._name, self._pause = two, name, pause
        self._enough = threading.Event()

    def run(self) -> None:
        lines = [Line(one.url) for one in self._two.webhooks]
        for n in count():
            if self._enough.is_set():
                break
            answer = lines[n % 2].post("/tv", self._two.alert("GOLD_CFD_LONG", id=f"{self._name}-{n}"))
            if answer is not None:
                self._keep(answer)
            time.sleep(self._pause)
        for line in lines:
            line.close()

    def stop(self) -> None:
        self._enough.set()
        self.join()

    def _keep(self, answer: Answer) -> None:
        if answer.status == 200:
            self.acked.append(answer.body["id"])
        else:
            self.others.append(answer)


def test_one_delivers_and_the_other_takes_over_when_it_is_killed(
    two: Pair, environ: dict[str, str], wait_until: Callable[..., None]
) -> None:
    sending = [Sending(two, f"s{n}") for n in range(3)]
    for one in sending:
        one.start()
    for _ in range(4):
        wait_until(lambda: sorted(roles(two)) == ["leader", "standby"], 20)
        time.sleep(random.uniform(0.05, 0.3))
        leader = two.webhooks[roles(two).index("leader")]
        leader.kill()  # with its outbox
        before = len(journalled(environ))
        wait_until(lambda before=before: len(journalled(environ)) > before, 20)
        leader.start()
    for one in sending:
        one.stop()
    stored = two.ids("outcome IN ('opened', 'recorded', 'closed')")
    wait_until(lambda: two.webhooks[0].get("/api/state")["journal_pending"] == 0, 30)
    assert journalled(environ) == stored
    assert {row for one in sending for row in one.acked} <= set(two.ids())
    assert max(Counter(journalled(environ)).values()) == 1


def test_two_on_one_file_share_the_work_too(
    daemon: Callable[[str], Daemon], environ: dict[str, str], wait_until: Callable[..., None]
) -> None:
    """Such as an old process that is slow to end while the new one is up: the log book gets each alert once."""
    one, other = daemon("runtime.webhook").start(), daemon("runtime.webhook").start()
    body = {"key": environ["TV_WEBHOOK_KEY"], "engine": "TV_TEST", "symbol": "X", "tf": "1", "reason": "", **LEVELS}
    ids = [webhook.post(body).body["id"] for _ in range(5) for webhook in (one, other)]
    assert [delivers(webhook) for webhook in (one, other)] == [True, False]
    one.kill()
    ids += [other.post(body).body["id"] for _ in range(3)]
    wait_until(lambda: len(journalled(environ)) == len(ids), 20)
    assert journalled(environ) == ids == list(range(1, 14))
    assert delivers(other)


def roles(two: Pair) -> list[str]:
    return ["leader" if delivers(one) else "standby" for one in two.webhooks]


def delivers(webhook: Daemon) -> bool:
    """Whether its outbox has the sink `journal`: the others change hands on their own."""
    return "journal: this process delivers" in webhook.said


def test_a_server_that_restarts_costs_503s_and_no_alert(two: Pair, wait_until: Callable[..., None]) -> None:
    sending = [Sending(two, f"s{n}") for n in range(3)]
    for one in sending:
        one.start()
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGINT):
        before = sum(len(one.acked) for one in sending)
        wait_until(lambda before=before: sum(len(one.acked) for one in sending) > before + 10, 30)
        two.server.stop(how)
        time.sleep(0.4)
        two.server.start()
    time.sleep(1.0)
    for one in sending:
        one.stop()
    acked = [row for one in sending for row in one.acked]
    refused = [answer for one in sending for answer in one.others]
    assert len(acked) == len(set(acked)) > 20
    assert set(acked) <= set(two.ids())
    assert refused
    assert {(one.status, one.headers["retry-after"]) for one in refused} == {(503, "2")}
    for webhook in two.webhooks:
        wait_until(lambda webhook=webhook: two.recovers(webhook))
        wait_until(lambda webhook=webhook: webhook.get("/api/state")["journal_pending"] == 0, 30)
    assert two.server.url("x").split(":")[2].split("@")[0] not in "".join(one.said for one in two.webhooks)


def test_a_restart_that_nobody_noticed_costs_nothing(two: Pair) -> None:
    assert two.recovers(two.webhooks[0])
    two.server.stop()
    two.server.start()
    assert two.recovers(two.webhooks[0])
    assert two.webhooks[0].get("/api/state")["events_total"] == 2


def test_a_server_that_hangs_is_a_503_in_time(two: Pair, wait_until: Callable[..., None]) -> None:
    assert two.webhooks[0].post(two.alert("GOLD_CFD_LONG", id="before")).status == 200
    two.server.signal(signal.SIGSTOP)
    try:
        for webhook in two.webhooks:
            answer = webhook.post(two.alert("GOLD_CFD_LONG", id=f"amid {webhook.url}"))
            assert (answer.status, answer.headers["retry-after"]) == (503, "2")
            assert answer.seconds < 2.9
    finally:
        two.server.signal(signal.SIGCONT)
    for webhook in two.webhooks:
        wait_until(lambda webhook=webhook: two.recovers(webhook))


def test_a_process_that_hangs_amid_a_transaction_does_not_stop_the_other(two: Pair, environ: dict[str, str]) -> None:
    """It loses the writers' lock when the server ends its transaction; until then an alert is a 503, in time."""
    store, held, gate = Store(Secret(environ["STORE_URL"]), tables.SCHEMA), threading.Event(), threading.Event()

    def hang(_: Connection) -> None:
        held.set()
        gate.wait(20)

    future = store.submit(hang)
    assert held.wait(5)
    answers = []
    while not answers or answers[-1].status != 200:
        answers.append(two.webhooks[0].post(two.alert("GOLD_CFD_LONG", id=len(answers))))
        assert len(answers) < 20
    assert all(one.seconds < 2.9 for one in answers)
    gate.set()
    assert future.exception(10) is not None
    store.close()


def test_commits_are_synced_whatever_the_server_says(postgres: Postgres) -> None:
    name = postgres.database()
    postgres.ask(f"ALTER DATABASE {name} SET synchronous_commit = off")
    postgres.ask(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    store = Store(Secret(postgres.url(name)), tables.SCHEMA)

    def settings(connection: Connection) -> list[Any]:
        names = ("synchronous_commit", "transaction_isolation", "search_path", "lock_timeout", "statement_timeout")
        return [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]

    assert store.submit(settings).result(5) == ["on", "read committed", "webhook", "1s", "1500ms"]
    with store.read() as connection:
        shown = [connection.exec_driver_sql(f"SHOW transaction_{name}").scalar() for name in ("isolation", "read_only")]
    assert shown == ["repeatable read", "on"]
    store.close()
