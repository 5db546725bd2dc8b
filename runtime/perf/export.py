"""The ledger as a file: CSV a page at a time, or Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

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


def csv_chunks(pages: Pages) -> Iterator[str]:
    """CSV (RFC 4180) with a header, a page at a time. A text that begins like a formula gets an apostrophe first."""
    yield _csv([COLUMNS])
    for page in _all(pages):
        yield _csv([[_cell(trade[name]) for name in COLUMNS] for trade in page])


def can_parquet() -> bool:
    """True when pyarrow can be imported."""
    return find_spec("pyarrow") is not None


def parquet(pages: Pages) -> bytes:
    """One Parquet file, a row group for each page. Texts are as they were: Parquet readers run no formulas."""
    arrow, files = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    fields = [(name, arrow.string() if name in TEXTS else arrow.float64()) for name in COLUMNS]
    schema, target = arrow.schema(fields), io.BytesIO()
    with files.ParquetWriter(target, schema) as writer:
        for page in _all(pages):
            writer.write_table(arrow.Table.from_pylist([_plain(trade) for trade in page], schema=schema))
    return target.getvalue()


def _all(pages: Pages) -> Iterator[list[Json]]:
    after = 0
    while page := pages(after):
        yield [trade for _, trade in page]
        after = page[-1][0]


def _plain(trade: Json) -> Json:
    row = {name: trade[name] for name in COLUMNS} | {"meta": json.dumps(trade["meta"])}
    return row | {"marks": float(trade["marks"])}


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
