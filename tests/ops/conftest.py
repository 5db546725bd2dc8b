"""Stand-in roles, a machine with its own identity, and an inventory written on the spot."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import Field

from ops import paths
from ops.inventory import Inventory, load
from ops.role_config import RoleConfig, Secret


class Base(RoleConfig):
    timezone: str
    firewall: bool = False


class Webhook(RoleConfig):
    port: int = Field(8000, ge=1024, le=65535)
    listen: str = "127.0.0.1"
    webhook_key: Secret
    ops_key: Secret


class Perf(RoleConfig):
    port: int = Field(8010, ge=1024, le=65535)
    parquet: bool = False
    listen: str = "127.0.0.1"
    token: Secret


class Monitor(RoleConfig):
    port: int = Field(8020, ge=1024, le=65535)
    listen: str = "127.0.0.1"
    ops_key: Secret


CONFIGS: dict[str, type[RoleConfig]] = {"base": Base, "webhook": Webhook, "perf": Perf}
PROJECT = CONFIGS | {"monitor": Monitor}
"""Of the roles that the project's own inventory has."""


@pytest.fixture
def configs() -> dict[str, type[RoleConfig]]:
    return CONFIGS


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Inventory]:
    """Load an inventory from its text."""

    def read(text: str) -> Inventory:
        path = tmp_path / "inventory.yaml"
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return load(path, CONFIGS)

    return read


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine nothing was set up on: its own home, an empty project."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("TRADING_OPS_AGE_KEY", "TRADING_OPS_AGE_KEY_FILE", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(paths, "SECRETS", project / "secrets.age")
    monkeypatch.setattr(paths, "RECIPIENTS", project / "secrets.recipients")
    monkeypatch.setattr(paths, "LAB", project / ".lab")
    monkeypatch.setattr(paths, "INVENTORY", project / "inventory.yaml")
    return project
