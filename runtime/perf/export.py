"""The ledger as a file: CSV a page at a time, or Parquet where pyarrow is installed (`runtime.perf.arrow`)."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, BinaryIO

from runtime.payload import Json

TEXTS = ("trade_id", "status", "engine", "symbol", "side", "contract", "opened_ts", "closed_ts", "meta")
NUMBERS = (
    "entry", "stop", "qty", "qty_closed", "contract_value", "risk_usd", "exit", "pnl", "pnl_coin", "r", "mark", "marks",
    "mae", "mfe", "mae_r", "mfe_r",
)  # fmt: skip
COLUMNS = (*TEXTS[:6], *NUMBERS, *TEXTS[6:])

# A spreadsheet takes a text cell that begins with one of these for a formula, also when they are full-width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# The trades after a number, a page of them: [(number, trade)]; empty after the last.
Pages = Callable[[int], list[tuple[int, Json]]]

_ARROW = (sys.executable, "-m", "runtime.perf.arrow")
_one_at_a_time = threading.Lock()


class ExportError(Exception):
    """The file could not be made; the message says why."""


def csv_chunks(pages: Pages) -> Iterator[str]:
    """CSV (RFC 4180) with a header, a page at a time. A text that begins like a formula gets an apostrophe first."""
    yield _csv([COLUMNS])
    for page in _all(pages):
        yield _csv([[_cell(trade[name]) for name in COLUMNS] for trade in page])


def can_parquet() -> bool:
    """True when pyarrow can be imported."""
    return find_spec("pyarrow") is not None


def parquet(pages: Pages) -> BinaryIO:
    """A Parquet file without a name, open at its beginning. Texts are as they were: Parquet readers run no formulas.

    A page of trades is a row group. Made by a process beside this one, one at a time. Raises ExportError.
    """
    with _one_at_a_time, contextlib.ExitStack() as opened:
        try:
            target = opened.enter_context(tempfile.TemporaryFile())
            _write(pages, target)
            target.seek(0)
        except OSError as error:  # no room, no place to write, no process to be had
            raise ExportError(str(error)) from error
        opened.pop_all()
        return target


def _write(pages: Pages, target: BinaryIO) -> None:
    """What the process says is read once it has ended: it is a line."""
    with subprocess.Popen(_ARROW, stdin=subprocess.PIPE, stdout=target, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101
        try:
            with contextlib.suppress(BrokenPipeError), process.stdin as told:
                for page in _all(pages):
                    told.write(json.dumps([_plain(trade) for trade in page]).encode("ascii") + b"\n")
        except BaseException:
            process.kill()
            raise
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise ExportError(said.rpartition("\n")[2] or f"the writer ended with {process.returncode}")


def _all(pages: Pages) -> Iterator[list[Json]]:
    after = 0
    while page := pages(after):
        yield [trade for _, trade in page]
        after = page[-1][0]


def _plain(trade: Json) -> list[Any]:
    row = trade | {"meta": json.dumps(trade["meta"]), "marks": float(trade["marks"])}
    return [row[name] for name in COLUMNS]


def _csv(rows: Any) -> str:
    target = io.StringIO()
    csv.writer(target).writerows(rows)
    return target.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, dict):
        value = json.dumps(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
