"""What the monitor says of a tunnel: where its URL leads, what its unit knows, and an inspector or a URL that hangs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from miner import notes
from miner.monitor.collect import tunnel
from miner.monitor.collect.tunnel import Tunnel
from miner.readings import Reading
from runtime.keys import Secret
from runtime.tunnel import failures, state
from tests.fakes.listen import free_port
from tests.miner.collect_kit import found_by

OURS = Secret("the operator's key")
TAKEN = failures.NGROK["334"]


@contextmanager
def hanging() -> Iterator[str]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def standing(folder: Path, now: state.State) -> Path:
    state.write(folder / "state.json", now)
    return folder / "state.json"


def led(public: str, file: Path, key: Secret = OURS) -> Reading:
    return found_by(Tunnel(public, "", key, file))["tunnel.reaches_us", ""]


def test_the_unit_s_words_are_told_rather_than_what_came_of_it(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    file = standing(tmp_path, state.now("ngrok", "failed", url=url, why=TAKEN.why, hint=TAKEN.hint))
    found = led(url, file)
    assert (found.value, found.note) == (0.0, f"{TAKEN.why} -> {TAKEN.hint}")
    up = led(url, standing(tmp_path, state.now("ngrok", "up", url=url)))
    assert (up.value, up.note.partition(": ")[0]) == (0.0, f"{url} does not answer")


def test_a_new_try_does_not_hide_why_the_last_one_failed(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    looker = Tunnel(url, "", OURS, tmp_path / "state.json")
    standing(tmp_path, state.now("ngrok", "failed", why=TAKEN.why))
    found_by(looker)
    standing(tmp_path, state.now("ngrok", "starting", url=url))
    assert found_by(looker)["tunnel.reaches_us", ""].note == TAKEN.why


def test_what_the_unit_tells_is_looked_into_at_once_and_nothing_else_is_asked(tmp_path: Path) -> None:
    looker = Tunnel("unit", "", OURS, tmp_path / "state.json")
    assert found_by(looker)["tunnel.reaches_us", ""].note == "the tunnel's unit does not run"
    first = found_by(looker)["tunnel.reaches_us", ""]
    assert found_by(looker)["tunnel.reaches_us", ""] is first
    standing(tmp_path, state.now("tailscale", "waiting", why="the webhook does not answer at http://127.0.0.1:8000"))
    assert "webhook does not answer" in found_by(looker)["tunnel.reaches_us", ""].note


def test_a_url_that_hangs_is_down_and_not_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "PATIENCE", 0.2)
    with hanging() as url:
        found = led(url, tmp_path / "none")
    assert (found.value, found.note) == (0.0, f"{url} does not answer within 0.2 s")


def test_an_inspector_that_hangs_is_told_and_hides_no_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "INSPECTOR_PATIENCE", 0.2)
    url = f"http://127.0.0.1:{free_port()}"
    file = standing(tmp_path, state.now("ngrok", "up", url=url))
    with hanging() as inspector:
        found = found_by(Tunnel("ngrok", inspector, OURS, file))
    assert found["tunnel.inspector", ""].value == 0
    assert found["tunnel.inspector", ""].note == f"ngrok's inspector hangs: no answer from {inspector} within 0.2 s"
    assert found["tunnel.reaches_us", ""].note.startswith(url)


def test_without_the_operator_s_key_the_unit_s_word_counts(tmp_path: Path) -> None:
    up = led("http://a.example", standing(tmp_path, state.now("ngrok", "up", url="http://a.example")), Secret(""))
    assert (up.value, up.note) == (1.0, "http://a.example")
    down = led("http://a.example", standing(tmp_path, state.now("ngrok", "starting")), Secret(""))
    assert (down.value, down.note) == (0.0, "the tunnel is starting")


@pytest.mark.parametrize("code", failures.NGROK)
def test_each_failure_of_the_unit_has_its_french(code: str) -> None:
    one = failures.NGROK[code]
    for text in (one.why, f"{one.why}; on this machine runs process 12 of root, started by hand"):
        french = notes.told(f"{text} -> {one.hint}", "tunnel.reaches_us", "fr")
        assert one.why not in french and french.rpartition(" -> ")[2] != ""
        assert one.hint.startswith("./inv status") or one.hint not in french
