"""Every rule of docs/engine.md on candles drawn by hand."""

from __future__ import annotations

import pytest

from tests.quant.engine import money_tables, order_tables
from tests.quant.engine.drawn import Table, check


@pytest.mark.parametrize("table", [*order_tables.TABLES, *money_tables.TABLES], ids=lambda table: table.says)
def test_the_candles_give_these_trades(table: Table) -> None:
    check(table)
