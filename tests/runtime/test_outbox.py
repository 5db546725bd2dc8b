"""What sinks refused or fail at, as an operator sees it from outside the service, and having it sent again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from runtime import settings
from runtime.keys import Secret
from runtime.store import Store
from runtime.store.tables import SCHEMA, events
from tests.runtime.test_perf_sink import fake_ledger

Make = Callable[..., dict[str, Any]]
Wait = Callable[..., None]
Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def outbox(environ: dict[str, str]) -> Run:
    """`python -m runtime.outbox ...` with the service's environment."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "runtime.outbox", *arguments]
        return subprocess.run(command, cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, check=False)

    return run


def ask(place: Path | Secret, *statement: Any) -> list[Any]:
    """The rows of a statement run on the webhook's store, from outside the service."""

    def run(connection: Connection) -> list[Any]:
        found = connection.execute(*statement)
        return list(found) if found.returns_rows else []

    store = Store(place, SCHEMA)
    try:
        return store.submit(run).result(60)
    finally:
        store.close()


def sinks(running: Any) -> dict[str, Any]:
    found: dict[str, Any] = running.get("/api/state")["sinks"]
    return found


def idle(running: Any) -> bool:
    return all(one["pending"] == 0 for one in sinks(running).values())


def test_what_the_ledger_refused_is_shown_and_sent_again_in_order(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, wait_until: Wait, outbox: Run
) -> None:
    with fake_ledger([400, 200, 400, 400]) as (url, seen):
        environ["PERF_URL"] = url
        running = service().start()
        for number in range(5):
            running.post(alert(id=number))
        wait_until(lambda: idle(running))
        assert running.get("/api/state")["perf_dead"] == 3
        shown = outbox("status")
        assert shown.returncode == 1
        assert "to be sent again" not in shown.stdout
        assert shown.stdout.count("400 because") == 3
        told = json.loads(outbox("status", "--json").stdout)
        assert (told["ok"], told["sinks"]["perf"]["dead"]) == (False, 3)
        assert [letter["ref"] for letter in told["dead_letters"]] == [1, 3, 4]
        one = str(told["dead_letters"][1]["id"])
        assert outbox("retry", "perf", "--id", one).returncode == 0
        wait_until(lambda: running.get("/api/state")["perf_dead"] == 2)
        assert outbox("retry", "perf", "--all").returncode == 0
        wait_until(lambda: running.get("/api/state")["perf_dead"] == 0)
        assert [body["meta"]["event_id"] for body in seen] == [1, 2, 3, 4, 5, 3, 1, 4]
        well = outbox("status")
        assert (well.returncode, "dead letter" in well.stdout) == (0, False)
        running.stop()


def test_one_that_cannot_be_sent_again_holds_up_neither_the_others_nor_what_is_new(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, wait_until: Wait, outbox: Run
) -> None:
    answers = [400, 400, 400]
    with fake_ledger(answers) as (url, seen):
        environ["PERF_URL"] = url
        running = service().start()
        for number in range(3):
            running.post(alert(id=number))
        wait_until(lambda: running.get("/api/state")["perf_dead"] == 3)
        answers += [500, 422]
        outbox("retry", "perf", "--all")
        wait_until(lambda: running.get("/api/state")["perf_dead"] == 2)
        running.post(alert(id=3))
        wait_until(lambda: idle(running))
        assert [body["meta"]["event_id"] for body in seen] == [1, 2, 3, 1, 2, 3, 4]
        letters = json.loads(outbox("status", "--json").stdout)["dead_letters"]
        said = [(letter["ref"], letter["reason"], letter["retry"]) for letter in letters]
        assert said == [(1, "the ledger answered 500", False), (2, "422 because", False)]
        running.stop()


