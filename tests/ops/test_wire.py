"""The connection, against a real SSH server on this machine: who is trusted, what a refusal says, what is lost.

The server is Paramiko's own, because it can misbehave on demand; the lab connects to OpenSSH.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko
import pytest

from ops import hostkeys, wire
from ops.errors import ConnectError, UsageError
from ops.hostkeys import fingerprint
from ops.wire import Session, Target, connect

Script = Callable[[paramiko.Channel], None]


class Door(paramiko.ServerInterface):
    """Lets one key in, and hands each command's channel to the server's script."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        allowed = username == "root" and key == self._server.client_key
        return paramiko.AUTH_SUCCESSFUL if allowed else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._server.commands.append(command.decode())
        threading.Thread(target=self._server.answer, args=(channel,), daemon=True).start()
        return self._server.allows_exec


class Server:
    """An SSH server on a loopback port. `script` is what its programs do."""

    def __init__(self, folder: Path) -> None:
        self.host_key = paramiko.ECDSAKey.generate()
        self.client_key = paramiko.ECDSAKey.generate()
        self.key_file = folder / "id"
        self.client_key.write_private_key_file(str(self.key_file))
        self.script: Script = lambda channel: None
        self.commands: list[str] = []
        self.allows_exec = True
        self._transports: list[paramiko.Transport] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._socket.accept()
                transport = paramiko.Transport(caller)
                self._transports.append(transport)
                transport.add_server_key(self.host_key)
                with suppress(paramiko.SSHException, EOFError):
                    transport.start_server(event=threading.Event(), server=Door(self))

    def answer(self, channel: paramiko.Channel) -> None:
        while not (channel.recv_ready() or channel.closed):  # the reply to exec goes out before the program speaks
            time.sleep(0.002)
        with suppress(OSError, EOFError):
            self.script(channel)
        with suppress(OSError, EOFError):  # the client hung up already
            channel.close()

    def target(self, **fields: Any) -> Target:
        return Target(**{"name": "alpha", "address": "127.0.0.1", "port": self.port, "key": self.key_file, **fields})

    def pin(self) -> str:
        return f"{self.host_key.get_name()} {self.host_key.get_base64()}"

    def drop(self) -> None:
        for transport in self._transports:
            transport.close()

    def close(self) -> None:
        self.drop()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with neither keys, agent nor known hosts."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr("paramiko.util.log_to_file", None)
    return tmp_path / "home"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.close()


def refusal(target: Target, **options: Any) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        connect(target, **options)
    return caught.value


def test_a_host_whose_pinned_key_it_shows_is_let_in(server: Server) -> None:
    connection = connect(server.target(host_key=server.pin()))
    assert connection.is_connected
    connection.close()


def test_an_unknown_host_is_refused_with_the_command_that_trusts_it(server: Server) -> None:
    error = refusal(server.target())
    shown = fingerprint(server.host_key.asbytes())
    assert error.message == (
        f"alpha (127.0.0.1:{server.port}) is not known yet; it shows the ecdsa-sha2-nistp256 key {shown}"
    )
    assert error.hint and f"./inv host.trust alpha --fingerprint {shown}" in error.hint


def test_a_changed_key_is_refused_with_both_fingerprints(server: Server) -> None:
    other = paramiko.ECDSAKey.generate()
    error = refusal(server.target(host_key=f"{other.get_name()} {other.get_base64()}"))
    shown, known = fingerprint(server.host_key.asbytes()), fingerprint(other.asbytes())
    assert error.message == f"alpha shows another SSH key than the one we trust: {shown} instead of {known}"
    assert error.hint and "hosts.alpha.host_key in inventory.yaml" in error.hint


def test_a_key_that_changed_since_it_was_trusted_names_the_command_that_forgets_it(server: Server, home: Path) -> None:
    other = paramiko.ECDSAKey.generate()
    (home / ".ssh").mkdir(parents=True)
    line = f"[127.0.0.1]:{server.port} {other.get_name()} {other.get_base64()}\n"
    (home / ".ssh" / "known_hosts").write_text(line)
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in str(refusal(server.target()))


