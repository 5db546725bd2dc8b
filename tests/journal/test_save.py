"""Saving a session as a person does: pasted, piped, from a file, from the clipboard; every byte is kept."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.cli import main as inv
from runtime import clock
from runtime.journal.blocks import taken_out
from runtime.journal.book import parse
from runtime.journal.drafting import chunks
from runtime.journal.paste import Brackets
from runtime.journal.rules import session
from runtime.journal.session import Session, body, heading, one_line
from tests.fakes.openai import OpenAI
from tests.journal.save_kit import BEFORE, PASTE, Place
from tests.journal.test_book import SOUP


def test_a_paste_becomes_an_entry_that_is_committed_and_nothing_else_is(place: Place) -> None:
    (place.folder / "autre.txt").write_text("pas à nous\n")
    place.git("add", "autre.txt")
    done = place.spawn("save", "Essai", paste=PASTE)
    assert done.returncode == 0, done.stderr
    assert "no OpenAI key" in done.stderr
    assert "secrets.set openai_key" in done.stderr
    assert place.text.startswith(BEFORE)
    assert place.git("show", "HEAD:journal.md") == place.text
    assert place.git("show", "--stat", "--format=", "HEAD").split()[0] == "journal.md"
    assert place.git("status", "--porcelain") == "A  autre.txt\n"


def test_the_tasks_list_show_and_tick_it_off(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.run("save", "Essai", paste=PASTE)
    assert inv(["journal.lint", str(place.book)]) == 0
    assert inv(["journal.todo", "--file", str(place.book)]) == 0
    assert "Vérifier la sauvegarde" in capsys.readouterr().out
    assert inv(["journal.show", "2", "--file", str(place.book)]) == 1
    (entry,) = place.sessions
    assert list(entry.fields["sections"]) == ["Objectifs", "Actions", "Décisions", "Commandes / Code", "Points ouverts"]


def test_inv_takes_the_title_and_a_file(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    file = place.folder / "paste.txt"
    file.write_text(PASTE)
    words = ["journal.save", "Essai", str(file), "--file", str(place.book), "--no-model", "--json"]
    assert inv(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["state"], said["by"], said["why"]) == ("done", "rules", "asked")
    assert said["commit"] == place.git("rev-parse", "HEAD").strip()
    assert inv(["journal.inbox", str(place.book)]) == 0
    assert "Essai" in capsys.readouterr().out


@pytest.mark.parametrize("paste", [b"", b" \n\t\n", b"\0\0\n"])
def test_an_empty_paste_is_refused_and_nothing_is_left(place: Place, paste: bytes) -> None:
    done = place.spawn("save", "Essai", paste=paste)
    assert (done.returncode, "empty" in done.stderr) == (1, True)
    assert place.text == BEFORE
    assert list(place.inbox.folder.iterdir()) == []


def test_any_bytes_are_kept_as_they_came(place: Place) -> None:
    raw = b"\xef\xbb\xbfTODO: \xff\xfe\0\r\n\x1b[31mrouge\x07\r\n```\r\n\xff\0\x01 brut\r\n```\r\n" + b"x" * 70_000
    done = place.spawn("save", "Octets \x1b[31m", paste=raw)
    assert done.returncode == 0, done.stderr
    assert place.records[0].get("paste.txt") == raw
    (entry,) = place.sessions
    assert b"```\n\xff\0\x01 brut\r\n```\n" in entry.raw
    assert b"\x1b" not in entry.raw
    assert entry.title == "Octets [31m"


def test_what_a_person_gets_wrong_is_told(place: Place) -> None:
    assert "empty" in place.run("save", " — ", paste=PASTE).stderr
    assert "No such file" in place.run("save", "x", "/nowhere").stderr
    place.env["JOURNAL_TZ"] = "Mars/Olympus"
    place.env["OPENAI_TIMEOUT"] = "soon"
    said = place.run("save", "x", paste=PASTE).stderr
    assert ("JOURNAL_TZ" in said, "OPENAI_TIMEOUT" in said) == (True, True)
    assert place.text == BEFORE


def test_the_clipboard(place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    bin_ = tmp_path_factory.mktemp("bin")
    place.env["PATH"] = str(bin_)
    assert "wl-paste, xclip" in place.run("save", "x", "--clipboard").stderr
    (bin_ / "xclip").write_text('#!/bin/sh\n[ "$*" = "-selection clipboard -o" ] && printf "TODO: du presse-papiers"\n')
    (bin_ / "xclip").chmod(0o755)
    place.env["PATH"] = f"{bin_}:{os.environ['PATH']}"
    assert place.run("save", "x", "--clipboard").returncode == 0
    assert "du presse-papiers" in place.text


def typed(place: Place, pieces: list[bytes]) -> tuple[int, bytes]:
    """What a person sees who pastes on a real terminal; the exit code."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(place.folder)
        os.execve(sys.executable, [sys.executable, "-P", "-m", "runtime.journal", "save", "Essai"], place.environment())  # noqa: S606
    seen, ready, counted = b"", threading.Event(), threading.Event()

    def write() -> None:
        ready.wait(60)
        for number, piece in enumerate(pieces):
            if number:
                counted.wait(60)
            for start in range(0, len(piece), 1024):
                os.write(fd, piece[start : start + 1024])

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    while True:
        try:
            seen += os.read(fd, 65536)
        except OSError:
            break
        if b"\x1b[?2004h" in seen:
            ready.set()
        if b" bytes" in seen:
            counted.set()
    thread.join(5)
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen


