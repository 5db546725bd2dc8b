"""config.yaml: read as a whole, every problem at once, and written so that it can be read again."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from quant.config import load, parse, resolved
from quant.errors import UsageError
from quant.timeframe import Timeframe

SMALL = {"data": {"symbol": "BTC/USDT", "timeframe": "15m"}}


def test_what_is_not_told_has_a_default_and_resolving_changes_nothing() -> None:
    config = parse(SMALL | {"sweep": {"space": {"fast": {"from": 5, "to": 20, "step": 5}, "slow": [50, 100]}}})
    assert config.strategy.name == "ma_cross"
    assert parse(yaml.safe_load(resolved(config))) == config
    axis = config.sweep.space["fast"]
    assert not isinstance(axis, list)
    assert axis.values() == (5, 10, 15, 20)


def test_every_problem_is_told_at_once_with_its_path() -> None:
    wrong = {
        "data": {"symbl": "x", "timeframe": "15q"},
        "sizing": {"mode": "quantity"},
        "exits": {"stop_atr": 1, "stop_pct": 2},
        "sweep": {"space": {"fast": {"from": 5, "to": 2}}},
    }
    with pytest.raises(UsageError) as caught:
        parse(wrong)
    for words in (
        "data.symbol: Field required",
        "data.timeframe: '15q' is not a timeframe",
        "data.symbl: there is no such setting; did you mean symbol?",
        "sizing: mode quantity needs a quantity",
        "exits: stop_atr and stop_pct cannot both be",
        "sweep.space.fast: to 2 is below from 5",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [("- 1", "expected sections"), ("a: [", "is not YAML"), ("data: {symbol: X, timeframe: 1h, until: .nan}", "until")],
)
def test_a_file_that_cannot_be_used_is_one_clear_error(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(UsageError, match=said):
        load(tmp_path / "c.yaml")
    with pytest.raises(UsageError, match="no file"):
        load(tmp_path / "none.yaml")


def test_a_year_has_35_040_quarters_of_an_hour() -> None:
    assert Timeframe.of("15m").per_year == 35_040
    with pytest.raises(UsageError, match="not a timeframe"):
        Timeframe.of("0m")
