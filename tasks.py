"""Everything this project can do"""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit

from ops.cli import task

NAME = {"name": "which lab host (default: lab)"}
JSON = {"json": "one JSON object on stdout, for scripts"}


@task(name="up", help=NAME | JSON)
def lab_up(_: Context, name: str = "lab", json: bool = False) -> None:
    """Boot a real Debian 12 machine here, making it first if there is none"""
    from ops.lab import tasks

    tasks.lab_up(name, json=json)


@task(name="down", help=NAME | {"all": "every lab host of this checkout"})
def lab_down(_: Context, name: str = "lab", all: bool = False) -> None:
    """Stop a lab host and remove everything of it"""
    from ops.lab import tasks

    tasks.lab_down(name, all=all)


@task(name="ssh", help=NAME | {"command": "run this instead of a shell"})
def lab_ssh(_: Context, name: str = "lab", command: str | None = None) -> None:
    """Open a shell on a lab host"""
    from ops.lab import tasks

    tasks.lab_ssh(name, command)


@task(name="info", help=NAME | JSON)
def lab_info(_: Context, name: str = "lab", json: bool = False) -> None:
    """Show how to reach a lab host and its services"""
    from ops.lab import tasks

    tasks.lab_info(name, json=json)


WHICH = {
    "host": "one host of inventory.yaml",
    "group": "every host of this group",
    "all": "every host that is not a lab's",
    "role": "only this role's resources",
}


@task(help=WHICH | JSON | {"plan": "change nothing, show what would change; exits 2 then", "diff": "show every diff"})
def deploy(
    _: Context,
    host: str | None = None,
    group: str | None = None,
    all: bool = False,
    role: str | None = None,
    plan: bool = False,
    diff: bool = False,
    json: bool = False,
) -> None:
    """Bring hosts to the state that inventory.yaml and their roles describe"""
    from ops import host_tasks

    raise Exit(code=host_tasks.deploy(host_tasks.selected(host, group, all), role=role, plan=plan, diff=diff, json=json))


@task(
    help={"only": "just pytest, with these arguments: --only 'tests/ops -k cli'"},
)
def test(_: Context, only: str = "") -> None:
    """Lint, type-check and test everything, installing what that needs"""
    from ops.testing import test as run

    run(only)


lab = Collection("lab", lab_up, lab_down, lab_ssh, lab_info)
lab.__doc__ = "Lab: throwaway Debian 12 machines on this one"

namespace = Collection(deploy, test, lab)
namespace.__doc__ = "Project"
