"""Taking kernels from numba's cache without first teaching numba everything that it could compile.

numba does that before it looks into its cache: 0.3 s that a command whose kernels are all there does not need. What
such code does need is the runtime that counts arrays. Its other helpers (strings, sets, dictionaries, linear algebra)
are not there, so a kernel that is loaded like this keeps to numbers, tuples and arrays, which ours do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core.runtime.nrt import rtsys


def quick(dispatcher: Any) -> Any:
    """The same function of numba's; one that has no such cache is left as it is."""
    cache: Any = getattr(dispatcher, "_cache", None)
    if all(hasattr(cache, name) for name in ("load_overload", "_load_overload", "_guard_against_spurious_io_errors")):
        cache.load_overload = _loading(cache, cache.load_overload)
    return dispatcher


def _loading(cache: Any, whole: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`whole` is numba's own: for what is not in the cache, and so will be compiled."""

    def load(signature: Any, context: Any) -> Any:
        rtsys.initialize(context)
        found = None
        with cache._guard_against_spurious_io_errors():
            found = cache._load_overload(signature, context)
        return whole(signature, context) if found is None else found

    return load
