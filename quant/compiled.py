"""Machine code: made by numba when it is needed first, kept, and taken up again without numba.

Importing numba and teaching it what it can compile takes half a second, most of what a command has to do whose kernels
are all there. So it is imported when something must be compiled, and `quant.native` loads what was kept.

What is kept lies in a folder that is named by the contents of every file that imports this module, so a change in any
of them makes a new one. Hence the rule: what a kernel calls, and the constants it uses, stand in files that import this
module.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache, cached_property, update_wrapper
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar, cast

from quant import native, places

F = TypeVar("F", bound=Callable[..., Any])


@cache
def code_version() -> str:
    """16 hex digits of quant's own sources and of what compiles them: part of what a run is."""
    return _digest(sources())


@cache
def sources() -> dict[str, bytes]:
    """Every file of the package by its path in it."""
    return {
        path.relative_to(places.PACKAGE).as_posix(): path.read_bytes() for path in sorted(places.PACKAGE.rglob("*.py"))
    }


@cache
def folder() -> Path:
    """Where machine code is kept: in the checkout's cache; elsewhere where NUMBA_CACHE_DIR says (units set it), else
    among temporary files."""
    kernels = {
        name: text for name, text in sources().items() if b"quant.compiled import" in text or name == "native.py"
    }
    return _root() / _digest(kernels)


def _root() -> Path:
    root = places.PACKAGE.parent
    if (root / "inventory.yaml").exists():
        return root / ".cache/numba"
    from runtime.settings import environment  # 60 ms that a checkout does without

    return Path(environment().get("NUMBA_CACHE_DIR") or Path(tempfile.gettempdir()) / "quant-numba")


def _digest(files: dict[str, bytes]) -> str:
    found = hashlib.sha256(f"{version('numba')} {sys.version_info[:2]}".encode())
    for name, text in files.items():
        found.update(name.encode() + b"\0" + text)
    return found.hexdigest()[:16]


@cache
def _numba() -> Any:
    """numba, which takes our functions for its own and keeps its code in our folder."""
    import numba
    from numba.core import config
    from numba.extending import typeof_impl

    vars(config)["CACHE_DIR"] = str(folder())
    typeof_impl.register(Compiled)(lambda value, c: typeof_impl(value.dispatcher, c))
    return numba


class Compiled:
    """A function for numba, which sees it when it is called, or when what calls it is compiled."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        update_wrapper(self, function)
        self._function = function
        self._options = {"nogil": True, "error_model": "numpy"} | options

    @cached_property
    def dispatcher(self) -> Any:
        """numba's own."""
        made = _numba().njit(**self._options)(self._function)
        if not self._options.get("cache"):
            return made
        from quant.quick import quick

        return quick(made)

    def __call__(self, *arguments: Any) -> Any:
        return self.dispatcher(*arguments)


class Laid:
    """A kernel's arguments as its machine code takes them, for calls that have them in common."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments  # so that the arrays stay where they are
        self.kinds, values = native.flat(arguments)
        self.packed = struct.pack(native.form(self.kinds), *values)


class Kernel(Compiled):
    """Called without numba (`quant.native`): it fills the arrays that it is given, and returns nothing."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, **ALONE)
        self._entries: dict[native.Kinds, native.Entry] = {}

    def __call__(self, *arguments: Any) -> None:
        kinds, values = native.flat(arguments)
        entry = self._entry(kinds, arguments)
        entry(entry.pack(*values))

    def together(self, each: Iterable[Laid], last: Laid) -> None:
        """See `together`."""
        for kinds, alike in groupby(each, lambda one: one.kinds):
            calls = list(alike)
            entry = self._entry(kinds + last.kinds, calls[0].arguments + last.arguments)
            entry(b"".join([packed for one in calls for packed in (one.packed, last.packed)]), len(calls))

    def _entry(self, kinds: native.Kinds, arguments: tuple[Any, ...]) -> native.Entry:
        if (found := self._entries.get(kinds)) is None:
            name = f"{self.__module__}.{self.__qualname__}"  # type: ignore[attr-defined]
            made = native.entry(folder(), name, kinds, lambda: native.made(_numba(), self.dispatcher, arguments))
            found = self._entries[kinds] = made
        return found


def together(kernel: Callable[..., None], each: Iterable[Laid], last: Laid) -> None:
    """`kernel`, which is `compiled_lean`, with each of `each` and then `last` as its arguments, one after the other:
    Python takes its time once for all of them."""
    assert isinstance(kernel, Kernel)  # noqa: S101 - a decorator that keeps a function's type hides what it makes
    kernel.together(each, last)


def compiled(function: F) -> F:
    """Machine code at its first call, kept for the next process. Exact: no reordering of floating-point sums.

    Without Python's lock, so threads run side by side; a division by zero gives inf or nan, as in numpy.
    """
    return cast(F, Compiled(function, cache=True))


def compiled_lean(function: F) -> F:
    """As `compiled`, for what allocates and returns nothing: called and loaded without numba."""
    return cast(F, Kernel(function))


def part(function: F) -> F:
    """What such functions alone call: with no way in from Python and no cache of its own it compiles faster."""
    return cast(F, Compiled(function, **ALONE))


def part_inlined(function: F) -> F:
    """The same, put where it is called: for loops, which take many arrays."""
    return cast(F, Compiled(function, forceinline=True, **ALONE))


ALONE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
