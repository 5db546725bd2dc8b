"""A key that does not exist is answered with those that do: at its own place, however deep that is."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops.wording import explain, findings


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Hours(Closed):
    start: str = Field("", alias="from")
    end: str = Field("", alias="to")


class Rules(Closed):
    most: int = 1
    hours: tuple[Hours, ...] = ()


class Guards(Closed):
    account: Rules | None = None
    engines: Annotated[dict[str, Rules], Field(max_length=9)] = {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"acount": {}}, '"acount" is not a key here; keys are account, engines; did you mean "account"?'),
        ({"account": {"mst": 1}}, '"mst" is not a key here; keys are hours, most; did you mean "most"?'),
        ({"engines": {"E": {"mots": 1}}}, '"mots" is not a key here; keys are hours, most; did you mean "most"?'),
        (
            {"account": {"hours": [{"form": ""}]}},
            '"form" is not a key here; keys are from, to; did you mean "from"?',
        ),
    ],
)
def test_the_keys_are_those_of_the_place(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Guards.model_validate(given)
    assert [explain(error, Guards) for error in caught.value.errors()] == [said]


class Pool(Closed):
    url: Annotated[str, Field(pattern="^tcp:")]


class Pools(Closed):
    pools: Annotated[tuple[Pool, ...], Field(min_length=1)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pools": [{"url": "x"}]}, ['"x" does not match ^tcp:']),
        ({"pools": []}, ["the list is refused: tuple should have at least 1 item after validation, not 0"]),
        ({"pools": {"key": "of-a-bank"}}, ["the mapping is not a list"]),
    ],
)
def test_a_list_is_told_of_once_and_never_shown(given: dict[str, object], said: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Pools.model_validate(given)
    assert [explain(one, Pools) for one in findings(caught.value)] == said
