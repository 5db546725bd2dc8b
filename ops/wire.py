"""One SSH connection, one channel: the agent and the document go in, what it did comes back as it happens.

Fabric reads the user's SSH configuration and opens the connection; the channel is taken from its transport, because
`Connection.run(in_stream=...)` moves one byte at a time.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.archive import archive, command
from ops.errors import ConnectError

Event = dict[str, Any]
SSH_PORT = 22
PING = 5.0
REFUSED = ("No authentication methods", "encountered ")
"""Paramiko's words when there was no key to offer, or when it went on to try a refused key as another type."""
SILENCE = 60.0
"""Seconds without a word from the host after which the connection counts as lost; the agent says `alive` every 5."""


@dataclass(frozen=True)
class Target:
    """Where a host is and how it proves that it is itself."""

    name: str
    address: str
    port: int = 22
    user: str = "root"
    key: Path | None = None
    host_key: str | None = None
    known_hosts: Path | None = None


def connect(target: Target, timeout: float = 10) -> Any:
    """An open fabric.Connection to a host whose key is known; ConnectError says what to do when it is not to be had."""
    from ops.hostkeys import trust_only

    connection = unopened(target, timeout)
    trust_only(connection, target)
    try:
        if not (connection.gateway or "proxycommand" in connection.ssh_config):
            place = (connection.host, connection.port)
            connection.connect_kwargs["sock"] = _Prompt(socket.create_connection(place, timeout))
        connection.open()
    except Exception as error:
        _hang_up(connection)
        raise _cannot(target, error) from error
    return connection


def unopened(target: Target, timeout: float = 10) -> Any:
    """The connection as the inventory and the user's SSH configuration describe it, not opened yet."""
    import logging

    from fabric import Connection  # type: ignore[import-untyped]

    # its threads would write each error to stderr with a traceback, and raise it as well
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    options: dict[str, Any] = {"timeout": timeout, "banner_timeout": timeout, "auth_timeout": timeout}
    if target.key:
        options |= {"key_filename": str(target.key.expanduser()), "look_for_keys": False, "allow_agent": False}
    # an alias of the user's SSH configuration works as an address; its port counts where the inventory names none
    port = None if target.port == SSH_PORT else target.port
    return Connection(target.address, user=target.user, port=port, connect_kwargs=options)


def _hang_up(connection: Any) -> None:
    """A connection that did not open is not closed by Fabric; its socket and its thread would stay."""
    connection.client.close()
    if dialled := connection.connect_kwargs.get("sock"):
        dialled.close()


class _Prompt(socket.socket):
    """A TCP socket that neither waits to send small packets nor delays its ACKs: Paramiko's own costs 2 x 40 ms.

    The kernel takes TCP_QUICKACK back after some packets, so it is set anew after each one that was read.
    """

    def __init__(self, dialled: socket.socket) -> None:
        timeout = dialled.gettimeout()
        super().__init__(fileno=dialled.detach())
        self.settimeout(timeout)
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._acknowledge()

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        data = super().recv(size, flags)
        self._acknowledge()
        return data

    def _acknowledge(self) -> None:
        if hasattr(socket, "TCP_QUICKACK"):  # Linux only
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _cannot(target: Target, error: Exception) -> Exception:
    """The reason in a person's words; what we raised ourselves goes through as it is."""
    from paramiko import ssh_exception as ssh

    where = f"{target.name} ({target.user}@{target.address}:{target.port})"
    if isinstance(error, ConnectError):
        return error
    if isinstance(error, ssh.BadHostKeyException):
        from ops.hostkeys import changed_key

        return changed_key(target, error)
    if isinstance(error, socket.gaierror):
        return ConnectError(
            f"{where}: the name does not resolve", hint=f"set hosts.{target.name}.address in inventory.yaml"
        )
    if isinstance(error, ssh.PasswordRequiredException):
        return ConnectError(f"{where}: the SSH key needs its passphrase", hint="ssh-add it to your agent first")
    if isinstance(error, FileNotFoundError) or "private key file" in str(error):
        return ConnectError(f"{where}: its SSH key cannot be used: {error}", hint=f"set hosts.{target.name}.key")
    if isinstance(error, ssh.AuthenticationException) or any(words in str(error) for words in REFUSED):
        key = f" -i {target.key}" if target.key else ""
        hint = (
            f"try: ssh{key} -p {target.port} {target.user}@{target.address}; set user or key for it in inventory.yaml"
        )
        return ConnectError(f"{where}: the host refuses our key for user {target.user}", hint=hint)
    if isinstance(error, TimeoutError | OSError | EOFError | ssh.SSHException):
        reason = str(error) or "no answer"
        return ConnectError(
            f"{where}: cannot connect: {reason}", hint="is it switched on, on the network, and is sshd running?"
        )
    return error


