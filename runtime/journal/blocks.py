"""Takes code out of a pasted conversation and puts it back, byte for byte. Pure.

Code stands in fences (CommonMark's, at any indentation), or as a browser copies ChatGPT's page: the language alone on a
line, `Copier le code` or `Copy code` on the next, then the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPEN = re.compile(rb"[ \t>]*(`{3,}|~{3,})([^\r\n]*)\r?\n?$")
_LANGUAGE = re.compile(rb"[ \t]*([A-Za-z][\w+#.-]{0,19})[ \t]*\r?\n?$")
_COPY = re.compile(rb"[ \t]*(?:Copier(?: le code)?|Copy(?: code)?)[ \t]*\r?\n?$")
SPEAKER = re.compile(
    rb"(?i)[ \t]*(?:[#*]{0,4} ?)?(?:(?:vous avez dit|chatgpt a dit|you said|chatgpt said)[ \xc2\xa0]*:?|"
    rb"(?:user|assistant|utilisateur|moi|human)[ \xc2\xa0]*:)\**[ \t]*\r?\n?$"
)
_PROSE = re.compile(rb"[A-Z\xc3\xe2\xf0][^\r\n=;{}$|]*[ ][^\r\n={}$|]*[.:!?\xa6][ \t]*\r?\n?$")
_RUNS = re.compile(rb"`+")
MARK = "⟦bloc {}⟧"
MARKED = re.compile("⟦bloc (\\d+)[^⟧\n]*⟧")


@dataclass(frozen=True, slots=True)
class Block:
    """Code and what its fence said: a language, mostly."""

    info: str
    content: bytes

    @property
    def fenced(self) -> bytes:
        """In a fence that nothing within it closes."""
        longest = max((len(run) for run in _RUNS.findall(self.content)), default=0)
        fence = b"`" * max(3, longest + 1)
        info = re.sub(r"[`\x00-\x1f]", "", self.info).strip()[:60].encode(errors="replace")
        end = b"" if not self.content or self.content.endswith(b"\n") else b"\n"
        return fence + info + b"\n" + self.content + end + fence + b"\n"

    def hint(self) -> str:
        """What a reader may know of it without seeing it."""
        lines = [line for line in self.content.splitlines() if line.strip()]
        first = lines[0].decode(errors="replace").strip()[:80].replace("⟧", "]") if lines else ""
        return f"{self.info.split(' ')[0][:20] or 'code'}, {len(lines)} lines, first: {first}"


def taken_out(data: bytes) -> tuple[str, list[Block]]:
    """The text with a mark on the line of each block, numbered from 1, and the blocks."""
    blocks, text = list[Block](), list[str]()
    for piece in _pieces(data.splitlines(keepends=True)):
        if isinstance(piece, Block):
            blocks.append(piece)
            text.append(MARK.format(f"{len(blocks)}: {piece.hint()}") + "\n")
        else:
            text.append(piece.decode(errors="replace").replace("⟦", "[").replace("\r\n", "\n"))
    return "".join(text), blocks


def _pieces(lines: list[bytes]) -> Iterator[Block | bytes]:
    at = 0
    while at < len(lines):
        fence = _OPEN.match(lines[at])
        if fence and not (fence[1].startswith(b"`") and b"`" in fence[2]):
            end = _fence_end(lines, at + 1, fence[1])
            yield Block(fence[2].decode(errors="replace").strip(), b"".join(lines[at + 1 : end]))
            at = end + 1
        elif _is_copied(lines, at):
            end = _copied_end(lines, at + 2)
            code = b"".join(lines[at + 2 : end]).rstrip() + b"\n"
            yield Block(lines[at].decode(errors="replace").strip(), code)
            at = end
        else:
            yield lines[at]
            at += 1


def _fence_end(lines: list[bytes], at: int, mark: bytes) -> int:
    """The line that closes the fence, or the end of the text."""
    close = re.compile(rb"[ \t>]*" + re.escape(mark[:1]) + rb"{%d,}[ \t]*\r?\n?$" % len(mark))
    while at < len(lines) and not close.match(lines[at]):
        at += 1
    return at


def _is_copied(lines: list[bytes], at: int) -> bool:
    return at + 2 < len(lines) and bool(_LANGUAGE.match(lines[at]) and _COPY.match(lines[at + 1]))


def _copied_end(lines: list[bytes], at: int) -> int:
    """Nothing says where such code ends: the next message, the next code, or prose after a blank line."""
    while at < len(lines):
        blank = not lines[at - 1].strip()
        if SPEAKER.match(lines[at]) or _is_copied(lines, at) or (blank and _PROSE.match(lines[at])):
            return at
        at += 1
    return at