def test_since_when_a_sink_fails_is_known_across_restarts_until_it_recovers(
    service: Callable[..., Any], alert: Make, journal: Path, wait_until: Wait, outbox: Run
) -> None:
    journal.mkdir()
    running = service().start()
    running.post(alert())
    wait_until(lambda: sinks(running)["journal"]["failing_since"])
    before = sinks(running)["journal"]
    assert "journal.md" in before["error"]
    assert (before["pending"], before["attempts"] > 0, before["lag_sec"] >= 0) == (1, True, True)
    running.kill()
    shown = outbox("status")
    assert shown.returncode == 1
    assert before["failing_since"] in shown.stdout
    running.start()
    wait_until(lambda: sinks(running)["journal"]["error"])
    assert sinks(running)["journal"]["failing_since"] == before["failing_since"]
    journal.rmdir()
    wait_until(lambda: sinks(running)["journal"]["failing_since"] is None)
    assert (sinks(running)["journal"]["attempts"], sinks(running)["journal"]["error"]) == (0, None)


def test_a_failure_that_ended_while_nothing_ran_is_forgotten(
    service: Callable[..., Any], alert: Make, journal: Path, wait_until: Wait
) -> None:
    journal.mkdir()
    running = service().start()
    running.post(alert())
    wait_until(lambda: sinks(running)["journal"]["failing_since"])
    running.kill()
    journal.rmdir()
    running.start()
    wait_until(lambda: sinks(running)["journal"]["failing_since"] is None)


def test_an_event_that_cannot_be_written_down_holds_up_nobody_and_is_written_once_repaired(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, journal: Path, jsonl: Path, wait_until: Wait,
    outbox: Run,
) -> None:  # fmt: skip
    place = settings.webhook(environ).database
    journal.mkdir()
    jsonl.mkdir()
    running = service().start()
    for number in range(3):
        running.post(alert(id=number))
    running.stop()
    ((good,),) = ask(place, select(events.c.payload).where(events.c.id == 2))
    ask(place, update(events).where(events.c.id == 2).values(payload="[damaged"))
    journal.rmdir()
    jsonl.rmdir()
    running.start()
    wait_until(lambda: sinks(running)["journal"]["pending"] == 0 and sinks(running)["jsonl"]["pending"] == 0)
    assert {name: one["dead"] for name, one in sinks(running).items()} == {"journal": 1, "jsonl": 1, "perf": 0}
    for sink in ("journal", "jsonl"):
        assert outbox("retry", sink, "--all").returncode == 0
    wait_until(lambda: "to be sent again" not in outbox("status").stdout)
    assert sinks(running)["journal"]["dead"] == 1
    running.stop()
    ask(place, update(events).where(events.c.id == 2).values(payload=good))
    for sink in ("journal", "jsonl"):
        assert outbox("retry", sink, "--all").returncode == 0
    running.start()
    wait_until(lambda: not any(one["dead"] for name, one in sinks(running).items()))
    ids = [json.loads(row)["_id"] for row in jsonl.read_text().splitlines()]
    assert ids == [1, 3, 2]
    assert [json.loads(block.split("\n```")[0])["_id"] for block in journal.read_text().split("```json\n")[1:]] == ids


def test_a_wrong_question_is_answered_with_what_to_do(outbox: Run, environ: dict[str, str]) -> None:
    nothing = outbox("retry", "perf", "--all")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "perf has no dead letters" in nothing.stderr
    assert outbox("retry", "perf").returncode == 2
    assert outbox("status").returncode == 0
    environ["TV_WEBHOOK_KEY"] = ""
    failed = outbox("status")
    assert failed.returncode == 2
    assert "TV_WEBHOOK_KEY is not set" in failed.stderr


def test_a_flood_of_refused_alerts_does_not_make_each_look_longer(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, journal: Path, wait_until: Wait
) -> None:
    place, running = settings.webhook(environ).database, service().start()
    running.post(alert(engine="TV_TEST"))
    wait_until(lambda: idle(running))
    running.stop()
    row = {
        "ts": "2026-01-01T00:00:00.000000+00:00",
        "ip": "i",
        "engine": "e",
        "signal": "BUY",
        "symbol": "s",
        "tf": "1",
    }
    row |= {"reason": "", "payload": "{}", "outcome": "invalid"}
    ask(place, insert(events), [row | {"status": 400} for _ in range(1500)])
    running.start()
    wait_until(lambda: sinks(running)["journal"]["delivered"] == 1501)
    running.post(alert(engine="TV_TEST"))
    wait_until(lambda: idle(running))
    assert journal.read_text().count("\n## ") == 2
