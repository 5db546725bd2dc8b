"""What `./inv miner.*` asks on a host: `python -m miner.command status|pools|freq|bench`. One JSON object on stdout.

What goes wrong is `{"error": ..., "hint": ...}` and exit status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from miner import bench, shown
from miner.cgminer import ApiDown, ApiSlow, CgminerError, Client, StickState
from miner.detect import Stick, frequencies, look
from miner.shown import Api, OnBus, Pair

Json = dict[str, Any]
NO_POOL = "it listens once a pool has answered: ./inv miner.logs says which do not"
HINTS: dict[type[CgminerError], str] = {ApiDown: NO_POOL, ApiSlow: "it hangs: ./inv miner.restart"}


async def status(client: Client, given: argparse.Namespace) -> Json:
    sticks, _ = look(frequencies(given.mhz))
    try:
        state = await client.state()
    except CgminerError as error:
        api: Api = "down" if isinstance(error, ApiDown) else "slow" if isinstance(error, ApiSlow) else "strange"
        return shown.miner(api, str(error), None, pairs((), sticks), given.watts)
    return shown.miner("up", "", state, pairs(state.sticks, sticks), given.watts)


def pairs(mined: Sequence[StickState], found: Sequence[Stick]) -> list[Pair]:
    """By serial number; what only one side knows stands for itself. One that has none is called by its port."""
    left, paired = list(found), list[Pair]()
    for state in mined:
        there = next((one for one in left if one.serial and one.serial == state.serial and not state.gone), None)
        if there:
            left.remove(there)
        paired.append((state.serial or f"{state.name}{state.asc}", state, _on_bus(there) if there else None))
    return paired + [(one.serial or one.port, None, _on_bus(one)) for one in left]


def _on_bus(one: Stick) -> OnBus:
    return OnBus(one.serial, one.type, one.port, one.driver, True, one.usable, one.expected_ghs, one.in_use_by)


async def pools(client: Client, given: argparse.Namespace) -> Json:
    """Lists them; with a verb and a number, changes one first."""
    verbs = {"switch": client.switch_pool, "enable": client.enable_pool, "disable": client.disable_pool}
    said = await verbs[given.verb](given.number) if given.verb else ""
    state = await client.state()
    return {"said": said, "pools": shown.pools(state)}


async def freq(client: Client, given: argparse.Namespace) -> Json:
    before = await client.set_frequency(given.stick, given.mhz)
    after = (await client.state()).stick(given.stick)
    return {
        "serial": given.stick,
        "before_mhz": before.mhz,
        "mhz": after.mhz if after else None,
        "asked_mhz": given.mhz,
    }


async def measure(client: Client, given: argparse.Namespace) -> Json:
    steps = [float(word) for word in given.frequencies.split(",")] if given.frequencies else []
    return await bench.run(client, given.stick, steps, given.seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="What ./inv miner.* asks on a host.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4028)
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("status")
    one.add_argument("--watts", type=float)
    one.add_argument("--mhz", nargs="*", default=[])
    one.set_defaults(work=status)
    one = verbs.add_parser("pools")
    one.add_argument("verb", nargs="?", choices=("switch", "enable", "disable"))
    one.add_argument("number", nargs="?", type=int)
    one.set_defaults(work=pools)
    one = verbs.add_parser("freq")
    one.add_argument("stick")
    one.add_argument("mhz", type=float)
    one.set_defaults(work=freq)
    one = verbs.add_parser("bench")
    one.add_argument("--stick", default="")
    one.add_argument("--frequencies", default="")
    one.add_argument("--seconds", type=float, default=300)
    one.set_defaults(work=measure)
    return parser


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        said = asyncio.run(given.work(Client(given.host, given.port), given))
    except CgminerError as error:
        said = {
            "error": str(error),
            "hint": next((hint for kind, hint in HINTS.items() if isinstance(error, kind)), ""),
        }
    sys.stdout.write(json.dumps(said) + "\n")
    return 1 if "error" in said else 0


if __name__ == "__main__":
    sys.exit(main())
