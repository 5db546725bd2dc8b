"""The shapes in which a value we know may stand in a pasted text. Pure, standard library only."""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6
"""A shorter value would blacken ordinary words, and give itself away by that."""
_BREAK = re.compile(rb"[ \t]*\\?\r?\n[ \t>|]*")


def forms(value: str) -> set[bytes]:
    """As it is, inside JSON (once and twice), in a URL, in base64 at any alignment; each line of several too."""
    found = set[str]()
    for text in (value, *value.splitlines()):
        once = json.dumps(text)[1:-1]
        found |= {text, once, json.dumps(once)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        found |= {quote(text), quote(text, ""), quote_plus(text), quote(quote(text, ""), "")}
        found |= {re.sub("%[0-9A-F]{2}", lambda hex_: hex_[0].lower(), quote(text, ""))}
    return {form.encode() for form in (*found, *_base64(value.encode())) if len(form) >= SHORTEST}


def _base64(value: bytes) -> Iterator[str]:
    """The characters that depend on `value` alone, however many bytes stand before it."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + value).decode()
        text = whole[(0, 2, 3)[before] : (before + len(value)) * 8 // 6]
        if len(text) >= 2 * SHORTEST:
            yield text
            yield text.translate(str.maketrans("+/", "-_"))


class Joined:
    """A text without its line breaks: a terminal that wraps a long value splits it, and each half is as secret."""

    def __init__(self, data: bytes) -> None:
        self._starts, self._shift, kept, at, cut = [0], [0], list[bytes](), 0, 0
        for found in _BREAK.finditer(data):
            kept.append(data[at : found.start()])
            cut += found.end() - found.start()
            at = found.end()
            self._starts.append(at - cut)
            self._shift.append(cut)
        self.text = b"".join((*kept, data[at:]))

    def before(self, at: int) -> int:
        """The offset, in the text with its breaks, of the byte that stands at `at` without them."""
        return at + self._shift[bisect_right(self._starts, at) - 1]

    def spot(self, start: int, end: int) -> tuple[int, int]:
        """The same for what begins at `start` and ends before `end`."""
        return self.before(start), self.before(end - 1) + 1
