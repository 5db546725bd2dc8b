"""The setting `guards` as the inventory may write it: docs/guards.md. The service checks how it fits together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ops.fields import TimeZone
from ops.role_config import RoleConfig

Mode = Literal["enforce", "warn"]
Preset = Literal["ftmo", "xauusd-v2.1"]
Guard = Literal[
    "max_trades_day", "open_trades_max", "losing_streak", "day_stop_loss_r", "day_stop_gain_r", "day_stop_loss_usd",
    "day_stop_gain_usd", "day_stop_loss_pct", "day_stop_gain_pct", "max_drawdown_pct", "min_winrate_pct",
    "max_risk_pct", "symbols", "news", "sessions", "checklist",
]  # fmt: skip


def _wall(value: object) -> object:
    """YAML reads 17:00 without quotes as 17 times 60; 08:00 stays what it is."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return f"{value // 60:02}:{value % 60:02}"
    return value


Wall = Annotated[
    str, BeforeValidator(_wall), Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="by the clock on the wall")
]
Point = Annotated[str, BeforeValidator(_wall)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Amount = Annotated[float, Field(gt=0, le=1e12)]
Percent = Annotated[float, Field(gt=0, le=100)]
Minutes = Annotated[float, Field(ge=0, le=720)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS = r"^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$"


class SessionConfig(RoleConfig):
    """Hours in which openings are allowed."""

    days: Annotated[str, Field(pattern=DAYS)] | list[Day] | None = None
    start: Wall = Field(alias="from")
    end: Wall = Field(alias="to")
    timezone: TimeZone | None = None


class WindowConfig(RoleConfig):
    """`at`, or `from` and `to`; with `day` every week by the clock (08:30), else once (2026-03-18 14:00)."""

    what: str = Field("", max_length=64)
    day: Day | None = None
    at: Point | None = None
    start: Point | None = Field(None, alias="from")
    end: Point | None = Field(None, alias="to")
    timezone: TimeZone | None = None
    before_min: Minutes | None = None
    after_min: Minutes | None = None


class NewsConfig(RoleConfig):
    before_min: Minutes = 0
    after_min: Minutes = 0
    timezone: TimeZone | None = None
    windows: list[WindowConfig] = Field(default=[])


class ChecklistConfig(RoleConfig):
    items: list[Name] | None = None
    within_hours: float | None = Field(None, gt=0, le=744, description="null: on the same trading day")


class RulesConfig(RoleConfig):
    """The guards of one scope; null turns one of the preset's off."""

    preset: Preset | None = None
    mode: Mode | None = None
    modes: dict[Guard, Mode] | None = None
    timezone: TimeZone | None = None
    day_start: Wall | None = None
    equity: Amount | None = Field(None, description="USD; default: the engine's, for the account all engines' together")
    max_trades_day: int | None = Field(None, ge=0, le=10_000)
    open_trades_max: int | None = Field(None, ge=0, le=10_000)
    day_stop_loss_r: Amount | None = None
    day_stop_gain_r: Amount | None = None
    day_stop_loss_usd: Amount | None = None
    day_stop_gain_usd: Amount | None = None
    day_stop_loss_pct: Percent | None = None
    day_stop_gain_pct: Percent | None = None
    day_pct_of: Literal["day", "initial"] | None = None
    max_drawdown_pct: Percent | None = None
    drawdown_from: Literal["peak", "initial"] | None = None
    min_winrate_pct: Percent | None = None
    winrate_window: int | None = Field(None, ge=1, le=200)
    losing_streak: int | None = Field(None, ge=1, le=10_000)
    max_risk_pct: Percent | None = None
    symbols: list[Name] | None = None
    news: NewsConfig | None = None
    sessions: list[SessionConfig] | None = None
    checklist: list[Name] | ChecklistConfig | None = None


class GuardsConfig(RoleConfig):
    mode: Mode | None = Field(None, description="enforce (default) or warn")
    timezone: TimeZone | None = Field(None, description="of the trading days; default: the role's")
    day_start: Wall | None = None
    preset: Preset | None = Field(None, description="the account's")
    account: RulesConfig | None = None
    engines: dict[Name, RulesConfig] = Field(default={})
