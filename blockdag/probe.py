"""Looks at this host's BlockDAG node as root and leaves what it found for those who may not.

    python -m blockdag.probe [--show]

Writes BLOCKDAG_PROBE, for everybody to read, whole or not at all; with --show it prints the same and writes nothing.
Each part is limited in time: all of it takes 12 s at most. Exit codes: 0 when it has told what it found, whatever that
is; 1 when it cannot write it; 2 when its settings are wrong. Standard library only, and little of that: it is started
every 15 seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from blockdag import disk, docker, rpc
from blockdag.files import replace
from blockdag.settings import ProbeSettings, SettingsError, load
from runtime import clock

Json = dict[str, Any]
DOCKER_SECONDS, RPC_SECONDS, DISK_SECONDS = 2.0, 2.0, 3.0
USAGE = "usage: python -m blockdag.probe [--show]\n"


def finding(settings: ProbeSettings, *, keep: bool) -> Json:
    """What is written: fields that are not known are null, and `why` is the first thing that is wrong, or ""."""
    found = docker.look(settings.docker, settings.container, settings.programs, DOCKER_SECONDS)
    said = rpc.look(settings, RPC_SECONDS)
    space = disk.look(settings.data, settings.budget, settings.growth, DISK_SECONDS, keep=keep)
    return {
        "at": clock.iso(clock.now()),
        "node": settings.node,
        "docker": found.docker,
        "why": found.why or (f"the node's RPC: {said['why']}" if said["why"] else "") or space["why"],
        "container": found.container,
        "disk": space,
        "rpc": said,
        "initial_download": found.initial_download,
    }


def main(arguments: Sequence[str]) -> int:
    if list(arguments) not in ([], ["--show"]):
        sys.stderr.write(USAGE)
        return 2
    try:
        settings = load()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    text = json.dumps(finding(settings, keep=not arguments), indent=1) + "\n"
    if arguments:
        sys.stdout.write(text)
        return 0
    return _write(settings, text)


def _write(settings: ProbeSettings, text: str) -> int:
    try:
        replace(settings.probe, text, 0o644)
    except OSError as error:
        sys.stderr.write(f"{settings.probe} cannot be written: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