def test_a_terminal_takes_lines_of_any_length_and_a_ctrl_d_within_a_paste(place: Place) -> None:
    long = b"- TODO " + b"y" * 200_000
    code, seen = typed(place, [b"\x1b[200~" + long + b"\r\nfin \x04 ici\r\n\x1b[201~", b"\r", b"\x04"])
    assert code == 0, seen[-2000:]
    assert b"press Ctrl-D" in seen
    assert b"yyyy" not in seen
    assert place.records[0].get("paste.txt") == long + b"\n\nfin \x04 ici\n\n\n"
    assert b"\x1b[?2004l" in seen


def test_ctrl_c_keeps_what_came_in(place: Place) -> None:
    code, seen = typed(place, [b"TODO: presque perdu\r", b"\x03"])
    assert code == 130
    assert b"is kept" in seen
    assert place.text == BEFORE
    done = place.run("save", "Autre", paste="TODO: x\n")
    assert "1 paste waits: " in done.stderr
    assert place.run("retry").returncode == 0
    assert place.text.count("presque perdu") == 1


@given(
    st.lists(st.sampled_from([b"\x1b[200~", b"\x1b[201~", b"a", b"\x1b", b"[20", b"0~", b"\n"]), max_size=12),
    st.integers(1, 9),
)
def test_brackets_lose_no_byte_however_they_are_cut(parts: list[bytes], size: int) -> None:
    data, bracket = b"".join(parts), Brackets()
    found = b"".join(bracket.feed(data[at : at + size]) for at in range(0, len(data), size)) + bracket.rest()
    whole = Brackets()
    assert found == whole.feed(data) + whole.rest()
    assert found.replace(b"\x1b[200~", b"").replace(b"\x1b[201~", b"").count(b"a") == data.count(b"a")


BAD = [
    *SOUP,
    "Titre\n===",
    "x\n---",
    "> ## y",
    "- # z",
    "1. ## w",
    "<script>",
    "`<b>",
    "a ` b\n`<i>`",
    "\\`<u>`",
    "\\",
    "~~~",
    "\u2028## x",
]


