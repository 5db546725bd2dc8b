"""What the monitor may do on a host, and the root-owned units that do it: settings, files, units.

The role `monitor` has `actions: ActionsConfig = ActionsConfig()` in its Config and yields `resources(c.actions)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from ops.resources import AptPackages, Directory, File, Resource, Unit
from ops.role_config import RoleConfig

PLACE = "/var/lib/miner-actions"
POLICY = "/opt/trading/monitor-actions.json"
"""What the service reads (MONITOR_ACTIONS)."""

Port = Annotated[str, Field(pattern=r"^\d{1,3}-(\d{1,2}\.){0,6}(\d{1,2}|\*)$")]
RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
UnitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,100}\.service$")]
Program = Annotated[str, Field(pattern=r"^/[A-Za-z0-9_./-]+$")]


class HealConfig(RoleConfig):
    """One kind of action, as far as the monitor does it by itself; what people ask for has bounds of its own."""

    heal: bool = Field(False, description="the monitor may do it by itself")
    alerts: tuple[RuleName, ...] | None = Field(None, description="rules that ask for it; default: the usual ones")
    after_s: float | None = Field(None, ge=0, le=86_400, description="seconds the alert must have stood")
    between_s: float | None = Field(None, ge=60, le=86_400, description="seconds from one to the next")
    backoff: float | None = Field(None, ge=1, le=10, description="each further one in a day waits so many times longer")
    a_day: int | None = Field(None, ge=1, le=24, description="at most in 24 h")


OFF = HealConfig.model_validate({})


class ActionsConfig(RoleConfig):
    """Nothing is done by itself unless it says so here."""

    enabled: bool = Field(True, description="false: nobody can restart or cycle anything here, people neither")
    unit: UnitName = Field("cgminer.service", description="the only unit that can be restarted")
    ports: tuple[Port, ...] = Field((), description='USB ports that may be cycled, "1-1.4", or all of a hub, "1-1.*"')
    uhubctl: Program = "/usr/sbin/uhubctl"
    boot_grace_s: float | None = Field(None, ge=0, le=86_400, description="seconds after a boot without healing")
    miner: HealConfig = Field(OFF, description="restart cgminer")
    power: HealConfig = Field(OFF, description="give a stick's port a break")
    pool: HealConfig = Field(OFF, description="change to the next pool that is alive")
    root_a_day: int = Field(12, ge=1, le=48, description="root's own limit for each, whoever asks")


def resources(c: ActionsConfig) -> Iterable[Resource]:
    """After the release, before the monitor's unit, which restarts on `policy_file(c)`."""
    yield policy_file(c)
    if not c.enabled:
        return
    if c.ports and c.uhubctl == "/usr/sbin/uhubctl":
        yield AptPackages(("uhubctl",))
    yield Directory(PLACE)
    # Root's service has none of root's rights over others' files: it gets in by the group.
    yield Directory(f"{PLACE}/requests", owner="trading", group="root", mode=0o770)
    yield Directory(f"{PLACE}/results")
    yield Unit("miner-actions.service", c, enabled=None, running=None)
    yield Unit("miner-actions.path", c)


def policy_file(c: ActionsConfig) -> File:
    """Only what the inventory says: the rest is the service's own."""
    kinds = {name: getattr(c, name).model_dump(exclude_none=True) for name in ("miner", "power", "pool")}
    grace = {} if c.boot_grace_s is None else {"boot_grace_s": c.boot_grace_s}
    return File(POLICY, content=json.dumps({**grace, **kinds}, indent=2) + "\n")
