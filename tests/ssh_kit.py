"""An open SSH connection, as far as `ops.service_call` uses one; the channel is a plain socket."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any


def _channel(_: str, place: tuple[str, int], __: Any, timeout: float) -> socket.socket:
    return socket.create_connection(place, timeout)


CONNECTION = SimpleNamespace(transport=SimpleNamespace(open_channel=_channel), user="root")
