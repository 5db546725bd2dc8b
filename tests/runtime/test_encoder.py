"""JSON as the standard library writes it, character for character."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.encoder import encode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans(), st.booleans())
def test_it_writes_what_the_standard_library_writes(value: Any, ascii_only: bool, compact: bool) -> None:
    separators = (",", ":") if compact else None
    wanted = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, separators=separators)
    assert encode(ascii_only=ascii_only, compact=compact)(value) == wanted


@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_is_no_json_is_refused_and_spoils_nothing(ascii_only: bool) -> None:
    write = encode(ascii_only=ascii_only)
    for value, error in ((math.nan, ValueError), ({"a": [math.inf]}, ValueError), ({"a": object()}, TypeError)):
        with pytest.raises(error):
            write(value)
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(RecursionError):
        write(loop)
    assert write({"é": [1, 2.5, None]}) == json.dumps({"é": [1, 2.5, None]}, ensure_ascii=ascii_only)
