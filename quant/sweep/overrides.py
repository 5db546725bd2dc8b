"""One combination put into a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quant import strategies
from quant.config import Config, parse
from quant.errors import UsageError
from quant.strategy import Value

Override = Mapping[str, Value]
"""Values by a strategy parameter's name (`fast`), or by the path of a setting (`exits.stop_atr`)."""

SECTIONS = ("strategy", "account", "instrument", "costs", "sizing", "exits")
"""What may differ from one combination to the next: everything that leaves the candles as they are."""


def applied(config: Config, override: Override) -> Config:
    """`config` with `override` in it. Raises UsageError when a setting cannot be that value."""
    settings = {name: value for name, value in override.items() if "." in name}
    params = {name: value for name, value in override.items() if "." not in name}
    if settings:
        config = _with_settings(config, settings)
    if not params:
        return config
    chosen = config.strategy.model_copy(update={"params": {**config.strategy.params, **params}})
    return config.model_copy(update={"strategy": chosen})


def refusal(config: Config, override: Override) -> str | None:
    """Why these values cannot go together, in words; None when they can."""
    try:
        choice = applied(config, override).strategy
    except UsageError as error:
        return error.message
    strategy = strategies.get(choice.name)
    return strategy.refusal(strategy.complete(choice.params))


def _with_settings(config: Config, settings: Override) -> Config:
    whole: dict[str, Any] = config.model_dump(by_alias=True)
    for path, value in settings.items():
        *sections, name = path.split(".")
        place = whole
        for section in sections:
            place = place[section]
        place[name] = value
    return parse(whole, "sweep.space")
