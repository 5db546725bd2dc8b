"""`/api/journal`: pages of the log book, bounded, for who may read it, and never a secret."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime.journal.replace import append
from tests.journal.conftest import BOOK, NOTE, SESSION
from tests.runtime.conftest import KEY
from tests.runtime.process_kit import Daemon

OPS = {"X-Ops-Key": "ops-key-of-the-tests"}
PATHS = ("/api/journal", "/api/journal/search?q=essai", "/api/journal/todo")


def read(client: TestClient, path: str = "/api/journal", **query: Any) -> Any:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    assert "planted" not in answer.text
    return answer.json()


@pytest.fixture
def book(journal: Path) -> Path:
    journal.write_text(BOOK)
    return journal


def test_entries_come_newest_first_with_their_text_as_a_tree(webhook: TestClient, book: Path) -> None:
    found = read(webhook)
    assert {one["day"] for one in found["entries"]} == {"2026-03-01"}
    assert [(one["kind"], one["line"]) for one in found["entries"]] == [
        ("note", 63), ("session", 38), ("alert", 13), ("alert", 1),
    ]  # fmt: skip
    session = found["entries"][1]
    assert ["h4", "Décisions"] in session["body"]
    assert session["body"][-1][0] == "todos"
    assert session["body"][-1][1][:3] == ["todo", False, 59]
    assert found["entries"][2]["alert"]["engine"] == "DEMO_LONG"
    assert json.loads(found["entries"][2]["alert"]["payload"])["key"] == "***"
    assert (found["next"], found["indexing"]) == (None, False)
    assert found["counts"] == {"session": 1, "alert": 2, "note": 1, "text": 0}


def test_pages_join_to_the_whole(webhook: TestClient, book: Path) -> None:
    book.write_text("\n".join(BOOK.replace("2026-03-01", f"2026-03-{day:02}") for day in range(1, 9)))
    seen, before = list[str](), None
    while True:
        page = read(webhook, limit=5, **({"before": before} if before else {}))
        seen += [one["key"] for one in page["entries"]]
        before = page["next"]
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 32
    days = [key[:8] for key in seen]
    assert days == sorted(days, reverse=True)
    assert [one["key"] for one in read(webhook, entry=seen[10], limit=3)["entries"]] == seen[10:13]
    some = read(webhook, kind=["note", "session"], since="2026-03-07")["entries"]
    assert [one["kind"] for one in some] == ["note", "session"] * 2


def test_search_tells_where_the_words_stand(webhook: TestClient, book: Path) -> None:
    found = read(webhook, "/api/journal/search", q="deploiements")
    assert (found["total"], found["is_more"]) == (1, False)
    (hit,) = found["hits"]
    (start, end), *_ = hit["marks"]
    assert hit["match"][start:end] == "déploiement"
    assert read(webhook, "/api/journal/search", q="zorglub")["hits"] == []
    assert webhook.get("/api/journal/search?q=*").status_code == 400


def test_open_points_across_sessions(webhook: TestClient, book: Path) -> None:
    (point,) = read(webhook, "/api/journal/todo")["points"]
    assert (point["line"], point["title"]) == (59, "Séance d’essai")
    assert point["body"] == ["Vérifier la sauvegarde:", ["ul", ["li", "sur l’hôte"]]]
    assert len(read(webhook, "/api/journal/todo", done="true")["points"]) == 2


def test_an_alert_of_now_is_there_and_the_key_is_not(
    webhook: TestClient, alert: Callable[..., dict[str, Any]], wait_until: Callable[..., None]
) -> None:
    webhook.post("/tv", json=alert(reason=f"zorglub {KEY}"))
    wait_until(lambda: read(webhook, "/api/journal/search", q="zorglub")["total"] == 1)
    assert KEY not in webhook.get("/api/journal").text


def test_no_log_book_is_an_empty_one(webhook: TestClient, journal: Path) -> None:
    assert not journal.exists()
    assert read(webhook)["entries"] == []
    assert read(webhook, "/api/journal/todo")["points"] == []


@pytest.mark.parametrize("path", PATHS)
def test_another_machine_needs_the_operators_key(
    webhook: TestClient, elsewhere: TestClient, book: Path, path: str
) -> None:
    assert webhook.get(path).status_code == 200
    for headers in ({}, {"X-Ops-Key": "wrong"}):
        answer = elsewhere.get(path, headers=headers)
        assert answer.status_code == 401
        assert "Séance" not in answer.text
    assert elsewhere.get(path, headers=OPS).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=51", "limit"), ("kind=x", None), ("since=hier", "since"), ("before=x", "before")],
)
def test_a_wrong_question_is_a_400(webhook: TestClient, query: str, field: str | None) -> None:
    answer = webhook.get(f"/api/journal?{query}")
    assert (answer.status_code, answer.json()["ok"]) == (400, False)
    assert field in (None, answer.json()["field"])


def test_an_entry_that_is_gone_is_a_404(webhook: TestClient, book: Path) -> None:
    for name in ("entry", "before"):
        assert webhook.get(f"/api/journal?{name}=20010101T0000-00000000").status_code == 404


def test_a_log_book_that_cannot_be_read_is_a_503_and_says_why(webhook: TestClient, journal: Path) -> None:
    journal.mkdir()
    for path in PATHS:
        answer = webhook.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "journal.md" in answer.json()["error"]


def test_numbers_that_are_none_in_json_are_text(webhook: TestClient, journal: Path) -> None:
    journal.write_text(BOOK.replace("2000.5", "1e999"))
    assert read(webhook)["entries"][2]["alert"]["price"] == "inf"


def test_a_page_is_bounded_however_large_an_entry_is(webhook: TestClient, journal: Path) -> None:
    journal.write_text(NOTE + "\n" + "\n".join(f"{SESSION}\n{'a *b* ' * 20_000}\n" for _ in range(6)))
    indexed(lambda: read(webhook))
    answer = webhook.get("/api/journal?limit=50")
    assert len(answer.content) < 600_000
    assert 1 <= len(answer.json()["entries"]) < 6
    assert answer.json()["entries"][1]["is_cut"]
    assert answer.json()["next"]


def indexed(ask: Callable[[], Any]) -> None:
    """Wait until the index is there."""
    limit = time.monotonic() + 90
    while ask()["indexing"]:
        assert time.monotonic() < limit
        time.sleep(0.3)


@pytest.mark.parametrize("text", ["[" * 30_000, "*a " * 10_000, "![" * 15_000, "> " * 15_000, "\0\x1b\u2028" * 1000])
def test_no_text_takes_long(webhook: TestClient, journal: Path, text: str) -> None:
    journal.write_text(f"## 2026-03-01 10:00 — x\n{text}\n")
    begun = time.monotonic()
    assert read(webhook)["entries"]
    assert time.monotonic() - begun < 8


def test_a_large_log_book_is_indexed_beside_the_service(daemon: Callable[[str], Daemon], journal: Path) -> None:
    journal.write_text((BOOK + "\n") * 2500)
    running = daemon("runtime.webhook").start()
    before = memory(running)
    assert running.get("/api/journal")["indexing"] is True
    indexed(lambda: running.get("/api/journal"))
    append(journal, "## 2026-04-01 10:00 — ajouté\nzorglub\n".encode())
    found = running.get("/api/journal/search?q=zorglub")
    assert (found["total"], found["indexing"]) == (1, False)
    assert running.get("/api/journal/todo?limit=1")["is_more"] is True
    assert memory(running) < 90_000_000
    assert memory(running) - before < 25_000_000


def memory(running: Daemon) -> int:
    """Bytes that the process holds."""
    assert running.process is not None
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
