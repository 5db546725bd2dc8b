"""docs/candles.md says what the commands take and what the catalogue shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from quant.cli import Parser
from quant.data import __main__ as data
from quant.data import table
from quant.importing import __main__ as importing
from quant.importing.zones import Zone

PAGE = (Path(__file__).parents[3] / "docs/candles.md").read_text()


@pytest.mark.parametrize("parser", [data.parser(), importing.parser()])
def test_every_option_is_explained(parser: Parser) -> None:
    words = [word for action in parser._actions for word in action.option_strings if word.startswith("--")]
    explained = {"--help", "--config"}  # --config is every command's: docs/quant.md
    assert [word for word in words if word not in PAGE and word not in explained] == []


def test_the_table_is_the_one_that_is_shown() -> None:
    assert all(column in PAGE for column in table.COLUMNS)


@pytest.mark.parametrize("zone", ["America/New_York+7", "Europe/Athens", "Europe/Paris", "UTC+3"])
def test_the_timezones_it_names_are_known(zone: str) -> None:
    assert f"`{zone}`" in PAGE
    assert Zone.of(zone).name == zone
