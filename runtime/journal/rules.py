"""A session's entry without a model: what its own headings, list items and words say. Pure.

Nothing is invented and nothing is reworded: each item is a line of the text. Code is kept whole, and so are commands
after a shell's prompt. What fits nowhere stays in the raw paste only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from runtime.journal.blocks import MARKED, SPEAKER, Block
from runtime.journal.session import Session

GOALS, ACTIONS, DECISIONS, COMMANDS, OPEN = range(5)
MOST = 150
"""Items in a section; a longer list helps nobody, and the raw paste has the rest."""
LONGEST = 600
_BOLD = r"\s*(?:\*\*|__)?\s*"
_HEAD = re.compile(
    rf"^\s*(?:#{{1,6}}\s+|\*\*|__|\d{{1,2}}[.)]\s*\**)?(?P<name>[^:*_#]{{3,60}}?){_BOLD}"
    rf"(?:(?P<colon>[:：]){_BOLD}(?P<rest>.*))?$"
)


def _words(*found: str, more: int = 0) -> re.Pattern[str]:
    """Any of these, and then at most `more` characters."""
    end = rf"(?: .{{0,{more}}})?" if more else r"(?!\w)"
    return re.compile(rf"(?:{'|'.join(found)}){end}", re.IGNORECASE)


_SECTION = (
    (GOALS, _words("objectifs?", "buts?", "goals?", "objectives?", "aims?", "contexte?", more=30)),
    (ACTIONS, _words("actions?", "réalisé", "fait", "étapes?", "travail effectué", "done", "steps?", "changes?",
                     "what (?:we|i) did", more=30)),
    (DECISIONS, _words("d[ée]cisions?", "choix", "conclusions?", "d[ée]cid[ée]", more=30)),
    (COMMANDS, _words("commandes?", "commands?", "code", "commandes? ?/ ?code", more=20)),
    (OPEN, _words("points? ouverts?", "open points?", "open questions?", "[àa] faire", "reste à faire", "to-?do",
                  "next(?: steps?)?", "prochaines? étapes?", "questions? ouvertes?", "follow-?ups?", "suite", more=30)),
)  # fmt: skip
_SPOKEN = (
    (DECISIONS, _words("(?:on|nous) (?:a |avons )?(?:d[ée]cid|choisi|reten)[a-zé]*",
                       "j['’]ai (?:d[ée]cidé|choisi|retenu)", "(?:we|i)(?: have)? (?:decided|chose|agreed)",
                       "d[ée]cision ?:")),
    (OPEN, _words(r"\[ \]", "todo", "[àa] faire", "il (?:reste|faudra|faut encore)", "reste à", "next ?:",
                  "still (?:to|need)", "prochaine étape")),
    (GOALS, _words("(?:l['’])?objectif", "le but", "the goal", "je (?:veux|voudrais)", "i (?:want|need)", "we need")),
)  # fmt: skip
_ITEM = re.compile(r"^(\s*)(?:[-*+•]|\d{1,3}[.)])\s+(.+)$")
_PROMPT = re.compile(r"^\s*(?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.-]+:[^$#\n]{0,200}[$#]|\$)\s+(\S.*)$")


@dataclass
class _Made:
    items: tuple[dict[str, None], ...] = field(default_factory=lambda: tuple({} for _ in range(5)))
    commands: list[str | Block] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    flow: int = 0
    """Prose below a heading is that section's, up to the second blank line or the next code."""

    def add(self, section: int, text: str) -> None:
        if len(self.items[section]) < MOST and text.strip():
            self.items[section].setdefault(text.strip()[:LONGEST])

    def end_typed(self) -> None:
        if self.typed:
            self.commands.append(Block("bash", "".join(f"{line}\n" for line in self.typed).encode()))
            self.typed = []


def session(text: str, blocks: list[Block]) -> Session:
    """`text` and `blocks` as `blocks.taken_out` gives them."""
    made, here = _Made(), None
    for line in text.split("\n"):
        marked = MARKED.fullmatch(line.strip())
        typed = None if marked else _PROMPT.match(line)
        if typed:
            made.typed.append(typed[1])
            continue
        made.end_typed()
        if marked:
            made.commands.append(blocks[int(marked[1]) - 1])
            made.flow = 0
        else:
            here = _line(made, here, line)
    made.end_typed()
    _first_words(made, text)
    return _session(made)


def _line(made: _Made, here: int | None, line: str) -> int | None:
    """Puts the line where it belongs; the section that the next one is in."""
    if SPEAKER.match(line.encode(errors="replace")):
        return None
    head = _headed(line)
    if head is not None:
        made.add(head[0], head[1])
        made.flow = 2
        return head[0]
    item = _ITEM.match(line)
    said = _spoken(item[2] if item else line.strip())
    if item:
        made.add(said if said is not None else ACTIONS if here is None else here, item[2])
    elif said is not None:
        made.add(said, line)
    elif here not in (None, COMMANDS) and line.strip() and made.flow:
        made.add(here, line)
    elif not line.strip():
        made.flow = max(made.flow - 1, 0)
    return None if line.startswith("#") else here


def _headed(line: str) -> tuple[int, str] | None:
    """(section, what follows on the line) of a line that is one of the headings we know."""
    found = _HEAD.match(line)
    marked = found and re.match(r"\s*(?:#|\*\*|__|\d{1,2}[.)])", line)
    if not found or not (found["colon"] or marked) or len(line) > 300:
        return None
    for section, names in _SECTION:
        if names.fullmatch(found["name"].strip()) and (found["colon"] or len(found["name"]) < 40):
            return section, found["rest"] or ""
    return None


def _spoken(text: str) -> int | None:
    return next((section for section, words in _SPOKEN if words.match(text)), None)


def _first_words(made: _Made, text: str) -> None:
    """What was asked first is the goal, when nothing else says so."""
    if made.items[GOALS]:
        return
    lines = (line.strip() for line in text.split("\n") if not SPEAKER.match(line.encode(errors="replace")))
    first = next((line for line in lines if re.search(r"\w", line) and not MARKED.search(line)), "")
    said = {item for section in made.items for item in section}
    if first and not _PROMPT.match(first) and not any(item in first for item in said):
        made.add(GOALS, first[:300])


def _session(made: _Made) -> Session:
    goals, actions, decisions, commands, points = (tuple(section) for section in made.items)
    return Session(goals, actions, decisions, (*commands, *dict.fromkeys(made.commands)), points)


def merged(parts: Iterable[Session]) -> Session:
    """Several as one: the items of each in order, none twice."""
    every = list(parts)

    def all_of(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item for part in every for item in getattr(part, name)))

    commands = tuple(dict.fromkeys(item for part in every for item in part.commands))
    return Session(all_of("goals"), all_of("actions"), all_of("decisions"), commands, all_of("open_points"))
