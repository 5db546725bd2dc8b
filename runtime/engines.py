"""Engines: what each may do, how it is sized, and what its name says about it. Pure but for `load`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from runtime import payload
from runtime.payload import Invalid, Json
from runtime.risk import Account, Side, percent
from runtime.router import guards_config
from runtime.router.guards_rules import Guards
from runtime.router.presets import shipped

Direction = Literal["long", "short", "both"]


@dataclass(frozen=True, slots=True)
class Engine:
    """`aggressive` engines exclude each other. Without an account its alerts are recorded and not sized."""

    name: str
    direction: Direction = "both"
    aggressive: bool = False
    account: Account | None = None

    def allows(self, side: Side) -> bool:
        return self.direction in ("both", side.lower())


DEFAULTS = (
    Engine("COINM_SHORT", "short", True, Account(6000, 1, 0.001, 0.001, "inverse")),
    Engine("USDTM_LONG", "long", True, Account(6000, 1, 0.001, 0.001)),
    Engine("GOLD_CFD_LONG", "long", False, Account(1500, 1, 0.1, 0.1)),
)


@dataclass(frozen=True, slots=True)
class Registry:
    """The engines that are configured. Any other name is accepted too: both directions, not aggressive, not sized."""

    engines: Mapping[str, Engine]
    guards: Guards = field(default_factory=Guards)

    def get(self, name: str) -> Engine:
        return self.engines.get(name) or Engine(name)


class RegistryError(ValueError):
    """The file at `path` cannot be used; the message names it and the field."""

    def __init__(self, path: Path, problem: object) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


ZONE = ZoneInfo("America/Montreal")


@lru_cache(maxsize=1024)
def is_test(engine: str) -> bool:
    """True for `TV_TEST`, `NGROK_TEST` and `TEST*`, in any case: journalled, but kept out of the ledger."""
    name = engine.upper()
    return name in {"TV_TEST", "NGROK_TEST"} or name.startswith("TEST")


def load(path: Path, zone: ZoneInfo = ZONE, guards: Path | None = None) -> Registry:
    """The registry in the JSON file `path`; the three built-in engines when there is no file. Raises RegistryError.

    `guards`: a file whose section of that name counts instead of the one in `path`. Their days are those of `zone`.
    """
    registry = _from(path, lambda: read(_parsed(path) if path.exists() else {}, zone))
    if guards is None:
        return registry
    return _from(guards, lambda: replace(registry, guards=_guards(_parsed(guards), registry.engines, zone)))


def _from(path: Path, reader: Callable[[], Registry]) -> Registry:
    try:
        return reader()
    except Invalid as error:
        raise RegistryError(path, f"{error.field}: {error.reason}") from None
    except (OSError, payload.NotJson) as error:
        raise RegistryError(path, error) from None


def _parsed(path: Path) -> Json:
    return payload.check(payload.parse(path.read_bytes()))


def read(data: Json, zone: ZoneInfo = ZONE) -> Registry:
    """The registry in a checked object: `accounts` and `gold_cfd` as they always were, `engines`, which says more, and
    `guards`.

    Engines are laid over the built-in ones; other names at the top are left to whoever wrote them. Raises Invalid.
    """
    found = {engine.name: engine for engine in DEFAULTS}
    for section, names in (("accounts", _ACCOUNT), ("engines", _ACCOUNT | _CONTRACT | _ENGINE)):
        for name, given in _table(data, section).items():
            found[name] = _within(f"{section}.{name}", found.get(name, Engine(name)), given, names)
    _units(data, found)
    for engine in found.values():
        if engine.aggressive and engine.account is None:
            raise Invalid(f"engines.{engine.name}.equity", "is missing: an aggressive engine must be sized")
    return Registry(found, _guards(data, found, zone))


def _guards(data: Json, found: Mapping[str, Engine], zone: ZoneInfo) -> Guards:
    if "guards" not in data:
        return Guards()
    equities = {name: engine.account.equity if engine.account else None for name, engine in found.items()}
    return guards_config.read(data["guards"], equities, shipped(), zone)


_ACCOUNT = frozenset({"equity", "risk_pct", "min_qty", "qty_step", "min_units", "units_step"})
_CONTRACT = frozenset({"contract", "contract_value", "max_leverage", "tick_size", "min_stop_ticks"})
_ENGINE = frozenset({"direction", "aggressive"})
_ALIASES = {"min_units": "min_qty", "units_step": "qty_step"}
_OPTIONAL = frozenset({"contract_value", "max_leverage", "tick_size"})


def _within(place: str, engine: Engine, given: object, names: frozenset[str]) -> Engine:
    """`engine` with what `given` says; a wrong field is named with its place in the file."""
    if not isinstance(given, dict):
        raise Invalid(place, "expected an object")
    try:
        return _engine(engine, given, names)
    except Invalid as error:
        raise Invalid(f"{place}.{error.field}", error.reason) from None


def _engine(engine: Engine, given: Json, names: frozenset[str]) -> Engine:
    if engine.name != engine.name.strip() or not 1 <= len(engine.name) <= 64 or is_test(engine.name):
        raise Invalid("name", "expected 1 to 64 characters that are not a test engine's name")
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise Invalid(name, f"is not known{f'; did you mean {near[0]}?' if near else ''}")
    account = {_ALIASES.get(name, name): given[name] for name in given if name not in _ENGINE}
    changed = _settings(given)
    if account:
        changed["account"] = _account(engine.account, account)
    return replace(engine, **changed)


def _settings(given: Json) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if "direction" in given:
        changed["direction"] = payload.choice(given, "direction", ("LONG", "SHORT", "BOTH")).lower()
    if "aggressive" in given:
        if not isinstance(given["aggressive"], bool):
            raise Invalid("aggressive", "expected true or false")
        changed["aggressive"] = given["aggressive"]
    return changed


def _account(before: Account | None, given: Json) -> Account:
    values: dict[str, Any] = {}
    for name in given:
        if name == "contract":
            values[name] = payload.choice(given, name, ("LINEAR", "INVERSE")).lower()
        else:
            values[name] = payload.number(given, name, required=name not in _OPTIONAL)
    if "risk_pct" in values:
        values["risk_pct"] = percent(values["risk_pct"])
    if before is not None:
        return replace(before, **values)
    for name in ("equity", "risk_pct", "qty_step"):
        if name not in values:
            raise Invalid(name, "is missing")
    return Account(**values)


def _units(data: Json, found: dict[str, Engine]) -> None:
    """`gold_cfd.units_are_oz: false` needs to say how many ounces a unit is, or every size would be wrong."""
    table = _table(data, "gold_cfd")
    in_ounces = table.get("units_are_oz", True)
    if not isinstance(in_ounces, bool):
        raise Invalid("gold_cfd.units_are_oz", "expected true or false")
    gold = found["GOLD_CFD_LONG"]
    if not in_ounces and (gold.account is None or gold.account.contract_value is None):
        raise Invalid("gold_cfd.units_are_oz", "is false: give engines.GOLD_CFD_LONG.contract_value, ounces in a unit")


def _table(data: Json, name: str) -> Json:
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise Invalid(name, "expected an object")
    return value
