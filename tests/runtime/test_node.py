"""What a page says of this host's BlockDAG node, from what the probe left."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime import clock, node
from runtime.convert import Language

WELL: dict[str, Any] = {
    "node": "blockdag", "why": "", "container": {"state": "running"}, "initial_download": False,
    "rpc": {"state": "up", "height": 1000, "peers": 2, "lag": 0, "syncing": False},
}  # fmt: skip


def told(language: Language = "en", age: float = 0, **more: Any) -> tuple[bool, str]:
    at = clock.iso(clock.now() - timedelta(seconds=age))
    said = node.shown({"at": at} | WELL | more, language)
    return said["ok"], said["says"]


def test_figures_of_one_that_is_well() -> None:
    assert told() == (True, "block 1000, 2 peers, 0 behind")
    assert told("fr") == (True, "bloc 1000, 2 pairs, 0 de retard")


def test_one_that_fetches_the_chain_says_so_and_what_is_not_known_is_no_number() -> None:
    rpc = {"state": "up", "height": 7, "peers": None, "lag": None, "syncing": True}
    assert told(rpc=rpc) == (True, "fetches the chain: block 7, ? peers, ? behind")
    assert told("fr", initial_download=True)[1].startswith("récupère la chaîne : bloc 1000")


def test_what_is_wrong_is_the_probe_s_reason() -> None:
    assert told(container={"state": "exited"}, why="it ended with 7") == (False, "it ended with 7")
    assert told("fr", container=None) == (False, "ne tourne pas")
    assert told(rpc={"state": "refused"}, why="the node's RPC: no") == (False, "the node's RPC: no")


def test_old_knowledge_is_none() -> None:
    is_well, says = told(age=120)
    assert not is_well
    assert says.startswith("not looked at since 20")


@pytest.mark.parametrize("text", [None, "", "no json", "[1]", '"x"'])
def test_without_a_probe_there_is_no_node(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "probe.json"
    if text is not None:
        file.write_text(text)
    assert node.read(file) is None


def test_strange_fields_are_no_error(tmp_path: Path) -> None:
    file = tmp_path / "probe.json"
    file.write_text(json.dumps({"at": 7, "rpc": None}))
    found = node.read(file)
    assert found is not None
    assert node.shown(found, "en")["ok"] is False