def test_a_refused_key_names_the_ssh_command_to_try(server: Server, tmp_path: Path) -> None:
    paramiko.ECDSAKey.generate().write_private_key_file(str(tmp_path / "other"))
    error = refusal(server.target(host_key=server.pin(), key=tmp_path / "other"))
    assert error.message == f"alpha (root@127.0.0.1:{server.port}): the host refuses our key for user root"
    assert error.hint and f"ssh -i {tmp_path}/other -p {server.port} root@127.0.0.1" in error.hint


def test_no_key_at_all_is_told_as_that(server: Server) -> None:
    error = refusal(server.target(host_key=server.pin(), key=None))
    assert "the host refuses our key for user root" in error.message
    assert error.hint and "set user or key" in error.hint


@pytest.mark.parametrize("content", [None, "not a key\n"], ids=["absent", "not a key"])
def test_a_key_file_that_cannot_be_used_is_not_the_hosts_fault(
    server: Server, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "bad"
    if content:
        path.write_text(content)
    error = refusal(server.target(host_key=server.pin(), key=path))
    assert "its SSH key cannot be used" in error.message
    assert error.hint == "set hosts.alpha.key"


def test_a_host_that_refuses_the_connection(server: Server) -> None:
    server.close()
    error = refusal(server.target())
    where = f"alpha (root@127.0.0.1:{server.port})"
    assert error.message == f"{where}: cannot connect: [Errno 111] Connection refused"
    assert error.hint == "is it switched on, on the network, and is sshd running?"


def test_a_name_that_does_not_resolve() -> None:
    error = refusal(Target("alpha", "no-such-host.invalid"))
    assert error.message == "alpha (root@no-such-host.invalid:22): the name does not resolve"
    assert error.hint == "set hosts.alpha.address in inventory.yaml"


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        start = time.monotonic()
        error = refusal(Target("alpha", "127.0.0.1", mute.getsockname()[1]), timeout=0.3)
    assert "cannot connect: " in error.message
    assert time.monotonic() - start < 5


def test_trusting_needs_a_fingerprint_that_a_person_has_compared(server: Server, home: Path) -> None:
    shown = fingerprint(server.host_key.asbytes())
    with pytest.raises(UsageError) as asked:
        hostkeys.trust(server.target(), None)
    assert f"ecdsa-sha2-nistp256 {shown}" in str(asked.value)
    assert f"./inv host.trust alpha --fingerprint {shown}" in str(asked.value)
    with pytest.raises(ConnectError, match=r"not SHA256:other"):
        hostkeys.trust(server.target(), "SHA256:other")
    assert not (home / ".ssh" / "known_hosts").exists()
    assert hostkeys.trust(server.target(), shown) == shown
    assert (home / ".ssh" / "known_hosts").stat().st_mode & 0o077 == 0
    connect(server.target()).close()


def test_trusting_keeps_a_last_line_that_does_not_end(server: Server, home: Path) -> None:
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "known_hosts").write_text("# ours")
    hostkeys.trust(server.target(), fingerprint(server.host_key.asbytes()))
    assert (home / ".ssh" / "known_hosts").read_text().startswith("# ours\n[127.0.0.1]:")


def test_trusting_a_host_that_is_not_there(server: Server) -> None:
    server.close()
    with pytest.raises(ConnectError, match="shows no SSH key"):
        hostkeys.trust(server.target(), "SHA256:x")


