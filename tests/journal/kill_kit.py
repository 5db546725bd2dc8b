"""Runs `journal.save` or `journal.retry` again and again and kills it, with SIGKILL, before each of its steps.

    python -m tests.journal.kill_kit FOLDER FIRST STRIDE COMMAND

FOLDER is made anew for each kill. A step is a call that touches the disk or starts git. Each run is a forked child of
this process, which has no threads and everything loaded; the hooks are put into that child only. Prints one JSON object
for each kill: what stood where after it, what the next run said, and what `retry` made of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.journal import save_commands, vcs
from runtime.journal.__main__ import main
from runtime.journal.book import parse
from runtime.journal.detectors import plugins
from runtime.journal.inbox import DONE, Inbox
from runtime.journal.openai_draft import ModelError, ask
from runtime.journal.settings import ModelSettings
from runtime.keys import Secret

STEPS = ("open", "write", "fsync", "replace", "rename", "mkdir", "ftruncate", "unlink")


def run(words: list[str], said: Path, kill_at: int = 0) -> int:
    """The exit status of a forked run; -9 when it was killed."""
    child = os.fork()
    if child == 0:
        for number, stream in enumerate((os.devnull, said, said)):
            os.dup2(os.open(stream, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), number)
        if kill_at:
            hook(kill_at)
        code = main(words)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def hook(kill_at: int) -> None:
    left = [kill_at]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*given, **named)

        return step

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    subprocess.run = counted(subprocess.run)


def told(folder: Path, template: Path, words: list[str], kill_at: int, asked: list[list[str]]) -> dict[str, Any]:
    """`asked` are the states in which another save was made already: once in each is enough."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder, symlinks=True)
    said, book = folder.with_name("said.txt"), folder / "journal.md"
    code = run(words, said, kill_at)
    states = [record.state for record in Inbox(book).records()]
    said.unlink(missing_ok=True)
    other = None
    if words[0] == "save" and states not in asked:
        asked.append(states)
        other = run(["save", "Autre", str(folder / "other.txt"), "--no-model"], said)
    hint = said.read_text() if said.exists() else ""
    retried = run(["retry"], said)
    return {"at": kill_at, "code": code, "states": states, "other": other, "hint": hint, "retried": retried} | after(
        folder
    )


def after(folder: Path) -> dict[str, Any]:
    book = folder / "journal.md"
    entries = [entry for entry in parse(book.read_bytes()).entries() if entry.kind == "session"]
    committed = subprocess.run(["git", "show", "HEAD:journal.md"], cwd=folder, capture_output=True, check=True).stdout
    return {
        "entries": [entry.text for entry in entries if entry.title.startswith("Essai")],
        "others": sum(entry.title == "Autre" for entry in entries),
        "whole": book.read_text().startswith((folder / "before.md").read_text()),
        "committed": committed == book.read_bytes(),
        "left": [record.state for record in Inbox(book).records() if record.state != DONE],
        "pastes": [record.get("paste.txt").decode() for record in Inbox(book).records() if record.title == "Essai"],
    }


def warm() -> None:
    """The client loads half of itself at its first request, which nobody answers here."""
    with contextlib.suppress(ModelError):
        ask(
            ModelSettings(Secret("x"), base_url="http://127.0.0.1:9", retries=0), "", "", lambda _: None, lambda _: None
        )


def loop(folder: Path, first: int, stride: int, words: list[str]) -> None:
    template = folder.with_name("template")
    vcs.sync_later.__code__ = (lambda path: None).__code__  # nothing to push to; a process each would take minutes
    save_commands._load.__code__ = (lambda model: None).__code__  # loaded already: the child stays without threads
    plugins()
    warm()
    asked: list[list[str]] = []
    for kill_at in range(first, 1000, stride):
        found = told(folder, template, words, kill_at, asked)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        if found["code"] != -signal.SIGKILL:
            return


if __name__ == "__main__":
    words = [word.replace("FOLDER", sys.argv[1]) for word in sys.argv[4:]]
    os.environ["JOURNAL_PATH"] = str(Path(sys.argv[1]) / "journal.md")
    loop(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), words)
