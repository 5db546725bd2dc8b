"""`python -m tests.miner.watchman_process FOLDER`: a watchman that reads a world from FOLDER/world.json until killed.

The world is `{"shift": seconds the calendar is off, "sticks": {key: 0 or 1}}`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from miner.alerts import rules, tables
from miner.alerts.watch import Watchman, here
from miner.readings import Cycle, Moment, Reading
from runtime.store import Store

RULES = '{"stick.missing": {"clear_for": 0}, "flapping": null, "daily": null}'


def main(folder: Path) -> None:
    def world() -> dict[str, Any]:
        return json.loads((folder / "world.json").read_text())

    def now() -> Moment:
        moment = here()
        return Moment(moment.at + timedelta(seconds=world()["shift"]), moment.steady, moment.boot)

    async def watch() -> None:
        store = Store(folder / "monitor.db", tables.SCHEMA)
        options = {"host": "rig", "language": "en", "zone": ZoneInfo("UTC"), "now": now}
        made = Watchman(store, rules.load(RULES), hand_over=folder / "webhook.db", **options)
        work = asyncio.create_task(made.run())
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while not work.done():
            sticks = world()["sticks"]
            readings = tuple(Reading("stick.present", key, float(value)) for key, value in sticks.items())
            await made.observe(Cycle(now(), readings))
            await asyncio.sleep(0.05)
        await work

    asyncio.run(watch())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
