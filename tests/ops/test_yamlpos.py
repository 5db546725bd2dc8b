"""What YAML lets pass and nobody means."""

from __future__ import annotations

import pytest

from ops.yamlpos import parse, spell


def test_every_value_knows_its_line() -> None:
    document = parse("a:\n  - one\n  - b: 2\n    c: [3,\n      4]\n", "x.yaml")
    assert document.data == {"a": ["one", {"b": 2, "c": [3, 4]}]}
    assert document.line(("a", 1, "c")) == 4
    assert document.line(("a", 1, "c", 1)) == 5
    assert document.line(("a", 1, "c", "missing", "deeper")) == 4


def test_a_date_stays_the_text_that_was_written() -> None:
    assert parse("since: 2026-02-01", "x.yaml").data == {"since": "2026-02-01"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &x [*x]", "x.yaml:1 a[0]: an alias stands inside its own anchor; write the value out"),
        (
            "a: !!python/name:os.system",
            "x.yaml:1 a: tag:yaml.org,2002:python/name:os.system has no meaning here; write a plain value",
        ),
        ("3: a", 'x.yaml:1: YAML reads the key 3 as something other than text; quote it: "3"'),
        ("b:\n  [1]: a", "x.yaml:2 b: a key must be one word, not a list or a mapping"),
        (
            "a:\n\tb: 1",
            "x.yaml:2: this is not YAML: found character that cannot start any token (column 1); "
            "indent with spaces, not tabs",
        ),
        ("a: 1\n---\nb: 2", "x.yaml:2: this is not YAML: but found another document (column 1)"),
        ("a: \0", "x.yaml:1: this is not YAML: unacceptable character #x0000: control characters are not allowed"),
    ],
)
def test_a_trap_is_told(text: str, problem: str) -> None:
    assert parse(text, "x.yaml").problems() == [problem]


def test_an_anchor_is_a_value_written_twice() -> None:
    document = parse("a: &x {b: 1}\nc: *x\n", "x.yaml")
    assert document.data["c"] == {"b": 1}
    assert document.problems() == []


def test_a_path_reads_as_in_the_file() -> None:
    assert spell(("hosts", "my.host", "roles", 1)) == 'hosts."my.host".roles[1]'
