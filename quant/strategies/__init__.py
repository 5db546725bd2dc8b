"""The strategies: one file each, found by their folder. A new one is a copied file with its STRATEGY changed."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache

from quant.errors import UsageError
from quant.strategy import Strategy


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def get(name: str) -> Strategy:
    """Raises UsageError naming those there are."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"no strategy {name!r}", hint=f"{meant}there are {', '.join(names())}")
    found: Strategy = importlib.import_module(f"{__name__}.{name}").STRATEGY
    return found
