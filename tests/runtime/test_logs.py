"""The log: one line an event, each with its request's id, in two formats, and never a secret or a body in it."""

from __future__ import annotations

import io
import json
import logging
import shlex
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from runtime import logs
from runtime.keys import Secret

Make = Callable[..., dict[str, Any]]
SECRET = 'se"cr\\et-clé\n€'


@pytest.fixture
def said() -> Iterator[Callable[..., io.StringIO]]:
    """Sets the log up as a service does, but for where it goes."""
    root = logging.getLogger()
    before = root.handlers, root.level, logging._srcfile

    def configure(style: logs.Style) -> io.StringIO:
        logs.configure(Secret(SECRET), Secret(""), style=style)
        stream = io.StringIO()
        root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
        return stream

    yield configure
    root.handlers, root.level, logging._srcfile = before
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = True


def fields(line: str) -> dict[str, str]:
    """A line of `key=value`, as any reader of that format would split it."""
    return dict(word.split("=", 1) for word in shlex.split(line))


def lines(running: Any) -> list[dict[str, str]]:
    running.stop()
    return [fields(line) for line in "".join(running.said).splitlines()]


def test_an_alert_is_one_line_with_what_became_of_it(service: Callable[..., Any], alert: Make) -> None:
    running = service().start()
    answer = httpx.post(running.url + "/tv", json=alert(), headers={"X-Request-Id": "from-the-sender:1"})
    assert answer.headers["x-request-id"] == "from-the-sender:1"
    made = running.post(alert(price=-1)).headers["x-request-id"]
    wrong = running.post(alert(key="not the key")).headers["x-request-id"]
    shown = running.get("/api/events?outcome=all")["events"]
    requests = [line for line in lines(running) if line["msg"] == "request"]
    same = {"level": "info", "logger": "runtime.http", "msg": "request", "method": "POST", "path": "/tv"}
    assert all(same.items() <= line.items() for line in requests)
    told = [
        {"status": "200", "alert": "1", "outcome": "opened", "engine": "GOLD_CFD_LONG", "symbol": "XAUUSD"},
        {"status": "400", "outcome": "invalid", "field": "price", "key": "default", "request": made},
        {"status": "403", "request": wrong},
    ]
    assert len(requests) == 3
    assert all(wanted.items() <= line.items() for wanted, line in zip(told, requests, strict=True))
    assert all(0 < float(line["ms"]) < 2000 for line in requests)
    assert [event["_id"] for event in shown] == [2, 1]


def test_reading_is_not_logged_unless_it_fails(service: Callable[..., Any]) -> None:
    running = service().start()
    for path in ("/api/state", "/health", "/api/events?limit=0", "/no/such/page?key=secret"):
        httpx.get(running.url + path)
    requests = [line for line in lines(running) if line["msg"] == "request"]
    assert [(line["path"], line["status"]) for line in requests] == [("/api/events", "400"), ("other", "404")]


@pytest.mark.parametrize("given", ["a b", "x" * 65, "ü", '"', "a\tb", ""])
def test_a_strange_request_id_is_not_taken(webhook: TestClient, given: str) -> None:
    answer = webhook.get("/health", headers={"X-Request-Id": given.encode()})
    assert len(answer.headers["x-request-id"]) == 16
    assert answer.headers["x-request-id"] != webhook.get("/health").headers["x-request-id"]


def test_the_requests_id_is_kept_with_the_alert(webhook: TestClient, alert: Make, jsonl: Any, wait_until: Any) -> None:
    webhook.post("/tv", json=alert(), headers={"X-Request-Id": "abc-1"})
    wait_until(lambda: jsonl.exists() and jsonl.read_text())
    assert json.loads(jsonl.read_text())["_request"] == "abc-1"


@given(text=st.text(max_size=40))
def test_any_value_is_one_word_on_one_line(text: str) -> None:
    record = logging.LogRecord("x", 20, "", 0, "%s", (text,), None)
    record.fields = {"value": text}
    line = logs._Text([]).format(record)
    assert len(line.splitlines()) == 1
    found = {word.split("=", 1)[0]: word.split("=", 1)[1] for word in _words(line)}
    assert found == {"level": "info", "logger": "x", "msg": text, "value": text}


def _words(line: str) -> Iterator[str]:
    """Splits at spaces outside of JSON's quotes, and reads what is in them."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(line):
        name, at = line[at : line.index("=", at)], line.index("=", at) + 1
        if line[at : at + 1] == '"':
            value, at = decoder.raw_decode(line, at)
        else:
            end = line.find(" ", at)
            end = len(line) if end < 0 else end
            value, at = line[at:end], end
        at += 1
        yield f"{name}={value}"


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_secret_in_any_form_reaches_a_line(said: Callable[..., io.StringIO], style: logs.Style) -> None:
    stream = said(style)
    log = logging.getLogger("runtime.test")
    log.info("it is %s", SECRET, extra={"fields": {"key": SECRET, "also": [SECRET]}})
    try:
        raise ValueError(f"with {SECRET} in it")
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert len(text.splitlines()) == 2
    assert logs.STARS in text
    for form in (SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1], repr(SECRET)[1:-1]):
        assert form not in text
    assert "clé" not in text
    if style == "json":
        first, second = (json.loads(line) for line in text.splitlines())
        assert (first["level"], first["logger"], second["msg"]) == ("info", "runtime.test", "failed")
        assert "ValueError" in second["error"]


def test_json_lines_carry_their_time(service: Callable[..., Any], environ: dict[str, str], alert: Make) -> None:
    environ["LOG_FORMAT"] = "json"
    running = service().start()
    running.post(alert())
    running.stop()
    found = [json.loads(line) for line in "".join(running.said).splitlines()]
    (request,) = [line for line in found if line["msg"] == "request"]
    assert (request["status"], request["alert"], request["outcome"]) == (200, 1, "opened")
    assert request["ts"].endswith("+00:00")


def test_a_line_costs_less_than_a_request_would_notice(said: Callable[..., io.StringIO]) -> None:
    """About 10 µs of processor time; the limit leaves room for a busy machine. The best of several rounds counts."""
    said("text")

    def once() -> float:
        begun = time.process_time()
        for _ in range(500):
            request = logs.begin(None)
            logs.note(alert=1, outcome="opened", engine="GOLD_CFD_LONG", symbol="XAUUSD", key="default")
            known = {"level": "info", "logger": "runtime.http", "msg": "request", "method": "POST", "path": "/tv"}
            logs.tell({**known, "status": 200, "ms": 1.23, **request.said, "request": request.id})
        return (time.process_time() - begun) / 500

    best = min(once() for _ in range(7))
    assert best < 40e-6, f"{best * 1e6:.1f} µs"
