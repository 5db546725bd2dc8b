"""What cgminer knows, typed. None: it did not say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pool:
    """`status`: Alive, Dead, Disabled or Rejecting. `active`: its stratum connection is up. `priority`: 0 is first."""

    number: int
    url: str
    user: str
    status: str | None
    priority: int | None
    active: bool | None
    accepted: int | None
    rejected: int | None
    stale: int | None
    difficulty: float | None = None
    best_share: float | None = None

    @property
    def alive(self) -> bool:
        return self.status == "Alive"


@dataclass(frozen=True, slots=True)
class StickState:
    """One stick. `serial` is what to key on: `asc` changes with each replug.

    `ghs`: over five minutes, as the driver counts nonces; 0 for one that is gone. `expected_ghs`: what its frequency
    and chips promise. `mhz`: what it runs at. `mhz_asked`: what the configuration asks for; the driver lowers the
    frequency of a stick that does not keep up, and never this. `mhz_target`: what the driver tries for now.
    `gone`: unplugged; cgminer's own Status still says Alive. `enabled`: False for good after ten vain starts.
    """

    serial: str | None
    name: str
    asc: int
    ghs: float | None
    expected_ghs: float | None
    mhz: float | None
    mhz_asked: float | None
    mhz_target: float | None
    chips: int | None
    temperature_c: float | None
    accepted: int | None
    rejected: int | None
    hw_errors: int | None
    nonces: int | None
    resets: int | None
    enabled: bool | None
    gone: bool
    last_share: datetime | None
    last_work: datetime | None
    """When it last gave a valid nonce."""
    since: datetime | None
    """When cgminer took it in."""

    @property
    def ratio(self) -> float | None:
        """Hashrate of what was promised; None while one of the two is unknown."""
        return self.ghs / self.expected_ghs if self.ghs is not None and self.expected_ghs else None


@dataclass(frozen=True, slots=True)
class MinerState:
    """The whole miner. `ghs`: over the log interval (5 s unless it was told otherwise); `ghs_avg`: since the start."""

    elapsed_s: float | None
    ghs: float | None
    ghs_5m: float | None
    ghs_avg: float | None
    accepted: int | None
    rejected: int | None
    stale: int | None
    hw_errors: int | None
    best_share: float | None
    found_blocks: int | None
    utility: float | None
    """Accepted shares a minute."""
    last_work: datetime | None
    """When a pool last gave work."""
    pools: tuple[Pool, ...] = field(default=())
    sticks: tuple[StickState, ...] = field(default=())

    def stick(self, serial: str) -> StickState | None:
        return next((stick for stick in self.sticks if stick.serial == serial), None)

    @property
    def pool(self) -> Pool | None:
        """The one that is worked for: of those that live and are connected, the first by priority."""
        able = [pool for pool in self.pools if pool.alive and pool.active is not False]
        return min(able, key=lambda pool: pool.priority if pool.priority is not None else 1 << 30, default=None)

    @property
    def expected_ghs(self) -> float | None:
        """Of all sticks that are there; None when no stick's is known."""
        known = [stick.expected_ghs for stick in self.sticks if not stick.gone and stick.expected_ghs is not None]
        return sum(known) if known else None

    @property
    def sticks_ghs(self) -> float | None:
        """Hashrate over five minutes of all sticks that are there, as the driver counts it."""
        known = [stick.ghs for stick in self.sticks if not stick.gone and stick.ghs is not None]
        return sum(known) if known else None
