"""What the services do with a file they do with PostgreSQL: the router's and the ledger's tests, on that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from runtime.keys import Secret
from tests.runtime.ledger_kit import Ledger, opened
from tests.runtime.test_kpi import *  # noqa: F403
from tests.runtime.test_ledger import *  # noqa: F403
from tests.runtime.test_outbox import *  # noqa: F403
from tests.runtime.test_perf_pages import test_a_chart_keeps_the_extremes as test_a_chart_keeps_the_extremes
from tests.runtime.test_perf_sink import *  # noqa: F403
from tests.runtime.test_retention import place as place
from tests.runtime.test_retention import test_dead_letters_stay_whole as test_dead_letters_stay_whole
from tests.runtime.test_retention import test_only_what_is_old_is_reduced as test_only_what_is_old_is_reduced
from tests.runtime.test_router import *  # noqa: F403


@pytest.fixture
def environ(environ: dict[str, str], database: str) -> dict[str, str]:
    return environ | {"STORE_URL": database, "PERF_STORE_URL": database}


def test_a_nul_in_an_address_is_the_callers_fault(webhook: TestClient, perf: TestClient) -> None:
    asked = [
        webhook.get("/api/events?outcome=%00"),
        perf.get("/perf/trades?engine=a%00b"),
        perf.get("/perf/export?side=%00"),
    ]
    assert [one.status_code for one in asked] == [400, 400, 400]
    assert perf.get(f"/perf/trades?before={2**63 - 1}").json() == {"trades": [], "next": None}


@pytest.fixture
def book(database: str) -> Iterator[Ledger]:
    with opened(Secret(database)) as made:
        yield made