class Session:
    """One run of the agent."""

    def __init__(self, connection: Any, target: Target) -> None:
        self._target = target
        try:
            self._channel = connection.transport.open_session()
            self._channel.exec_command(command(sudo=connection.user != "root"))
        except Exception as error:
            raise _cannot(target, error) from error
        self._noise = b""
        self._stopped = False
        self._last_ping = time.monotonic()

    def run(
        self,
        document: Mapping[str, Any],
        blobs: Mapping[str, Path],
        on_event: Callable[[Event], None],
        stop: threading.Event,
    ) -> Event:
        """Sends everything, hands each event on, and returns the last one ("end"); ConnectError when there is none."""
        agent, text = archive(), json.dumps(document).encode()
        self._send(b"%d\n%s%d\n%s" % (len(agent), agent, len(text), text))
        last: Event = {}
        for event in self._events(stop):
            last = event
            if event["event"] == "need":
                self._upload(event["blobs"], blobs, on_event)
            elif event["event"] != "alive":
                on_event(event)
            if event["event"] in ("end", "fatal"):
                break
        if last.get("event") not in ("end", "fatal"):
            raise self._lost()
        return last

    def _events(self, stop: threading.Event) -> Any:
        held, heard = b"", time.monotonic()
        while True:
            self._keep_talking(stop)
            self._channel.settimeout(0.5)
            try:
                data = self._channel.recv(65536)
            except TimeoutError:
                if time.monotonic() - heard > SILENCE:
                    raise self._silent() from None
                continue
            if not data:
                return
            *lines, held = (held + data).split(b"\n")
            yield from filter(None, map(self._event, lines))
            heard = time.monotonic()  # only now: an upload between two events may have taken long

    def _event(self, line: bytes) -> Event | None:
        """None for what is not the agent's: a login shell that greets, or the reason why it does not start."""
        if line.startswith(b'{"event"'):
            event: Event = json.loads(line)
            return event
        self._noise += line + b"\n"
        return None

    def _keep_talking(self, stop: threading.Event) -> None:
        if stop.is_set() and not self._stopped:
            self._stopped = True
            self._send(b'{"cmd": "stop"}\n')
        elif time.monotonic() - self._last_ping > PING:
            self._last_ping = time.monotonic()
            self._send(b'{"cmd": "ping"}\n')

    def _upload(self, names: list[str], blobs: Mapping[str, Path], on_event: Callable[[Event], None]) -> None:
        for number, name in enumerate(names, 1):
            path = blobs[name]
            size = path.stat().st_size
            on_event({"event": "upload", "name": path.name, "size": size, "number": number, "of": len(names)})
            self._send(json.dumps({"cmd": "blob", "sha256": name, "size": size}).encode() + b"\n")
            with path.open("rb") as data:
                while part := data.read(1 << 18):
                    self._send(part)

    def _send(self, data: bytes) -> None:
        # a timeout of its own: with that of reading, a slow host would lose what does not fit its window at once
        self._channel.settimeout(SILENCE)
        try:
            self._channel.sendall(data)
        except TimeoutError:
            raise self._silent() from None
        except OSError:
            pass  # a host that already gave up closes its end: what it said is still to be read

    def _lost(self) -> ConnectError:
        said = self._noise
        with contextlib.suppress(TimeoutError):
            while part := self._channel.recv_stderr(65536):
                said += part
        words = said.decode(errors="replace").strip()
        name = self._target.name
        if "sudo:" in words:
            hint = (
                f"on the host: echo '{self._target.user} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/trading-ops"
            )
            return ConnectError(f"{name}: sudo -n is refused for {self._target.user}: {words}", hint=hint)
        detail = f": {words[-1500:]}" if words else ""
        return ConnectError(
            f"{name}: the agent ended without a result{detail}", hint="run it again: it continues where it was"
        )

    def _silent(self) -> ConnectError:
        message = f"{self._target.name}: not a word from the host for {SILENCE:.0f} s"
        return ConnectError(message, hint="it finishes the step at hand and stops; run the same command again")
