"""The packages that quant is held against, in an environment of their own: they need other versions than ours.

A script that runs there is a file: it reads JSON from stdin and prints its answer as JSON, last; what the peers print
themselves stands before that. Floats go through JSON unchanged.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from ops.paths import ROOT

PYTHON = ROOT / ".venv-peers/bin/python"
SCRIPTS = Path(__file__).with_name("peer_scripts")


def ask(script: str, given: object = None) -> Any:
    """What tests/quant/peer_scripts/SCRIPT.py answers. Its own error fails the test, with all that it said."""
    _made()
    command = [str(PYTHON), "-W", "ignore", "-P", str(SCRIPTS / f"{script}.py")]
    found = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=250, check=False)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout.splitlines()[-1])


def _made() -> None:
    """The environment, as any other is made (a minute, once)."""
    if not PYTHON.exists():
        subprocess.run([str(ROOT / "inv"), "-c", ""], env=os.environ | {"OPS_VENV": "peers"}, check=True)
