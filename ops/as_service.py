"""Running one of a host's own programs as its service does: as user trading, with the service's environment file.

Only root may read that file, so systemd reads it. No secret is in a command line, and none comes back.
"""

from __future__ import annotations

import shlex
from typing import Any

from ops import deploy as deploying
from ops.inventory import Host
from ops.wire import connect

PYTHON = "/opt/trading/venv/bin/python"


def run(host: Host, environment: str, module: str, *words: str, folder: str = "/opt/trading/state") -> Any:
    """`python -m module words` on the host to its end, whatever its exit status: `exited`, `stdout`, `stderr`."""
    command = [
        "systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec",
        "-p", "User=trading", "-p", "Group=trading", "-p", f"EnvironmentFile={environment}",
        "-p", f"WorkingDirectory={folder}", "-p", "UMask=0077", "-E", "PYTHONSAFEPATH=1",
        "-E", "PYTHONDONTWRITEBYTECODE=1", PYTHON, "-m", module, *words,
    ]  # fmt: skip
    connection = connect(deploying.target_of(host))
    try:
        sudo = [] if connection.user == "root" else ["sudo", "-n"]
        return connection.run(shlex.join([*sudo, *command]), hide=True, warn=True, in_stream=False)
    finally:
        connection.close()
