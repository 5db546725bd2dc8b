"""Records what a command prints on a terminal as an SVG, so that the pictures in the documentation are real output.

.venv/bin/python docs/img/record.py docs/img/deploy.svg ./inv deploy --host lab
"""

from __future__ import annotations

import io
import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 104


def run(argv: list[str]) -> str:
    """Everything `argv` writes to a terminal of WIDTH columns."""
    held = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        held.extend(data)
        return data

    os.environ |= {"COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    pty.spawn(argv, read)
    return held.decode(errors="replace")


def settled(said: str) -> str:
    """What stays on the screen: of a line that was written over, only its last state."""
    lines = [line.rstrip("\r").split("\x1b[K")[-1].split("\r")[-1] for line in said.split("\n")]
    return "\n".join(lines).rstrip()


def main() -> None:
    target, *argv = sys.argv[1:]
    said = settled(run(argv))
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {' '.join(argv)}", "bold"))
    console.print(Text.from_ansi(said))
    svg = console.export_svg(title="trading-ops")
    Path(target).write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))  # the viewer's own fonts do


main()
