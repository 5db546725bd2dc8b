"""What `./inv lab.*` do. Results go to stdout, progress to stderr, so that `--json` can be piped."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NoReturn

from ops import lab
from ops.errors import LabError, SecretsError
from ops.lab import LabHost

Urls = Callable[[str], Mapping[str, str]]


def no_urls(_: str) -> Mapping[str, str]:
    return {}


def lab_up(name: str = "lab", *, machine: bool = False, json: bool = False, urls: Urls = no_urls) -> None:
    """Makes and boots the host, then shows what `lab_info` shows. `machine`: one with a kernel of its own."""
    _show(lab.up(name, machine=machine, say=progress), json, urls(name))


def lab_info(name: str = "lab", *, json: bool = False, urls: Urls = no_urls) -> None:
    """How to reach the host; LabError if it is not running."""
    _show(_running(name), json, urls(name))


def lab_down(name: str = "lab", *, all: bool = False) -> None:
    """Removes the host, or every host of this checkout, and its secrets; it is no failure when there is none."""
    gone = [host.name for host in lab.hosts()] if all else [name]
    if all:
        lab.down_all(say=progress)
    elif not lab.down(name, say=progress):
        progress(f"there is no lab host {name}")
    from ops.secrets import lab_vault

    with suppress(SecretsError):  # a vault that this machine cannot read is told by the next deploy, with what to do
        lab_vault().forget(gone)  # the next host under this name gets new ones


def lab_ssh(name: str = "lab", command: str | None = None) -> NoReturn:
    """Becomes an OpenSSH client on the host: a shell, or one command whose exit status becomes ours."""
    arguments = ssh_command(_running(name), command)
    sys.stdout.flush()
    try:
        os.execvp(arguments[0], arguments)  # noqa: S606  (no shell is the point)
    except FileNotFoundError:
        raise LabError("ssh is not installed", hint="apt-get install openssh-client") from None


def ssh_command(host: LabHost, command: str | None = None) -> list[str]:
    """An OpenSSH command line that trusts this host's keys only, whatever the user's own configuration says."""
    options = {
        "IdentityFile": host.key,
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": host.known_hosts,
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
    }
    words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    line = ["ssh", "-F", "none", *words, "-p", str(host.port), f"{host.user}@{host.address}"]
    return [*line, command] if command else line


def progress(text: str) -> None:
    """One line of progress for a person."""
    sys.stderr.write(f"lab: {text}\n")
    sys.stderr.flush()


def described(host: LabHost, urls: Mapping[str, str]) -> dict[str, object]:
    """The `--json` contract of lab.info and lab.up."""
    ssh = {"address": host.address, "port": host.port, "user": host.user, "key": str(host.key)}
    return {"name": host.name, "ssh": ssh, "urls": dict(urls)}


def _running(name: str) -> LabHost:
    host = lab.info(name)
    if host is None:
        others = ", ".join(other.name for other in lab.hosts())
        also = f" (running: {others})" if others else ""
        raise LabError(f"lab host {name} is not running{also}", hint=f"./inv lab.up{_option(name)}")
    return host


def _show(host: LabHost, json: bool, urls: Mapping[str, str]) -> None:
    if json:
        sys.stdout.write(jsonlib.dumps(described(host, urls)) + "\n")
        return
    rows = {"host": host.name, "address": host.address, "user": host.user, "key": str(host.key), **urls}
    rows["shell"] = f"./inv lab.ssh{_option(host.name)}"
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    for label, value in rows.items():
        table.add_row(f"[bold]{label}[/bold]", value, style=None)
    Console(soft_wrap=True).print(table)


def _option(name: str) -> str:
    return "" if name == "lab" else f" --name {name}"
