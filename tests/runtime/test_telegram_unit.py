"""The role's unit and env file: tight, accepted by systemd, and read by the service as they were meant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from roles.telegram.role import USUAL, Config, Kind, Telegram
from runtime.telegram import settings
from tests.fakes.telegram import TOKEN
from tests.runtime.test_units import render
from tests.unit_kit import assert_hardened, needs_systemd

GIVEN = {"bot_token": TOKEN, "chat_id": -1001234567890, "ops_key": 'o"$`\\ps-key-é'}


def rendered(name: str, **given: Any) -> str:
    config = Config.model_validate(GIVEN | given)
    return render(name, **{field: getattr(config, field) for field in Config.model_fields})


def environment(**given: Any) -> dict[str, str]:
    lines = [line for line in rendered("env/telegram.env.j2", **given).splitlines() if line and line[0] != "#"]
    found = dict(line.split("=", 1) for line in lines)
    return {name: re.sub(r"\\(.)", r"\1", value[1:-1]) if value[:1] == '"' else value for name, value in found.items()}


@needs_systemd
def test_the_unit_is_hardened(tmp_path: Path) -> None:
    path = tmp_path / "tv-telegram.service"
    path.write_text(rendered("systemd/tv-telegram.service.j2"))
    table = assert_hardened(path, 1.3)
    assert table.count("✗") <= 7, "the internet is all that it needs more than its neighbours"


def test_the_inventory_is_what_the_service_reads() -> None:
    found = settings.load(environment())
    assert (found.chat, found.allowed, found.language) == (-1001234567890, {-1001234567890}, "fr")
    assert (found.token.reveal(), found.ops_key.reveal()) == (TOKEN, GIVEN["ops_key"])
    assert (found.events, found.max_age, found.base_url) == (set(settings.USUAL), 86_400, settings.API)
    told = {
        "chat_id": "@my_channel",
        "allowed_chats": [5, -6],
        "events": ["closed"],
        "enabled": False,
        "language": "en",
    }
    found = settings.load(environment(**told, database_url="postgresql://t:p@10.0.0.7/t"))
    assert (found.enabled, found.allowed, found.events, found.language) == (False, {5, -6}, {"closed"}, "en")
    assert "Secret" in repr(found.database)


def test_role_and_service_know_the_same_kinds() -> None:
    assert set(Kind.__args__) == set(settings.KINDS)
    assert settings.USUAL == USUAL


@pytest.mark.parametrize(
    "wrong",
    [
        {"bot_token": "hidden-and-no-token"},
        {"chat_id": "me"},
        {"events": ["opend"]},
        {"base_url": "https://x/"},
        {"tokn": 1},
    ],
)
def test_what_cannot_work_is_refused_before_the_deploy(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        Config.model_validate(GIVEN | wrong)
    assert "hidden-and" not in str(raised.value)


def test_the_unit_is_restarted_with_its_release_and_settings() -> None:
    config = Config.model_validate(GIVEN)
    *needed, unit = Telegram().resources(config, None)  # type: ignore[arg-type]
    assert unit.restart_on == tuple(needed)  # type: ignore[attr-defined]
    assert [check.unit for check in Telegram().checks(config)] == ["tv-telegram.service"]
