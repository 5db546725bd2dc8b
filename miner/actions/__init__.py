"""What the monitor does, not only says: restarts cgminer, gives a USB port's power a break, changes the pool.

Each action is announced before and after, recorded for good, and bounded (`policy`). Only root may do the first two:
the monitor leaves a request that a root-owned unit takes (`hand`, `root`).
"""

from miner.actions.hand import Hand
from miner.actions.ledger import Ledger
from miner.actions.policy import Policy, PolicyError, load
from miner.actions.service import Actions, Outcome

__all__ = ["Actions", "Hand", "Ledger", "Outcome", "Policy", "PolicyError", "load"]
