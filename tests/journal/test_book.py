"""Reading a log book: any bytes, every piece, nothing lost."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.journal import scan
from runtime.journal.book import Entry, parse
from runtime.journal.entry import render
from tests.journal.conftest import BOOK, FIRST, NOTE, SECOND, SESSION

HEAD = "## 2026-03-01 09:00 — x"
SOUP = [
    HEAD, "## 2026-03-01 09:00 | TV Webhook | A | B 1 | BUY", "## sans date", "# titre", "```", "```json", "````",
    "~~~", "~~~~ x", "   ```", "    ```", "``` a`b", "```\t", "1) Objectifs:", "5) Points ouverts (next):", "- é", "🦊",
    "\0", "", " ", '{"key": "v"}', "\x85", "\u2028", "## 2026-99-99 99:99 — nulle part", "##", "## ", "\ufeff",
]  # fmt: skip


def entries(text: str | bytes) -> list[Entry]:
    return list(parse(text.encode() if isinstance(text, str) else text).entries())


def check_pieces(data: bytes) -> None:
    """The pieces are the file, in order; each says its line; everything about each can be asked."""
    pieces = list(parse(data).pieces())
    assert b"".join(piece.raw for piece in pieces) == data
    for piece in pieces:
        assert piece.raw
        assert piece.line == data[: piece.start].count(b"\n") + 1
        assert piece.kind in ("session", "alert", "note", "text")
        json.dumps([piece.timestamp, piece.title, piece.fields, str(piece.moment)], allow_nan=False)


@given(
    lines=st.lists(st.one_of(st.sampled_from(SOUP), st.text(max_size=20)), max_size=40),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_any_markdown_comes_back_byte_for_byte(lines: list[str], end: str, last: bool) -> None:
    check_pieces((end.join(lines) + end * last).encode())


@given(lines=st.lists(st.sampled_from([*SOUP, "```", "```json", "````", "x ```"]), max_size=30), last=st.booleans())
def test_the_short_way_past_a_block_leads_to_the_same_pieces(lines: list[str], last: bool) -> None:
    data = ("\n".join(lines) + "\n" * last).encode()
    found = scan.scan(data)
    with patch.object(scan, "_plain", return_value=0):
        assert scan.scan(data) == found


@given(data=st.binary(max_size=300))
def test_any_bytes_come_back(data: bytes) -> None:
    check_pieces(data)
    check_pieces(b"## 2026-03-01 09:00 | TV Webhook |" + data + b"\n```\n" + data)


@pytest.mark.parametrize("line", ["x" * 2**20, "`" * 2**20, "``` " * 2**18, "## " * 2**18, "~" * 2**20])
def test_lines_of_a_megabyte(line: str) -> None:
    text = f"{NOTE}{line}\n{line}\n{NOTE}"
    check_pieces(text.encode())


def test_each_kind_is_known() -> None:
    found = entries("\nreste\n\n" + BOOK)
    assert [(entry.line, entry.kind, entry.timestamp) for entry in found] == [
        (1, "text", None),
        (4, "alert", "2026-03-01 09:00"),
        (16, "alert", "2026-03-01 10:15"),
        (41, "session", "2026-03-01 11:00"),
        (66, "note", "2026-03-01 12:30"),
    ]
    assert [entry.title for entry in found[2:]] == [
        "TV Webhook | DEMO_LONG | XAUUSD M5 | BUY", "Séance d’essai", "PERF | résumé",
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_both_generations_of_alerts_say_the_same_things(end: str) -> None:
    first, second = (entry.fields for entry in entries((FIRST + "\n" + SECOND).replace("\n", end)))
    assert first.pop("payload")["price"] == 2000
    assert first == {
        "engine": "DEMO", "symbol": "ETHUSDT.P", "tf": "1H", "signal": "SELL",
        "price": 2000, "tp": 1900, "sl": 2050, "reason": None,
    }  # fmt: skip
    assert second["payload"].pop("key") == "***"
    assert second["payload"]["_ts"] == "2026-03-01T15:15:00.000000+00:00"
    assert (second["engine"], second["symbol"], second["tf"], second["reason"]) == (
        "DEMO_LONG",
        "XAUUSD",
        "M5",
        "essai",
    )


def test_an_alert_whose_payload_is_broken_still_says_what_its_lines_say() -> None:
    fields = entries(SECOND.replace('"key":', '"key"'))[0].fields
    assert fields == {
        "engine": "DEMO_LONG", "symbol": "XAUUSD", "tf": "M5", "signal": "BUY",
        "price": 2000.5, "tp": 2010.0, "sl": 1995.0, "reason": "essai", "payload": None,
    }  # fmt: skip


def test_an_alert_without_fields_says_what_its_heading_says() -> None:
    fields = entries("## 2026-03-01 09:00 | TV Webhook | DEMO | XAUUSD M5 | BUY\n")[0].fields
    assert [fields[name] for name in ("engine", "symbol", "tf", "signal", "price")] == [
        "DEMO",
        "XAUUSD",
        "M5",
        "BUY",
        None,
    ]


WORD = st.text(min_size=1, max_size=20).filter(lambda text: text.encode(errors="ignore").decode() == text)


@given(engine=WORD, symbol=WORD, tf=WORD, signal=WORD, reason=st.text(max_size=40), price=st.floats(0.1, 1e6))
def test_what_the_webhook_writes_is_read_back(price: float, **said: str) -> None:
    alert: dict[str, Any] = {**said, "price": price, "tp": None, "sl": 1.5, "_ts": "2026-02-16T02:09:52.457166+00:00"}
    text = render(alert, ZoneInfo("America/Montreal"))
    found = entries("\n" + text + "\n" + text)
    assert [entry.kind for entry in found] == ["alert", "alert"]
    assert found[0].timestamp == "2026-02-15 21:09"
    assert found[1].fields == {name: alert[name] for name in alert if name != "_ts"} | {"payload": alert}


def test_a_session_has_its_sections_and_open_points_whatever_its_code_says() -> None:
    fields = entries(SESSION)[0].fields
    assert list(fields["sections"]) == ["Objectifs", "Actions", "Décisions", "Commandes / Code", "Points ouverts"]
    assert "## 2020-01-01" in fields["sections"]["Commandes / Code"]
    assert fields["open_points"] == [
        {"line": 22, "text": "Vérifier la sauvegarde:\n  - sur l’hôte", "done": False},
        {"line": 24, "text": "Poser les clés.", "done": True},
    ]


@pytest.mark.parametrize(
    ("fence", "inside", "end"),
    [
        ("```", "~~~", "```"),
        ("~~~ md", "```\n```", "~~~"),
        ("````md", "```bash\nls\n```", "````"),
        ("```", "``", "`````  "),
        ("  ```", "    ```", " ```"),
        ("```", "```bash", "```"),
    ],
)
def test_a_heading_inside_a_fence_is_no_entry(fence: str, inside: str, end: str) -> None:
    text = f"{HEAD}\n{fence}\n{inside}\n{HEAD}\n{end}\n{HEAD}\n"
    assert [entry.line for entry in entries(text)] == [1, text[:-1].count("\n") + 1]


@pytest.mark.parametrize("line", ["``` a`b", "    ```", "a ```", "``"])
def test_what_only_looks_like_a_fence_hides_nothing(line: str) -> None:
    assert len(entries(f"{HEAD}\n{line}\n{HEAD}\n")) == 2


def test_what_follows_an_alerts_payload_or_an_undated_heading_is_outside_entries() -> None:
    found = entries(FIRST + "\nreste\n" + NOTE + "## sans date\nx\n")
    assert [entry.kind for entry in found] == ["alert", "text", "note", "text"]
    assert found[1].title == "reste"


def test_numbered_code_makes_no_session_of_a_note() -> None:
    assert entries(f"{HEAD}\n```\n1. Actions\n```\n")[0].kind == "note"


def test_a_date_that_does_not_exist_is_shown_but_is_no_moment() -> None:
    entry = entries("## 2026-02-30 25:00 — x\n")[0]
    assert (entry.timestamp, entry.moment, entry.kind) == ("2026-02-30 25:00", None, "note")
