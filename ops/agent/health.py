"""The health gate: what must be true of the running services before a run counts as done."""

from __future__ import annotations

import socket
import time
from typing import Any

from . import docker, systemd
from .host import HostError

Check = dict[str, Any]


def wait(check: Check) -> None:
    """Polls until the check passes; HostError with the last answer and the unit's log when it does not in time."""
    end = time.monotonic() + check["within"]
    while True:
        problem = _PROBES[check["kind"]](check)
        if not problem:
            return
        if time.monotonic() > end:
            unit = check["unit"]
            log = f"\n{systemd.why_failed(unit)}" if unit else ""
            raise HostError(f"{describe(check)} within {check['within']:g} s: {problem}{log}")
        time.sleep(0.05)


def describe(check: Check) -> str:
    if check["kind"] == "http":
        return f"{check['url']} should answer {check['status']}"
    if check["kind"] == "docker":
        return f"container {check['container']} should run" if check["container"] else "Docker should answer"
    return f"{check['unit']} should be active"


def _http(check: Check) -> str:
    """GET over a plain socket: importing an HTTP client would cost more than the rest of a run that changes nothing."""
    host, port, path = check["host"], check["port"], check["path"]
    end = time.monotonic() + check["within"]
    try:
        with socket.create_connection((host, port), timeout=check["within"]) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            answer = _read(connection, end)
    except OSError as error:
        return f"no answer ({error})"
    head, _, body = answer.partition("\r\n\r\n")
    words = head.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/"):
        return f"it answered something that is not HTTP: {answer[:80]!r}"
    return "" if words[1] == str(check["status"]) else f"it answered {words[1]} {body[:300]}"


def _read(connection: socket.socket, end: float) -> str:
    """All of it before `end`: a service that sends a byte now and then must not hold the gate open."""
    answer, part = b"", b"-"
    while part and len(answer) < 1 << 16:
        connection.settimeout(max(0.001, end - time.monotonic()))
        answer += (part := connection.recv(4096))
    return answer.decode("utf-8", "replace")


def _unit(check: Check) -> str:
    shown = systemd.show([check["unit"]])[check["unit"]]
    return "" if shown.get("ActiveState") == "active" else f"it is {shown.get('ActiveState')} ({shown.get('SubState')})"


def _docker(check: Check) -> str:
    try:
        return docker.unsettled(check["container"]) if check["container"] else docker.answers()
    except HostError as error:
        return str(error)


_PROBES = {"http": _http, "unit": _unit, "docker": _docker}
