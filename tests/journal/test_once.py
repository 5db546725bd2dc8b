"""An entry gets into a log book once: also after it was cut off, appended behind, or edited by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.journal import once
from runtime.journal.replace import append
from tests.journal.conftest import NOTE, SESSION

ENTRY = SESSION.encode()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "journal.md"
    path.write_text("## 2026-03-01 08:00 — avant\nx\n")
    return path


@pytest.mark.parametrize("length", [0, 20, 60, len(ENTRY) // 2, len(ENTRY) - 2])
@pytest.mark.parametrize("behind", [b"", NOTE.encode()])
def test_a_write_that_was_cut_off_is_taken_away_and_done_again(book: Path, length: int, behind: bytes) -> None:
    before, where = book.read_bytes(), once.place(book)
    with book.open("ab") as file:
        file.write(b"\n" + ENTRY[:length] if length else b"")
    if behind:
        append(book, behind)
    once.finish(book, ENTRY, where)
    once.finish(book, ENTRY, where)
    after = book.read_bytes()
    assert after.startswith(before)
    assert after.count(ENTRY[:30]) == 1
    assert after.count(ENTRY) == 1
    assert after.count(NOTE.encode()) == bool(behind)


def test_what_was_written_is_not_written_again_even_edited(book: Path) -> None:
    where = once.place(book)
    once.finish(book, ENTRY, where)
    edited = book.read_bytes().replace(b"Valider", b"Valider encore").replace(b"# un commentaire", b"# x")
    book.write_bytes(edited)
    once.finish(book, ENTRY, where)
    assert book.read_bytes() == edited


def test_swapping_leaves_everything_else_as_it_is(book: Path) -> None:
    append(book, ENTRY)
    append(book, NOTE.encode())
    before, new = book.read_bytes(), ENTRY.replace(b"Aucune", b"Une seule")
    once.swap(book, ENTRY, new)
    assert book.read_bytes() == before.replace(ENTRY, new)
    once.swap(book, ENTRY, new)
    with pytest.raises(once.Edited):
        once.swap(book, ENTRY.replace(b"Aucune", b"autre"), b"## 2026-03-01 11:00 \xe2\x80\x94 z\n")
    assert [path.name for path in book.parent.iterdir()] == ["journal.md"]
