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
    from ops.host_tasks import lab_urls
    from ops.lab import tasks

    tasks.lab_up(name, json=json, urls=lab_urls)


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
    from ops.host_tasks import lab_urls
    from ops.lab import tasks

    tasks.lab_info(name, json=json, urls=lab_urls)


HOST = {"host": "one host of inventory.yaml"}
WHICH = HOST | {"group": "every host of this group", "all": "every host that is not a lab's"}
ROLE = {"role": "only this role's resources"}


@task(help=WHICH | ROLE | JSON | {"plan": "change nothing: same as `./inv plan`", "diff": "show every diff"})
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
    from ops import host_tasks as hosts

    raise Exit(code=hosts.deploy(hosts.selected(host, group, all), role=role, plan=plan, diff=diff, json=json))


@task(help=WHICH | ROLE | JSON)
def plan(
    _: Context,
    host: str | None = None,
    group: str | None = None,
    all: bool = False,
    role: str | None = None,
    json: bool = False,
) -> None:
    """Show what a deploy would change, and what drifted; changes nothing, exits 2 if anything would"""
    from ops import host_tasks as hosts

    raise Exit(code=hosts.deploy(hosts.selected(host, group, all), role=role, plan=True, diff=True, json=json))


@task(help=WHICH | JSON)
def status(
    _: Context, host: str | None = None, group: str | None = None, all: bool = False, json: bool = False
) -> None:
    """Show what runs on hosts, how it answers, and what was last deployed"""
    from ops import host_tasks as hosts

    raise Exit(code=hosts.status(hosts.selected(host, group, all), json=json))


@task(
    help=HOST
    | {"unit": "only this unit", "lines": "how many of the last lines", "follow": "go on as lines are written"},
)
def logs(_: Context, host: str | None = None, unit: str | None = None, lines: int = 50, follow: bool = False) -> None:
    """Show the log of a host's services"""
    from ops import host_tasks as hosts

    raise Exit(code=hosts.logs(hosts.selected(host, None, False)[0], unit, lines, follow))


@task(name="test", help=HOST)
def alert_test(_: Context, host: str | None = None) -> None:
    """Send a TV_TEST alert through the real endpoint and show where it went"""
    from ops import host_tasks as hosts
    from ops.alert_test import alert_test as run

    run(hosts.selected(host, None, False)[0])


@task(name="trust", positional=["name"], help={"name": "the host", "fingerprint": "SHA256:..., once you compared it"})
def host_trust(_: Context, name: str, fingerprint: str | None = None) -> None:
    """Trust a host's SSH key after you compared its fingerprint"""
    from ops import host_tasks as hosts

    hosts.trust(name, fingerprint)


SECRET = {"name": "the secret's name", "host": "this host's own value (default: the one for all hosts)"}


@task(name="init")
def secrets_init(_: Context) -> None:
    """Make this machine's age key and the encrypted file; once"""
    from ops import secrets_tasks as tasks

    tasks.init()


@task(name="set", positional=["name"], help=SECRET)
def secrets_set(_: Context, name: str, host: str | None = None) -> None:
    """Keep a secret, encrypted; its value is asked for, or read from a pipe"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.set_(name, host, configs=configs())


@task(name="show", positional=["name"], help=SECRET)
def secrets_show(_: Context, name: str, host: str | None = None) -> None:
    """Print a secret's value and nothing else"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.show(name, host, configs=configs())


@task(name="list")
def secrets_list(_: Context) -> None:
    """List which secrets there are, where they are used, and which are unset"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.list_(configs=configs())


@task(name="edit", help={"host": "a lab host: its throwaway secrets"})
def secrets_edit(_: Context, host: str | None = None) -> None:
    """Open all secrets in $EDITOR; they are encrypted again when it closes"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.edit(host, configs=configs())


@task(
    name="rotate",
    positional=["name"],
    help=SECRET | {"value-from-stdin": "take the new value from a pipe", "identity": "a new age key for this machine"},
)
def secrets_rotate(
    _: Context, name: str | None = None, host: str | None = None, value_from_stdin: bool = False, identity: bool = False
) -> None:
    """Replace a secret by a new one, and say where it must be deployed"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.rotate(name, host, value_from_stdin=value_from_stdin, identity=identity, configs=configs())


@task(
    help={"only": "just pytest, with these arguments: --only 'tests/ops -k cli'"},
)
def test(_: Context, only: str = "") -> None:
    """Lint, type-check and test everything, installing what that needs"""
    from ops.testing import test as run

    run(only)


@task(help={"only": "just these: first payload noop far rivals redeploy"})
def bench(_: Context, only: str = "") -> None:
    """Measure deploys on a real host, beside pyinfra and Ansible"""
    from ops.bench import bench as run

    run(only)


lab = Collection("lab", lab_up, lab_down, lab_ssh, lab_info)
lab.__doc__ = "Lab: throwaway Debian 12 machines on this one"


host = Collection("host", host_trust)
host.__doc__ = "Hosts"

alert = Collection("alert", alert_test)
alert.__doc__ = "Alerts"

secrets = Collection("secrets", secrets_init, secrets_set, secrets_show, secrets_list, secrets_edit, secrets_rotate)
secrets.__doc__ = "Secrets: kept encrypted with age, never shown but by secrets.show"

namespace = Collection(deploy, plan, status, logs, test, bench, alert, host, secrets, lab)
namespace.__doc__ = "Project"
