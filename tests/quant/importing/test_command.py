"""`python -m quant.importing`, as a script calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quant.cli import main
from quant.dataset import Dataset
from quant.importing.__main__ import parser, run

ROOT = Path(__file__).parents[3]
CSV = "time,open,high,low,close,volume\n" + "".join(f"2024-03-01 {hour:02}:00,10,12,9,11,5\n" for hour in (0, 1, 4, 5))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "bars.csv").write_text(CSV)
    path = tmp_path / "config.yaml"
    path.write_text(f"data: {{symbol: XAU/USD, timeframe: 1h, url: {tmp_path}/data}}\n")
    return path


def test_imports_tells_what_it_did_and_again_changes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(config.with_name("bars.csv")), "--symbol", "XAU/USD", "--tf", "1h", "--config", str(config)]
    assert main(parser(), run, words) == 0
    assert capsys.readouterr().out == (
        "csv XAU/USD 1h: 4 bars from bars.csv (CSV), 4 of them new\n"
        "  1 gap, 2 bars missing, the longest 2 from 2024-03-01 02:00\n"
    )
    assert main(parser(), run, words) == 0
    assert "4 bars from bars.csv (CSV), 0 of them new" in capsys.readouterr().out
    assert len(Dataset(str(config.parent / "data")).load("XAU/USD", "1h", "csv")) == 4


def test_symbol_and_timeframe_may_come_from_config_and_the_source_be_named(config: Path) -> None:
    words = [str(config.with_name("bars.csv")), "--config", str(config), "--source", "dukascopy"]
    assert main(parser(), run, words) == 0
    assert Dataset(str(config.parent / "data")).series()[0].source == "dukascopy"


def test_a_bad_file_is_one_error_and_leaves_nothing(config: Path) -> None:
    """As a process: the exit status, and no trace of Python."""
    bad = config.with_name("bars.csv")
    bad.write_text(CSV + "2024-03-01 06:00,10,8,9,11,5\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "quant.importing", str(bad), "--config", str(config)],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: bars.csv: high is below another price: 1 of 5 rows\n"
        "bars.csv:   line 6: 2024-03-01 06:00 open 10 high 8 low 9 close 11 volume 5\n"
        "bars.csv: low is above another price: 1 of 5 rows\n"
        "bars.csv:   line 6: 2024-03-01 06:00 open 10 high 8 low 9 close 11 volume 5\n"
        "  -> nothing was stored; correct the file and import it again\n"
    )
    assert not (config.parent / "data").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: csv"),
        (["x.csv"], "which candles are these?"),
        (["x.csv", "--symbol", "X", "--tf", "1q"], "'1q' is not a timeframe"),
        (["x.csv", "--symbol", "X", "--tf", "1h"], "no file x.csv"),
        (["x.csv", "--symbol", "X", "--tf", "1h", "--timezone", "Mars"], "'Mars' is no timezone"),
    ],
)
def test_a_wrong_use_is_exit_2(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(parser(), run, words) == 2
    assert told in capsys.readouterr().err
