"""The engine: candles and signals in, equity and trades out (docs/engine.md)."""

from quant.engine.book import Scratch as Scratch
from quant.engine.result import Reason as Reason
from quant.engine.result import Result as Result
from quant.engine.result import Trades as Trades
from quant.engine.running import prepared as prepared
from quant.engine.running import run as run
from quant.engine.simulating import Simulation as Simulation
from quant.engine.simulating import simulate as simulate
from quant.engine.spec import Spec as Spec
