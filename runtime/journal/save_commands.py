"""`journal.save`, `journal.retry` and the inbox, as a person or a script calls them; each returns its exit code.

What a person is told goes to stderr; stdout has the entry's heading, or with `json` one object.
"""

from __future__ import annotations

import json as jsonlib
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime import clock
from runtime.journal import inbox as states
from runtime.journal import known, paste
from runtime.journal.book import BookError
from runtime.journal.commands import DEFAULT, told
from runtime.journal.drafting import Writer
from runtime.journal.inbox import Record, locked
from runtime.journal.masking import Masker
from runtime.journal.saving import Desk, waiting
from runtime.journal.session import one_line
from runtime.journal.settings import JournalSettings
from runtime.journal.settings import journal as read_settings
from runtime.settings import SettingsError, environment

HERE = "./inv journal.retry"


@told
def save(
    title: str,
    file: str = "",
    *,
    clipboard: bool = False,
    book: str = "",
    model: bool = True,
    json: bool = False,
    secrets: Mapping[str, str] | None = None,
    again: str = HERE,
) -> int:
    """0 when the entry is in the log book, with or without a model."""
    with _desk(book, secrets or {}, again) as desk:
        if not one_line(title):
            raise BookError("the title is empty", "say what the session was about, in quotes, before anything else")
        _ready(desk, model)
        record = _received(desk, title, paste.chunks(file, clipboard=clipboard), model)
        with locked(record):
            commit = _finished(desk, record)
        _report(desk, record, commit, json)
        _mention(desk, record)
        desk.inbox.tidy(desk.settings.keep_days)
    return 0


@told
def retry(book: str = "", *, json: bool = False, secrets: Mapping[str, str] | None = None, again: str = HERE) -> int:
    """Finish what waits, and improve what was made without a model; 1 when something still waits."""
    with _desk(book, secrets or {}, again) as desk:
        improvable = [record for record in desk.inbox.records() if record.can_improve]
        left = [_again(desk, record, json) for record in waiting(desk.inbox)]
        if desk.settings.model is not None:
            left += [_better(desk, record, json) for record in improvable]
        elif improvable:
            desk.say(
                f"{_count(len(improvable), 'entry')} made without a model; no OpenAI key here to improve them with"
            )
        if not left and not improvable:
            desk.say("nothing waits")
        desk.inbox.tidy(desk.settings.keep_days)
    return 0 if all(left) else 1


@told
def inbox(book: str = "", *, json: bool = False, secrets: Mapping[str, str] | None = None, again: str = HERE) -> int:
    """What is in the inbox, and what became of it."""
    with _desk(book, secrets or {}, again) as desk:
        records = [_object(desk, record) for record in desk.inbox.records()]
    if json:
        sys.stdout.write(jsonlib.dumps(records, ensure_ascii=False, indent=2) + "\n")
        return 0
    for one in records:
        made = f"by {one['by']}" if one["by"] else ""
        sys.stdout.write(f"{one['received'][:16]}  {one['state']:<9}  {made:<8}  {one['title']}  {one['paste']}\n")
    return 0


@contextmanager
def _desk(book: str, secrets: Mapping[str, str], again: str) -> Iterator[Desk]:
    environ = dict(environment())
    if secrets.get("openai_key") and not environ.get("OPENAI_API_KEY"):
        environ["OPENAI_API_KEY"] = secrets["openai_key"]
    settings = _settings(environ)
    path = (Path(book).expanduser() if book else settings.path or DEFAULT).resolve()
    masker = Masker(known.values(environ, path.parent) | dict(secrets))
    screen = Screen()
    yield Desk(path, settings, masker, Writer(settings, screen.progress, screen.say), screen.say, again)


def _settings(environ: Mapping[str, str]) -> JournalSettings:
    try:
        return read_settings(environ)
    except SettingsError as error:
        said = str(error).replace("\n", "\n       ")
        raise BookError(said, "correct the environment, or leave the variable out") from error


