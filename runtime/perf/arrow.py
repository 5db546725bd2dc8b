"""`python -m runtime.perf.arrow`: pages of trades, a line of JSON each, from standard input to a Parquet file.

A process of its own, which ends with the file: Arrow's libraries take as much memory as all of perf may have.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable
from typing import BinaryIO

from runtime.perf.export import COLUMNS, TEXTS


def write(pages: Iterable[bytes], target: BinaryIO) -> None:
    """One Parquet file with COLUMNS, a row group for each page; a page is a list of rows, each in their order."""
    arrow, files = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    arrow.set_cpu_count(1)  # one trader's ledger, on a machine that has alerts to take
    schema = arrow.schema([(name, arrow.string() if name in TEXTS else arrow.float64()) for name in COLUMNS])
    with files.ParquetWriter(target, schema) as writer:
        for page in pages:
            columns = [list(values) for values in zip(*json.loads(page), strict=True)]
            writer.write_table(arrow.Table.from_arrays([*map(arrow.array, columns, schema.types)], schema=schema))


def main() -> int:
    """1 with one line on standard error when the file could not be written."""
    try:
        write(sys.stdin.buffer, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n".splitlines()[0] + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
