"""Which host keys we trust: the inventory's pin, the lab's own, or what this machine's OpenSSH knows. Nothing else."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.errors import ConnectError, UsageError

if TYPE_CHECKING:
    from ops.wire import Target

KNOWN_HOSTS = Path("~/.ssh/known_hosts")
SYSTEM_KNOWN_HOSTS = Path("/etc/ssh/ssh_known_hosts")


def trust_only(connection: Any, target: Target) -> None:
    """Loads the keys that may be trusted for `target`; any other is refused with its fingerprint."""
    import paramiko

    client = connection.client

    class Refuse(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            raise unknown_key(target, key)

    client.set_missing_host_key_policy(Refuse())
    if target.host_key:
        kind, data = target.host_key.split()[:2]
        key = paramiko.PKey.from_type_string(kind, base64.b64decode(data))
        client.get_host_keys().add(_lookup_name(connection.host, connection.port), kind, key)
        return
    for path in (target.known_hosts,) if target.known_hosts else (KNOWN_HOSTS.expanduser(), SYSTEM_KNOWN_HOSTS):
        if path.is_file():
            client.load_host_keys(str(path))


def _lookup_name(address: str, port: int) -> str:
    return address if port == 22 else f"[{address}]:{port}"


def fingerprint(data: bytes) -> str:
    """SHA256:..., as ssh-keygen -l prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def unknown_key(target: Target, key: Any) -> ConnectError:
    shown = fingerprint(key.asbytes())
    message = (
        f"{target.name} ({target.address}:{target.port}) is not known yet; it shows the {key.get_name()} key {shown}"
    )
    compare = "compare it on the host's own screen: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
    return ConnectError(
        message, hint=f"{compare}\n  -> if it is the same: ./inv host.trust {target.name} --fingerprint {shown}"
    )


def changed_key(target: Target, error: Any) -> ConnectError:
    shown, known = fingerprint(error.key.asbytes()), fingerprint(error.expected_key.asbytes())
    message = f"{target.name} shows another SSH key than the one we trust: {shown} instead of {known}"
    where = (
        f"hosts.{target.name}.host_key in inventory.yaml"
        if target.host_key
        else f"ssh-keygen -R '{_lookup_name(target.address, target.port)}'"
    )
    hint = f"nothing was sent. If the machine was installed anew, forget the old key ({where}), then trust the new one"
    return ConnectError(message, hint=hint)


def trust(target: Target, expected: str | None) -> str:
    """Writes the key that the host shows to ~/.ssh/known_hosts if its fingerprint is the expected one.

    Returns the fingerprint. Without an expected one nothing is written: a person must have compared it first.
    """
    from ops.wire import unopened

    connection = unopened(target)  # an alias of ~/.ssh/config stands for an address, under which the key is kept
    target = replace(target, address=connection.host, port=connection.port)
    found = _scan(target)
    prints = {fingerprint(base64.b64decode(line.split()[2])): line for line in found}
    if not expected:
        listed = "\n".join(f"  {line.split()[1]} {shown}" for shown, line in prints.items())
        hint = (
            f"compare on the host's own screen, then: ./inv host.trust {target.name} --fingerprint {next(iter(prints))}"
        )
        raise UsageError(f"{target.name} shows these keys:\n{listed}", hint=hint)
    if expected not in prints:
        raise ConnectError(
            f"{target.name} shows {', '.join(prints)}, not {expected}", hint="do not trust it before you know why"
        )
    _append(prints[expected])
    return expected


def _scan(target: Target) -> list[str]:
    argv = ["ssh-keyscan", "-T", "10", "-p", str(target.port), "--", target.address]
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("#")]
    if not lines:
        raise ConnectError(
            f"{target.name} ({target.address}:{target.port}) shows no SSH key", hint="is sshd running there?"
        )
    return sorted(lines, key=lambda line: "ed25519" not in line)


def _append(line: str) -> None:
    path = KNOWN_HOSTS.expanduser()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as known:
        known.write(("" if _ends_line(path) else "\n") + line + "\n")


def _ends_line(path: Path) -> bool:
    text = path.read_bytes()
    return not text or text.endswith(b"\n")
