"""The two protocols between systemd and a service: sockets handed over, and state told back.

Sources: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

FIRST_FD = 3


def inherited_sockets(environ: Mapping[str, str]) -> list[socket.socket]:
    """The listening sockets systemd opened for this very process; empty when it opened none."""
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(environ.get("LISTEN_FDS", "0"))
    found = [socket.socket(fileno=fd) for fd in range(FIRST_FD, FIRST_FD + count)]
    for sock in found:
        os.set_inheritable(sock.fileno(), False)
        sock.setblocking(False)
    return found


def watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """How often to say WATCHDOG=1 (half the limit, as sd_watchdog_enabled advises); None when nobody listens."""
    usec = environ.get("WATCHDOG_USEC", "")
    if not usec.isdecimal() or environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(usec) / 2_000_000


class Notifier:
    """Tells systemd about this process; does nothing when it was not started by systemd."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def tell(self, *lines: str) -> None:
        """Send states such as `READY=1`. A manager that is not listening is no reason to stop serving."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto("\n".join(lines).encode(), self._address)
