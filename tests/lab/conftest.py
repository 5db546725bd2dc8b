"""Real Debian 12 hosts for tests: `lab_host` is one for the whole session, `make_lab` gives more.

They have names of this process, so that two test runs on one machine do not meet, and go when the session ends.
`deployed` is a Desk whose host has had its first deploy; `desk_for` makes one for any other lab host.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops import lab
from ops.lab import LabHost, vm
from ops.lab.net import GATEWAY
from ops.lab.root import refusal
from tests.fakes.telegram import Telegram
from tests.lab.kit import Desk, checkout

MakeLab = Callable[[str], LabHost]
DeskFor = Callable[[str], Desk]


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
def make_machine() -> Iterator[MakeLab]:
    """Like make_lab, for hosts with a kernel of their own."""
    reason = refusal() or vm.refusal()
    if reason:
        pytest.skip(f"this machine cannot run a lab host with its own kernel: {reason}")
    made: set[str] = set()

    def make(short: str) -> LabHost:
        made.add(short)
        return lab.up(name_of(short), machine=True, say=lambda text: None)

    yield make
    for short in made:
        lab.down(name_of(short), say=lambda text: None)


@pytest.fixture(scope="session")
def lab_host(make_lab: MakeLab) -> LabHost:
    """One booted host for every test that can share it."""
    return make_lab("shared")


@pytest.fixture(scope="session")
def desk_for(make_lab: MakeLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFor]:
    """A factory: desk_for("a") is a checkout and an inventory for the lab host "a", which is booted and still bare."""
    made: dict[str, Desk] = {}

    def make(short: str) -> Desk:
        if short not in made:
            folder: Path = tmp_path_factory.mktemp(short)
            made[short] = Desk(checkout(folder / "checkout"), make_lab(short), folder / "inventory.yaml")
            made[short].describe()
        return made[short]

    yield make
    for desk in made.values():
        desk.hang_up()


@pytest.fixture(scope="session")
def deployed(desk_for: DeskFor) -> Desk:
    """A host that has had one deploy. Whoever changes something on it brings it back with another."""
    desk = desk_for("main")
    desk.first = desk.deploy()
    return desk


@pytest.fixture(scope="module")
def desk(deployed: Desk) -> Desk:
    """The host that modules share, as its usual inventory describes it. A module that needs its own overrides this."""
    deployed.usual()
    deployed.settles()
    return deployed


@pytest.fixture(scope="module")
def telegram(request: pytest.FixtureRequest, make_lab: MakeLab) -> Iterator[Telegram]:
    """Where lab hosts reach it: the bridge has its address once the module's host, LAB, was made."""
    made = make_lab(request.module.LAB)
    assert made.address.rpartition(".")[0] == GATEWAY.rpartition(".")[0]
    fake = Telegram(host=GATEWAY).start()
    yield fake
    fake.stop()
