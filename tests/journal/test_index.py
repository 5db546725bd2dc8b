"""Searching a log book by its index: the same answers as reading it, whatever happens to either file."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.journal.book import BookError, parse
from runtime.journal.filters import Filter, wanted
from runtime.journal.hide import Hide
from runtime.journal.index import KEPT, Hits, Index, tidy
from runtime.journal.indexing import NoIndex
from runtime.journal.replace import append
from runtime.journal.slices import pieces
from runtime.journal.words import search, spans, terms
from tests.journal.conftest import BOOK, FIRST, NOTE, SESSION
from tests.journal.test_book import SOUP
from tests.journal.test_changes import SECRETS

ANY = Filter()
lines = st.lists(
    st.one_of(st.sampled_from([*SOUP, "déploiement vérifié", "## 2026-03-02 10:00 — été"]), st.text(max_size=9))
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def index(book: Path, tmp_path: Path) -> Index:
    return Index(book, tmp_path / "cache" / "book.index")


def ask(index: Index, question: str, kept: Filter = ANY, **how: Any) -> Hits:
    with index.asking() as asking:
        return asking.search(question, kept, **how)


def titles(index: Index, question: str, **how: Any) -> list[str]:
    return [row.title for row, _ in ask(index, question, **how).rows]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("deploiements", "Un déploiement."),
        ("verifie", "à vérifier"),
        ("vérifiées", "verifie"),
        ("essais", "un essai"),
        ("essai", "des essais"),
        ("journaux", "le journal"),
        ("l'hôte", "Hote"),
        ("hote", "l’hôte"),
        ("qu’il", "il"),
        ("running trades", "Running a trade"),
        ("œuvre", "OEUVRE"),
        ('"vérifier la sauvegarde"', "de Verifier LA sauvegarde d’hier"),
        ("tv-webhook", "unité tv-webhook.service"),
        ("déplo*", "DEPLOIEMENT"),
        ('sauve* "sur l’hôte"', "la sauvegarde sur l'hôte"),
        ("le déploiement de la clé", "déploiement clé"),
        ("🦊 renard", "renard"),
        ("été", "e\u0301te\u0301"),
    ],
)
def test_what_a_person_types_finds_what_was_written(index: Index, question: str, text: str) -> None:
    index.book.write_text(f"{NOTE}\n## 2026-03-02 10:00 — cherché\n{text}\n")
    assert titles(index, question) == ["cherché"]
    assert [entry.title for entry, _ in search(parse(index.book.read_bytes()), question)] == ["cherché"]


@pytest.mark.parametrize("question", ['"sauvegarde vérifier"', "vérif", "tv webhooks perf*", "zorglub essai"])
def test_what_was_not_asked_for_is_not_found(index: Index, question: str) -> None:
    index.book.write_text(f"{SESSION}\ntv-webhook")
    assert titles(index, question) == []


def test_a_question_without_a_word_is_told(index: Index) -> None:
    with pytest.raises(BookError, match="no word"):
        ask(index, '"*" --')


@pytest.mark.parametrize("question", ['a"b', "NOT x", "a AND", "(", "title:x", "x^2 -y", '"', "col : {a}", "é" * 5000])
def test_the_languages_of_the_database_mean_nothing_in_a_question(index: Index, question: str) -> None:
    try:
        found = ask(index, question)
    except BookError as error:
        assert "no word" in str(error)
    else:
        assert found.total == len(list(search(parse(BOOK.encode()), question)))


def test_a_word_of_the_title_tells_more_and_the_newest_may_come_first(index: Index) -> None:
    index.book.write_text(
        "## 2026-03-03 10:00 — a\nla sauvegarde, une sauvegarde\n\n## 2026-03-01 10:00 — Sauvegarde\nx\n\n"
        "## 2026-03-02 10:00 — b\nsauvegarde, et beaucoup d’autres mots qui ne disent rien du tout ici\n"
    )
    assert titles(index, "sauvegardes") == ["Sauvegarde", "a", "b"]
    assert titles(index, "sauvegardes", order="date") == ["a", "b", "Sauvegarde"]
    assert titles(index, "sauvegardes", limit=1) == ["Sauvegarde"]
    assert ask(index, "sauvegardes", limit=1).total == 3


def test_kinds_and_times_narrow_it(index: Index) -> None:
    def hours(word: str, *given: str | None) -> list[str]:
        return sorted(row.moment[11:16] for row, _ in ask(index, word, wanted(*given)).rows)

    assert hours("signal", "alert") == ["09:00", "10:15"]
    assert hours("essai") == ["10:15", "11:00"]
    assert hours("essai", "session,note") == ["11:00"]
    assert hours("essai", None, "2026-03-01 11") == ["11:00"]
    assert hours("essai", None, "2026-03-01T10:15", "2026-03-01 10:15") == ["10:15"]
    assert hours("essai", None, None, "2026-03") == ["10:15", "11:00"]
    assert hours("essai", None, "2027") == []
    assert hours("essai", "text") == []


@pytest.mark.parametrize("given", [("sessions",), (None, "hier"), (None, None, "2026-3-1")])
def test_a_wrong_filter_is_told(given: tuple[str | None, ...]) -> None:
    with pytest.raises(BookError) as caught:
        wanted(*given)
    assert caught.value.hint


@quick
@given(given=lines, size=st.sampled_from([1, 9, 64, 2**20]))
def test_slices_give_the_pieces_that_the_whole_has(tmp_path: Path, given: list[str], size: int) -> None:
    data = "\n".join(given).encode(errors="replace")
    path = tmp_path / "sliced"
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    found = [(at, one.raw, one.sort, one.line) for part in pieces(fd, 0, 1, len(data), size) for at, one in part]
    os.close(fd)
    assert found == [(one.start, one.raw, one.sort, one.line) for one in parse(data).pieces()]


def contents(index: Index) -> list[Any]:
    """All that the index knows and can be asked for, without what each making gives anew."""
    with closing(sqlite3.connect(index.path)) as connection:
        tables = ("entries", "points", "blocks")
        rows = [connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in tables]  # noqa: S608
        connection.execute("CREATE VIRTUAL TABLE temp.v USING fts5vocab('main', 'found', 'instance')")
        return [*rows, sorted(connection.execute("SELECT * FROM v"))]


@quick
@given(parts=st.lists(lines, min_size=2, max_size=5), cut=st.booleans())
def test_what_was_appended_is_known_as_if_all_were_read_anew(tmp_path: Path, parts: list[list[str]], cut: bool) -> None:
    book = tmp_path / "grown.md"
    grown, anew = (Index(book, tmp_path / name) for name in ("grown.index", "anew.index"))
    for one in (grown, anew):
        one.path.unlink(missing_ok=True)
    book.write_bytes(b"")
    for part in parts:
        with book.open("ab") as file:
            file.write(("\n".join(part) + "\n" * cut).encode(errors="replace"))
        grown.refresh()
    anew.refresh()
    assert contents(grown) == contents(anew)


def test_only_the_tail_of_a_file_that_grew_is_read(index: Index) -> None:
    index.book.write_text((BOOK + "\n") * 300)
    assert not index.refresh(most=10_000)
    assert index.refresh()
    append(index.book, "## 2026-04-01 10:00 — ajouté\nzorglub\n".encode())
    assert index.refresh(most=10_000)
    assert titles(index, "zorglub") == ["ajouté"]
    index.book.write_text(index.book.read_text().replace("zorglub", "zorglob"))
    assert not index.refresh(most=10_000), "any other change is read as a whole"
    assert titles(index, "zorglob") == ["ajouté"]
    assert titles(index, "zorglub") == []


def test_a_change_that_keeps_size_and_time_is_seen(index: Index) -> None:
    assert titles(index, "sauvegarde") == ["Séance d’essai"]
    before = index.book.stat()
    with index.book.open("r+b") as file:
        file.write(BOOK.encode().replace(b"sauvegarde", b"SAUVETAGES"))
    os.utime(index.book, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert titles(index, "sauvetages") == ["Séance d’essai"]


def test_text_outside_entries_stands_with_those_around_it(index: Index) -> None:
    index.book.write_text(f"{FIRST}\nreste\n\n{NOTE}")
    with index.asking() as asking:
        rows = asking.page(ANY)
        assert [row.kind for row in rows] == ["note", "text", "alert"]
        assert [row.kind for row in asking.page(ANY, before=rows[0].key)] == ["text", "alert"]
        assert [row.kind for row in asking.page(wanted("alert"))] == ["alert"]
        assert [row.kind for row in asking.around(rows[1].key)] == ["text", "alert"]
        assert asking.counts() == {"session": 0, "alert": 1, "note": 1, "text": 1}


def test_a_link_outlives_what_is_written_around_its_entry(index: Index) -> None:
    with index.asking() as asking:
        key = asking.page(wanted("session"))[0].key
    index.book.write_text(NOTE + "\n" + BOOK + "\n" + NOTE)
    with index.asking() as asking:
        assert asking.around(key)[0].title == "Séance d’essai"
    index.book.write_text(BOOK.replace("Poser les", "Reposer les"))
    with index.asking() as asking:
        assert asking.around(key)[0].title == "Séance d’essai", "changed: the entry of its minute"
        with pytest.raises(BookError, match="no entry"):
            asking.around("20010101T0000-00000000")


def test_open_points_are_known_without_reading_the_file(index: Index) -> None:
    index.book.write_text(SESSION + "\n" + SESSION.replace("11:00", "11:30"))
    with index.asking() as asking:
        assert [(one["line"], one["done"]) for one in asking.todo()] == [(22, False), (47, False)]
        assert len(asking.todo(done=True)) == 4
        assert len(asking.todo(limit=1)) == 1


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_reaches_the_index_or_an_answer(index: Index, kind: str) -> None:
    around, secret = SECRETS[kind]
    index.book.write_text(
        f"## 2026-03-01 10:00 — {(around % secret).partition(chr(10))[0]}\n{around % secret}\nautour\n"
    )
    found = ask(index, "autour").rows
    shown = repr([(row.title, row.piece.text, line) for row, line in found])
    kept = index.path.read_bytes().lower()
    for part in secret.split():
        assert part not in shown or len(part) < 8
        for word in part.lower().replace("-", " ").replace("_", " ").replace(":", " ").split():
            assert len(word) < 12 or word.encode() not in kept, "as words too"


def test_a_value_that_is_known_to_be_secret_is_hidden_whatever_it_looks_like(book: Path, tmp_path: Path) -> None:
    book.write_text('## 2026-03-01 10:00 — zé"bulon-7\nmon mot: zé"bulon-7 et "z\\u00e9\\"bulon-7"\n')
    index = Index(book, tmp_path / "i", Hide(['zé"bulon-7', "mot"]))
    (row,) = [row for row, _ in ask(index, "mot").rows]
    assert "bulon" not in row.title + row.piece.text
    assert b"bulon" not in index.path.read_bytes()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "another file": lambda path: path.write_bytes(b"not a database at all" * 500),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda path: os.truncate(path, 0),
    "holes": lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes(path.stat().st_size - 4096)),
    "deleted": lambda path: path.unlink(),
    "another version": lambda path: (
        sqlite3.connect(path).executescript("UPDATE book SET version = 0").connection.close()
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("grown", [False, True])
def test_a_damaged_index_is_made_anew(index: Index, damage: str, grown: bool) -> None:
    time.sleep(0.12)  # so that the index trusts the file's times
    assert titles(index, "sauvegarde") == ["Séance d’essai"]
    DAMAGES[damage](index.path)
    if grown:
        append(index.book, b"## 2026-04-01 10:00 \xe2\x80\x94 x\nzorglub\n")
        assert titles(index, "zorglub") == ["x"]
    assert titles(index, "sauvegarde") == ["Séance d’essai"]


FULL = """
import resource, sys
from pathlib import Path
from runtime.journal.index import Index, NoIndex
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    Index(Path(sys.argv[1]), Path(sys.argv[2])).refresh()
except NoIndex as error:
    print(error, error.hint)
