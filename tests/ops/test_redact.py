"""No secret survives in anything shown."""

from __future__ import annotations

import base64
import io
import json
import logging
import shlex
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.redact import RedactedStream, RedactingFilter, Redactor, redact_obj

NASTY = "p\"a\\ss'w&r d/é+\t=~"
# Quotes and dashes of our own labels are left out: a label is not a leak.
SECRETS = st.text(st.characters(exclude_characters="‹›…", exclude_categories=["Cs"]), min_size=6, max_size=24)
NESTED = st.recursive(
    st.text(max_size=10) | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "shown",
    [
        NASTY,
        json.dumps({"key": NASTY}),
        json.dumps({"key": NASTY}, ensure_ascii=False),
        f"https://host/tv?key={quote(NASTY)}",
        f"https://host/tv?key={quote(NASTY, safe='')}",
        f"https://host/tv?key={quote_plus(NASTY)}",
        f"KEY={shlex.quote(NASTY)} program",
        f"export KEY='{NASTY.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'",
        repr({"key": NASTY}),
        base64.b64encode(NASTY.encode()).decode(),
        base64.urlsafe_b64encode(NASTY.encode()).decode().rstrip("="),
    ],
)
def test_a_secret_is_seen_in_the_forms_output_gives_it(shown: str) -> None:
    assert "‹secret:key›" in Redactor({"key": NASTY})(shown)


@pytest.mark.parametrize("user", ["a", "ab", "abc"])
def test_a_basic_auth_header_is_seen(user: str) -> None:
    secret = "correct-horse-battery"
    header = base64.b64encode(f"{user}:{secret}:x".encode()).decode()
    hidden = Redactor({"key": secret})(f"Authorization: Basic {header}")
    left = hidden.partition("Basic ")[2].replace("‹secret:key›", "")
    assert "‹secret:key›" in hidden
    assert len(left) <= len(header) - len(secret)


def test_a_secret_inside_another_is_named_by_the_longer_one() -> None:
    redact = Redactor({"short": "abcdef", "long": "abcdefghi"})
    assert redact("abcdefghi abcdef") == "‹secret:long› ‹secret:short›"


def test_each_line_of_a_key_is_hidden_in_a_diff() -> None:
    redact = Redactor({"pem": "-----BEGIN-----\nAAAABBBB\nCCCCDDDD\n"})
    assert redact("+AAAABBBB\n+CCCCDDDD") == "+‹secret:pem›\n+‹secret:pem›"


def test_short_values_and_ordinary_text_stay() -> None:
    assert Redactor({"pin": "1234", "none": ""})("at 12:34, pin 1234") == "at 12:34, pin 1234"


@given(secrets=st.lists(SECRETS, min_size=1, max_size=3), shape=NESTED, data=st.data())
def test_no_secret_survives_in_any_nested_structure(secrets: list[str], shape: Any, data: st.DataObject) -> None:
    named = {f"n{i}": secret for i, secret in enumerate(secrets)}
    value = plant(shape, secrets, data)
    hidden = redact_obj(named, value)
    left = list(strings(hidden))
    assert not [secret for secret in secrets for text in left if secret in text]


@given(secret=SECRETS, before=st.text(max_size=5), after=st.text(max_size=5))
def test_no_secret_survives_in_json(secret: str, before: str, after: str) -> None:
    hidden = Redactor({"n": secret})(json.dumps({"x": before + secret + after}))
    assert secret not in hidden
    try:
        shown = json.loads(hidden)["x"]
    except ValueError:  # a secret of digits can hide part of an escape; what reads JSON gets `Redactor.obj` instead
        return
    assert secret not in shown


def plant(shape: Any, secrets: list[str], data: st.DataObject) -> Any:
    if isinstance(shape, str):
        return shape + data.draw(st.sampled_from(secrets)) + shape
    if isinstance(shape, list):
        return [plant(inner, secrets, data) for inner in shape]
    if isinstance(shape, dict):
        return {plant(key, secrets, data): plant(inner, secrets, data) for key, inner in shape.items()}
    return shape


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    if isinstance(value, (list, tuple)):
        return [text for inner in value for text in strings(inner)]
    return [str(value)]


def test_numbers_and_tuples_are_seen_too() -> None:
    assert redact_obj({"id": "1234567"}, {"a": (1234567, 12345678.5, True)}) == {
        "a": ("‹secret:id›", "‹secret:id›8.5", True)
    }


def test_a_stream_sees_a_secret_written_in_two_halves() -> None:
    target = io.StringIO()
    stream = RedactedStream(target, Redactor({"key": "hunter2hunter2"}))
    stream.write("the key is hunter2")
    assert target.getvalue() == ""
    stream.write("hunter2\nnext")
    assert target.getvalue() == "the key is ‹secret:key›\n"
    stream.flush()
    assert target.getvalue().endswith("next")
    assert not stream.isatty()


def test_a_log_record_carries_no_secret_in_message_arguments_or_traceback() -> None:
    target = io.StringIO()
    handler = logging.StreamHandler(target)
    handler.addFilter(RedactingFilter(Redactor({"key": "hunter2hunter2"})))
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        raise ValueError("hunter2hunter2")
    except ValueError:
        log.exception("refused %s", "hunter2hunter2")
    assert "hunter2" not in target.getvalue()
    assert "refused ‹secret:key›" in target.getvalue()
