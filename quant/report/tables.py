"""trades.csv and equity.parquet: the same result, the same bytes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from quant import arrow
from quant.candles import F64, I64
from quant.engine.result import Reason, Result

TRADE_COLUMNS = (
    "entry_time", "exit_time", "side", "quantity", "entry", "exit", "stop", "pnl", "r", "fees", "funding", "mae", "mfe",
    "reason", "entry_bar", "exit_bar",
)  # fmt: skip
_MONEY = ("quantity", "entry", "exit", "stop", "pnl", "r", "fees", "funding", "mae", "mfe")
_SIDES = {1: "long", -1: "short"}


def write_trades(path: Path, result: Result) -> None:
    """One line for each closed trade (TRADE_COLUMNS). Times are the opens of the bars that filled, UTC; an unknown
    number is empty; others come back as the very same float."""
    trades = result.trades
    columns = [
        _times(result.candles.time[trades.entry_bar]),
        _times(result.candles.time[trades.exit_bar]),
        [_SIDES[side] for side in trades.side.tolist()],
        *(_numbers(getattr(trades, name)) for name in _MONEY),
        [Reason(reason).name.lower() for reason in trades.reason.tolist()],
        map(str, trades.entry_bar.tolist()),
        map(str, trades.exit_bar.tolist()),
    ]
    lines = [",".join(TRADE_COLUMNS), *map(",".join, zip(*columns, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def read_trades(path: Path) -> Iterator[dict[str, Any]]:
    """The lines again: numbers as floats (nan where empty), times in milliseconds since 1970. Raises OSError."""
    with path.open(encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            numbers = {name: float(row[name] or "nan") for name in _MONEY}
            times = {name: moment(row[name]) for name in ("entry_time", "exit_time")}
            yield {"side": row["side"], "reason": row["reason"]} | times | numbers


def write_equity(path: Path, result: Result) -> None:
    """Columns time (a bar's open, UTC, to the millisecond), equity and position (signed quantity) at its close."""
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    kinds = {"time": arrow.MS, "equity": pa.float64(), "position": pa.float64()}
    values = {"time": result.candles.time, "equity": result.equity, "position": result.position}
    table = pa.table({name: arrow.to_arrow(values[name], kind) for name, kind in kinds.items()})
    parquet.write_table(
        table,
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=["position"],
        column_encoding={"time": "DELTA_BINARY_PACKED", "equity": "BYTE_STREAM_SPLIT"},
    )


def read_equity(path: Path) -> tuple[I64, F64, F64]:
    """`time` (ms), `equity`, `position` of such a file. Raises OSError."""
    from pyarrow import parquet

    table = parquet.ParquetFile(path).read()
    equity, position = (arrow.to_numpy(table[name], np.float64) for name in ("equity", "position"))
    return arrow.to_numpy(table["time"], np.int64), equity, position


def moment(text: str) -> int:
    """Milliseconds since 1970 of 2024-01-31T12:00:00Z."""
    return int(np.datetime64(text.removesuffix("Z"), "ms").astype(np.int64))


def stamp(ms: int) -> str:
    """The reverse of `moment`, to the second."""
    return _times(np.array([ms], np.int64))[0]


def _times(ms: I64) -> list[str]:
    whole = np.datetime_as_string(ms.astype("datetime64[ms]").astype("datetime64[s]"), timezone="UTC")
    return [str(text) for text in whole.tolist()]


def _numbers(values: F64) -> list[str]:
    return ["" if value != value else repr(value) for value in values.tolist()]
