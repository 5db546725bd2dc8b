"""What `./inv test` makes of failures: one that passes alone is named and passes, one that is wrong stays one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ops import testing

REPORT = '<testsuite><testcase file="{file}" name="{name}"><failure>slow</failure></testcase></testsuite>'
TESTS = "def test_starved():\n    pass\n\ndef test_wrong():\n    assert False\n"


def outcome(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str, also: tuple[str, ...] = ()) -> list[str]:
    """What a run says in which these tests failed."""
    tests = folder / "test_some.py"
    tests.write_text(TESTS)

    def rows(reports: Path) -> list[str]:
        for name in names:
            (reports / f"{name}.xml").write_text(REPORT.format(file=tests, name=name))
        return [*names, *also]

    monkeypatch.setattr(testing, "_both_rows", rows)
    return testing._everything()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "PYTHON", Path(sys.executable))


def test_one_that_passes_alone_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(monkeypatch, tmp_path, "test_starved") == []
    assert f"PASSED ONLY WHEN RUN AGAIN ALONE, look at them: {tmp_path}/test_some.py::test_starved" in (
        capsys.readouterr().err
    )


def test_one_that_fails_again_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert outcome(monkeypatch, tmp_path, "test_starved", "test_wrong") == ["test_starved", "test_wrong"]


def test_a_step_that_failed_without_a_test_is_not_made_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert outcome(monkeypatch, tmp_path, "test_starved", also=("mypy",)) == ["test_starved", "mypy"]
