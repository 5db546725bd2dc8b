"""One exchange's class out of ccxt.

ccxt's own `__init__` imports every exchange it knows: 5 s the first time and 0.8 s afterwards, against 1.5 s and 0.6 s
for one. So the package is put into place without running it while the one class is imported, and taken away again:
whoever says `import ccxt` later still gets all of it.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from quant.errors import ExchangeFailed, UsageError

NO_EXCHANGES = frozenset({"abstract", "async_support", "base", "pro", "static_dependencies", "test"})
INSTALL = "it comes with the extra `quant`: run the command as ./inv quant.fetch"


def load(name: str) -> Any:
    """The class of exchange `name`. Raises UsageError with the nearest names."""
    if name not in names():
        near = difflib.get_close_matches(name.lower(), names(), 3)
        raise UsageError(
            f"ccxt knows no exchange {name!r}",
            hint=f"did you mean {', '.join(near)}?" if near else "binance, binanceusdm, bybit, bitget, okx, ...",
        )
    return getattr(module(name), name)


def module(name: str) -> ModuleType:
    """`ccxt.NAME`, without the rest of ccxt."""
    with _without_the_rest():
        return importlib.import_module(f"ccxt.{name}")


@cache
def errors() -> ModuleType:
    """ccxt's exceptions."""
    return module("base.errors")


@cache
def names() -> tuple[str, ...]:
    """Every exchange of this ccxt, by its files."""
    found = pkgutil.iter_modules(_package().__path__)
    return tuple(sorted(one.name for one in found if one.name not in NO_EXCHANGES))


def _package() -> ModuleType:
    spec = importlib.util.find_spec("ccxt")
    if spec is None:
        raise ExchangeFailed("ccxt is not installed", hint=INSTALL)
    return importlib.util.module_from_spec(spec)


@contextmanager
def _without_the_rest() -> Iterator[None]:
    if "ccxt" in sys.modules:
        yield
        return
    sys.modules["ccxt"] = _package()
    try:
        yield
    finally:
        del sys.modules["ccxt"]