def _ready(desk: Desk, model: bool) -> None:
    """Load what takes long while the paste comes in."""
    if waits := waiting(desk.inbox):
        desk.say(f"{_count(len(waits), 'paste')} wait{'s' * (len(waits) == 1)}: {desk.again}")
    threading.Thread(target=_load, args=(model and desk.settings.model is not None,), daemon=True).start()


def _load(model: bool) -> None:
    from runtime.journal.detectors import plugins

    plugins()
    if model:
        import runtime.journal.openai_draft  # noqa: F401


def _received(desk: Desk, title: str, chunks: Iterator[bytes], wanted: bool) -> Record:
    try:
        record = desk.inbox.receive(title, chunks, wanted=wanted)
    except KeyboardInterrupt:
        desk.say(f"\ninterrupted; what came in is kept in {desk.inbox.folder}\n  -> {desk.again} makes an entry of it")
        raise
    if record is None:
        raise BookError("the paste is empty; nothing was written", "paste the conversation, then press Ctrl-D")
    return record


def _finished(desk: Desk, record: Record) -> str | None:
    try:
        return desk.finish(record)
    except BookError as error:
        where = f"the paste is safe in {record.folder}; go on with {desk.again}"
        raise BookError(str(error), f"{error.hint}\n  -> {where}" if error.hint else where) from error


def _again(desk: Desk, record: Record, json: bool) -> bool:
    """False when it still waits."""
    try:
        with locked(record):
            commit = desk.finish(record)
    except BookError as error:
        desk.say(
            f"error: {desk.masker.text(one_line(record.title))}: {error}\n" + f"  -> {error.hint}" * bool(error.hint)
        )
        return False
    if record.state == states.RECEIVING:
        desk.say(f"{record.folder.name}: nothing had come in; removed")
        return True
    _report(desk, record, commit, json)
    return True


def _better(desk: Desk, record: Record, json: bool) -> bool:
    try:
        with locked(record):
            improved, commit = desk.improve(record)
            if improved:
                _report(desk, record, commit, json)
        return improved or bool(record.left)
    except BookError as error:
        desk.say(f"error: {error}")
        return False


def _mention(desk: Desk, record: Record) -> None:
    others = [one for one in desk.inbox.records() if one.can_improve and one.folder != record.folder]
    if others and desk.settings.model is not None and record.by == states.MODEL:
        desk.say(f"{_count(len(others), 'entry')} made without a model: {desk.again}")


def _report(desk: Desk, record: Record, commit: str | None, json: bool) -> None:
    if json:
        found = _object(desk, record) | {"commit": commit, "journal": str(desk.book)}
        sys.stdout.write(jsonlib.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return
    done = (
        f"committed as {commit[:9]}, pushed in the background"
        if commit
        else "committed by the sync already, or in no repository"
    )
    sys.stdout.write(record.heading.removeprefix("## "))
    desk.say(f"written to {desk.book} {'by the model' if record.by == states.MODEL else 'by rules'}; {done}")


def _object(desk: Desk, record: Record) -> dict[str, Any]:
    title = one_line(desk.masker.text(record.title))
    shown = {name: getattr(record, name) for name in ("state", "by", "why", "masked", "left", "received")}
    return {"title": title, "heading": record.heading.strip(), **shown, "paste": str(record.folder / states.PASTE)}


def _count(number: int, what: str) -> str:
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number} {what if number == 1 else plural}"


@dataclass
class Screen:
    """stderr: lines, and on a terminal one line that counts what the model has written."""

    began: float = field(default_factory=clock.steady)
    counting: bool = False

    def progress(self, length: int) -> None:
        if sys.stderr.isatty():
            self.counting = True
            sys.stderr.write(f"\rthe model writes: {length:,} characters, {clock.steady() - self.began:.0f} s ")
            sys.stderr.flush()

    def say(self, line: str) -> None:
        sys.stderr.write("\n" * self.counting + line + "\n")
        self.counting = False
