"""Lab hosts: real Debian 12 machines with their own addresses, on this machine.

Most are containers (systemd-nspawn): a booted tree under /var/lib/trading-ops-lab/, above an image that is built once
per machine. `machine=True` makes one with a kernel of its own (QEMU), for what a container cannot have.

A host's SSH key and its known host keys are in .lab/NAME/ of the checkout that asked for it. Making one needs root;
without it the privileged half (ops.lab.root) is run through `sudo -n`. Asking about one needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from ops.lab.host import LabHost, hosts, info

Say = Callable[[str], None]

__all__ = ["LabHost", "down", "down_all", "hosts", "info", "up"]


def up(name: str, *, say: Say, machine: bool = False) -> LabHost:
    """The host, running and answering on SSH; makes, boots or repairs whatever is missing.

    A name is a container's or a machine's for as long as there is such a host.
    Raises LabError when this machine cannot run one or the host does not boot.
    """
    host = info(name)
    if host and host.answers():
        return host
    from ops.lab.root import call

    call("up_vm" if machine else "up", name, say)
    made = info(name)
    if made is None:  # it went down again between the last two lines
        from ops.errors import LabError

        raise LabError(f"lab host {name} stopped right after it had booted", hint=f"./inv lab.up --name {name}")
    return made


def down(name: str, *, say: Say) -> bool:
    """Stops and removes the host with everything of it; False if there was none."""
    from ops.lab.root import call, exists

    return bool(call("down", name, say)) if exists(name) else False


def down_all(*, say: Say) -> None:
    """Removes every host of this checkout, and those whose checkout is gone."""
    from ops.lab.root import call

    call("down_all", "", say)
