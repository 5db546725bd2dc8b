"""The agent's end of the SSH channel: JSON lines out, a document, wheels and commands in."""

from __future__ import annotations

import json
import os
import select
import threading
import time
from typing import Any, BinaryIO

SILENCE = 30.0
"""Seconds without a word from the controller after which it counts as gone; it sends a ping every 5."""


class Channel:
    """Writes never block for long: a controller that is gone must not hold the host's lock."""

    def __init__(self, source: BinaryIO, sink: int) -> None:
        self.source = source
        self._sink = sink
        self._write_lock = threading.Lock()
        self._heard = time.monotonic()
        self._gone = False
        self._stop = False

    def emit(self, event: str, **fields: Any) -> None:
        line = memoryview((json.dumps({"event": event, **fields}) + "\n").encode())
        with self._write_lock:
            while line and not self._gone:
                line = line[self._write(line) :]

    def _write(self, data: memoryview) -> int:
        if not select.select([], [self._sink], [], SILENCE)[1]:
            self._gone = True
            return 0
        try:
            return os.write(self._sink, data[:4096])  # what a pipe that is ready takes without blocking
        except OSError:
            self._gone = True
            return 0

    def read_document(self) -> dict[str, Any]:
        size = int(self.source.readline())
        loaded: dict[str, Any] = json.loads(self.source.read(size))
        return loaded

    def ask_blobs(self, names: list[str], receive: Any) -> None:
        """Asks the controller for wheels and hands each to `receive(sha256, size, source)`."""
        self.emit("need", blobs=names)
        for _ in names:
            header = self._next_command()
            if header["cmd"] == "stop":
                self._stop = True
                return
            receive(header["sha256"], header["size"], self.source)

    def _next_command(self) -> dict[str, Any]:
        while line := self.source.readline():
            header: dict[str, Any] = json.loads(line)
            if header["cmd"] != "ping":
                return header
        raise EOFError

    def listen(self) -> None:
        """From here on only pings and the word to stop come in; a thread reads them, another says that we live."""
        self._heard = time.monotonic()  # a long wait for the lock or for wheels was no silence
        for target in (self._read, self._beat):
            threading.Thread(target=target, daemon=True).start()

    def _read(self) -> None:
        for line in self.source:
            self._heard = time.monotonic()
            if b'"stop"' in line:
                self._stop = True
        self._gone = True

    def _beat(self) -> None:
        while not self._gone:
            time.sleep(5)
            self.emit("alive")

    @property
    def interrupted(self) -> str:
        """Why the run should end after the resource at hand, or ""."""
        if self._stop:
            return "stopped by the person who ran it"
        if self._gone or time.monotonic() - self._heard > SILENCE:
            return "the controller went away"
        return ""
