"""Disks that are full, break or belong to another: no 200 without the row, a 503 meanwhile, and back by itself."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.runtime import disk_kit
from tests.runtime.process_kit import Answer, Daemon, Json

Make = Callable[..., Json]
Wait = Callable[..., None]
Start = Callable[[str], Daemon]
OPEN = {"type": "OPEN", "engine": "GOLD_CFD_LONG", "symbol": "XAUUSD", "side": "LONG", "entry": 2000, "qty": 1}
BACK_SECONDS = 5.0  # it takes one at most when the machine is idle
TRADINGVIEW_SECONDS = 3.0


@pytest.fixture
def disk(tmp_path: Path, environ: dict[str, str]) -> Iterator[Path]:
    """A disk of 3 MB that holds everything the services write."""
    with disk_kit.tmpfs(tmp_path / "disk") as place:
        on(place, environ)
        yield place


def on(place: Path, environ: dict[str, str]) -> None:
    (place / "state").mkdir(exist_ok=True)
    environ |= {"TRADING_STATE_DIR": str(place / "state"), "JOURNAL_PATH": str(place / "journal.md")}
    environ |= {"EVENTS_JSONL": str(place / "events.jsonl")}
    environ |= {"READY_MIN_FREE_MB": "0.1"}  # these disks are small


def stored(environ: dict[str, str]) -> list[int]:
    with closing(sqlite3.connect(Path(environ["TRADING_STATE_DIR"]) / "webhook.db")) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM events ORDER BY id")]


def journalled(environ: dict[str, str]) -> list[int]:
    text = Path(environ["JOURNAL_PATH"]).read_text()
    blocks = re.findall(r"^```json\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(re.findall("^## ", text, re.MULTILINE))
    return [json.loads(block)["_id"] for block in blocks]


def written(environ: dict[str, str]) -> list[int]:
    """The ids in events.jsonl, where each line must be whole."""
    return [json.loads(line)["_id"] for line in Path(environ["EVENTS_JSONL"]).read_text().splitlines()]


def delivered(webhook: Daemon, *sinks: str) -> bool:
    standing = webhook.get("/api/state")["sinks"]
    return not any(standing[name]["pending"] for name in sinks)


def told_to_resend(answer: Answer) -> bool:
    return (answer.status, answer.headers.get("retry-after")) == (503, "2")


def until_refused(post: Callable[[int], Answer], enough: int = 8, most: int = 2000) -> list[Answer]:
    """Posts one after another until `enough` were refused; every answer is a 200 or a proper 503."""
    answers: list[Answer] = []
    while sum(answer.status != 200 for answer in answers) < enough:
        answers.append(post(len(answers)))
        assert answers[-1].status == 200 or told_to_resend(answers[-1]), answers[-1]
        assert len(answers) < most, "the disk never filled"
    return answers


def test_a_full_disk_of_the_webhook(
    daemon: Start, alert: Make, environ: dict[str, str], disk: Path, wait_until: Wait
) -> None:
    webhook = daemon("runtime.webhook").start()
    filler = disk_kit.fill(disk, leave=800_000)
    answers = until_refused(lambda number: webhook.post(alert(reason="x" * 4000, id=number)))
    acked = [answer.body["id"] for answer in answers if answer.status == 200]
    assert len(acked) > 5
    assert webhook.get("/ready")["ok"] is False
    assert webhook.get("/api/state")["events_total"] == len(acked), "what is stored can still be read"
    filler.unlink()
    wait_until(lambda: webhook.post(alert(id="last")).status == 200, BACK_SECONDS)
    wait_until(lambda: webhook.get("/ready")["ok"], BACK_SECONDS)
    wait_until(lambda: delivered(webhook, "journal", "jsonl"), 30)
    expected = [*acked, acked[-1] + 1]
    assert (stored(environ), journalled(environ), written(environ)) == (expected, expected, expected)


def test_a_full_disk_of_the_ledger(
    daemon: Start, alert: Make, environ: dict[str, str], disk: Path, tmp_path: Path, wait_until: Wait
) -> None:
    perf = daemon("runtime.perf").start()
    (tmp_path / "elsewhere").mkdir()
    on(tmp_path / "elsewhere", environ)
    environ |= {"PERF_URL": perf.url, "LISTEN_PORT": "0"}
    webhook = daemon("runtime.webhook").start()
    filler = disk_kit.fill(disk, leave=200_000)
    opening = {**OPEN, "meta": {"why": "x" * 4000}}
    answers = until_refused(lambda number: perf.post({**opening, "trade_id": f"t{number}"}, "/perf/event"))
    assert perf.get("/ready")["ok"] is False
    assert {webhook.post(alert(id=number)).status for number in range(20)} == {200}, "it delays nobody else"
    assert webhook.get("/ready")["ok"] is True
    filler.unlink()
    wait_until(lambda: webhook.get("/api/state")["perf_pending"] == 0, 30)
    acked = sum(answer.status == 200 for answer in answers)
    assert perf.get("/perf/summary")["total_trades"] == acked + 20


@contextmanager
def another_program(database: Path) -> Iterator[None]:
    """Holds the database for itself until the block ends."""
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n"
    code += "c.execute('BEGIN EXCLUSIVE'); print('mine', flush=True); sys.stdin.read(); c.execute('ROLLBACK')"
    command = [sys.executable, "-c", code, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"mine\n"
        yield


@pytest.mark.parametrize("service", ["webhook", "perf"])
def test_a_store_that_another_program_holds(
    daemon: Start, alert: Make, environ: dict[str, str], service: str, wait_until: Wait
) -> None:
    running = daemon(f"runtime.{service}").start()

    def post(number: int) -> Answer:
        if service == "webhook":
            return running.post(alert(id=number))
        return running.post({**OPEN, "trade_id": f"t{number}"}, "/perf/event")

    assert post(0).status == 200
    with another_program(Path(environ["TRADING_STATE_DIR"]) / f"{service}.db"):
        answers = at_once(post, range(1, 17))
        assert running.get("/ready")["ok"] is False
    assert all(told_to_resend(answer) for answer in answers)
    assert max(answer.seconds for answer in answers) < TRADINGVIEW_SECONDS
    wait_until(lambda: post(99).status == 200, BACK_SECONDS)
    wait_until(lambda: running.get("/ready")["ok"], BACK_SECONDS)
    refused_are_sent_again = at_once(post, range(1, 17))
    assert {answer.status for answer in refused_are_sent_again} == {200}
    if service == "webhook":
        assert running.get("/api/state")["events_total"] >= 18
        accepted = [event for event in running.get("/api/events?limit=100")["events"] if event["_outcome"] == "opened"]
        assert sorted(str(event["id"]) for event in accepted) == sorted(["0", "99", *map(str, range(1, 17))])
    else:
        assert running.get("/perf/summary")["total_trades"] == 18


def at_once(post: Callable[[int], Answer], numbers: range) -> list[Answer]:
    answers: list[Answer] = []
    callers = [threading.Thread(target=lambda n=n: answers.append(post(n))) for n in numbers]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(answers) == len(numbers)
    return answers


@pytest.mark.parametrize("service", ["webhook", "perf"])
def test_a_disk_that_turned_read_only_and_was_replaced(
    daemon: Start, alert: Make, environ: dict[str, str], tmp_path: Path, manager: socket.socket, service: str
) -> None:
    def post(number: int) -> Answer:
        if service == "webhook":
            return running.post(alert(id=number))
        return running.post({**OPEN, "trade_id": f"t{number}"}, "/perf/event")

    def count() -> int:
        path, name = ("/api/state", "events_total") if service == "webhook" else ("/perf/summary", "total_trades")
        return int(running.get(path)[name])

    environ |= {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"}
    with disk_kit.ext4(tmp_path / "disk", tmp_path / "broken.img") as disk:
        on(disk, environ)
        running = daemon(f"runtime.{service}").start()
        assert {post(number).status for number in range(10)} == {200}
        disk_kit.damage(disk)
        assert all(told_to_resend(post(number)) for number in range(10, 20))
        assert running.get("/ready")["ok"] is False
        assert count() == 10, "what is stored can still be read"
        assert is_signing(manager), "a restart would not help yet"
        with replaced(disk, tmp_path):
            assert not is_signing(manager), "systemd is not told to start it anew"
            running.kill()
            running.start()
            assert (post(0).status, post(99).status, running.get("/ready")["ok"]) == (200, 200, True)
            assert count() == (12 if service == "webhook" else 11)
            running.kill()


@contextmanager
def replaced(disk: Path, tmp_path: Path) -> Iterator[None]:
    """Another disk at the same place, with what was on the broken one."""
    kept = shutil.copytree(disk / "state", tmp_path / "kept", ignore=shutil.ignore_patterns("*-shm"))
    with disk_kit.ext4(disk, tmp_path / "repaired.img"):
        shutil.copytree(kept, disk / "state")
        yield


def is_signing(manager: socket.socket) -> bool:
    """Whether the service still sends the signs without which systemd kills it and starts it anew."""
    manager.settimeout(1.0)
    try:
        return [manager.recv(99) for _ in range(20)] != []
    except TimeoutError:
        return False


@pytest.mark.parametrize("service", ["webhook", "perf"])
def test_nobody_starts_on_a_read_only_disk_and_says_it_is_ready(
    daemon: Start, environ: dict[str, str], tmp_path: Path, service: str
) -> None:
    with disk_kit.tmpfs(tmp_path / "disk") as disk:
        on(disk, environ)
        running = daemon(f"runtime.{service}").start()
        assert running.stop() in (0, -15)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        running.launch()
        assert running.process is not None
        assert running.process.wait(30) != 0
        assert "ready on" not in running.said
        assert re.search("readonly|read-only|unable to open", running.said), running.said
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert running.start().get("/ready")["ok"] is True


TAILS = {
    "half a line": b'{"_id": 2, "half',
    "zeros, as a power cut leaves them": bytes(4096),
    "bytes that are no text": b"\xff\xfe\x80",
    "an open fence": b"\n```json\n{",
}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_a_corrupted_tail_harms_nothing_but_itself(
    daemon: Start, alert: Make, environ: dict[str, str], tail: bytes, wait_until: Wait
) -> None:
    """Of the log book, of events.jsonl and of the store's own log: all three after a kill, the service down."""
    webhook = daemon("runtime.webhook").start()
    first = [webhook.post(alert(id=f"first {number}")).body["id"] for number in range(3)]
    wait_until(lambda: delivered(webhook, "journal", "jsonl"), 20)
    webhook.kill()
    files = [Path(environ["JOURNAL_PATH"]), Path(environ["EVENTS_JSONL"])]
    before = [file.read_bytes() + tail for file in files]
    for file in (*files, Path(environ["TRADING_STATE_DIR"]) / "webhook.db-wal"):
        with file.open("ab") as other:
            other.write(tail)
    webhook.start()
    more = [webhook.post(alert(id=f"more {number}")).body["id"] for number in range(3)]
    wait_until(lambda: delivered(webhook, "journal", "jsonl"), 20)
    assert stored(environ) == [*first, *more]
    book, lines = (file.read_bytes().removeprefix(kept) for file, kept in zip(files, before, strict=True))
    assert [json.loads(line)["_id"] for line in lines.decode().splitlines() if line] == more
    assert [json.loads(block)["_id"] for block in re.findall(r"```json\n(.*?)\n```", book.decode(), re.DOTALL)] == more
    assert (lines[:1], webhook.get("/ready")["ok"]) == (b"\n", True)
