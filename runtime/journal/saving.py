"""`journal.save` and `journal.retry`: from a paste to an entry that is committed, from wherever the last run got to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runtime import clock
from runtime.journal import inbox as states
from runtime.journal import once, vcs, wording
from runtime.journal.book import BookError
from runtime.journal.drafting import Drafted, Writer
from runtime.journal.inbox import BETTER, ENTRY, MODEL, PASTE, Inbox, Record, adopt, locked
from runtime.journal.masking import Masker
from runtime.journal.session import body, heading, one_line
from runtime.journal.settings import JournalSettings

Say = Callable[[str], None]


@dataclass
class Desk:
    """What saving needs: the log book, its inbox, what to mask, who drafts, and whom to tell."""

    book: Path
    settings: JournalSettings
    masker: Masker
    writer: Writer
    say: Say
    again: str = "./inv journal.retry"
    """The command that goes on with what waits."""
    rotate: dict[str, str] = field(default_factory=dict)

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.book)

    def finish(self, record: Record) -> str | None:
        """Bring a paste from wherever it stands to a committed entry. Returns the commit; None when there is none.

        Raises BookError: it can be called again.
        """
        if record.state == states.RECEIVING and not adopt(record):
            return None
        if record.state == states.STORED:
            self._draft(record, ENTRY)
            record.save(state=states.DRAFTED)
        if record.state in (states.DRAFTED, states.WRITING):
            self._write(record)
        if record.state == states.IMPROVING:
            self._improved(record)
        return self._commit(record) if record.state == states.WRITTEN else None

    def improve(self, record: Record) -> tuple[bool, str | None]:
        """Have a model make anew what was made without one, and the commit; False when none answers, or when the entry
        was edited.
        """
        drafted = self._draft(record, BETTER)
        if drafted.by != MODEL:
            (record.folder / BETTER).unlink(missing_ok=True)
            return False, None
        record.save(state=states.IMPROVING, why="")
        commit = self.finish(record)
        return not record.left, commit

    def entry(self, record: Record, name: str = ENTRY) -> bytes:
        return record.heading.encode() + record.get(name)

    def _draft(self, record: Record, name: str) -> Drafted:
        """Masked before anything else looks at it; once more at the end, whatever a model made of it."""
        masked = self.masker.mask(cleaned(record.get(PASTE)))
        title = one_line(self.masker.text(record.title))
        self.rotate = {finding.kind: finding.rotate for finding in masked.findings}
        drafted = self.writer.draft(title, masked.data, wanted=record.wanted)
        notes = self._notes(record, drafted, masked.kinds)
        record.put(name, self.masker.mask(body(drafted.session, notes)).data)
        if name == ENTRY or drafted.by == MODEL:
            record.masked, record.by, record.why = masked.kinds, drafted.by, drafted.why
        self._tell(drafted, masked.kinds)
        return drafted

    def _notes(self, record: Record, drafted: Drafted, kinds: dict[str, int]) -> list[str]:
        language, notes = self.settings.language, list[str]()
        if drafted.why == "asked":
            notes.append(wording.note("asked", language))
        elif drafted.by != MODEL:
            name = "rules" if drafted.failed in (0, drafted.parts) else "part"
            why = wording.why(drafted.why, language)
            notes.append(wording.note(name, language, why=why, count=drafted.failed, of=drafted.parts))
        received = clock.from_iso(record.received)
        if (clock.now() - received).total_seconds() > 3600:
            notes.append(wording.note("late", language, when=self._local(record.received)))
        return notes + wording.masked(kinds, self.rotate, language)

    def _tell(self, drafted: Drafted, kinds: dict[str, int]) -> None:
        for kind, count in kinds.items():
            self.say(f"masked: {kind} x{count}; rotate: {self.rotate[kind]}")
        if drafted.by != MODEL and drafted.why != "asked":
            why = wording.why(drafted.why, "en") + (f" ({drafted.detail})" if drafted.detail else "")
            self.say(f"made without a model: {why}\n  -> {_HINTS.get(drafted.why, '')}{self.again} improves it")

    def _write(self, record: Record) -> None:
        """Append it. The heading is of now, so that entries stay in the order of time."""
        if record.state == states.DRAFTED:
            record.save(state=states.WRITING, heading=self._heading(record), place=once.place(self.book))
        once.finish(self.book, self.entry(record), record.place)
        record.save(state=states.WRITTEN, ended=clock.iso(clock.now()))

    def _heading(self, record: Record) -> str:
        """One that no other paste's entry has: an entry is known by it."""
        title, now, taken = one_line(self.masker.text(record.title)), clock.iso(clock.now()), self.inbox.headings()
        number, found = 1, heading(self._local(now), title).decode()
        while found in taken:
            number += 1
            found = heading(self._local(now), f"{title} ({number})").decode()
        return found

    def _improved(self, record: Record) -> None:
        try:
            if record.has(BETTER):
                once.swap(self.book, self.entry(record), self.entry(record, BETTER))
                record.settle(BETTER, ENTRY)
            record.save(state=states.WRITTEN, by=MODEL)
        except once.Edited:
            (record.folder / BETTER).unlink(missing_ok=True)
            self.say("that entry was edited since, or is gone: it is left as it is")
            record.save(state=states.DONE, left="edited")

    def _commit(self, record: Record) -> str | None:
        """Raises BookError; the entry is in the log book by then."""
        title = record.heading.partition(" — ")[2].strip()
        try:
            commit = vcs.commit(self.book, f"Journal: {title}")
        except vcs.VcsError as error:
            raise BookError(f"written, but not committed: {error}", error.hint) from error
        record.save(state=states.DONE)
        if commit is not None:
            vcs.sync_later(self.book)
        return commit

    def _local(self, iso: str) -> str:
        return clock.from_iso(iso).astimezone(self.settings.timezone).strftime("%Y-%m-%d %H:%M")


_HINTS = {
    "no-key": "./inv secrets.set openai_key (or OPENAI_API_KEY); then ",
    "refused-key": "make another at platform.openai.com, API keys, and ./inv secrets.set openai_key; then ",
    "no-credit": "add credit at platform.openai.com, Billing; then ",
    "request": "look at OPENAI_MODEL and OPENAI_BASE_URL; then ",
}


def cleaned(raw: bytes) -> bytes:
    """A paste without a terminal's marks around it."""
    return raw.removeprefix(b"\x1b[200~").removesuffix(b"\x1b[201~").replace(b"\x1b[201~", b"")


def waiting(inbox: Inbox) -> list[Record]:
    """Pastes whose entry is not safely in the log book, and that no process is at work on."""
    return [record for record in inbox.records() if record.waits and _free(record)]


def _free(record: Record) -> bool:
    try:
        with locked(record):
            return True
    except (BookError, FileNotFoundError):
        return False
