"""Which checks are asked of what."""

from __future__ import annotations

from collections.abc import Iterator

from quant.check import costs, delay, luck, plateau, truncation
from quant.check.canary import canary
from quant.check.finding import Finding
from quant.check.trial import Trial
from quant.check.walks import Walks, walk
from quant.config import Config, parse
from quant.config.trading import StrategyChoice
from quant.dataset import load_for
from quant.errors import StrategyFailed
from quant.strategy import Strategy
from quant.ticks import tick_of
from quant.timeframe import Timeframe

QUARTERS = Timeframe.of("15m")
BARS = 35_040
"""Of each random walk: a year of quarters of an hour."""
SHORT = 12_000
"""Of the walk that is cut off at many places."""


def indicators() -> list[Finding]:
    candles = walk(0, QUARTERS, SHORT)
    return truncation.of_indicators(candles, tick_of(candles))


def without_data(strategy: Strategy, config: Config | None, seeds: int) -> Iterator[Finding]:
    """On random walks: in the configuration's timeframe and with its parameters where it is its strategy."""
    own = config if config and config.strategy.name == strategy.name else _plain(strategy)
    timeframe = Timeframe.of(own.data.timeframe)
    candles = walk(0, timeframe, SHORT)
    trial = Trial(strategy, own, candles)
    yield truncation.of_strategy(strategy, trial.params, candles, tick_of(candles))
    yield canary(strategy, own, Walks(seeds, timeframe, BARS))


def loaded(strategy: Strategy, config: Config) -> Trial:
    """On the configuration's candles, with its own parameters where another strategy is configured. Raises UsageError,
    NoData, BadData."""
    if strategy.name != config.strategy.name:
        config = config.model_copy(update={"strategy": StrategyChoice(name=strategy.name)})
    candles, funding = load_for(config)
    return Trial(strategy, config, candles, funding)


def with_data(trial: Trial) -> Iterator[Finding]:
    """Raises UsageError for parameters that cannot be."""
    yield truncation.of_strategy(trial.strategy, trial.params, trial.candles, trial.view.tick_size)
    for check in (costs.fees, delay.delay, plateau.plateau, luck.luck):
        try:
            yield check(trial)
        except StrategyFailed as error:
            yield Finding(check.__name__, trial.strategy.name, True, str(error))


def _plain(strategy: Strategy) -> Config:
    """Its own parameters on quarters of an hour."""
    return parse({"data": {"symbol": "walk", "timeframe": QUARTERS.text}, "strategy": {"name": strategy.name}})
