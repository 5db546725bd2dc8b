"""BlockDAG nodes by their RPC, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from miner.monitor.collect.nodes import Nodes
from runtime.keys import Secret
from tests.fakes.blockdag import PASSWORD, USER, Node, peer
from tests.miner.collect_kit import Found, found_by, value


@pytest.fixture
def node() -> Iterator[Node]:
    running = Node().start()
    yield running
    running.stop()


def look(*nodes: Node | str, password: str = PASSWORD) -> Found:
    urls = (one if isinstance(one, str) else one.url for one in nodes)
    pairs = tuple((f"n{number}", url) for number, url in enumerate(urls))
    return found_by(Nodes(pairs, USER, Secret(password), each=0.5))


def test_a_node_and_how_far_it_is_behind_the_highest_of_its_peers(node: Node) -> None:
    node.peers = [peer(1004), peer(1120), peer(9999, "disconnected"), peer(None)]
    found = look(node)
    assert [value(found, f"node.{name}", "n0") for name in ("running", "peers", "lag")] == [1, 2, 120]
    assert found["node.lag", "n0"].note == "block 1000"
    node.peers = [peer(990)]
    assert value(look(node), "node.lag", "n0") == 0, "a node that is ahead is not behind"


def test_a_node_that_is_alone_is_behind_nobody_that_is_known(node: Node) -> None:
    found = look(node)
    assert (value(found, "node.peers", "n0"), value(found, "node.lag", "n0")) == (0, None)
    assert found["node.lag", "n0"].note == "no peer says how far it is"


@pytest.mark.parametrize(
    ("lacks", "password", "note"),
    [
        ("", "another", "it refuses the user and the password"),
        ("getPeerInfo", PASSWORD, "it refuses getPeerInfo: the method getPeerInfo does not exist/is not available"),
    ],
)
def test_a_node_that_says_no_runs_all_the_same(node: Node, lacks: str, password: str, note: str) -> None:
    node.lacks = lacks
    found = look(node, password=password)
    assert [value(found, f"node.{name}", "n0") for name in ("running", "peers", "lag")] == [1, None, None]
    assert found["node.peers", "n0"].note == note


def test_a_node_that_is_down_or_hangs_is_told_from_one_that_answers(node: Node) -> None:
    hanging = Node(hang=2).start()
    found = look("http://127.0.0.1:9", hanging, node)
    hanging.stop()
    assert [value(found, "node.running", name) for name in ("n0", "n1", "n2")] == [0, 0, 1]
    assert found["node.running", "n0"].note == "nobody listens there"
    assert found["node.running", "n1"].note == "no answer within 0.5 s"
    assert value(found, "node.peers", "n0") is None


def test_what_is_no_node_is_said() -> None:
    with_strange_words = Node(height="high").start()  # type: ignore[arg-type]
    found = look(with_strange_words)
    with_strange_words.stop()
    assert (
        value(found, "node.running", "n0") == 0
        and found["node.running", "n0"].note == "what answers is no BlockDAG node"
    )
