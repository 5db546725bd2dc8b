"""journal.md: the log book's format, and each alert in it exactly once, whatever happens to the file."""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from runtime.journal.entry import render
from runtime.journal.file import JournalError, open_journal

Make = Callable[..., dict[str, Any]]
ENTRIES = tuple(f"## 2026-02-15 21:0{n} | TV Webhook | TV_TEST | BTCUSDT.P 60 | BUY\nbody {n}\n" for n in range(3))
BLOB = "".join("\n" + entry for entry in ENTRIES).encode()


def stored(**changes: Any) -> dict[str, Any]:
    base = {"engine": "TV_TEST", "signal": "BUY", "symbol": "BTCUSDT.P", "tf": "60", "price": 111.0, "tp": 222.0}
    base |= {"sl": 333.0, "reason": "dash_test", "_ts": "2026-02-16T02:09:52.457166+00:00", "_ip": "127.0.0.1"}
    return base | {"_id": 1} | changes


def test_an_entry_looks_like_the_log_book() -> None:
    assert render(stored(), ZoneInfo("America/Montreal")) == (
        "## 2026-02-15 21:09 | TV Webhook | TV_TEST | BTCUSDT.P 60 | BUY\n"
        "1. **Signal**: `BUY`\n"
        "2. **Engine**: `TV_TEST`\n"
        "3. **Symbol/TF**: `BTCUSDT.P` / `60`\n"
        "4. **Price**: `111.0`\n"
        "5. **TP**: `222.0`\n"
        "6. **SL**: `333.0`\n"
        "7. **Reason**: dash_test\n"
        "8. **Payload brut**:\n"
        "```json\n" + json.dumps(stored(), indent=2) + "\n```\n"
    )


NASTY = [
    "a\n## 2026-01-01 00:00 | TV Webhook | X | Y | SELL",
    "```\n# out",
    "\u2028## x",
    "\x85## x",
    "<script>",
    "\r# x",
]


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("field", ["reason", "extra", "engine"])
def test_a_sender_cannot_leave_his_line(field: str, text: str) -> None:
    entry = render(stored(**{field: text}), ZoneInfo("UTC"))
    assert [line for line in entry.splitlines() if line.startswith("#")] == entry.splitlines()[:1]
    assert entry.count("```") == 2
    assert len(entry.splitlines()[0].split(" | ")) == 5
    assert json.loads(entry.split("```json\n")[1].split("\n```")[0])[field] == text


@given(text=st.text(max_size=60))
def test_any_reason_stays_inside_its_line(text: str) -> None:
    entry = render(stored(reason=text), ZoneInfo("UTC"))
    assert sum(line.startswith("#") for line in entry.splitlines()) == 1
    assert len(re.findall("^```", entry, re.MULTILINE)) == 2


def append(path: Path) -> None:
    with open_journal(path) as journal:
        journal.append(journal.intend(3, ENTRIES).blob)


def finish(path: Path, change: Callable[[], object]) -> str:
    """Intend at the present end of the file, let `change` happen, then recover."""
    with open_journal(path) as journal:
        intent = journal.intend(3, ENTRIES)
    change()
    with open_journal(path) as journal:
        journal.finish(intent)
    return path.read_text()


def test_a_new_journal_can_be_read_by_the_group_only(journal: Path) -> None:
    append(journal)
    assert stat.S_IMODE(journal.stat().st_mode) == 0o640


@pytest.mark.parametrize("before", ["", "# mine\n", "# mine, no newline"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_append_cut_anywhere_is_completed_once(journal: Path, before: str, data: st.DataObject) -> None:
    journal.write_text(before)
    lead = "\n" if before and not before.endswith("\n") else ""
    whole = before.encode() + lead.encode() + BLOB
    cut = data.draw(st.integers(len(before.encode()), len(whole)))
    assert finish(journal, lambda: journal.write_bytes(whole[:cut])).encode() == whole


def test_what_a_person_writes_meanwhile_stays(journal: Path) -> None:
    journal.write_text("# mine\n")
    text = finish(journal, lambda: journal.write_text("# mine, edited\n" + BLOB.decode()[:100] + "\n## by hand\n"))
    assert text.startswith("# mine, edited\n")
    assert "## by hand\n" in text
    assert all(text.count(entry) == 1 for entry in ENTRIES)


def test_only_the_missing_entries_are_added_after_an_edit(journal: Path) -> None:
    done = "# longer than it was\n\n" + ENTRIES[0] + "\n" + ENTRIES[1] + "\n" + ENTRIES[2][:40]
    text = finish(journal, lambda: journal.write_text(done))
    assert text == "# longer than it was\n" + BLOB.decode()


def replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


@pytest.mark.parametrize("text", ["# replaced\n", "", "# replaced\n" + BLOB.decode()])
def test_a_journal_replaced_by_rename_gets_what_it_lacks(journal: Path, text: str) -> None:
    journal.write_text("# old\n")
    after = finish(journal, lambda: replace(journal, text))
    assert all(after.count(entry) == 1 for entry in ENTRIES)
    assert after.startswith(text[:11])


def test_a_journal_replaced_during_the_append_is_noticed(journal: Path) -> None:
    with pytest.raises(JournalError, match="replaced"), open_journal(journal) as opened:
        intent = opened.intend(3, ENTRIES)
        replace(journal, "# new\n")
        opened.append(intent.blob)
    with open_journal(journal) as opened:
        opened.finish(intent)
    assert journal.read_text() == "# new\n" + BLOB.decode()


@contextmanager
def disk_with_room_for(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 50, len(BLOB) - 1])
def test_a_full_disk_leaves_no_torn_line(journal: Path, room: int) -> None:
    journal.write_text("# mine\n")
    with disk_with_room_for(7 + room), pytest.raises((OSError, JournalError)):
        append(journal)
    assert journal.read_text() == "# mine\n"
    append(journal)
    assert journal.read_text() == "# mine\n" + BLOB.decode()


def test_a_locked_journal_delays_only_the_journal(
    webhook: TestClient, alert: Make, journal: Path, wait_until: Callable[..., None]
) -> None:
    fd = os.open(journal, os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert webhook.post("/tv", json=alert()).status_code == 200
    wait_until(lambda: "locked" in (webhook.get("/api/state").json()["journal_error"] or ""))
    assert webhook.get("/api/state").json()["journal_pending"] == 1
    os.close(fd)
    wait_until(lambda: webhook.get("/api/state").json()["journal_pending"] == 0)
    assert journal.read_text().count("## ") == 1


def test_the_journal_never_holds_the_key(
    webhook: TestClient, alert: Make, journal: Path, wait_until: Callable[..., None]
) -> None:
    key = alert()["key"]
    webhook.post("/tv", json=alert(reason=f"my {key}", extra={key: [key]}))
    wait_until(lambda: webhook.get("/api/state").json()["journal_pending"] == 0)
    for path in (journal, *Path(journal.parent / "state").iterdir()):
        assert key.encode() not in path.read_bytes()
        assert json.dumps(key)[1:-1].encode() not in path.read_bytes()
