"""Reading a stranger's bytes: what is refused is refused wherever it stands, flat or nested."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import payload
from runtime.payload import Invalid, NotJson, Parsed

SECRET = "a-key-of-some-length"
_texts = st.text(max_size=8) | st.sampled_from(["\0", "\ud800", SECRET, f"x{SECRET}y", "é\n"])
_numbers = st.integers() | st.floats() | st.booleans() | st.none()
_values = st.recursive(_numbers | _texts, lambda inner: st.lists(inner) | st.dictionaries(_texts, inner), max_leaves=6)


def _every(value: Any) -> list[Any]:
    """Each name, text and number in it, at any depth."""
    if isinstance(value, dict):
        return [*value, *(one for item in value.values() for one in _every(item))]
    return [one for item in value for one in _every(item)] if isinstance(value, list) else [value]


@given(data=st.dictionaries(_texts, _values, max_size=4))
def test_only_finite_and_storable_objects_pass(data: dict[str, Any]) -> None:
    bad = [one for one in _every(data) if isinstance(one, float) and not math.isfinite(one)]
    bad += [one for one in _every(data) if isinstance(one, str) and ("\0" in one or "\ud800" in one)]
    if bad:
        with pytest.raises(Invalid):
            payload.check(Parsed(data, ()))
    else:
        assert payload.check(Parsed(data, ())) == data


@given(data=st.dictionaries(_texts, _values, max_size=4))
def test_a_secret_is_left_nowhere_and_nothing_else_changes(data: dict[str, Any]) -> None:
    cleaned = payload.redact(data, SECRET)
    assert SECRET not in repr(cleaned)
    if SECRET not in repr(data):
        assert repr(cleaned) == repr(data)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"a":1,"b":2}', ()),
        (b'{"a":1,"a":1}', ("a",)),
        (b'{"x":[{"b":1,"c":2,"b":3}],"d":1,"d":2,"d":3}', ("b", "d")),
        (b'\xef\xbb\xbf{"a":1}', ()),
    ],
)
def test_names_given_twice_are_known(body: bytes, names: tuple[str, ...]) -> None:
    assert payload.parse(body).repeated == names


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"{", b'{"a":1}x', b"\xff", b"\xef\xbb\xbf" * 2 + b"{}", b"[" * 60_000]
)
def test_what_is_not_one_object_is_not_json(body: bytes) -> None:
    with pytest.raises(NotJson):
        payload.parse(body)


def test_thousands_of_names_of_which_one_is_given_twice_cost_little() -> None:
    body = json.dumps({f"{number:x}": 0 for number in range(6000)}).encode()[:-1] + b',"0":1}'
    began = time.process_time()
    assert payload.parse(body).repeated == ("0",)
    assert time.process_time() - began < 0.5
