"""Real Debian 12 hosts for tests: `make_lab` boots one for the module that asks, `desk_for` seats somebody at it.

Their names hold this process's number, so that test runs beside each other do not meet. What a module booted goes when
it ends; `lab_host` and `deployed`, a Desk whose host has had its first deploy, stay for the session.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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


@contextmanager
def _hosts(machine: bool = False) -> Iterator[MakeLab]:
    """make("a") boots a fresh host, or returns the one it booted before under that name. They go at the end."""
    reason = refusal() or (vm.refusal() if machine else None)
    if reason:
        pytest.skip(f"this machine cannot run {'a machine with its own kernel' if machine else 'a lab'}: {reason}")

    def make(short: str) -> LabHost:
        made.callback(lab.down, name_of(short), say=lambda text: None)
        return lab.up(name_of(short), machine=machine, say=lambda text: None)

    with ExitStack() as made:
        yield make


@contextmanager
def _desks(make_lab: MakeLab, folders: pytest.TempPathFactory) -> Iterator[DeskFor]:
    """make("a") is a checkout and an inventory for the lab host "a", which is booted and still bare."""
    made: dict[str, Desk] = {}

    def make(short: str) -> Desk:
        if short not in made:
            folder: Path = folders.mktemp(short)
            made[short] = Desk(checkout(folder / "checkout"), make_lab(short), folder / "inventory.yaml")
            made[short].describe()
        return made[short]

    yield make
    for desk in made.values():
        desk.hang_up()


@pytest.fixture(scope="module")
def make_lab() -> Iterator[MakeLab]:
    with _hosts() as make:
        yield make


@pytest.fixture(scope="module")
def make_machine() -> Iterator[MakeLab]:
    """For hosts with a kernel of their own."""
    with _hosts(machine=True) as make:
        yield make


@pytest.fixture(scope="module")
def desk_for(make_lab: MakeLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFor]:
    with _desks(make_lab, tmp_path_factory) as make:
        yield make


@pytest.fixture(scope="session")
def lab_host() -> Iterator[LabHost]:
    """One booted host for every test that can share it."""
    with _hosts() as make:
        yield make("shared")


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A host that has had one deploy. Whoever changes something on it brings it back with another."""
    with _hosts() as make, _desks(make, tmp_path_factory) as desk_for:
        desk = desk_for("main")
        desk.first = desk.deploy()
        yield desk


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
