"""The registry: the log book's file as it is, the fuller format, and no half-read file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runtime import settings
from runtime.engines import RegistryError, load
from runtime.settings import SettingsError

TODAY = {
    "accounts": {
        "COINM_SHORT": {"equity": 6000, "risk_pct": 0.01, "min_qty": 0.001, "qty_step": 0.001},
        "USDTM_LONG": {"equity": 6000, "risk_pct": 0.01, "min_qty": 0.001, "qty_step": 0.001},
        "GOLD_CFD_LONG": {"equity": 1500, "risk_pct": 0.01, "min_units": 0.1, "units_step": 0.1},
    },
    "gold_cfd": {"units_are_oz": True},
}


def written(folder: Path, data: Any) -> Path:
    path = folder / "risk_config.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_the_file_in_use_says_what_is_built_in(tmp_path: Path) -> None:
    assert load(written(tmp_path, TODAY)) == load(tmp_path / "absent.json")


def test_the_three_engines_of_the_log_book(tmp_path: Path) -> None:
    found = load(tmp_path / "absent.json").engines.values()
    assert [(engine.name, engine.direction, engine.aggressive) for engine in found] == [
        ("COINM_SHORT", "short", True),
        ("USDTM_LONG", "long", True),
        ("GOLD_CFD_LONG", "long", False),
    ]
    assert [engine.account.contract for engine in found if engine.account] == ["inverse", "linear", "linear"]


def test_an_unknown_engine_is_free_and_unsized(tmp_path: Path) -> None:
    engine = load(tmp_path / "absent.json").get("XAU_M5_SCALP")
    assert (engine.direction, engine.aggressive, engine.account) == ("both", False, None)


def test_the_fuller_format_is_laid_over(tmp_path: Path) -> None:
    mine = {"direction": "SHORT", "aggressive": True, "equity": 50_000, "risk_pct": 0.5, "qty_step": "0.01"}
    data = {**TODAY, "engines": {"EURUSD_FTMO": mine, "GOLD_CFD_LONG": {"max_leverage": None}}, "note": "mine"}
    registry = load(written(tmp_path, data))
    ftmo, gold = registry.get("EURUSD_FTMO"), registry.get("GOLD_CFD_LONG")
    assert (ftmo.direction, ftmo.aggressive) == ("short", True)
    assert ftmo.account
    assert (ftmo.account.risk_pct, ftmo.account.qty_step) == (0.5, 0.01)
    assert gold.account
    assert (gold.account.equity, gold.account.max_leverage) == (1500, None)


BROKEN: list[tuple[Any, str]] = [
    ("{", "not JSON"), ("", "not JSON"), ("[]", "not a JSON object"), ({"accounts": []}, "accounts"),
    ('{"accounts": {"X": {"equity": 1, "equity": 2}}}', "equity"),
    ({"accounts": {"X": 5}}, r"accounts\.X"),
    ({"accounts": {"X": {"equity": 5}}}, r"accounts\.X\.risk_pct: is missing"),
    ({"accounts": {"GOLD_CFD_LONG": {"equity": "much"}}}, r"accounts\.GOLD_CFD_LONG\.equity"),
    ({"accounts": {"GOLD_CFD_LONG": {"equity": None}}}, r"GOLD_CFD_LONG\.equity: is missing"),
    ({"accounts": {"GOLD_CFD_LONG": {"risk_pct": 75}}}, r"risk_pct: 75 %"),
    ({"accounts": {"GOLD_CFD_LONG": {"unit_step": 1}}}, "did you mean units_step"),
    ({"engines": {"X": {"direction": "up"}}}, r"engines\.X\.direction"),
    ({"engines": {"X": {"aggressive": 1}}}, r"engines\.X\.aggressive"),
    ({"engines": {"X": {"aggressive": True}}}, r"engines\.X\.equity"),
    ({"engines": {"TEST_X": {"direction": "long"}}}, "test engine"),
    ({"gold_cfd": {"units_are_oz": False}}, "contract_value"),
    ({"gold_cfd": {"units_are_oz": "yes"}}, "units_are_oz"),
    ({"guards": {"account": {"max_trade_day": 1}}}, r"guards\.account\.max_trade_day: .* did you mean max_trades_day"),
    ({"guards": {"engines": {"X": {}}}, "engines": {"X": {"direction": "long"}}}, r"guards\.engines\.X: is not an"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "said"), BROKEN)
def test_a_broken_file_is_named_with_its_field(tmp_path: Path, data: Any, said: str) -> None:
    path = written(tmp_path, data)
    with pytest.raises(RegistryError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_service_does_not_start_on_a_broken_file(environ: dict[str, str], tmp_path: Path) -> None:
    path = written(tmp_path, {"accounts": {"GOLD_CFD_LONG": {"equity": -1}}})
    with pytest.raises(SettingsError, match=r"accounts\.GOLD_CFD_LONG\.equity"):
        settings.webhook(environ | {"ENGINES_PATH": str(path)})
