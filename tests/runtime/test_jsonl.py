"""events.jsonl: every alert as one line, exactly once, across kills, torn lines, and files that are put aside."""

from __future__ import annotations

import gzip
import json
import random
import secrets
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from runtime import settings
from runtime.journal import rotation
from runtime.outbox.feeds import line
from runtime.settings import Rotation
from runtime.webhook.app import Webhook
from tests.runtime.outbox_kit import delivering

Make = Callable[..., dict[str, Any]]
Wait = Callable[..., None]


def read(path: Path) -> list[dict[str, Any]]:
    """Every line of the file and of those that were put aside, oldest first. Each must be whole."""
    found = []
    for one in [*sorted(path.parent.glob("events-*")), path]:
        assert one.suffix != ".part"
        text = gzip.decompress(one.read_bytes()) if one.suffix == ".gz" else one.read_bytes()
        assert not text or text.endswith(b"\n")
        found += [json.loads(row) for row in text.splitlines()]
    return found


def written(client: TestClient, wait_until: Wait) -> None:
    wait_until(lambda: client.get("/api/state").json()["sinks"]["jsonl"]["pending"] == 0)


def test_what_was_taken_and_what_was_refused_is_a_line_each(
    webhook: TestClient, alert: Make, jsonl: Path, wait_until: Wait
) -> None:
    webhook.post("/tv", json=alert(reason="first é \u2028", note={"a": [1]}))
    webhook.post("/tv", json=alert())
    webhook.post("/tv", json=alert(price="abc"))
    webhook.post("/tv", json=alert(engine="TV_TEST", _id=99, _ts="x", qty=5, _mine=1))
    webhook.post("/tv", json=alert(key="not the key"))
    written(webhook, wait_until)
    lines = read(jsonl)
    assert [row["_id"] for row in lines] == [1, 2, 3, 4]
    assert [row["_outcome"] for row in lines] == ["opened", "duplicate", "invalid", "recorded"]
    assert [row["_status"] for row in lines] == [200, 200, 400, 200]
    assert (lines[0]["reason"], lines[0]["note"], lines[0]["qty"], lines[0]["_key"]) == (
        "first é \u2028", {"a": [1]}, 3, "default",
    )  # fmt: skip
    assert (lines[2]["field"], lines[2]["_why"]) == ("price", "price: expected a number")
    assert (lines[3]["qty"], lines[3]["_mine"]) == (0, 1)
    shown = webhook.get("/api/events?outcome=all").json()["events"][::-1]
    assert [row["_ts"] for row in lines] == [event["_ts"] for event in shown]
    assert stat.S_IMODE(jsonl.stat().st_mode) == 0o640


_names = st.text(max_size=6) | st.sampled_from(["_id", "_ts", "qty", "risk_usd", "_x", "reason"])
_values = st.text(max_size=20) | st.integers() | st.lists(st.text(max_size=3), max_size=2)


@given(payload=st.dictionaries(_names, _values, max_size=5))
def test_whatever_was_sent_a_line_is_one_line_and_says_it(payload: dict[str, Any]) -> None:
    row = SimpleNamespace(
        id=7, ts="t", ip="i", outcome="opened", status=200, reason_text="r", key_name="k", request=None,
        guards='[{"a":1}]', qty=1.5, risk_usd=None, risk_real_usd=0.0, payload=json.dumps(payload, ensure_ascii=False),
    )  # fmt: skip
    said = line(row)  # type: ignore[arg-type]
    assert said.endswith("\n")
    assert len(said.splitlines()) == 1
    told = json.loads(said)
    assert len(json.loads(said, object_pairs_hook=lambda pairs: pairs)) == len(told)
    ours = {"_id": 7, "_ts": "t", "qty": 1.5, "risk_real_usd": 0.0, "_guards": [{"a": 1}]}
    assert ours.items() <= told.items()
    reserved = {"_id", "_ts", "_ip", "_outcome", "_status", "_why", "_key", "_request", "_guards"}
    reserved |= {"qty", "risk_usd", "risk_real_usd"}
    given_ = {name: value for name, value in payload.items() if name not in reserved}
    assert given_.items() <= told.items()


def test_a_line_that_another_program_left_open_is_ended_and_kept(
    webhook: TestClient, alert: Make, jsonl: Path, wait_until: Wait
) -> None:
    jsonl.write_text('{"_id": 1, "half": ')
    webhook.post("/tv", json=alert())
    written(webhook, wait_until)
    torn, *rest = jsonl.read_text().splitlines()
    assert torn == '{"_id": 1, "half": '
    assert [json.loads(row)["_id"] for row in rest] == [1]


def test_without_a_path_there_is_no_such_sink(
    environ: dict[str, str], alert: Make, jsonl: Path, wait_until: Wait
) -> None:
    environ["EVENTS_JSONL"] = ""
    with TestClient(Webhook(settings.webhook(environ)).app) as client, delivering(environ):
        client.post("/tv", json=alert())
        wait_until(lambda: client.get("/api/state").json()["journal_pending"] == 0)
        assert set(client.get("/api/state").json()["sinks"]) == {"journal", "perf"}
    assert not jsonl.exists()


def fill(path: Path, number: int) -> None:
    path.write_text(f'{{"_id": {number}}}\n')


