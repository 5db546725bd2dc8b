"""How a session looks in journal.md. Pure: what it is made of may be any text from anywhere.

No text can start a heading of level 1 or 2, close a fence, or open a tag; code stands in fences that fit it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.journal.blocks import Block
from runtime.journal.fields import SECTIONS

NOTHING = "—"
_HEADS = tuple(f"{number}) {name}{' (next)' * (number == 5)}:" for number, name in enumerate(SECTIONS, 1))
_BULLET = re.compile(r"^\s*(?:(?:[-*+•–]|\d{1,2}[.)])\s+)?(?:\[ \]\s+)?")
# What may stand before a heading within containers: quotes and list items.
_LEAD = re.compile(r"^((?:[ \t]*(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+|>[ \t]?))*[ \t]*)(.*)$")
_STARTS = re.compile(r"#{1,2}(?=[ \t]|$)|`{3}|~{3}|=+[ \t]*$|-+[ \t]*$")
_INLINE = re.compile(r"\\[!-/:-@\[-`{-~]|(?P<ticks>`+)|<(?=[A-Za-z/!?])")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Session:
    """What an entry holds; `commands` are blocks of code and lines of text, in their order."""

    goals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    commands: tuple[str | Block, ...] = ()
    open_points: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not any((self.goals, self.actions, self.decisions, self.commands, self.open_points))


def heading(when: str, title: str) -> bytes:
    """The entry's first line; `when` is `YYYY-MM-DD HH:MM`, local."""
    return f"## {when} — {title}\n".encode()


def one_line(title: str) -> str:
    """A title as a heading can have it: printable, without what would make the entry an alert's."""
    plain = "".join(letter if letter.isprintable() else " " for letter in title).replace("|", "/")
    return safe(_SPACES.sub(" ", plain).strip(" —–-\t")[:200].strip())


def body(session: Session, notes: Sequence[str] = ()) -> bytes:
    """Everything below the heading. `notes` are lines of ours, quoted above the sections."""
    parts = ["".join(f"> {note}\n" for note in notes).encode() + b"\n"] if notes else []
    sections = (session.goals, session.actions, session.decisions, session.commands, session.open_points)
    for head, items in zip(_HEADS, sections, strict=True):
        parts.append(f"{head}\n".encode() + (_items(items) or f"{NOTHING}\n".encode()) + b"\n")
    return b"".join(parts)[:-1]


def _items(items: Iterable[str | Block]) -> bytes:
    done, code_before = list[bytes](), False
    for item in items:
        text = item.fenced if isinstance(item, Block) else _item(item)
        if text and done and (code_before or isinstance(item, Block)):
            done.append(b"\n")
        done.append(text)
        code_before = isinstance(item, Block)
    return b"".join(done)


def _item(text: str) -> bytes:
    """A list item; its further lines stay inside it."""
    lines = [safe(line.rstrip()) for line in _BULLET.sub("", printable(text), count=1).split("\n") if line.strip()]
    return ("- " + "\n  ".join(lines) + "\n").encode(errors="replace") if lines else b""


def printable(text: str) -> str:
    """Without control characters; line ends are newlines."""
    whole = re.sub(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "\n", text)
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in whole.expandtabs(4))


def safe(line: str) -> str:
    """One line of text that is text: no heading, no fence, no rule, no tag, no code that goes on in the next line."""
    found = _LEAD.match(line)
    lead, rest = (found[1], found[2]) if found else ("", line)
    start = _STARTS.match(rest)
    return lead + ("\\" if start and rest[:1] not in "`~" else "") + _inline(_unfenced(rest))


def _unfenced(rest: str) -> str:
    return re.sub(r"^[`~]{3,}", lambda run: "".join(f"\\{letter}" for letter in run[0]), rest)


def _inline(text: str) -> str:
    done, at = list[str](), 0
    while found := _INLINE.search(text, at):
        done.append(text[at : found.start()])
        ticks = found["ticks"]
        end = _span_end(text, found.end(), ticks) if ticks else found.end()
        whole = text[found.start() : end or found.end()]
        done.append(whole if (ticks and end) or whole[0] == "\\" else "".join(f"\\{letter}" for letter in whole))
        at = end or found.end()
    return "".join(done) + text[at:]


def _span_end(text: str, at: int, ticks: str) -> int:
    """Where the code span ends that `ticks` began before `at`; 0 when it does not on this line."""
    close = re.compile(rf"(?<!`){ticks}(?!`)").search(text, at)
    return close.end() if close else 0
