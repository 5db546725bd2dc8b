"""`python -m tests.miner.usb_teller USER`: says on each change which sticks it sees, as one line of JSON.

Run below umockdev: it stands where the monitor does.
"""

from __future__ import annotations

import asyncio
import json
import sys

from miner.usb import access, bus, hotplug, known


async def main(user: str) -> None:
    remembered, who = dict[str, known.Known](), access.account(user)

    def tell(kind: str) -> None:
        found = known.settle(remembered, bus.scan())
        usable = {key: who is not None and access.problem(one.node, who) is None for key, one in found.items()}
        sticks = {key: [one.model.label, one.port, usable[key]] for key, one in found.items()}
        line = {"kind": kind, "sticks": sticks, "known": sorted(remembered), "source": plugs.source}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    async def told() -> None:
        tell("change")

    plugs = hotplug.Hotplug(told, netlink=True)
    running = asyncio.create_task(plugs.run())
    await asyncio.sleep(0)
    tell("start")
    await running


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
