"""`python -m runtime.journal.indexer`: makes a large index in a process of its own.

So a service keeps its memory and its one interpreter for what it is there for.

Reads one JSON object from stdin: `book`, `index`, `known` (values of secrets, which no command line may show).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from runtime.journal import indexing
from runtime.journal.book import BookError
from runtime.journal.hide import Hide

NICE = 10


class Indexer:
    """Runs at most one such process at a time."""

    def __init__(self, book: Path, index: Path, known: Sequence[str]) -> None:
        self._job = json.dumps({"book": str(book), "index": str(index), "known": list(known)}).encode()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Unless one runs already."""
        with self._lock:
            if self.is_running:
                return
            command = [sys.executable, "-m", "runtime.journal.indexer"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            assert self._process.stdin is not None  # noqa: S101 - it is a pipe
            with suppress(BrokenPipeError), self._process.stdin as pipe:
                pipe.write(self._job)

    def stop(self) -> None:
        with self._lock:
            if self._process is not None and self.is_running:
                self._process.kill()
                self._process.wait()


def main() -> int:
    job = json.load(sys.stdin)
    with suppress(OSError):  # a sandbox may forbid it
        os.nice(NICE)
    try:
        indexing.refresh(Path(job["book"]), Path(job["index"]), Hide(job["known"]))
    except BookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
