"""Kernels: the same results in a process that compiled nothing, without numba, and nothing compiled twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quant import native, places
from quant.quantiles import quantile
from quant.report.thin import rising

SCRIPT = """
import json, sys
from typing import NamedTuple
import numpy as np
from quant.compiled import Laid, compiled, compiled_lean, folder, part, together

class Given(NamedTuple):
    values: object
    factor: float

@part
def doubled(value):
    return value * 2

@compiled_lean
def made(given, rows, count, found):
    for i in range(count):
        found[i] = doubled(given.values[: i + 1].sum() if i < 3 else given.values[i]) * given.factor + rows[0].first

@compiled_lean
def last_first(found, rows, given, count):
    made(given, rows, count, found)

@compiled_lean
def returns(values):
    return values[0]

@compiled
def never_kept(values):
    return np.sort(values)[::-1].copy()

rows = np.array([(1.0, 2)], [("first", "f8"), ("second", "i8")])
found = np.zeros(5)
made(Given(np.arange(5.0), 0.5), rows, 5, found)
said = {"found": found.tolist(), "numba": "numba" in sys.modules, "kept": len(list(folder().glob("*.kernel")))}
if sys.argv[1] == "more":
    many = [np.zeros(5), np.zeros(5), np.zeros(5, "f4"), np.zeros(5)]
    together(last_first, [Laid(found, rows) for found in many], Laid(Given(np.arange(5.0), 0.5), 2))
    said["together"] = [found.tolist() for found in many]
    said["later"] = never_kept(np.array([1.0, 3.0, 2.0])).tolist()
    errors = []
    for wrong, given in ((returns, (found,)), (made, (found[::2],)), (made, ("text",))):
        try:
            wrong(*given)
        except TypeError as error:
            errors.append(str(error))
    said["errors"] = errors
print(json.dumps(said))
"""
SUMS = [1, 2, 4, 4, 5]


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    """Run the script in a process of its own, which keeps its kernels in a place of its own."""
    script = tmp_path / "kernels.py"
    script.write_text(SCRIPT.replace("from quant.compiled import", IN_PLACE + "from quant.compiled import", 1))

    def run(what: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, str(script), what, str(tmp_path / "kernels")],
            env=os.environ | {"PYTHONPATH": str(places.PACKAGE.parent)},
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    return run


IN_PLACE = """
from pathlib import Path
from quant import compiled as of_quant
of_quant.folder = lambda: Path(sys.argv[2])
"""


def test_the_second_process_loads_what_the_first_compiled_without_numba(ask: Any) -> None:
    first, second, third = ask("one"), ask("one"), ask("more")
    assert first["found"] == second["found"] == third["found"] == SUMS
    assert first["numba"] and not second["numba"]
    assert (first["kept"], second["kept"]) == (1, 1)
    assert third["together"] == 4 * [[1, 2, 0, 0, 0]]
    assert third["later"] == [3, 2, 1]  # what returns something is numba's to call
    assert [error.split(":")[0] for error in third["errors"]] == [
        "returns returns float64",
        "a kernel takes arrays that lie in one piece",
        "a kernel takes arrays, tuples and numbers, not str",
    ]


def test_a_kept_kernel_that_was_cut_short_is_made_anew(ask: Any, tmp_path: Path) -> None:
    ask("one")
    (kept,) = (tmp_path / "kernels").glob("*.kernel")
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    again = ask("one")
    assert again["numba"] and again["found"] == SUMS
    assert not ask("one")["numba"]


def test_a_place_that_cannot_be_written_to_costs_time_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    native._keep(tmp_path / "file/name.kernel", native.Code(b"code", b"more"))
    assert native._read(tmp_path / "file/name.kernel") is None


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1387])
def test_quantiles_and_sorted_places_are_numpys(n: int) -> None:
    random = np.random.default_rng(n)
    for scale in (1e-6, 1.0, 1e9):
        values = np.sort(random.normal(0, scale, n))
        assert [quantile(values, q) for q in (0.01, 0.5, 0.95)] == np.quantile(values, (0.01, 0.5, 0.95)).tolist()
    places_ = random.integers(0, n, 2 * n)
    assert rising(places_).tolist() == np.unique(places_).tolist()
