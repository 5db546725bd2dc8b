"""How commands end when what they print has nowhere to go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quant import places

COMMANDS = [["quant.data"], ["quant.data", "--json"], ["quant.show", "--help"]]


def ran(words: list[str], home: Path, out: int) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PYTHONPATH": str(places.PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, env=environ, cwd=home)


@pytest.mark.parametrize("words", COMMANDS[:2], ids=" ".join)
def test_output_that_does_not_fit_is_one_error(words: list[str], tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = ran(words, tmp_path, full)
    os.close(full)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("words", COMMANDS[1:], ids=" ".join)  # rich ends a table's command by itself
def test_nobody_who_reads_is_no_error(words: list[str], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = ran(words, tmp_path, writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
