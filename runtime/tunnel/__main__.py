"""`python -m runtime.tunnel run`: the unit. `take-over` (as root): stop other agents. `status`, `replay`: for ./inv
tunnel.*
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from functools import partial

from runtime import settings, systemd
from runtime.tunnel import look, others, state
from runtime.tunnel.settings import TunnelSettings, tunnel
from runtime.tunnel.state import State
from runtime.tunnel.supervisor import Supervisor

TAKE_OVER_STATUS = 75
"""EX_TEMPFAIL: systemd starts the unit again, which begins by stopping the other agents."""


def main(arguments: Sequence[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    command = arguments[0] if arguments else "run"
    try:
        found = tunnel()
    except settings.SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 78  # EX_CONFIG
    if command == "run":
        return asyncio.run(_run(found))
    if command == "take-over":
        return _take_over(found)
    answer = look.replay(found, arguments[1]) if command == "replay" else look.status(found)
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


async def _run(found: TunnelSettings) -> int:
    notifier = systemd.Notifier(settings.environment())
    running = asyncio.create_task(Supervisor(found, partial(_told, found, notifier)).run())
    for wanted in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wanted, running.cancel)
    notifier.tell("READY=1")
    try:
        await running
    except asyncio.CancelledError:
        return 0
    return TAKE_OVER_STATUS


def _told(found: TunnelSettings, notifier: systemd.Notifier, now: State) -> None:
    state.write(found.state, now)
    notifier.tell(f"STATUS={now.state}{': ' + now.why if now.why else ''}{' ' + now.url if now.state == 'up' else ''}")


def _take_over(found: TunnelSettings) -> int:
    there = others.find(found.kind.program, found.unit)
    for one in there:
        logging.getLogger("runtime.tunnel").warning("tunnel.take_over: stopping %s", one)
    others.stop(there)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
