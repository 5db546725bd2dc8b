"""Which combinations are tried, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from quant.errors import UsageError
from quant.sweep.combinations import Space, drawn, grid, shuffled
from quant.sweep.overrides import applied
from tests.quant.sweep.kit import config


def swept(space: dict[str, Any], **more: Any) -> Any:
    return config(sweep={"space": space, **more})


def test_the_last_axis_changes_from_one_to_the_next_and_refused_pairs_are_left_out_and_counted() -> None:
    asked = swept({"fast": [10, 20], "slow": {"from": 10, "to": 30, "step": 10}})
    chosen = grid(asked, Space.of(asked))
    assert chosen.overrides == [{"fast": 10, "slow": 20}, {"fast": 10, "slow": 30}, {"fast": 20, "slow": 30}]
    assert chosen.refused == 3


def test_without_a_space_the_strategys_own_is_tried() -> None:
    assert Space.of(config()).axes == {"fast": (5, 10, 20, 30, 50), "slow": (50, 100, 150, 200, 300)}


def test_all_refused_says_why() -> None:
    asked = swept({"fast": [50, 60], "slow": [20]})
    with pytest.raises(UsageError, match="all 2 combinations are refused, the last because fast must be below slow"):
        grid(asked, Space.of(asked))


def test_settings_that_cannot_be_together_are_refused_pairs() -> None:
    asked = swept({"exits.stop_atr": [2.0], "exits.stop_pct": [1.0, 2.0], "slow": [100]})
    with pytest.raises(UsageError, match=r"all 2 combinations are refused.*stop_atr and stop_pct cannot both be"):
        grid(asked, Space.of(asked))


def test_a_draw_is_different_points_and_the_same_for_the_same_seed() -> None:
    space = {"fast": {"from": 2, "to": 60}, "slow": {"from": 2, "to": 400}}
    asked = swept(space, method="random", trials=50)
    first, again = (drawn(asked, Space.of(asked)) for _ in range(2))
    other = drawn(asked.model_copy(update={"seed": 1}), Space.of(asked))
    assert first == again
    assert first.overrides != other.overrides
    assert len({tuple(one.items()) for one in first.overrides}) == 50
    assert all(one["fast"] < one["slow"] for one in first.overrides)


def test_a_draw_of_more_than_there_are_is_all_of_them() -> None:
    asked = swept({"fast": [1, 2], "slow": [2, 3]}, method="random", trials=1000)
    assert len(drawn(asked, Space.of(asked)).overrides) == 3
    assert sorted(shuffled(1000, 7)) == list(range(1000))


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"fats": [1]}, "sweep.space.fats: ma_cross has no such parameter; did you mean fast?"),
        ({"fast": [0]}, "sweep.space.fast: 0 is below 1"),
        ({"exits.stop": [1.0]}, "exits.stop: there is no such setting"),
        ({"exits.stop_atr": [-1.0]}, "exits.stop_atr: Input should be greater than 0"),
        ({"exits.no.deeper": [1]}, "sweep.space.exits.no.deeper: there is no such setting"),
        ({"data.symbol": ["A", "B"]}, "sweep.space.data.symbol: cannot differ within a sweep"),
    ],
)
def test_what_a_space_cannot_hold_is_told(space: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        Space.of(swept(space))
    assert said in str(error.value)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(UsageError) as error:
        Space.of(swept({"fats": [1], "data.url": ["x"]}, objective="Sharp"))
    assert len(error.value.message.splitlines()) == 3
    assert "no measure is called Sharp; did you mean Sharpe?" in error.value.message


def test_an_override_changes_parameters_and_settings_and_nothing_else() -> None:
    before = config(strategy={"params": {"slow": 70}})
    after = applied(before, {"fast": 3, "exits.stop_atr": 2.5, "costs.taker_fee": 0.001})
    assert dict(after.strategy.params) == {"slow": 70, "fast": 3}
    assert (after.exits.stop_atr, after.costs.taker_fee) == (2.5, 0.001)
    assert before.exits.stop_atr is None
    assert after.data == before.data
