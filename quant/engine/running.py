"""From config.yaml to a Result: the strategy is looked up, asked, checked, and simulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quant import strategies
from quant.candles import Candles
from quant.config import Config
from quant.dataset import rules
from quant.engine.book import Scratch
from quant.engine.result import Result
from quant.engine.simulating import Rates, simulate
from quant.engine.spec import Spec
from quant.errors import BadData, QuantError, StrategyFailed, UsageError
from quant.indicators import View
from quant.strategy import Direction, Parameter, Params, Signals, Strategy, Value
from quant.ticks import tick_of


def run(
    config: Config,
    candles: Candles,
    funding: Rates | None = None,
    view: View | None = None,
    scratch: Scratch | None = None,
) -> Result:
    """`view` and `scratch` are for many runs over the same candles: what was worked out stays, nothing is allocated.

    Raises UsageError (settings or parameters that cannot be), BadData (too few bars, or bars that cannot be),
    StrategyFailed.
    """
    view = view or _seen(config, candles)
    signals, spec = prepared(config, view)
    return simulate(candles, signals, spec, funding if config.costs.funding else None, scratch)


def prepared(config: Config, view: View) -> tuple[Signals, Spec]:
    """What `simulate` is given, over the view's candles. Raises as `run` does."""
    strategy = strategies.get(config.strategy.name)
    params = params_of(strategy, config)
    _refuse_leverage(config)
    _refuse_few(strategy, params, view.candles)
    signals = narrowed(asked(strategy, params, view), direction_of(strategy, config))
    _refuse_unlimited(config, signals)
    return signals, Spec.of(config, view.candles, view.tick_size, view)


def params_of(strategy: Strategy, config: Config) -> Params:
    """The configured parameters with the defaults for the rest. Raises UsageError saying what cannot be."""
    given = config.strategy.params
    known = {one.name: one for one in strategy.parameters}
    if strange := sorted(given.keys() - known.keys()):
        hint = f"there are {', '.join(known)}"
        raise UsageError(f"{strategy.name} has no parameter {', '.join(strange)}", hint=hint)
    params = strategy.complete(given)
    for name, value in params.items():
        _refuse_value(strategy.name, name, value, known[name])
    if why := strategy.refusal(params):
        raise UsageError(f"{strategy.name}: {why}", hint=f"it was asked with {_told(params)}")
    return params


def _refuse_value(strategy: str, name: str, value: Value, wanted: Parameter) -> None:
    """Whole numbers where the default is one, words where it is a word."""
    where = f"{strategy}: {name} is {value!r}"
    if isinstance(wanted.default, bool | str):
        if type(value) is not type(wanted.default):
            raise UsageError(f"{where}, expected something like {wanted.default!r}", hint=wanted.help)
    elif isinstance(value, bool | str) or (isinstance(wanted.default, int) and value != int(value)):
        kind = "a whole number" if isinstance(wanted.default, int) else "a number"
        raise UsageError(f"{where}, expected {kind}", hint=wanted.help)
    elif wanted.least is not None and value < wanted.least:
        raise UsageError(f"{where}, at least {wanted.least:g} is needed", hint=wanted.help)


def _told(params: Params) -> str:
    return ", ".join(f"{name} {value}" for name, value in params.items())


def direction_of(strategy: Strategy, config: Config) -> Direction:
    """What both allow. Raises UsageError when that is nothing."""
    own, wanted = strategy.direction, config.strategy.direction
    if own == "both" or own == wanted:
        return wanted
    if wanted == "both":
        return own
    raise UsageError(f"{strategy.name} only goes {own}, and strategy.direction is {wanted}", hint="leave direction out")


def asked(strategy: Strategy, params: Params, view: View) -> Signals:
    """The strategy's signals, checked. Raises StrategyFailed."""
    try:
        signals = strategy.signals(view, params)
    except QuantError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise StrategyFailed(f"{strategy.name} failed with {_told(params)}: {what}") from error
    if why := unfit(signals, len(view.candles)):
        raise StrategyFailed(
            f"{strategy.name} with {_told(params)}: {why}", hint="quant.strategy.Signals says what fits"
        )
    return signals


def unfit(signals: object, n: int) -> str | None:
    """Why these cannot be signals for n bars; None: they can."""
    if not isinstance(signals, Signals):
        return f"signals are {type(signals).__name__}, expected Signals"
    for name, kind in (("side", np.int8), ("stop", np.float64), ("target", np.float64)):
        array = getattr(signals, name)
        if array is None and name != "side":
            continue
        if not isinstance(array, np.ndarray) or array.dtype != kind or array.shape != (n,):
            shown = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
            return f"{name} is {shown}, expected {np.dtype(kind)} of shape ({n},)"
    if n and not -1 <= signals.side.min() <= signals.side.max() <= 1:
        return f"side has {signals.side.min()} to {signals.side.max()}, expected -1, 0 and 1"
    return None


def narrowed(signals: Signals, direction: Direction) -> Signals:
    """What is not allowed is flat."""
    if direction == "both":
        return signals
    side = np.maximum(signals.side, np.int8(0)) if direction == "long" else np.minimum(signals.side, np.int8(0))
    return replace(signals, side=side)


def _refuse_leverage(config: Config) -> None:
    """A position of more than 1 / maintenance times the equity would be liquidated where it was opened."""
    most, maintenance = config.instrument.max_leverage, config.instrument.maintenance_margin
    if most * maintenance > 1:
        raise UsageError(
            f"instrument.max_leverage {most:g} with a maintenance_margin of {maintenance:g} is liquidated at once",
            hint=f"at most {1 / maintenance:g} can be held",
        )


def _refuse_unlimited(config: Config, signals: Signals) -> None:
    exits = config.exits
    stops = (exits.stop_atr, exits.stop_pct, exits.trailing_atr, exits.trailing_pct, signals.stop)
    if config.sizing.mode == "risk" and all(stop is None for stop in stops):
        hint = "set exits.stop_atr, stop_pct or a trailing one, or another sizing.mode"
        raise UsageError(f"sizing.mode risk needs a stop, and {config.strategy.name} gives none", hint=hint)


def _seen(config: Config, candles: Candles) -> View:
    """Of candles that may be anything; those of a View that is given are believed."""
    for words, rows in rules.broken(candles):
        first = int(rows[0])
        raise BadData(f"{candles.name}: {words}: {rules.row(candles, first)} (bar {first})", hint="correct its source")
    return View(candles, config.instrument.tick_size or tick_of(candles))


def _refuse_few(strategy: Strategy, params: Params, candles: Candles) -> None:
    needed = strategy.needed(params, candles.timeframe) + 2
    if len(candles) < needed:
        raise BadData(
            f"{candles.name} has {len(candles)} bars, {strategy.name} with {_told(params)} needs {needed}",
            hint="fetch more, or widen data.since and data.until",
        )
