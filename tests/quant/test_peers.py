"""The peers are there, and answer."""

from __future__ import annotations

from tests.quant import peers


def test_a_script_gets_json_and_answers_json() -> None:
    assert set(peers.ask("versions", ["vectorbt", "backtesting"])) == {"vectorbt", "backtesting"}
