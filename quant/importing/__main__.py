"""`python -m quant.importing FILE --symbol S --tf TF`: candles of a CSV file into the dataset."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from quant import config as settings
from quant.cli import Parser, main
from quant.dataset import Added, Dataset
from quant.errors import UsageError
from quant.importing import Imported, read
from quant.timeframe import Timeframe
from quant.times import shown
from quant.words import many


def parser() -> Parser:
    found = Parser("python -m quant.importing", description=__doc__)
    found.add_argument("csv", type=Path, help="CSV, also as .zip or .gz")
    found.add_argument("--symbol", help="BTC/USDT (default: the config's)")
    found.add_argument("--tf", help="timeframe: 1m, 15m, 4h, 1d (default: the config's)")
    found.add_argument("--source", default="csv", help="the name it is kept under")
    found.add_argument("--config", type=Path, help="config.yaml, for where data is kept")
    found.add_argument("--timezone", help="of times that do not say theirs (default: UTC)")
    return found


def run(given: argparse.Namespace) -> int:
    config = settings.load(given.config) if given.config else None
    symbol = given.symbol or (config and config.data.symbol)
    timeframe = given.tf or (config and config.data.timeframe)
    if not symbol or not timeframe:
        raise UsageError("which candles are these?", hint="--symbol BTC/USDT --tf 15m")
    imported = read(given.csv, symbol, Timeframe.of(timeframe), given.source, given.timezone)
    added = Dataset.of(config).add(imported.candles)
    sys.stdout.write("\n".join(_told(given.csv, imported, added)) + "\n")
    return 0


def _told(path: Path, imported: Imported, added: Added) -> list[str]:
    candles, gaps = imported.candles, added.series.gaps
    read = f"{many(len(candles), 'bar')} from {path.name} ({imported.program})"
    lines = [f"{candles.name}: {read}, {added.added:,} of them new"]
    if added.replaced:
        lines.append(f"  {many(added.replaced, 'bar')} had other values before: replaced")
    lines += [f"  {note}" for note in imported.notes]
    if gaps.count:
        longest = f"the longest {gaps.longest[0].bars:,} from {shown(gaps.longest[0].time)}"
        lines.append(f"  {many(gaps.count, 'gap')}, {many(gaps.missing, 'bar')} missing, {longest}")
    return lines


if __name__ == "__main__":
    sys.exit(main(parser(), run))
