"""A CSV file as columns of text, whatever packs it and parts its fields."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyarrow import csv as arrow_csv

from quant.arrow import to_numpy
from quant.candles import F64
from quant.errors import BadData, UsageError

DELIMITERS = "\t;,|"


@dataclass(frozen=True)
class Table:
    """`header`: lower case, without MetaTrader's <>; empty when the file has none. Columns are text, shape (n,)."""

    name: str
    text: str
    delimiter: str
    header: tuple[str, ...]
    columns: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    def line(self, row: int) -> int:
        """Where a row stands in the file, from 1: empty lines are counted, but are no rows."""
        filled = [number for number, line in enumerate(self.text.split("\n"), 1) if line.strip()]
        return filled[row + bool(self.header)]

    def numbers(self, column: int, what: str) -> F64:
        """Raises BadData with the first line that is no number."""
        text = self.columns[column]
        if self.delimiter == ";":
            text = pc.replace_substring(text, ",", ".")
        return to_numpy(self.cast(text, lambda part: part.cast(pa.float64()), f"{what} is no number"), np.float64)

    def cast(self, text: Any, change: Callable[[Any], Any], words: str) -> Any:
        """`change(text)`; raises BadData with the first row that does not bear it."""
        try:
            return change(text)
        except pa.ArrowInvalid:
            row = _first_bad(text, change)
            raise BadData(f"{self.name} line {self.line(row)}: {words}: {text[row].as_py()!r}", hint=NOTHING) from None


NOTHING = "nothing was stored; correct the file and import it again"


def read(path: Path) -> Table:
    """Raises UsageError when there is no such file, BadData when it is no table."""
    text = _text(path)
    first = next((line for line in text.split("\n") if line.strip()), "")
    if not first:
        raise BadData(f"{path} is empty", hint=NOTHING)
    delimiter = max(DELIMITERS, key=first.count)
    cells = next(csv.reader([first], delimiter=delimiter))
    header = () if cells[0].strip()[:1].isdigit() else tuple(cell.strip(" <>").lower() for cell in cells)
    return Table(path.name, text, delimiter, header, _columns(path.name, text, delimiter, bool(header), len(cells)))


def _text(path: Path) -> str:
    try:
        data = _unpacked(path)
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise UsageError(f"no file {path}") from None
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise BadData(f"{path} cannot be read: {error}", hint=NOTHING) from None


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] != b"PK\x03\x04":
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        names = [name for name in packed.namelist() if name.lower().endswith((".csv", ".txt"))]
        if len(names) != 1:
            raise BadData(f"{path} holds {len(names)} CSV files, expected one", hint="unpack it, import one by one")
        return packed.read(names[0])


def _columns(name: str, text: str, delimiter: str, header: bool, count: int) -> tuple[Any, ...]:
    wrong: list[Any] = []
    names = [str(number) for number in range(count)]

    def skip(row: Any) -> str:
        wrong.append(row)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text.encode()),
            arrow_csv.ReadOptions(column_names=names, skip_rows=int(header), use_threads=False),
            arrow_csv.ParseOptions(delimiter=delimiter, invalid_row_handler=skip),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise BadData(f"{name} is no CSV file: {error}", hint=NOTHING) from None
    if wrong:
        raise BadData(_misshapen(name, wrong), hint=NOTHING)
    return tuple(pc.utf8_trim_whitespace(column.combine_chunks()) for column in table.columns)


def _misshapen(name: str, wrong: list[Any]) -> str:
    row = wrong[0]
    more = f", and {len(wrong) - 1} lines more" if len(wrong) > 1 else ""
    return (
        f"{name} line {row.number}: {row.actual_columns} fields instead of {row.expected_columns}: {row.text!r}{more}"
    )


def _first_bad(text: Any, change: Callable[[Any], Any]) -> int:
    """By halves."""
    begin, end = 0, len(text)
    while end - begin > 1:
        middle = (begin + end) // 2
        try:
            change(text.slice(begin, middle - begin))
            begin = middle
        except pa.ArrowInvalid:
            end = middle
    return begin
