"""The journal tasks as a script meets them: exit codes, JSON, and no secret in any output."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.cli import main
from ops.paths import ROOT
from runtime.journal import commands
from tests.journal.conftest import BOOK, NOTE, PARASITE
from tests.journal.test_book import SOUP

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str]:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "planted" not in said.out + said.err
        return code, said.out or said.err

    return call


def in_json(answer: tuple[int, str], code: int = 0) -> Any:
    assert answer[0] == code, answer[1]
    return json.loads(answer[1])


def test_lint_counts_kinds_and_tells_lines(run: Run, book: Path) -> None:
    found = in_json(run("journal.lint", book, "--json"), 1)
    assert found["counts"] == {"session": 1, "alert": 2, "note": 1, "text": 0}
    assert [(problem["line"], problem["problem"]) for problem in found["problems"]] == [(25, "payload-key")]
    assert f"{book}:25: payload-key:" in run("journal.lint", book)[1]
    book.write_text(NOTE)
    assert run("journal.lint", book) == (0, "0 session, 0 alert, 1 note, 0 text\n")


def test_list_is_one_object_for_each_entry(run: Run, book: Path) -> None:
    found = in_json(run("journal.list", "--file", book, "--json"))
    assert [(entry["start_line"], entry["kind"]) for entry in found] == [
        (1, "alert"), (13, "alert"), (38, "session"), (63, "note"),
    ]  # fmt: skip
    assert set(found[0]) == {"start_line", "end_line", "timestamp", "kind", "title", "fields"}
    assert (found[1]["timestamp"], found[1]["fields"]["engine"]) == ("2026-03-01 10:15", "DEMO_LONG")
    assert found[0]["end_line"] == 11
    assert in_json(run("journal.list", "--file", book, "--json", "--kind", "note")) == found[3:]
    assert "Séance d’essai" in run("journal.list", book)[1]


def test_the_file_may_stand_before_and_after_options(run: Run, book: Path) -> None:
    expected = run("journal.list", "--file", book, "--json")
    assert run("journal.list", "--json", book) == run("journal.list", book, "--json") == expected
    assert run("journal.tail", "--count", 1, book) == run("journal.tail", "-c", 1, book) == (0, NOTE + "\n")
    assert run("journal.list", "journal.lint")[0] == 0


def test_the_wrapper_itself_does_so_too(book: Path) -> None:
    """The controller's environment has nothing of the services' packages."""
    clean = {name: value for name, value in os.environ.items() if name not in ("OPS_VENV", "PYTHONPATH")}
    command = [ROOT / "inv", "journal.list", "--file", book.name, "--json"]
    done = subprocess.run(command, cwd=book.parent, env=clean, capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)) == 4


def test_fix_moves_nothing_it_need_not_and_says_so_first(run: Run, book: Path) -> None:
    assert run("journal.fix", book, "--check") == (0, "nothing to move\n")
    book.write_text(PARASITE + BOOK)
    assert run("journal.fix", book, "--check")[0] == 2
    assert book.read_text() == PARASITE + BOOK
    done = in_json(run("journal.fix", book, "--json"))
    assert Path(done["backup"]).read_text() == PARASITE + BOOK
    assert [change["line"] for change in done["changes"]] == [1]
    assert PARASITE in book.read_text()
    assert run("journal.fix", book, "--check")[0] == 0


def test_scrub_says_what_to_rotate_and_masks_on_request(run: Run, book: Path) -> None:
    (found,) = in_json(run("journal.scrub", book, "--json"), 2)["findings"]
    assert (found["kind"], found["line"], found["preview"]) == ("webhook-key", 25, "*** (23 characters)")
    assert "secrets.rotate webhook_key" in found["rotate"]
    assert book.read_text() == BOOK
    assert run("journal.scrub", book, "--write")[0] == 0
    assert "planted" not in book.read_text()
    assert in_json(run("journal.scrub", book, "--json"))["findings"] == []


def test_show_search_tail_stats(run: Run, book: Path) -> None:
    assert run("journal.show", "63", "--file", book) == (0, NOTE + "\n")
    assert run("journal.show", "2026-03-01 10", "--file", book)[1].startswith("## 2026-03-01 10:15 |")
    assert run("journal.show", "99", "--file", book)[0] == 1
    assert [hit["start_line"] for hit in in_json(run("journal.search", "deploiements", "--file", book, "--json"))] == [
        38
    ]
    assert run("journal.search", "introuvable", "--file", book)[0] == 1
    assert run("journal.tail", book, "--count", 1) == (0, NOTE + "\n")
    stats = in_json(run("journal.stats", book, "--json"))
    assert (stats["open_points"], stats["engines"]) == (1, {"DEMO": 1, "DEMO_LONG": 1})


def test_search_narrows_orders_and_limits(run: Run, book: Path) -> None:
    def lines(*words: object) -> list[int]:
        code, said = run("journal.search", *words, "--file", book, "--json")
        assert code == (0 if json.loads(said) else 1)
        return [hit["start_line"] for hit in json.loads(said)]

    assert sorted(lines("essai")) == [13, 38]
    assert lines("essai", "--sort", "date") == [38, 13]
    assert lines("essai", "--kind", "alert,note") == [13]
    assert lines("essai", "--since", "2026-03-01T11:00") == [38]
    assert lines("essai", "--until", "2026-02") == []
    assert lines("essai", "--limit", 1, "--sort", "date") == [38]
    assert lines('"séance d’essai"') == [38]
    assert lines("deplo*") == [38]
    for wrong in (["--sort", "x"], ["--limit", 0], ["--kind", "x"], ["--since", "hier"]):
        code, said = run("journal.search", "essai", "--file", book, *wrong)
        assert (code, said.count("  -> ")) == (1, 1)


def test_search_works_where_no_index_can_be_kept(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "index_place", lambda _: book / "no-folder" / "x.index")
    found = in_json(run("journal.search", "deploiements", "--file", book, "--json"))
    assert [hit["start_line"] for hit in found] == [38]
    assert run("journal.search", "zorglub", "--file", book)[0] == 1


@given(data=st.binary(max_size=200) | st.lists(st.sampled_from(SOUP), max_size=20).map("\r\n".join).map(str.encode))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_contract_of_scripts_holds_on_any_file(tmp_path: Path, data: bytes) -> None:
    """Exit codes and JSON, and the file as it was."""
    path = tmp_path / "any.md"
    path.write_bytes(data)
    for words, codes in (
        (["journal.lint", path, "--json"], (0, 1)),
        (["journal.list", "--file", path, "--json"], (0,)),
        (["journal.fix", path, "--check", "--json"], (0, 2)),
        (["journal.scrub", path, "--json"], (0, 2)),
        (["journal.stats", path, "--json"], (0,)),
        (["journal.todo", path, "--json", "--all"], (0,)),
    ):
        with redirect_stdout(io.StringIO()) as out:
            assert main([str(word) for word in words]) in codes
        json.loads(out.getvalue())
    assert path.read_bytes() == data


def test_todo_lists_open_points_and_ticks_them_off(run: Run, book: Path) -> None:
    (point,) = in_json(run("journal.todo", book, "--json"))
    assert (point["line"], point["title"]) == (59, "Séance d’essai")
    assert run("journal.todo", book, "--done", 59)[0] == 0
    assert in_json(run("journal.todo", book, "--json")) == []
    assert len(in_json(run("journal.todo", book, "--json", "--all"))) == 2


def test_what_a_person_gets_wrong_is_told_without_a_traceback(run: Run, tmp_path: Path) -> None:
    code, said = run("journal.lint", tmp_path / "absent.md")
    assert (code, said.count("\n")) == (1, 2)
    assert "No such file" in said


def test_control_characters_do_not_reach_a_terminal(run: Run, book: Path) -> None:
    book.write_text("## 2026-03-01 09:00 — \x1b[31mrouge\x07\n")
    assert "\x1b" not in run("journal.list", book)[1]


def test_the_checkouts_own_log_book_is_in_order(run: Run) -> None:
    assert run("journal.lint")[0] == 0
