"""Real processes, starved: what was acknowledged is stored, and in journal.md exactly once."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

Make = Callable[..., dict[str, Any]]


def journalled(path: Path) -> list[int]:
    """The event ids in the log book, in its order; each entry must be whole."""
    text = path.read_text()
    blocks = re.findall(r"^```json\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(re.findall("^## ", text, re.MULTILINE))
    return [json.loads(block)["_id"] for block in blocks]


def test_a_full_disk_is_a_503_and_never_a_lie(
    service: Callable[..., Any], alert: Make, journal: Path, wait_until: Callable[..., None]
) -> None:
    running = service().start()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (300_000, hard))
    answers = [running.post(alert(reason="x" * 4000, id=number)) for number in range(60)]
    stored = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert stored
    assert refused
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in refused} == {(503, "2")}
    assert running.get("/api/state")["events_total"] == len(stored)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert running.post(alert(id="last")).status_code == 200
    wait_until(lambda: running.get("/api/state")["journal_pending"] == 0, 20)
    assert journalled(journal) == [*stored, stored[-1] + 1]


def test_the_log_names_no_secret(service: Callable[..., Any], alert: Make) -> None:
    running = service().start()
    running.post(alert(reason=alert()["key"]))
    running.post(alert(key="a wrong one"))
    running.stop()
    said = "".join(running.said)
    assert "alert=1 outcome=opened engine=GOLD_CFD_LONG symbol=XAUUSD" in said
    assert alert()["key"] not in said
    assert "a wrong one" not in said
