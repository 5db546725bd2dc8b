"""The log book as a page to send and to print: self-contained, without secrets, whole or not at all."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.cli import main
from runtime.journal import export, markdown, printing
from runtime.journal.book import parse
from tests.journal.conftest import BOOK, FIRST, NOTE, SESSION
from tests.journal.test_book import SOUP

Run = Callable[..., int]
VOID = {"meta", "br", "hr", "input"}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> int:
        code = main(["journal.export", *map(str, arguments)])
        assert "planted" not in "".join(capsys.readouterr())
        return code

    return call


def page(text: str, title: str = "Essai") -> str:
    return "".join(export.page(parse(text.encode(errors="replace")).entries(), title))


class Checked(HTMLParser):
    """Every tag that opens is closed; nothing in the page runs, asks, or leads to code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open, self.tags = list[str](), set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in ("src", "style", "action", "srcset"), name
            if name == "href":
                assert (value or "").startswith(("#d-", "http://", "https://", "mailto:")), value

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check(text: str) -> Checked:
    checked = Checked()
    checked.feed(text)
    checked.close()
    assert checked.open == []
    assert not checked.tags & {"script", "img", "iframe", "link", "object", "svg", "form", "base"}
    return checked


def test_it_has_what_the_log_book_has() -> None:
    text = page(BOOK + "\n" + FIRST.replace("2026-03-01", "2026-02-27"))
    check(text)
    assert [int(found) for found in re.findall(r'id="d-2026-0(\d)', text)] == [2, 3], "days in their order"
    assert '<a href="#d-2026-03-01">1er mars 2026</a> <span>Séance d’essai · PERF | résumé · 2 alertes</span>' in text
    assert "<h4>Points ouverts</h4><ul" in text
    assert text.count('type="checkbox"') == 2
    assert text.count(" checked") == 1
    assert "# un commentaire, pas un titre\ncat &gt; note.md" in text
    assert '<article class="alert"><time>10:15</time> <b>DEMO_LONG</b>' in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert not re.search(r"url\(|@import|https?://", text)


@given(
    lines=st.lists(
        st.one_of(
            st.sampled_from(SOUP),
            st.text(max_size=30),
            st.sampled_from(
                ["<b>", "<script>x", "](", "[a](b", "![", "&lt;", "<a href=x>", "|a|b|", "|-|-|", "> ", "1. a"]
            ),
        ),
        max_size=30,
    )
)
def test_any_text_makes_a_sound_page(lines: list[str]) -> None:
    check(page("\n".join([f"{NOTE}", *lines])))


HOSTILE = (
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](https://example.org/i.png)",
    "<img src=x onerror=a>",
    "[x](data:text/html,<script>)",
    "<a href='javascript:a'>x</a>",
    "[x]: javascript:a\n\n[x]",
    "<javascript:a>",
    "[x](//a/b)",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_written_runs_nothing_and_asks_nobody(text: str) -> None:
    shown = page(f"{NOTE}\n{text}\n{SESSION}\n{text}\n## 2026-03-02 10:00 — {text}\n")
    check(shown)


def test_a_point_with_lines_below_it_keeps_them() -> None:
    tree = markdown.tree(next(parse(SESSION.encode()).entries()))
    boxes = tree[-1]
    assert boxes[0] == "todos"
    assert boxes[1][:4] == ["todo", False, 22, "Vérifier la sauvegarde:"]
    assert boxes[1][4] == ["ul", ["li", "sur l’hôte"]]
    assert boxes[2] == ["todo", True, 24, "Poser les clés."]


def test_points_that_are_more_than_a_list_lose_nothing() -> None:
    text = "## 2026-03-01 11:00 — x\n5) Points ouverts:\nAvant.\n- un\n\nEntre **deux**.\n\n- deux\n```\ncode\n```\n"
    shown = page(text)
    for part in ("Avant.", "un", "Entre <strong>deux</strong>.", "deux", "code"):
        assert part in shown


def test_the_task_writes_it_private_whole_and_masked(run: Run, book: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    assert run(book, "--html", out, "--title", "Mars <3", "--since", "2026-03-01", "--kind", "session,alert") == 0
    text = out.read_text()
    check(text)
    assert "<title>Mars &lt;3</title>" in text
    assert "planted" not in text
    assert "résumé" not in text
    assert out.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_missing_is_told(run: Run, book: Path, tmp_path: Path) -> None:
    assert run(book) == 1
    assert run(book, "--html", tmp_path / "nowhere" / "x.html") == 1
    assert run(book, "--html", tmp_path / "x.html", "--since", "hier") == 1
    assert not (tmp_path / "x.html").exists()


def test_without_chromium_a_pdf_says_what_to_do(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(printing, "PROGRAMS", ("no-such-browser",))
    assert main(["journal.export", str(book), "--pdf", str(tmp_path / "x.pdf")]) == 1
    said = capsys.readouterr().err
    assert "apt-get install chromium" in said
    assert "--html" in said
    assert not (tmp_path / "x.pdf").exists()


@pytest.mark.page
def test_a_pdf_is_printed_page_by_page(run: Run, book: Path, tmp_path: Path) -> None:
    book.write_text("\n".join(BOOK.replace("2026-03-01", f"2026-03-0{day}") for day in range(1, 7)))
    out = tmp_path / "out.pdf"
    assert run(book, "--pdf", out, "--title", "Essai") == 0
    data = out.read_bytes()
    assert data[:5] == b"%PDF-"
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", data))
    assert pages >= 3, "the table of contents has a page of its own"
    assert f"/Count {pages}".encode() in data
    assert b"Essai" in data or "Essai".encode("utf-16-be") in data, "the title"
    streams = [_inflated(part) for part in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL)]
    assert sum(b"BT" in one for one in streams) >= pages, "each page has text, not a picture of it"
    assert b"planted" not in b"".join(streams)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.md", "out.pdf"]


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data)
    except zlib.error:
        return data
