"""docs/schema: up to date, valid, and of one mind with the services about what is needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta  # comes with schemathesis
from starlette.testclient import TestClient

from runtime import schemas

Make = Callable[..., dict[str, Any]]
DOCUMENTS = schemas.documents()
ALERTS = DOCUMENTS["alert.v1.json"]["examples"]
EVENTS = DOCUMENTS["perf-event.v1.json"]["examples"]
LOGBOOK = json.loads((Path(__file__).parent / "fixtures" / "logbook_payloads.json").read_text())["alerts"]


def valid(name: str, body: Any) -> bool:
    return bool(Draft202012Validator(DOCUMENTS[name]).is_valid(body))


def test_the_files_are_up_to_date() -> None:
    assert schemas.write(schemas.FOLDER, check=True) == [], "run ./inv schema"


def test_a_file_that_differs_is_found_and_written(tmp_path: Path) -> None:
    assert schemas.write(tmp_path, check=True) == list(DOCUMENTS)
    assert list(tmp_path.iterdir()) == []
    assert schemas.write(tmp_path, check=False) == list(DOCUMENTS)
    assert schemas.write(tmp_path, check=True) == []
    (tmp_path / "alert.v1.json").write_text("{}")
    assert schemas.write(tmp_path, check=True) == ["alert.v1.json"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_is_a_schema_with_its_name_and_says_what_everything_is(name: str) -> None:
    schema = DOCUMENTS[name]
    meta.validate(schema)
    assert schema["$id"] == f"urn:trading-ops:schema:{name.removesuffix('.v1.json')}:v1"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    obvious = {"event_type", "type", "side", "symbol", "contract", "trade_id"}
    silent = {field for field, one in schema["properties"].items() if "description" not in one}
    assert silent <= obvious
    for example in schema["examples"]:
        assert valid(name, example)


@pytest.mark.parametrize("alert", LOGBOOK, ids=lambda one: f"{one['engine']}-{one.get('reason', '')}")
def test_what_the_log_book_sent_is_valid(alert: dict[str, Any]) -> None:
    assert valid("alert.v1.json", {**alert, "key": "x"})


def test_the_webhook_takes_each_example(webhook: TestClient, alert: Make) -> None:
    for example in ALERTS:
        answer = webhook.post("/tv", json=example | {"key": alert()["key"]})
        assert answer.status_code == 200, answer.text


def test_the_ledger_takes_each_example(perf: TestClient) -> None:
    for example in EVENTS:
        assert perf.post("/perf/event", json=example).status_code == 200, example


CUT_ALERTS = [(example, field) for example in ALERTS for field in example if field != "key"]
CUT_EVENTS = [(example, field) for example in EVENTS for field in example]


@pytest.mark.parametrize(("example", "field"), CUT_ALERTS)
def test_what_the_schema_needs_the_webhook_needs(
    webhook: TestClient, alert: Make, example: dict[str, Any], field: str
) -> None:
    """A test engine needs less than other engines do, and a stop may be needed by configuration."""
    cut = {name: value for name, value in example.items() if name != field}
    if valid("alert.v1.json", cut):
        answer = webhook.post("/tv", json=cut | {"key": alert()["key"]})
        assert answer.status_code == 200 or answer.json()["field"] == "sl"
    else:
        assert webhook.post("/tv", json=cut | {"key": alert()["key"]}).status_code == 400


@pytest.mark.parametrize(("example", "field"), CUT_EVENTS)
def test_what_the_schema_needs_the_ledger_needs(perf: TestClient, example: dict[str, Any], field: str) -> None:
    cut = {name: value for name, value in example.items() if name != field}
    status = perf.post("/perf/event", json=cut).status_code
    assert (status == 400) is not valid("perf-event.v1.json", cut)
