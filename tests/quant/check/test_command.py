"""`python -m quant.check` as a person and as a script run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from quant import cli, strategies
from quant.check.__main__ import parser, run
from quant.check.known import INDICATORS
from quant.dataset import Dataset
from tests.quant.check.leaks_kit import LEAKY
from tests.quant.check.test_fragile import trending
from tests.quant.strategies.series_kit import walk


def check(*arguments: str) -> int:
    return cli.main(parser(), run, arguments)


def configured(tmp_path: Path, candles: object, **sections: object) -> str:
    Dataset(str(tmp_path / "data")).add(candles)  # type: ignore[arg-type]
    whole = {"data": {"symbol": "BTC/USDT", "timeframe": "15m", "url": str(tmp_path / "data")}} | sections
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(whole))
    return str(tmp_path / "config.yaml")


def test_without_a_config_strategies_and_indicators_are_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--strategy", "breakout", "--seeds", "2") == 0
    out = capsys.readouterr().out
    assert f"{len(INDICATORS)} indicators" in out
    assert out.count("breakout") >= 2
    assert "ma_cross" not in out
    assert f"nothing flagged in {len(INDICATORS) + 2}" in out


def test_with_a_config_its_strategy_is_asked_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = configured(tmp_path, trending())
    assert check("--config", path, "--strategy", "ma_cross", "--seeds", "2", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["flagged"] == 0
    asked = [one["check"] for one in told["findings"] if one["subject"] == "ma_cross"]
    assert asked == ["truncation", "canary", "truncation", "fees", "delay", "plateau", "luck"]
    assert all(one["words"] for one in told["findings"])


def test_what_is_flagged_gives_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strategies, "names", lambda: ("next_bar",))
    monkeypatch.setattr(strategies, "get", lambda name: LEAKY[name])
    path = configured(tmp_path, walk(3000), strategy={"name": "next_bar"}, costs={"taker_fee": 0.0})
    assert check("--config", path, "--seeds", "1") == 1
    out = capsys.readouterr().out
    assert "flagged" in out
    assert "looks ahead" in out.replace("\n", " ")
    assert "no market is free" in " ".join(out.split())


def test_wrong_uses_are_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        (["--seeds", "0"], "1 to 1000 can be"),
        (["--strategy", "ma_cros"], "did you mean ma_cross?"),
        (["--config", str(tmp_path / "none.yaml")], "no file"),
    ):
        assert check(*arguments) == 2
        assert said in capsys.readouterr().err
    path = configured(tmp_path, walk(300))
    whole = yaml.safe_load(Path(path).read_text())
    whole["data"]["symbol"] = "ETH/USDT"
    Path(path).write_text(yaml.safe_dump(whole))
    assert check("--config", path, "--strategy", "ma_cross", "--seeds", "1") in (1, 2)
    assert "ETH/USDT" in capsys.readouterr().err
