"""The whole of config.yaml."""

from __future__ import annotations

from pydantic import Field

from quant.config.base import Section
from quant.config.market import Costs, Data, Exchange, Instrument
from quant.config.study import MonteCarlo, Sweep, WalkForward
from quant.config.trading import Account, Exits, Sizing, StrategyChoice


class Config(Section):
    """A run is this, the data's hash, the code's version, and `seed`."""

    data: Data
    exchange: Exchange = Exchange()
    strategy: StrategyChoice = StrategyChoice()
    account: Account = Account()
    instrument: Instrument = Instrument()
    costs: Costs = Costs()
    sizing: Sizing = Sizing()
    exits: Exits = Exits()
    sweep: Sweep = Sweep()
    walk_forward: WalkForward = WalkForward()
    monte_carlo: MonteCarlo = MonteCarlo()
    seed: int = Field(default=0, ge=0)
    title: str = ""
