"""What cgminer says: of itself, its pools, and each stick by the name that the bus gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from miner.cgminer import ApiSlow, CgminerError, Client, MinerState, StickState
from miner.monitor.collect.rates import PerHour, Ratios
from miner.monitor.schedule import Collector
from miner.monitor.settings import Address
from miner.readings import Reading
from miner.shown import Api
from runtime import clock

ERRORS_SECONDS = 60.0
SHARES_SECONDS = 300.0
"""A ratio over less than this is a matter of luck: at 5 s one refused share is all of them."""


class Mining(Collector):
    """`serials` maps a serial number to the keys of the sticks that have it, as the bus knows them."""

    name, every = "miner", 5.0

    def __init__(self, address: Address, timeout: float, serials: Callable[[], dict[str, list[str]]]) -> None:
        self.timeout = timeout + 1.0  # the client's own limit comes first, and says more
        self.client = Client(address.host, address.port, timeout)
        self._serials = serials
        self._resets = PerHour()
        self._errors, self._shares = Ratios(ERRORS_SECONDS), Ratios(SHARES_SECONDS)
        self._told: set[tuple[str, str]] = set()
        self.api: Api = "down"
        self.why = "not asked yet"
        self.state: MinerState | None = None
        self.sticks: dict[str, StickState] = {}

    async def collect(self) -> list[Reading]:
        begun = clock.steady()
        try:
            self.state = await self.client.state()
        except CgminerError as error:
            return self._silent(error)
        self.api, self.why = "up", ""
        self.sticks = _keyed(self.state.sticks, self._serials())
        found = [Reading("miner.api", "", 1.0), Reading("miner.api_s", "", clock.steady() - begun)]
        found += [*self._of_miner(self.state), *self._of_sticks()]
        self._told |= {(one.metric, one.target) for one in found}
        return found

    def _silent(self, error: CgminerError) -> list[Reading]:
        """That it does not answer is known; all that it would have said is not."""
        self.api, self.why = "slow" if isinstance(error, ApiSlow) else "down", str(error)
        self.state, self.sticks = None, {}
        unknown = self._told - {("miner.api", "")}
        return [
            Reading("miner.api", "", 0.0, self.why),
            *(Reading(metric, target, None, "cgminer does not answer") for metric, target in sorted(unknown)),
        ]

    def _of_miner(self, state: MinerState) -> list[Reading]:
        first = min(state.pools, key=lambda pool: (pool.priority is None, pool.priority), default=None)
        ghs, expected = state.sticks_ghs if state.sticks_ghs is not None else state.ghs_5m, state.expected_ghs
        found = [
            Reading("miner.pools_alive", "", float(sum(pool.alive for pool in state.pools))),
            Reading("miner.first_pool", "", None if first is None else float(state.pool == first)),
            Reading("miner.ghs", "", ghs),
            Reading("miner.uptime_s", "", state.elapsed_s),
        ]
        if ghs is not None and expected:
            found.append(Reading("miner.hashrate_ratio", "", ghs / expected))
        shares = [state.accepted, state.rejected, state.stale]
        if all(one is not None for one in shares):
            taken, refused, stale = (int(one or 0) for one in shares)
            total = taken + refused + stale
            found += self._shares.of("miner.rejected_ratio", "", refused, total)
            found += self._shares.of("miner.stale_ratio", "", stale, total)
        return found

    def _of_sticks(self) -> list[Reading]:
        return [one for key, stick in self.sticks.items() if not stick.gone for one in self._of_stick(key, stick)]

    def _of_stick(self, key: str, stick: StickState) -> list[Reading]:
        found = [Reading("stick.ghs", key, stick.ghs)]
        if stick.ratio is not None:
            found.append(Reading("stick.hashrate_ratio", key, stick.ratio))
        if stick.mhz is not None and stick.mhz_asked:
            found.append(Reading("stick.frequency_ratio", key, stick.mhz / stick.mhz_asked))
        if stick.temperature_c is not None:
            found.append(Reading("stick.temperature_c", key, stick.temperature_c))
        if stick.resets is not None:
            found.append(Reading("stick.resets_per_hour", key, self._resets.of(key, stick.resets)))
        if stick.hw_errors is not None and stick.nonces is not None:
            total = stick.hw_errors + stick.nonces
            found += self._errors.of("stick.hw_error_ratio", key, stick.hw_errors, total)
        return found


def _keyed(sticks: Iterable[StickState], serials: dict[str, list[str]]) -> dict[str, StickState]:
    """By the bus's keys. Of several with one serial number nobody knows which is which: they are taken in their order.

    One that is gone stands behind those that are there: a replugged stick is in cgminer's list twice.
    """
    found, free = dict[str, StickState](), {serial: list(keys) for serial, keys in serials.items()}
    for stick in sorted(sticks, key=lambda one: (one.gone, one.asc)):
        serial = stick.serial or ""
        keys = free.get(serial, [])
        key = keys.pop(0) if keys else serial or f"{stick.name}{stick.asc}"
        found.setdefault(key, stick)
    return found
