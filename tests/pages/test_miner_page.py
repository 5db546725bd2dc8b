"""The miner's page, in Chromium, against the real monitor."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime import clock
from tests.fakes.blockdag import PASSWORD, USER, Node, peer
from tests.fakes.cgminer import Cgminer, Pool, Stick
from tests.miner.collect_kit import WELL
from tests.miner.usb_kit import Bus, Plug
from tests.pages.conftest import Watched

pytestmark = pytest.mark.page

Open = Callable[..., Watched]
Start = Callable[..., Any]
HOSTILE = "<img src=x onerror=__ran.push(1)>"


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    made = Bus(tmp_path / "usb")
    made.hub("1-1")
    for number, serial in enumerate(("10001", "10002"), 1):
        made.plug(Plug(f"1-1.{number}", serial, number=number, driver="usbfs"))
    return made


@pytest.fixture
def cgminer() -> Iterator[Cgminer]:
    with Cgminer(sticks=[Stick("10001", share=1.0), Stick("10002", mhz=300.0)], pools=[Pool(user=HOSTILE)]) as miner:
        yield miner


@pytest.fixture
def monitor(service: Start, environ: dict[str, str], bus: Bus, cgminer: Cgminer) -> Any:
    environ |= {"MONITOR_CGMINER": f"127.0.0.1:{cgminer.port}", "MONITOR_HOST": "rig", "MONITOR_INTERVAL": "1"}
    environ |= {"MONITOR_SYSFS": str(bus.sysfs), "MONITOR_DEV": str(bus.dev), "MONITOR_MINER_USER": "root"}
    environ |= {"MONITOR_WATTS": "12", "MONITOR_RULES": "/no/such/file"}
    return service("miner.monitor")


def test_it_shows_the_miner_and_what_goes_wrong(monitor: Any, visit: Open, bus: Bus, cgminer: Cgminer) -> None:
    monitor.start()
    page = visit(monitor, "/miner")
    page.shows("#host", "rig")
    page.shows("#sticks", "mine")
    page.shows('#sticks tr:has-text("10002")', "300 MHz / 400 MHz")
    page.shows("#pools", HOSTILE)
    page.shows("#yield", "12 W")
    page.shows("#machine", "Processeur")
    page.shows("#standing", "Tout va bien.")
    page.page.locator("#trend canvas").first.wait_for()
    page.page.locator("#s-metric").select_option("frequency")
    page.page.locator("#s-target").select_option("10002")
    page.shows("#trend", "%")
    page.page.locator('[data-key="24h"]').click()
    page.page.locator("#trend canvas").first.wait_for()
    bus.unplug("1-1.2")
    cgminer.unplug("10002")
    page.shows('#sticks tr:has-text("10002")', "débranché", 30)
    page.shows("#standing", "10002", 30)
    assert page.page.locator("main img").count() == 0
    assert page.complaints == []
    monitor.process.send_signal(signal.SIGKILL)
    page.page.locator('body[data-line="down"]').wait_for(timeout=15_000)
    page.shows("#alarm", "DÉCONNECTÉ")


def test_a_host_without_a_miner_shows_what_it_has(
    monitor: Any, visit: Open, environ: dict[str, str], tmp_path: Path
) -> None:
    """No empty chart of a hashrate that nobody has; and what could not be measured is said in the page's language."""
    (tmp_path / "drift.json").write_text('{"count": 1, "files": ["/etc/timezone: mode 0600 instead of 0644"]}')
    environ |= {"MONITOR_CGMINER": "off", "MONITOR_DRIFT": str(tmp_path / "drift.json")}
    environ |= {"MONITOR_BACKUPS": f"data={tmp_path}/none-*.tar"}
    monitor.start()
    page = visit(monitor, "/miner")
    page.page.locator("#trend canvas").first.wait_for()
    chosen = page.page.locator("#s-metric").input_value()
    assert chosen in ("temperature", "cpu"), "whether a machine of tests has sensors is not known"
    page.shows("#machine", "/etc/timezone : mode 0600 au lieu de 0644")
    page.shows("#machine", "aucun fichier ne correspond à")
    assert page.complaints == []


def test_nodes_as_their_probe_and_their_rpc_tell(
    monitor: Any, visit: Open, environ: dict[str, str], tmp_path: Path
) -> None:
    probe = tmp_path / "probe.json"
    probe.write_text(json.dumps({**WELL, "at": clock.iso(clock.now() + timedelta(hours=1))}))
    other = Node(height=900, peers=[peer(905)]).start()
    environ |= {"MONITOR_CGMINER": "off", "MONITOR_BLOCKDAG": str(probe), "MONITOR_NODES": f"far={other.url}"}
    environ |= {"MONITOR_NODE_USER": USER, "MONITOR_NODE_PASSWORD": PASSWORD}
    monitor.start()
    page = visit(monitor, "/miner")
    row = '#nodes tr:has-text("dag")'
    for words in ("tourne", "43 % 43 Go sur 100 Go", "19 j"):
        page.shows(row, words)
    page.shows('#nodes tr:has-text("far")', "tourne")
    page.shows("#machine", "Docker répond")
    why = "the container node has ended: killed for want of memory"
    container = {"name": "node", "state": "exited", "restarts": 0, "why": why}
    probe.write_text(json.dumps({**WELL, "container": container, "at": clock.iso(clock.now() + timedelta(hours=1))}))
    page.shows(row, "conteneur arrêté le conteneur node s'est arrêté : tué faute de mémoire", 15)
    other.stop()
    page.shows('#nodes tr:has-text("far")', "ne répond pas", 30)
    assert page.complaints == []


def test_in_english_on_a_phone_and_on_a_wall(monitor: Any, visit: Open, environ: dict[str, str]) -> None:
    environ["UI_LANGUAGE"] = "en"
    monitor.start()
    for width, scheme in ((390, "light"), (3840, "dark")):
        page = visit(monitor, "/miner", width=width, scheme=scheme)
        page.shows("#sticks", "mining")
        page.shows("#standing", "All is well.")
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.complaints == []
