"""A long program with its output in a file, and its last line told while it runs."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..host import HostError, last_lines, run

Say = Callable[[str, str], None]
"""say(event, text): "say" for a line that stays, "progress" for one that moves."""
EVERY = 2.0
"""Seconds between two looks at the output."""


def watched(
    argv: Sequence[str], log: Path, timeout: float, tell: Callable[[str], None], options: dict[str, Any]
) -> None:
    """Runs it to its end; HostError with its last lines when it fails. It does not outlive the agent."""
    over = threading.Event()
    with log.open("ab") as out:
        out.write(f"$ {' '.join(argv)}\n".encode())
        out.flush()
        start = out.tell()
        teller = threading.Thread(target=_tell, args=(log, start, tell, over), daemon=True)
        teller.start()
        try:
            pipes = {"stdout": out, "stderr": subprocess.STDOUT}
            done = run(*argv, timeout=timeout, check=False, bound=True, **{**options, **pipes})
        finally:
            over.set()
            teller.join()
    log.chmod(0o640)
    if done.returncode != 0:
        raise HostError(f"it exited {done.returncode}:\n{last_lines(_since(log, start), 12)}")


def _tell(log: Path, start: int, tell: Callable[[str], None], over: threading.Event) -> None:
    told = ""
    while not over.wait(EVERY):
        line = last_lines(_since(log, max(start, log.stat().st_size - 2000)), 1).strip()[:80]
        if line != told:
            tell(line)
            told = line


def _since(log: Path, start: int) -> str:
    with log.open(errors="replace") as said:
        said.seek(start)
        return said.read()
