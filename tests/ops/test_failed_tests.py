"""What `./inv test` says of failures at its end, from reports that a real pytest writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ops import failed_tests

TESTS = """
import pytest

@pytest.fixture
def broken():
    raise RuntimeError("no disk")

def test_fine():
    pass

@pytest.mark.parametrize("word", ["a b"])
def test_wrong(word):
    assert 1 + 1 == 3, "arithmetic"

def test_unable(broken):
    pass
"""


def test_failures_and_errors_are_told_with_their_reasons_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    report = tmp_path / "pytest.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir=.", "-o", "junit_family=xunit1"]
    done = subprocess.run(
        [*command, f"--junitxml={report}", "test_some.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout
    found = failed_tests.failed(report)
    assert [one.id for one in found] == ["test_some.py::test_wrong[a b]", "test_some.py::test_unable"]
    said = failed_tests.told(found)
    assert "AssertionError: arithmetic" in said
    assert "RuntimeError: no disk" in said
    assert "test_fine" not in said
    again = subprocess.run([*command, found[0].id], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed" in again.stdout, again.stdout


def test_a_report_that_was_cut_off_or_never_written_tells_of_none(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<testsuites><testsuite><testcase")
    assert failed_tests.failed(tmp_path / "a.xml") == failed_tests.failed(tmp_path / "b.xml") == []
