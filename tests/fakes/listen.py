"""What every fake does with its server: answer in a thread, and stop."""

from __future__ import annotations

import socket
import threading
from socketserver import BaseServer


def answer(server: BaseServer) -> None:
    """From now on."""
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


def serve(server: BaseServer) -> int:
    """Answers from now on. Returns the port."""
    answer(server)
    return int(server.server_address[1])


def end(server: BaseServer) -> None:
    """Nobody listens any more."""
    server.shutdown()
    server.server_close()


def free_port() -> int:
    """One that nobody listened at a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
