"""JSON text, cheaply: the standard encoder makes its fast half anew for each value, which costs most of the time."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder
from typing import Any


def encode(*, ascii_only: bool, compact: bool = False) -> Callable[[Any], str]:
    """What `json.JSONEncoder(allow_nan=False).encode` writes. The result raises ValueError on what is not finite,
    TypeError on what JSON has no form for, RecursionError on what contains itself.

    `ascii_only`: escapes for all other characters; `compact`: no blanks between things.
    """
    separators = (",", ":") if compact else (", ", ": ")
    plain = json.JSONEncoder(ensure_ascii=ascii_only, allow_nan=False, separators=separators, check_circular=False)
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:  # a Python without the module in C
        return plain.encode
    escaped = getattr(encoder, "encode_basestring_ascii" if ascii_only else "encode_basestring")
    comma, colon = separators
    fast: Any = make(None, plain.default, escaped, None, colon, comma, False, False, False)
    return lambda value: "".join(fast(value, 0))