def test_a_full_file_is_put_aside_packed_and_the_oldest_goes(jsonl: Path) -> None:
    rules = Rotation(limit=5, keep=3)
    for number in range(1, 7):
        fill(jsonl, number)
        assert rotation.rotate(jsonl, rules, number)
        rotation.tidy(jsonl, rules)
        time.sleep(0.002)
    assert not rotation.rotate(jsonl, rules, 9)
    names = sorted(path.name for path in jsonl.parent.glob("events-*"))
    assert names == [f"events-{number:010}.jsonl.gz" for number in (4, 5, 6)]
    assert json.loads(gzip.decompress((jsonl.parent / names[0]).read_bytes())) == {"_id": 4}
    assert stat.S_IMODE((jsonl.parent / names[0]).stat().st_mode) == 0o640


def test_a_store_that_counts_from_the_start_again_overwrites_nothing(jsonl: Path) -> None:
    for _ in range(3):
        fill(jsonl, 1)
        rotation.rotate(jsonl, Rotation(1, 10), 1)
    rotation.tidy(jsonl, Rotation(1, 10))
    assert len(list(jsonl.parent.glob("events-*.gz"))) == 3


def test_what_a_crash_left_of_packing_is_finished(jsonl: Path) -> None:
    """It may end before, amid and after writing the packed file, and before the plain one is removed."""
    rules = Rotation(1, 10)
    for number in (1, 2, 3):
        fill(jsonl, number)
        rotation.rotate(jsonl, rules, number)
    folder = jsonl.parent
    (folder / "events-0000000002.jsonl.gz.part").write_bytes(b"half of it")
    whole = gzip.compress((folder / "events-0000000003.jsonl").read_bytes())
    (folder / "events-0000000003.jsonl.gz").write_bytes(whole)
    rotation.tidy(jsonl, rules)
    fill(jsonl, 4)
    assert [row["_id"] for row in read(jsonl)] == [1, 2, 3, 4]
    assert {path.suffix for path in folder.glob("events-*")} == {".gz"}


def test_packing_that_fails_delays_nothing(
    environ: dict[str, str], alert: Make, jsonl: Path, wait_until: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = jsonl.parent / "events-0000000001.jsonl.gz.part"
    blocked.mkdir()  # cannot be unlinked
    environ["EVENTS_MAX_MB"] = "0.001"
    with TestClient(Webhook(settings.webhook(environ)).app) as client, delivering(environ):
        for number in range(10):
            client.post("/tv", json=alert(id=number))
            written(client, wait_until)
    assert "files put aside are not packed" in caplog.text
    blocked.rmdir()
    assert [row["_id"] for row in read(jsonl)] == list(range(1, 11))


KILLS = 8


def test_killed_at_any_moment_also_while_files_are_put_aside_each_is_there_once(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, jsonl: Path, wait_until: Wait
) -> None:
    environ |= {"EVENTS_MAX_MB": "0.002", "EVENTS_KEEP": "1000"}
    acked: list[int] = []
    running = service()
    for _ in range(KILLS):
        running.start()
        senders = [threading.Thread(target=_send_until_dead, args=(running.url, alert(), acked)) for _ in range(2)]
        for sender in senders:
            sender.start()
        time.sleep(random.uniform(0.05, 0.6))
        running.kill()
        for sender in senders:
            sender.join()
        if random.random() < 0.3:
            with jsonl.open("a") as other:
                other.write('{"torn by": "another program')
    running.start()
    total = running.get("/api/state")["events_total"]
    wait_until(lambda: running.get("/api/state")["sinks"]["jsonl"]["pending"] == 0, 20)
    running.stop()
    ids = [int(row["_id"]) for row in _whole_lines(jsonl)]
    assert ids == list(range(1, total + 1))
    assert set(acked) <= set(ids)
    assert len(acked) > KILLS
    assert list(jsonl.parent.glob("events-*.gz"))


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    found = []
    for one in [*sorted(path.parent.glob("events-*")), path]:
        text = gzip.decompress(one.read_bytes()) if one.suffix == ".gz" else one.read_bytes()
        found += [json.loads(row) for row in text.splitlines() if not row.startswith(b'{"torn by"')]
    return found


def _send_until_dead(url: str, body: dict[str, Any], acked: list[int]) -> None:
    with httpx.Client(base_url=url) as client:
        while True:
            try:
                answer = client.post("/tv", json=body | {"id": secrets.token_hex(8)})
            except httpx.TransportError:
                return
            assert answer.status_code == 200
            acked.append(answer.json()["id"])


def test_a_file_that_cannot_be_written_delays_only_itself(
    webhook: TestClient, alert: Make, jsonl: Path, journal: Path, wait_until: Wait
) -> None:
    jsonl.mkdir()
    webhook.post("/tv", json=alert())
    wait_until(lambda: journal.exists() and journal.read_text().count("## ") == 1)
    wait_until(lambda: webhook.get("/api/state").json()["sinks"]["jsonl"]["failing_since"])
    assert webhook.get("/ready").status_code == 200
    jsonl.rmdir()
    written(webhook, wait_until)
    wait_until(lambda: webhook.get("/api/state").json()["sinks"]["jsonl"]["failing_since"] is None)
    assert len(read(jsonl)) == 1
