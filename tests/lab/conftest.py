"""Real Debian 12 hosts for tests: `lab_host` is one for the whole session, `make_lab` gives more.

They have names of this process, so that two test runs on one machine do not meet, and go when the session ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from ops import lab
from ops.lab import LabHost
from ops.lab.root import refusal

MakeLab = Callable[[str], LabHost]


def name_of(short: str) -> str:
    return f"t-{os.getpid()}-{short}"


@pytest.fixture(scope="session")
def make_lab() -> Iterator[MakeLab]:
    """A factory: make_lab("a") boots a fresh host, or returns the one it booted before under that name."""
    reason = refusal()
    if reason:
        pytest.skip(f"this machine cannot run a lab: {reason}")
    made: set[str] = set()

    def make(short: str) -> LabHost:
        made.add(short)
        return lab.up(name_of(short), say=lambda text: None)

    yield make
    for short in made:
        lab.down(name_of(short), say=lambda text: None)


@pytest.fixture(scope="session")
def lab_host(make_lab: MakeLab) -> LabHost:
    """One booted host for every test that can share it."""
    return make_lab("shared")
