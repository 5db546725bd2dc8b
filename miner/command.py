"""What `./inv miner.*` asks on a host: `python -m miner.command status|pools|freq|bench`. One JSON object on stdout.

What goes wrong is `{"error": ..., "hint": ...}` and exit status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from miner import bench
from miner.cgminer import ApiDown, ApiSlow, CgminerError, Client
from miner.detect import frequencies, look
from miner.view import view

Json = dict[str, Any]
NO_POOL = "it listens once a pool has answered: ./inv miner.logs says which do not"
HINTS: dict[type[CgminerError], str] = {ApiDown: NO_POOL, ApiSlow: "it hangs: ./inv miner.restart"}


async def status(client: Client, given: argparse.Namespace) -> Json:
    sticks, _ = look(frequencies(given.mhz))
    try:
        state = await client.state()
    except CgminerError as error:
        api = "down" if isinstance(error, ApiDown) else "slow" if isinstance(error, ApiSlow) else "strange"
        return view(None, sticks, api=api, why=str(error), watts=given.watts)
    return view(state, sticks, api="up", watts=given.watts)


async def pools(client: Client, given: argparse.Namespace) -> Json:
    """Lists them; with a verb and a number, changes one first."""
    verbs = {"switch": client.switch_pool, "enable": client.enable_pool, "disable": client.disable_pool}
    said = await verbs[given.verb](given.number) if given.verb else ""
    state = await client.state()
    return {"said": said, "pools": view(state, (), api="up")["pools"]}


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