def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(server: Server, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(server.pin() + "\n")
    said = subprocess.run(["ssh-keygen", "-lf", str(tmp_path / "key.pub")], capture_output=True, text=True, check=True)
    assert fingerprint(server.host_key.asbytes()) == said.stdout.split()[1]


def read_exactly(channel: paramiko.Channel, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (part := channel.recv(size - len(data))):
            raise EOFError
        data += part
    return data


def read_line(channel: paramiko.Channel) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += read_exactly(channel, 1)
    return line


def take(channel: paramiko.Channel) -> bytes:
    """What comes as its size on a line and its bytes."""
    return read_exactly(channel, int(read_line(channel)))


def say(channel: paramiko.Channel, *events: dict[str, Any]) -> None:
    for event in events:
        channel.sendall(json.dumps(event).encode() + b"\n")


@pytest.fixture
def talk(server: Server) -> Callable[..., tuple[dict[str, Any], list[dict[str, Any]]]]:
    """talk(script) -> (the last event, the events before it), of one session."""

    def run(
        script: Script, blobs: dict[str, Path] | None = None, stop: threading.Event | None = None
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        server.script = script
        connection, events = connect(server.target(host_key=server.pin())), list[dict[str, Any]]()
        try:
            session = Session(connection, server.target())
            end = session.run({"a": 1}, blobs or {}, events.append, stop or threading.Event())
        finally:
            connection.close()
        return end, events

    return run


END = {"event": "end", "outcome": "done"}


def test_the_agent_and_the_document_go_in_and_events_come_out(server: Server, talk: Any) -> None:
    came: list[bytes] = []

    def script(channel: paramiko.Channel) -> None:
        came.extend((take(channel), take(channel)))
        say(channel, {"event": "start", "resource": "x"}, {"event": "alive"}, END)

    end, events = talk(script)
    assert came[0].startswith(b"PK")
    assert json.loads(came[1]) == {"a": 1}
    assert (end, events) == (END, [{"event": "start", "resource": "x"}, END])
    assert len(server.commands) == 1
    assert server.commands[0].startswith("sh -c ")


def test_only_missing_wheels_are_uploaded_whole_to_a_slow_host(talk: Any, tmp_path: Path) -> None:
    """More than a window's worth, to a host that stops reading for longer than our own reads may take."""
    data = bytes(range(256)) * 40_000
    (tmp_path / "w.whl").write_bytes(data)
    came: list[bytes] = []

    def script(channel: paramiko.Channel) -> None:
        take(channel), take(channel)
        say(channel, {"event": "need", "blobs": ["cafe"]})
        header = json.loads(read_line(channel))
        time.sleep(0.8)
        came.append(read_exactly(channel, header["size"]))
        say(channel, END)

    end, events = talk(script, {"cafe": tmp_path / "w.whl", "beef": tmp_path / "unasked.whl"})
    assert came == [data]
    assert end == END
    assert events[0] == {"event": "upload", "name": "w.whl", "size": len(data), "number": 1, "of": 1}


def test_a_person_who_stops_is_heard_by_the_host(talk: Any) -> None:
    stop, came = threading.Event(), list[bytes]()

    def script(channel: paramiko.Channel) -> None:
        take(channel), take(channel)
        stop.set()
        came.append(read_line(channel))
        say(channel, END)

    talk(script, stop=stop)
    assert came == [b'{"cmd": "stop"}\n']


def test_a_greeting_before_the_agent_does_no_harm(talk: Any) -> None:
    def script(channel: paramiko.Channel) -> None:
        take(channel), take(channel)
        channel.sendall(b"Welcome to Debian!\n{}\n")
        say(channel, END)

    assert talk(script)[0] == END


def lost(talk: Any, script: Script) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        talk(script)
    error: ConnectError = caught.value
    return error


def test_an_agent_that_does_not_start_is_told_with_what_the_host_said(talk: Any) -> None:
    def script(channel: paramiko.Channel) -> None:
        take(channel)
        channel.sendall(b"This account is not available.\n")
        channel.sendall_stderr(b"sh: 1: exec: python3: not found\n")

    error = lost(talk, script)
    assert error.message.startswith("alpha: the agent ended without a result: This account is not available.")
    assert "python3: not found" in error.message


def test_sudo_that_asks_for_a_password_names_the_line_that_mends_it(talk: Any) -> None:
    def script(channel: paramiko.Channel) -> None:
        take(channel)
        channel.sendall_stderr(b"sudo: a password is required\n")

    error = lost(talk, script)
    assert "sudo -n is refused for root" in error.message
    assert error.hint and "NOPASSWD" in error.hint


def test_a_connection_that_breaks_says_that_the_next_run_continues(server: Server, talk: Any) -> None:
    def script(channel: paramiko.Channel) -> None:
        take(channel)
        say(channel, {"event": "start", "resource": "x"})
        server.drop()

    error = lost(talk, script)
    assert error.message == "alpha: the agent ended without a result"
    assert error.hint == "run it again: it continues where it was"


def test_a_host_that_falls_silent_is_given_up(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SILENCE", 0.6)
    error = lost(talk, lambda channel: time.sleep(5))
    assert error.message == "alpha: not a word from the host for 1 s"


def test_a_host_that_runs_no_command_is_a_refusal(server: Server, talk: Any) -> None:
    server.allows_exec = False
    assert lost(talk, lambda channel: None).message.startswith("alpha (root@127.0.0.1")
