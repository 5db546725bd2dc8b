"""Kernels as object files: kept, loaded and called with numpy's arrays, by llvmlite and ctypes alone.

A kernel is numba's machine code of a function that returns None, called as numba's own calls it (its `CPUCallConv`):
`int status(result*, error**, arguments...)`, where an array is seven numbers for one dimension (owner, parent, items,
bytes an item, address, then each length and each stride), a tuple what is in it, one after the other.

These are a hundred numbers and more, and ctypes takes its time for each. So they are packed, 8 bytes each, and a second
object file has the function that takes their address and calls the kernel with them, several times if it is asked to.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import struct
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Kinds = tuple[Any, ...]
"""What a call is compiled for: of an array its dtype, dimensions and whether it can be written to, of a number its
type, of a tuple its class and what is in it."""
Values = list[int | float]
CHECK = 32
"""Bytes of a kept file that are the hash of the rest."""


class Code(NamedTuple):
    """The kernel's object file, and that of the function that is called with packed numbers (WAY_IN)."""

    kernel: bytes
    way_in: bytes


class Entry:
    """Machine code that is loaded."""

    def __init__(self, code: Code, form: str) -> None:
        self._engine, address = _loaded(code)  # the code is there as long as its engine
        self._function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_int64)(address)
        self.pack = struct.Struct(form).pack

    def __call__(self, packed: bytes, times: int = 1) -> None:
        """Called `times` times, with the numbers that follow one another, without Python's lock.

        Raises RuntimeError when the code ends otherwise than by returning.
        """
        if status := self._function(packed, times):
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
        values += (0, 0, one.size, one.itemsize, _address(one), *one.shape, *one.strides)
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


def _address(array: NDArray[Any]) -> int:
    """Of its first item. numpy's interface is the faster way, but for rows with fields it describes each of them."""
    if array.dtype.names:
        return int(array.ctypes.data)
    return int(array.__array_interface__["data"][0])


def form(kinds: Kinds) -> str:
    """How `struct` packs the numbers that stand for such arguments."""
    found = ""
    for kind in kinds:
        if kind is float:
            found += "d"
        elif kind is int:
            found += "q"
        elif isinstance(kind[0], np.dtype):
            found += "q" * (5 + 2 * kind[1])
    return found


def entry(folder: Path, name: str, kinds: Kinds, make: Callable[[], Code]) -> Entry:
    """The kernel for these kinds: kept in `folder`, or made and kept. What cannot be kept is used all the same."""
    path = folder / f"{name}-{_digest(kinds)}.kernel"
    code = _read(path)
    if code is None:
        code = make()
        _keep(path, code)
    return Entry(code, form(kinds))


def made(numba: Any, dispatcher: Any, arguments: Sequence[Any]) -> Code:
    """Compiled for such arguments. Raises TypeError when the function returns something."""
    signature = tuple(_type(numba, one) for one in arguments)
    dispatcher.compile(signature)
    found = dispatcher.overloads[signature]
    if found.signature.return_type != numba.types.none:
        raise TypeError(f"{dispatcher.__name__} returns {found.signature.return_type}: a kernel fills what it is given")
    kernel = found.fndesc.llvm_func_name
    text = _way_in(kernel, form(flat(arguments)[0]))
    return Code(found.library._get_compiled_object(), _machine().emit_object(_llvm().parse_assembly(text)))


WAY_IN = "kernel_of_packed_numbers"


def _way_in(kernel: str, form: str) -> str:
    """LLVM's language: of each call's numbers, one after the other, load them and call."""
    kinds = [{"q": "i64", "d": "double"}[one] for one in form]
    loads = "\n".join(
        f"%p{i} = getelementptr i64, ptr %at, i64 {i}\n%v{i} = load {kind}, ptr %p{i}" for i, kind in enumerate(kinds)
    )
    given = ", ".join(["ptr %result", "ptr %error", *(f"{kind} %v{i}" for i, kind in enumerate(kinds))])
    return f"""
declare i32 @"{kernel}"({", ".join(["ptr", "ptr", *kinds])})
define i32 @{WAY_IN}(ptr %packed, i64 %times) {{
begin:
%result = alloca ptr
%error = alloca ptr
br label %call
call:
%left = phi i64 [%times, %begin], [%fewer, %well]
%at = phi ptr [%packed, %begin], [%next, %well]
{loads}
%status = call i32 @"{kernel}"({given})
%failed = icmp ne i32 %status, 0
br i1 %failed, label %end, label %well
well:
%fewer = sub i64 %left, 1
%next = getelementptr i64, ptr %at, i64 {len(kinds)}
%done = icmp eq i64 %fewer, 0
br i1 %done, label %end, label %call
end:
ret i32 %status
}}
"""


def _type(numba: Any, one: Any) -> Any:
    """Whole numbers of any kind are passed as int64, floats as float64."""
    if isinstance(one, float):
        return numba.float64
    return numba.int64 if isinstance(one, int | np.integer) else numba.typeof(one)


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


def _machine() -> Any:
    """As numba's: code models and relocation are those that kernels are made for."""
    target = _llvm().Target.from_default_triple()
    return target.create_target_machine(codemodel="jitdefault", reloc="static", jit=True)


def _loaded(code: Code) -> tuple[Any, int]:
    llvm = _llvm()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    for one in (code.kernel, code.way_in):
        engine.add_object_file(llvm.ObjectFileRef.from_data(one))
    engine.finalize_object()
    return engine, engine.get_function_address(WAY_IN)


def _read(path: Path) -> Code | None:
    """None where there is none, or not a whole one."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    check, rest = data[:CHECK], data[CHECK:]
    if hashlib.sha256(rest).digest() != check:
        return None
    size, _, found = rest.partition(b"\n")
    return Code(found[: int(size)], found[int(size) :])


def _keep(path: Path, code: Code) -> None:
    """All of it or nothing: other processes read and write here too."""
    rest = f"{len(code.kernel)}\n".encode() + code.kernel + code.way_in
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(hashlib.sha256(rest).digest() + rest)
        os.replace(file.name, path)  # noqa: PTH105
    except OSError:
        return
