"""Finished jobs on disk, so that a sweep that was killed goes on instead of beginning again."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Self

from quant.sweep.work import Row

NAME = "finished.jsonl"


class Kept:
    """One line for each finished job, appended when it is; a line that a kill cut short is taken off again.

    The folder belongs to one run (`quant.runs`): another config, other data or other code never get here.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self.rows: dict[int, list[Row]] = {}
        self._file = self._path.open("a+b")
        self._file.seek(0)
        self._file.truncate(self._read())

    def _read(self) -> int:
        """How many bytes of the file are whole lines."""
        whole = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            number, rows = json.loads(line)
            self.rows[number] = rows
            whole += len(line)
        return whole

    def add(self, number: int, rows: list[Row]) -> None:
        self.rows[number] = rows
        self._file.write(json.dumps([number, rows]).encode() + b"\n")
        self._file.flush()

    def remove(self) -> None:
        """The run is finished: its tables hold all of it."""
        self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
