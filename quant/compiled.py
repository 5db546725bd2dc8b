"""numba, with two things set right: a cache that knows all our kernels, and types that mypy can follow.

numba's own cache looks at the time of one file: a kernel that calls another file's function would go on with the old
one. Here the cache's folder is named by the contents of every file that imports this module, so a change in any of them
makes a new one. Hence the rule: what a kernel calls, and the constants it uses, stand in files that import this module.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config

from quant import places
from quant.quick import quick

F = TypeVar("F", bound=Callable[..., Any])


@cache
def code_version() -> str:
    """16 hex digits of quant's own sources and of what compiles them: part of what a run is."""
    return _digest(sources())


def sources() -> dict[str, bytes]:
    """Every file of the package by its path in it."""
    return {
        path.relative_to(places.PACKAGE).as_posix(): path.read_bytes() for path in sorted(places.PACKAGE.rglob("*.py"))
    }


def _kernels() -> str:
    return _digest({name: text for name, text in sources().items() if b"quant.compiled import" in text})


def _digest(files: dict[str, bytes]) -> str:
    found = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]}".encode())
    for name, text in files.items():
        found.update(name.encode() + b"\0" + text)
    return found.hexdigest()[:16]


def _folder() -> Path:
    """In the checkout's cache; elsewhere where NUMBA_CACHE_DIR says (units set it), else among temporary files."""
    root = places.PACKAGE.parent
    if (root / "inventory.yaml").exists():
        return root / ".cache/numba"
    return Path(vars(config)["CACHE_DIR"] or Path(tempfile.gettempdir()) / "quant-numba")


vars(config)["CACHE_DIR"] = str(_folder() / _kernels())


def compiled(function: F) -> F:
    """Machine code at its first call, kept for the next process. Exact: no reordering of floating-point sums.

    Without Python's lock, so threads run side by side; a division by zero gives inf or nan, as in numpy.
    """
    return cast(F, quick(numba.njit(cache=True, nogil=True, error_model="numpy")(function)))


def compiled_lean(function: F) -> F:
    """As `compiled`, for what allocates nothing: arrays are then not counted as in use, which costs a call's time."""
    return cast(F, quick(numba.njit(cache=True, nogil=True, error_model="numpy", **LEAN)(function)))


def part(function: F) -> F:
    """What such functions alone call: with no way in from Python and no cache of its own it compiles faster."""
    return cast(F, numba.njit(nogil=True, error_model="numpy", **ALONE)(function))


def part_inlined(function: F) -> F:
    """The same, put where it is called: for loops, which take many arrays."""
    return cast(F, numba.njit(nogil=True, error_model="numpy", forceinline=True, **ALONE)(function))


LEAN: dict[str, Any] = {"_nrt": False, "no_cfunc_wrapper": True}
ALONE: dict[str, Any] = {"no_cpython_wrapper": True, **LEAN}


def compiled_parallel(function: F) -> F:
    """The same over `prange`, for loops whose turns do not know of each other."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", parallel=True)(function))
