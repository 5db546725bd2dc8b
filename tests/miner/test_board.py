"""When what was measured is judged at once, and when it may wait for the next cycle."""

from __future__ import annotations

from miner.monitor.board import Board
from miner.readings import Reading


def test_a_change_hurries_and_so_does_the_look_that_confirms_it() -> None:
    calls: list[int] = []
    board = Board(lambda: calls.append(1))
    for value, hurried in (
        (1, 0),
        (1, 0),
        (0, 1),
        (0, 2),
        (0, 2),
        (1, 3),
        (1, 3),
        (0, 4),
        (1, 5),
        (None, 6),
        (None, 6),
    ):
        board.put([Reading("miner.api", "", value), Reading("miner.ghs", "", value)])
        assert len(calls) == hurried, value
    assert [one.value for one in board.take()] == [None, None]
    assert board.take() == ()
    board.put([Reading("stick.present", "10001", 0)])
    board.forget("10001", "stick.")
    assert board.take() == () and board.value("stick.present", "10001") is None
