"""Kernels as object files: kept, loaded and called with numpy's arrays, by llvmlite and ctypes alone.

A kernel is numba's machine code of a function that returns None, called as numba's own calls it (its `CPUCallConv`):
`int status(result*, error**, arguments...)`, where an array is seven numbers for one dimension (owner, parent, items,
bytes an item, address, then each length and each stride), a tuple what is in it, one after the other.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Kinds = tuple[Any, ...]
"""What a call is compiled for: of an array its dtype, dimensions and whether it can be written to, of a number its
type, of a tuple its class and what is in it."""
Values = list[int | float]
CHECK = 32
"""Bytes of a kept file that are the hash of the rest."""


class Code(NamedTuple):
    """An object file, and the function in it that is called."""

    symbol: str
    object: bytes


class Entry:
    """Machine code that is loaded; `engine` keeps it."""

    def __init__(self, address: int, kinds: Sequence[Any], engine: Any) -> None:
        self._engine = engine
        self._function = ctypes.CFUNCTYPE(ctypes.c_int32, *(2 * [ctypes.c_void_p]), *kinds)(address)

    def __call__(self, values: Values) -> None:
        """Without Python's lock. Raises RuntimeError when the code ends otherwise than by returning."""
        out = (ctypes.c_int64 * 2)()
        place = ctypes.addressof(out)
        if status := self._function(place, place + 8, *values):
            raise RuntimeError(f"a kernel ended with status {status}")


def flat(arguments: Sequence[Any]) -> tuple[Kinds, Values]:
    """What the arguments are, and the numbers that stand for them. Raises TypeError for what a kernel cannot take."""
    kinds, values = list[Any](), Values()
    for one in arguments:
        _add(one, kinds, values)
    return tuple(kinds), values


def _add(one: Any, kinds: list[Any], values: Values) -> None:
    if isinstance(one, np.ndarray):
        flags = one.flags
        if not flags.c_contiguous:
            raise TypeError("a kernel takes arrays that lie in one piece: numpy.ascontiguousarray makes one")
        kinds.append((one.dtype, one.ndim, flags.writeable))
        values += (0, 0, one.size, one.itemsize, one.__array_interface__["data"][0], *one.shape, *one.strides)
    elif isinstance(one, tuple):
        kinds.append((type(one), len(one)))
        for part in one:
            _add(part, kinds, values)
    elif isinstance(one, float):
        kinds.append(float)
        values.append(float(one))
    elif isinstance(one, int | np.integer):
        kinds.append(int)
        values.append(int(one))
    else:
        raise TypeError(f"a kernel takes arrays, tuples and numbers, not {type(one).__name__}")


def entry(folder: Path, name: str, kinds: Kinds, make: Callable[[], Code]) -> Entry:
    """The kernel for these kinds: kept in `folder`, or made and kept. What cannot be kept is used all the same."""
    path = folder / f"{name}-{_digest(kinds)}.kernel"
    code = _read(path)
    if code is None:
        code = make()
        _keep(path, code)
    engine, address = _loaded(code)
    return Entry(address, _passed(kinds), engine)


def made(numba: Any, dispatcher: Any, arguments: Sequence[Any]) -> Code:
    """Compiled for such arguments. Raises TypeError when the function returns something."""
    signature = tuple(_type(numba, one) for one in arguments)
    dispatcher.compile(signature)
    found = dispatcher.overloads[signature]
    if found.signature.return_type != numba.types.none:
        raise TypeError(f"{dispatcher.__name__} returns {found.signature.return_type}: a kernel fills what it is given")
    return Code(found.fndesc.llvm_func_name, found.library._get_compiled_object())


def _type(numba: Any, one: Any) -> Any:
    """Whole numbers of any kind are passed as int64, floats as float64."""
    if isinstance(one, float):
        return numba.float64
    return numba.int64 if isinstance(one, int | np.integer) else numba.typeof(one)


def _passed(kinds: Kinds) -> list[Any]:
    """ctypes of the numbers that `flat` gives."""
    found = list[Any]()
    for kind in kinds:
        if kind is float:
            found.append(ctypes.c_double)
        elif kind is int:
            found.append(ctypes.c_int64)
        elif isinstance(kind[0], np.dtype):
            found += [ctypes.c_int64] * (5 + 2 * kind[1])
    return found


def _digest(kinds: Kinds) -> str:
    """Of what a call is made of and of the processor, whose own instructions are used."""
    return hashlib.sha256(f"{_processor()} {_words(kinds)}".encode()).hexdigest()[:16]


def _words(kinds: Kinds) -> str:
    """Without addresses: a class by its name, a layout by its fields."""
    return repr([one if isinstance(one, type) else (_word(one[0]), *one[1:]) for one in kinds])


def _word(kind: Any) -> str:
    return repr(kind.descr) if isinstance(kind, np.dtype) else str(kind.__qualname__)


@cache
def _llvm() -> Any:
    llvm = importlib.import_module("llvmlite.binding")

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _processor() -> str:
    llvm = _llvm()
    return f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


def _loaded(code: Code) -> tuple[Any, int]:
    """As numba loads it: code models and relocation are those that it was made for."""
    llvm = _llvm()
    machine = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault", reloc="static", jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code.object))
    engine.finalize_object()
    return engine, engine.get_function_address(code.symbol)


def _read(path: Path) -> Code | None:
    """None where there is none, or not a whole one."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    check, rest = data[:CHECK], data[CHECK:]
    if hashlib.sha256(rest).digest() != check:
        return None
    symbol, _, found = rest.partition(b"\n")
    return Code(symbol.decode(), found)


def _keep(path: Path, code: Code) -> None:
    """All of it or nothing: other processes read and write here too."""
    rest = code.symbol.encode() + b"\n" + code.object
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(hashlib.sha256(rest).digest() + rest)
        os.replace(file.name, path)  # noqa: PTH105
    except OSError:
        return
