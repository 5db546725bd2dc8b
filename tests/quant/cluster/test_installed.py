"""What hosts get is a wheel: the same code version as the checkout's, and nothing written beside the modules."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ops import own_wheel
from quant.compiled import code_version

SCRIPT = """
import json, sys
import numpy as np
from quant import compiled, indicators, places
squares = np.arange(9, dtype=np.int64) ** 2
side = np.zeros(8, np.int8)
if "compile" in sys.argv:
    indicators._averages_side(squares, 1, 2, side)
print(json.dumps({"home": str(places.home()), "package": str(places.PACKAGE), "code": compiled.code_version(),
                  "cache": str(compiled.folder()), "side": side.tolist()}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(own_wheel.build(own_wheel.sources(), lambda _: None)) as wheel:
        wheel.extractall(site)
    return site


def run(site: Path, place: Path, *words: str, **environment: str) -> dict[str, Any]:
    command = [sys.executable, "-P", "-B", "-c", SCRIPT, *words]
    environment |= {"PYTHONPATH": str(site), "TMPDIR": str(place)}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_wheel_is_the_checkouts_code_and_keeps_kernels_where_its_unit_says(installed: Path, tmp_path: Path) -> None:
    before = sorted(installed.rglob("*"))
    found = run(installed, tmp_path, "compile", NUMBA_CACHE_DIR=str(tmp_path / "numba"))
    assert found["package"] == str(installed / "quant") and found["code"] == code_version()
    assert found["home"] == str(tmp_path), "relative paths count from where the command is run"
    assert Path(found["cache"]).parent == tmp_path / "numba"
    assert list(Path(found["cache"]).rglob("*.kernel")) and found["side"][-1] == 1
    assert sorted(installed.rglob("*")) == before


def test_without_a_unit_kernels_are_kept_among_temporary_files(installed: Path, tmp_path: Path) -> None:
    assert Path(run(installed, tmp_path)["cache"]).parent == tmp_path / "quant-numba"
