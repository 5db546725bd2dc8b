"""The client: what can be asked and said."""

from __future__ import annotations

import json

from miner.cgminer.errors import ApiRefused, OutOfRange
from miner.cgminer.models import MinerState, StickState
from miner.cgminer.reply import Reply, Row, number, parse
from miner.cgminer.state import COMMAND, join
from miner.cgminer.transport import exchange
from miner.sticks import by_name

_ACCESS_DENIED = 45


class Client:
    """One cgminer. It keeps no connection open; what it remembers are serial numbers of sticks that were seen.

    `timeout`: seconds for an exchange from connecting to the last byte. What changes something needs cgminer's
    `--api-allow W:...` for our address.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 4028, timeout: float = 5.0) -> None:
        self.host, self.port, self.timeout = host, port, timeout
        self._serials: dict[str, str] = {}
        self._elapsed = 0.0

    async def ask(self, command: str, parameter: str = "") -> Reply:
        """Any command; `a+b` joins those that change nothing. A reply that says no is returned, not raised.

        Raises ApiDown, ApiSlow, ApiStrange.
        """
        asked = {"command": command} | ({"parameter": parameter} if parameter else {})
        return parse(command, await exchange(self.host, self.port, json.dumps(asked).encode(), self.timeout))

    async def state(self) -> MinerState:
        """Everything in one exchange. No device, no pool: that part is empty."""
        reply = await self.ask(COMMAND)
        elapsed = number(reply.part("summary").row("SUMMARY"), "Elapsed") or 0.0
        if elapsed < self._elapsed:
            self._serials.clear()  # it was started anew: its numbers begin again, and mean other sticks
        self._elapsed = elapsed
        return join(reply, self._serials)

    async def version(self) -> Row:
        """`CGMiner` and `API` versions."""
        return (await self.ask("version")).expect().row("VERSION")

    async def config(self) -> Row:
        """Counts of pools and devices, `Strategy`, `Log Interval`, `Hotplug` ...; no password is in it."""
        return (await self.ask("config")).expect().row("CONFIG")

    async def summary(self) -> Row:
        return (await self.ask("summary")).expect().row("SUMMARY")

    async def devs(self) -> tuple[Row, ...]:
        return (await self.ask("devs")).rows("DEVS")

    async def pools(self) -> tuple[Row, ...]:
        return (await self.ask("pools")).rows("POOLS")

    async def stats(self) -> tuple[Row, ...]:
        return (await self.ask("stats")).rows("STATS")

    async def switch_pool(self, pool: int) -> str:
        """Work for this pool first from now on; one that is disabled is enabled. Returns cgminer's words."""
        return await self._change("switchpool", str(pool))

    async def enable_pool(self, pool: int) -> str:
        return await self._change("enablepool", str(pool))

    async def disable_pool(self, pool: int) -> str:
        """cgminer refuses to disable the last one."""
        return await self._change("disablepool", str(pool))

    async def prioritise_pools(self, order: list[int]) -> str:
        return await self._change("poolpriority", ",".join(map(str, order)))

    async def enable_stick(self, stick: str) -> str:
        return await self._change("ascenable", str((await self._find(stick)).asc))

    async def disable_stick(self, stick: str) -> str:
        return await self._change("ascdisable", str((await self._find(stick)).asc))

    async def reset_stick(self, stick: str) -> str:
        """Starts the stick's chips anew, as the driver does when they fall silent."""
        return await self._set((await self._find(stick)).asc, "reset")

    async def set_frequency(self, stick: str, mhz: float) -> StickState:
        """All chips of the stick with this serial number to `mhz`; it holds until cgminer is restarted.

        The driver's `target` is what it tunes towards and `freq` what it runs at: only both together stay (source:
        compac_api_set in driver-gekko.c; older drivers have `freq` alone). Returns the stick as it was before.
        Raises OutOfRange, ApiRefused.
        """
        found = await self._find(stick)
        model = by_name(found.name, found.chips)
        if model and not model.min_mhz <= mhz <= model.max_mhz:
            raise OutOfRange(f"a {model.label} ({model.chip}) takes {model.min_mhz:g} to {model.max_mhz:g} MHz")
        try:
            await self._set(found.asc, "target", f"{mhz:g}")
        except ApiRefused as error:
            if "unknown option" not in str(error).lower():
                raise
        await self._set(found.asc, "freq", f"{mhz:g}")
        return found

    async def _find(self, serial: str) -> StickState:
        state = await self.state()
        there = [stick for stick in state.sticks if not stick.gone]
        found = next((stick for stick in there if stick.serial == serial), None)
        if found is None:
            known = ", ".join(stick.serial or f"{stick.name} without a serial number" for stick in there) or "none"
            raise OutOfRange(f"cgminer has no stick {serial}; those it has: {known}")
        return found

    async def _set(self, asc: int, option: str, value: str = "") -> str:
        words = [str(asc), option, value] if value else [str(asc), option]
        return await self._change("ascset", ",".join(words))

    async def _change(self, command: str, parameter: str) -> str:
        reply = await self.ask(command, parameter)
        if reply.status.code == _ACCESS_DENIED:
            raise ApiRefused(f"cgminer refused {command}: its api-allow gives {self.host} no W:", _ACCESS_DENIED)
        return reply.expect().status.message
