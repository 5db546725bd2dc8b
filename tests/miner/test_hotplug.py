"""Plugging and unplugging as udev tells it, on a mock bus that libudev and sysfs really show (umockdev)."""

from __future__ import annotations

import json
import os
import pwd
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.miner.usb_kit import Plug, adapter, described

HERE = Path(__file__).parent
PARENT = "/devices/pci0000:00/usb1"
SECONDS = 30


class Mock:
    """A machine with a bus of umockdev's, and the teller on it."""

    def __init__(self, user: str = pwd.getpwuid(os.getuid()).pw_name) -> None:
        command = ["umockdev-wrapper", "/usr/bin/python3", str(HERE / "umockdev_bed.py")]
        child = [sys.executable, "-m", "tests.miner.usb_teller", user]
        self._process = subprocess.Popen(
            [*command, *child], cwd=HERE.parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self._lines.get(timeout=SECONDS)["kind"] == "start"

    def plug(self, one: Plug) -> None:
        self._order({"plug": described(one, PARENT), "path": f"{PARENT}/{one.port}"})

    def unplug(self, port: str) -> None:
        self._order({"unplug": True, "path": f"{PARENT}/{port}"})

    def shows(self, **sticks: list[Any]) -> dict[str, Any]:
        """Wait until exactly these are told."""
        limit, told = time.monotonic() + SECONDS, dict[str, Any]()
        while time.monotonic() < limit:
            told = self._lines.get(timeout=SECONDS)
            if told["sticks"] == sticks:
                assert told["source"] == "udev"
                return told
        raise AssertionError(told)

    def end(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(SECONDS)
        self._process.stdout.close()

    def _order(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))


@pytest.fixture
def mock() -> Iterator[Mock]:
    made = Mock()
    yield made
    made.end()


def test_plug_unplug_and_replug(mock: Mock) -> None:
    mock.plug(Plug("1-4"))
    mock.shows(**{"10014812": ["CompacF", "1-4", True]})
    mock.unplug("1-4")
    assert mock.shows()["known"] == ["10014812"], "what is gone is still known: the message of it has no serial number"
    mock.plug(Plug("1-2", number=8))
    mock.shows(**{"10014812": ["CompacF", "1-2", True]})


def test_two_with_equal_numbers_and_an_adapter_that_is_none(mock: Mock) -> None:
    mock.plug(adapter("1-1"))
    mock.plug(Plug("1-2", "7"))
    mock.plug(Plug("1-3", "7", number=8))
    mock.shows(**{"7": ["CompacF", "1-2", True], "7@1-3": ["CompacF", "1-3", True]})
    mock.unplug("1-2")
    mock.shows(**{"7@1-3": ["CompacF", "1-3", True]})


def test_a_node_that_the_miner_may_not_open_is_told() -> None:
    mock = Mock("nobody")
    mock.plug(Plug("1-4"))
    mock.shows(**{"10014812": ["CompacF", "1-4", False]})
    mock.end()
