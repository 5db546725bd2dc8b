"""`./inv quant.*`: the same commands as `python -m quant.NAME`, in an environment of their own.

A host's owner who never asks a question of candles never installs what answers them: .venv-quant is made at the first
use.
"""

from __future__ import annotations

import os
from typing import NoReturn

from ops.paths import ROOT


def run(command: str, *words: str, **options: object) -> NoReturn:
    """Become `python -m quant.COMMAND WORDS --name value ...`; options that are None, False or empty are left out."""
    arguments = [*words]
    for name, value in options.items():
        if value is True:
            arguments.append(f"--{name.replace('_', '-')}")
        elif value not in (None, False, ""):
            arguments += [f"--{name.replace('_', '-')}", str(value)]
    program = ["env", "OPS_VENV=quant", str(ROOT / "inv"), "-m", f"quant.{command}"]
    os.execvp(program[0], [*program, *arguments])  # noqa: S606 - a list: no shell is wanted
