"""What waits becomes messages: together while they fit, in order, and a storm or old news only counted. Pure."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runtime import clock
from runtime.telegram.news import Item, Source
from runtime.telegram.settings import KINDS
from runtime.telegram.text import parts
from runtime.telegram.words import Words

STORM = 25
"""So many are told one by one; of more that wait together, only the newest."""
HEALTH_STORM = 100
"""The same for a monitor's: it gathers storms itself, and each says that something began or is over."""

Position = dict[Source, int]
"""The last row of each source that is done."""


@dataclass(frozen=True, slots=True)
class Message:
    """`items` are the news told or counted in it, `told` the former; once it is sent, all up to `position` is done."""

    html: str
    items: tuple[Item, ...]
    told: tuple[Item, ...]
    position: Position = field(default_factory=dict)

    @property
    def hurries(self) -> bool:
        return any(item.hurries for item in self.told)


def merged(streams: Iterable[Sequence[Item]]) -> list[Item]:
    """By time, but never out of order within a stream: a clock that jumped back must not make a cursor skip."""
    return list(heapq.merge(*streams, key=lambda item: item.ts))


def compose(
    items: Sequence[Item], start: Position, now: datetime, max_age: float, words: Words, storm: int = STORM
) -> list[Message]:
    """The messages for what waits, oldest first; `max_age` in seconds."""
    limit = clock.iso(now - timedelta(seconds=max_age))
    fresh = [item for item in items if item.ts >= limit]
    told = fresh[-storm:]
    old = [item for item in items if item.ts < limit]
    blocks = [*_counted("old", old, words, hours=f"{max_age / 3600:g}"), *_counted("more", fresh[:-storm], words)]
    silent = len(blocks)
    blocks += [item.html for item in told]
    messages, position, left = list[Message](), start, list(items)
    for places in parts(blocks):
        shown = [told[place - silent] for place in places if place >= silent]
        held = _up_to(left, shown[-1]) if shown else []
        left = left[len(held) :]
        position = moved(position, held)
        messages.append(Message("\n\n".join(blocks[place] for place in places), tuple(held), tuple(shown), position))
    if left and messages:
        last = messages[-1]
        messages[-1] = Message(last.html, (*last.items, *left), last.told, moved(last.position, left))
    return messages


def moved(position: Position, items: Iterable[Item]) -> Position:
    """`position` once `items` are done."""
    after = dict(position)
    for item in items:
        after[item.source] = max(after.get(item.source, 0), item.id)
    return after


def _up_to(items: Sequence[Item], last: Item) -> list[Item]:
    return list(items[: items.index(last) + 1])


def _counted(name: str, items: Sequence[Item], words: Words, **values: str) -> list[str]:
    if not items:
        return []
    counts = Counter(item.kind for item in items)
    kinds = ", ".join(words(f"n_{kind}", n=counts[kind]) for kind in KINDS if counts[kind])
    return [words(name, count=len(items), kinds=kinds, **values)]