"""


def test_a_full_disk_is_told_and_leaves_what_was_there(index: Index) -> None:
    """A limit on the size of files stands in for the disk: SQLite meets the same failing write."""
    assert index.refresh()
    index.book.write_text((BOOK + "\n") * 400)
    before = index.path.read_bytes()
    for limit in (8192, 200_000):
        done = subprocess.run(
            [sys.executable, "-c", FULL, index.book, index.path, str(limit)], capture_output=True, text=True, check=True
        )
        assert "free some space" in done.stdout, done
        assert index.path.read_bytes() == before
        assert sorted(path.name for path in index.path.parent.iterdir()) == ["book.index", "book.index.lock"]
    assert ask(index, "sauvegarde").total == 400


def test_a_place_where_nothing_can_be_written_is_told(book: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoIndex):
        Index(book, tmp_path / "file" / "x.index").refresh()


def _searches(book: Path, path: Path, seed: int) -> None:
    dice = random.Random(seed)
    for number in range(12):
        if dice.random() < 0.4:
            append(book, f"## 2026-04-01 10:00 — s{seed}n{number}\nzorglub\n".encode(), sync=False)
        if dice.random() < 0.1:
            path.unlink(missing_ok=True)
        found = ask(Index(book, path), "sauvegarde")
        assert found.total >= 1
        assert all("sauvegarde" in row.piece.text for row, _ in found.rows)


def test_many_search_and_write_at_once(index: Index) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_searches, args=(index.book, index.path, seed)) for seed in range(5)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert [one.exitcode for one in workers] == [0] * len(workers)
    assert ask(index, "zorglub", limit=1).total == index.book.read_text().count("zorglub")


def test_a_searcher_who_is_killed_leaves_an_index_that_can_be_used(index: Index) -> None:
    index.book.write_text((BOOK + "\n") * 400)
    script = "import sys; from pathlib import Path; from runtime.journal.index import Index\n"
    script += "Index(Path(sys.argv[1]), Path(sys.argv[2])).refresh()"
    for wait in (0.1, 0.2, 0.3):
        process = subprocess.Popen([sys.executable, "-c", script, index.book, index.path])
        time.sleep(wait)
        process.kill()
        process.wait()
    assert ask(index, "sauvegarde", limit=1).total == 400
    assert ask(index, "sauvegarde", limit=1).total == 400


def test_making_it_takes_little_memory(index: Index) -> None:
    index.book.write_text((BOOK + "\n") * 2500)
    script = "import sys; from pathlib import Path; from runtime.journal.index import Index\n"
    script += "Index(Path(sys.argv[1]), Path(sys.argv[2])).refresh()\n"
    script += "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    done = subprocess.run(
        [sys.executable, "-c", script, index.book, index.path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 60_000, "kB, Python itself included"


def test_indexes_of_log_books_that_were_looked_at_once_do_not_pile_up(index: Index) -> None:
    index.refresh()
    for number in range(KEPT + 3):
        path = index.path.with_name(f"{number}.index")
        path.write_text("")
        os.utime(path, (number, number))
    tidy(index.path)
    assert len(list(index.path.parent.glob("*.index"))) == KEPT
    assert titles(index, "sauvegarde") == ["Séance d’essai"]


def test_words_that_were_asked_for_are_marked() -> None:
    text = "Le déploiement de L’HÔTE, motorisé"
    marked = [text[start:end] for start, end in spans(text, terms('deploiements "l’hôte" moto*'))]
    assert marked == ["déploiement", "HÔTE", "motorisé"]
