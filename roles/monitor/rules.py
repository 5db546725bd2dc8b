"""The shape of alert rules as the inventory has them. What they mean is for miner.alerts to check.

A test keeps the two in step: what is accepted here must be there, and the other way round.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ops.role_config import RoleConfig

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
Severity = Literal["info", "warning", "critical"]


_DURATION, _CLOCK = re.compile(r"\s*\d+(\.\d+)?\s*(s|m|min|h|d)?\s*"), re.compile(r"([01]\d|2[0-4]):[0-5]\d")


def _text(value: Any) -> Any:
    """A bare number is seconds."""
    return f"{value}" if isinstance(value, int | float) and not isinstance(value, bool) else value


def _duration(value: str) -> str:
    if not _DURATION.fullmatch(value):
        raise ValueError("expected seconds, or 30s, 5m, 2h, 1d")
    return value


def _clock(value: str) -> str:
    if not _CLOCK.fullmatch(value):
        raise ValueError('expected a time of the day such as "22:00"')
    return value


Duration = Annotated[str, BeforeValidator(_text), AfterValidator(_duration)]
Clock = Annotated[str, AfterValidator(_clock)]
Patterns = str | tuple[str, ...]


class RuleConfig(RoleConfig):
    """Laid over the default of its name; one with a name of its own needs a metric and a threshold."""

    metric: str | None = Field(None, description="one of miner/readings.py")
    compare: Literal["<", "<=", ">", ">="] | None = None
    threshold: float | None = None
    below: float | None = Field(None, description="compare < and threshold in one")
    above: float | None = Field(None, description="compare > and threshold in one")
    clear: float | None = Field(None, description="it ends beyond this; default: as far from the threshold as before")
    for_: Duration | None = Field(None, alias="for", description="how long it must hold")
    clear_for: Duration | None = Field(None, description="how long it must be over")
    severity: Severity | None = Field(None, description="critical ones are told in quiet hours too")
    repeat: Duration | None = Field(None, description="told again so often while it lasts; 0: never")
    quiet: bool | None = Field(None, description="held back in quiet hours")
    grace: Duration | None = Field(None, description="not told sooner after the machine's start")
    after: dict[str, Duration] | None = Field(None, description="metric: how long that must have been good")
    inhibited_by: Patterns | None = Field(None, description="rules that explain this one")
    targets: Patterns | None = Field(None, description="patterns; it looks at no others")


class WindowConfig(RoleConfig):
    """Times of the day in the host's time zone, or two moments with an offset."""

    from_: str = Field(alias="from", description='"22:00", or 2027-01-31T22:00:00-05:00')
    to: str
    days: str | tuple[str, ...] | None = Field(None, description="mon to sun, a list; default: every day")
    scope: str | None = Field(None, description="which alerts: a rule, rule@target, with *; default: all")


class FlappingConfig(RoleConfig):
    times: int = Field(3, ge=2, le=1000)
    within: Duration = "10m"
    stable: Duration = "5m"


class AlertsConfig(RoleConfig):
    rules: dict[Name, RuleConfig | None] = Field(default={}, description="changes to the defaults by name; null: off")
    quiet_hours: WindowConfig | None = Field(default=None, description="what is not critical waits until they end")
    maintenance: tuple[WindowConfig, ...] = Field(default=(), description="nothing is told of what is in scope")
    flapping: FlappingConfig | None = Field(
        default=FlappingConfig.model_validate({}), description="null: nothing is ever called flapping"
    )
    daily: Clock | None = Field(default="08:00", description="when the day is summed up; null: never")

    def document(self) -> dict[str, Any]:
        """What the service reads: only what the inventory says."""
        said = self.model_dump(by_alias=True, exclude_unset=True, mode="json")
        rules = said.pop("rules", {})
        return {**rules, **said}
