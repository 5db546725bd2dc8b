"""The services of a host on a PostgreSQL of its own: over its socket, without a password, and when it is down."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pytest
from pyarrow import parquet

from tests.lab.conftest import DeskFor
from tests.lab.kit import INVENTORY, Desk, wait_until

pytestmark = pytest.mark.lab

URL = "postgresql:///trading?host=/run/postgresql"
APT = "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends"
SQL = (
    "CREATE ROLE trading LOGIN",
    "CREATE DATABASE trading OWNER trading ENCODING 'UTF8' TEMPLATE template0",
)
ALERT = {"engine": "USDTM_LONG", "signal": "BUY", "symbol": "BTCUSDT.P", "tf": "60", "price": 68000, "sl": 67000}


@pytest.fixture(scope="module")
def desk(desk_for: DeskFor) -> Iterator[Desk]:
    found = desk_for("postgres")
    found.on(f"apt-get -qq update && {APT} postgresql >/dev/null")
    for statement in SQL:
        found.on("cd / && runuser -u postgres -- psql -q", stdin=statement)
    given = "{{env: LAB_DATABASE_URL}}"
    found.text = INVENTORY.replace("webhook:\n", f"webhook:\n        database_url: {given}\n").replace(
        "perf:\n", f"perf:\n        parquet: true\n        database_url: {given}\n"
    )
    found.describe()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_DATABASE_URL", URL)
        found.settles()
        yield found


def rows(desk: Desk, query: str) -> str:
    return desk.on("cd / && runuser -u postgres -- psql -qAt trading", stdin=query)


def post(desk: Desk, name: str) -> httpx.Response:
    body = ALERT | {"key": desk.secret("webhook_key"), "id": name, "trade_id": name, "reason": name}
    return httpx.post(f"{desk.url()}/tv", json=body, timeout=5)


def test_alerts_and_trades_are_kept_in_the_database(desk: Desk) -> None:
    assert post(desk, "first").status_code == 200
    wait_until(lambda: rows(desk, "SELECT trade_id, status FROM perf.trades") == "first|OPEN")
    assert rows(desk, "SELECT id, outcome, reason FROM webhook.events") == "1|opened|first"
    wait_until(lambda: "first" in desk.on("cat /opt/trading/journal.md"))
    assert desk.on("ls /opt/trading/state/*.db 2>/dev/null; true") == ""
    assert desk.on("systemctl show -P PrivateNetwork perf") == "yes"


def test_the_hardened_ledger_is_exported_as_parquet(desk: Desk) -> None:
    token = {"Authorization": f"Bearer {desk.secret('perf_token')}"}
    answer = httpx.get(f"{desk.url('perf')}/perf/export?format=parquet", headers=token, timeout=30)
    assert answer.status_code == 200, answer.text
    (trade,) = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert (trade["trade_id"], trade["status"], trade["entry"]) == ("first", "OPEN", 68000)
    assert int(desk.on("ps -o rss= -p $(systemctl show -P MainPID perf)")) < 90_000


def test_a_database_that_is_down_is_a_503_and_its_return_is_enough(desk: Desk) -> None:
    desk.on("systemctl stop postgresql@15-main")
    refused = post(desk, "while down")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert httpx.get(f"{desk.url()}/ready", timeout=5).status_code == 503
    desk.on("systemctl start postgresql@15-main")
    wait_until(lambda: post(desk, "again").status_code == 200)
    assert rows(desk, "SELECT count(*) FROM webhook.events WHERE reason = 'while down'") == "0"
    assert desk.on("systemctl show -P NRestarts tv-webhook perf").split() == ["0", "0"]
