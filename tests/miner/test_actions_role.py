"""Root's units as the inventory writes them: what they may do is said there, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError

from ops.paths import ROOT
from ops.resources import AptPackages, Directory, Resource, Unit
from roles.monitor.actions import PLACE, ActionsConfig, resources
from tests.unit_kit import assert_hardened, needs_systemd


def config(**given: Any) -> ActionsConfig:
    return ActionsConfig.model_validate(given)


def rendered(c: ActionsConfig) -> str:
    loader = FileSystemLoader(ROOT / "templates/systemd")
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    return environment.get_template("miner-actions.service.j2").render(c=c)


def names(found: list[Resource], kind: type[Resource]) -> list[str]:
    return [one.name for one in found if isinstance(one, kind)]


def test_what_root_may_do_is_on_its_command_line() -> None:
    text = rendered(config(ports=["1-1.4", "3-2.*"], root_a_day=5))
    (line,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    assert line.endswith(
        "-P -m miner.actions.root --unit cgminer.service --restarts 5 --cycles 5 "
        "--uhubctl /usr/sbin/uhubctl --port 1-1.4 --port 3-2.*"
    )
    assert "--port" not in rendered(config())


@needs_systemd
def test_root_s_service_is_hardened(tmp_path: Path) -> None:
    path = tmp_path / "miner-actions.service"
    path.write_text(rendered(config(ports=["1-1.4"])))
    assert_hardened(path, 2)


def test_the_monitor_may_write_where_it_asks_and_not_where_it_is_answered() -> None:
    found = list(resources(config(ports=["1-1.4"])))
    places = {one.name: (one.owner, one.group, one.mode) for one in found if isinstance(one, Directory)}
    assert places == {
        PLACE: ("root", "root", 0o755),
        f"{PLACE}/requests": ("trading", "root", 0o770),
        f"{PLACE}/results": ("root", "root", 0o755),
    }
    assert names(found, AptPackages) == ["uhubctl"]
    assert names(found, Unit) == ["miner-actions.service", "miner-actions.path"]


def test_a_host_that_wants_none_of_it_has_no_such_unit() -> None:
    found = list(resources(config(enabled=False)))
    assert names(found, Unit) == names(found, Directory) == []
    assert names(list(resources(config())), AptPackages) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"ports": ["1"]},
        {"ports": ["1-1.4 --force"]},
        {"ports": ["*"]},
        {"unit": "cgminer"},
        {"unit": "../x.service"},
        {"uhubctl": "uhubctl"},
        {"miner": {"heal": True, "between_s": 1}},
        {"miner": {"hael": True}},
        {"root_a_day": 0},
    ],
)
def test_a_setting_that_is_wrong_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)