@given(
    items=st.lists(st.lists(st.sampled_from(BAD), max_size=4).map("\n".join), max_size=6), title=st.text(max_size=40)
)
def test_no_text_starts_a_heading_closes_a_fence_or_opens_a_tag(items: list[str], title: str) -> None:
    """Asked of a Markdown reader that is not ours."""
    from markdown_it import MarkdownIt

    items_ = tuple(items)
    made = Session(items_, items_, items_, (*items_, *taken_out("\n".join(items).encode())[1]), items_)
    entry = heading("2026-03-01 09:00", one_line(title) or "x") + body(made, ["une note"])
    tokens = MarkdownIt("commonmark").parse(entry.decode())
    heads = [token.tag for token in tokens if token.type == "heading_open"]
    assert [head for head in heads if head in ("h1", "h2")] == ["h2"]
    inline = [child for token in tokens for child in token.children or ()]
    assert not [token for token in (*tokens, *inline) if token.type in ("html_block", "html_inline")]
    (piece,) = parse(entry + b"\n").entries()
    assert piece.kind == "session"
    assert len(piece.fields["sections"]) == 5


@given(st.lists(st.sampled_from([*SOUP, "bash\nCopier le code\nx = 1", "Vous avez dit :", "$ ls -l"]), max_size=20))
def test_by_rules_every_block_of_code_is_in_the_entry(lines: list[str]) -> None:
    text, blocks = taken_out("\n".join(lines).encode())
    entry = body(session(text, blocks))
    assert all(block.fenced in entry for block in blocks)


@given(st.text(alphabet="ab \n:é", max_size=300), st.integers(10, 60))
def test_chunks_joined_are_the_text(text: str, size: int) -> None:
    found = list(chunks(text, size))
    assert "".join(found) == text
    assert all(len(chunk) <= size for chunk in found)


ENGLISH = """\
You said:
I want the journal to push itself.

**Decisions:**
- Keep SSH

Next steps:
1. Check the remote
"""


def test_english_headings_are_known_too() -> None:
    made = session(*taken_out(ENGLISH.encode()))
    assert made.goals == ("I want the journal to push itself.",)
    assert made.decisions == ("Keep SSH",)
    assert made.open_points == ("Check the remote",)


def test_a_shells_commands_are_kept_without_their_answers() -> None:
    made = session(*taken_out(b"a@h:/opt$ git status\nOn branch main\na@h:/opt$ git push\n"))
    assert [block.content for block in made.commands if not isinstance(block, str)] == [b"git status\n", b"git push\n"]


def test_pastes_are_removed_after_their_time(place: Place) -> None:
    place.run("save", "Vieux", "--no-model", paste=PASTE)
    (record,) = place.records
    old = clock.iso(clock.from_iso(record.ended).replace(year=2020))
    record.save(ended=old)
    place.env["JOURNAL_KEEP_DAYS"] = "0"
    place.run("retry")
    assert len(place.records) == 1
    del place.env["JOURNAL_KEEP_DAYS"]
    place.run("save", "Neuf", "--no-model", paste=PASTE)
    assert [record.title for record in place.records] == ["Neuf"]


def test_two_pastes_of_one_title_in_one_minute_are_two_entries(place: Place) -> None:
    for _ in range(2):
        place.run("save", "Essai", "--no-model", paste=PASTE)
    assert len({entry.title for entry in place.sessions}) == 2


def test_without_a_repository_it_is_written_all_the_same(tmp_path: Path) -> None:
    bare = Place(tmp_path)
    done = bare.run("save", "Essai", "--no-model", paste=PASTE)
    assert (done.returncode, "no repository" in done.stderr) == (0, True)
    assert len(bare.sessions) == 1


def test_a_save_under_way_is_left_alone_and_once_killed_it_is_finished(place: Place, model: OpenAI) -> None:
    place.uses(model.url)
    model.hang()
    (place.folder / "paste.txt").write_text(PASTE)
    command = [sys.executable, "-P", "-m", "runtime.journal", "save", "Essai", "paste.txt"]
    with subprocess.Popen(command, env=place.environment(), cwd=place.folder, stderr=subprocess.DEVNULL) as run:
        limit = time.monotonic() + 60
        while not model.received and time.monotonic() < limit:
            time.sleep(0.05)
        assert "nothing waits" in place.run("retry").stderr
        run.kill()
    del place.env["OPENAI_API_KEY"]
    assert place.run("retry").returncode == 0
    assert len(place.sessions) == 1
