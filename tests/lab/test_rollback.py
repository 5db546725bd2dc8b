"""A deploy that does not come up healthy: the release, the files and the units before it are back, and it says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.conftest import DeskFor
from tests.lab.kit import Desk, Done, changed, wait_until

pytestmark = pytest.mark.lab
WATCH = "runtime/webhook/watch.py"
MAIN = "runtime/webhook/__main__.py"


@pytest.fixture
def mendable(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """The desk; whatever a test breaks in its checkout is whole again afterwards, and deployed."""
    for name in ("runtime", "templates"):
        shutil.copytree(desk.root / name, tmp_path / name)
    # a check that cannot hold need not be waited for as long as on a slow machine
    checks = desk.root / "ops/checks.py"
    text = checks.read_text()
    assert "within: float = 10" in text
    checks.write_text(text.replace("within: float = 10", "within: float = 2"))
    yield desk
    checks.write_text(text)
    for name in ("runtime", "templates"):
        shutil.rmtree(desk.root / name)
        shutil.copytree(tmp_path / name, desk.root / name)
    desk.usual()
    desk.deploy()


def edit(desk: Desk, name: str, old: str, new: str) -> None:
    path = desk.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def broken_start(desk: Desk) -> None:
    path = desk.root / MAIN
    path.write_text('raise SystemExit("it breaks on purpose")\n')


def broken_ready(desk: Desk) -> None:
    edit(
        desk,
        WATCH,
        "return readiness.answer(checks",
        'checks["store"] = "it is ill on purpose"; return readiness.answer(checks',
    )


def broken_unit(desk: Desk) -> None:
    edit(desk, "templates/systemd/tv-webhook.service.j2", "-m runtime.webhook", "-m runtime.nosuch")


BREAKS = {
    "the service does not start": (broken_start, "tv-webhook.service", "it breaks on purpose"),
    "the check fails": (broken_ready, "/ready should answer 200", "it is ill on purpose"),
    "the unit starts the wrong thing": (broken_unit, "tv-webhook.service", "No module named runtime.nosuch"),
}


@pytest.mark.parametrize(("breaks", "what", "words"), BREAKS.values(), ids=BREAKS.keys())
def test_what_was_before_is_back_and_the_reason_is_shown(mendable: Desk, breaks: Any, what: str, words: str) -> None:
    desk = mendable
    before, state = snapshot(desk), desk.on("sha256sum /opt/trading/journal.md")
    events = httpx.get(f"http://{desk.host.address}:8000/api/state").json()["events_total"]
    desk.describe(journal_max="321M", equity0="54321")
    breaks(desk)
    failed = desk.inv("deploy", "--host", desk.host.name)
    assert failed.code == 1
    assert what in failed.out
    assert words in failed.out, "the unit's last lines say why"
    assert "NOT deployed" in failed.out
    assert "next: ./inv alert.test" not in failed.out
    assert snapshot(desk) == before
    assert desk.on("sha256sum /opt/trading/journal.md") == state
    assert httpx.get(f"http://{desk.host.address}:8000/ready").status_code == 200
    assert httpx.get(f"http://{desk.host.address}:8000/api/state").json()["events_total"] == events
    assert httpx.get(f"http://{desk.host.address}:8010/ready").status_code == 200


def test_json_of_a_rollback_says_that_nothing_was_deployed(mendable: Desk) -> None:
    broken_start(mendable)
    done = mendable.inv("deploy", "--host", mendable.host.name, "--json")
    told = done.json()
    assert (done.code, told["outcome"], told["failed"]) == (1, "rolled-back", 1)
    assert "release:/opt/trading" in told["undone"]


def test_the_host_is_as_the_plan_before_wants_it_after_a_rollback(mendable: Desk) -> None:
    """A rollback leaves no drift: with the old sources there is nothing to do."""
    text = (mendable.root / MAIN).read_text()
    broken_start(mendable)
    assert deploy(mendable).code == 1
    (mendable.root / MAIN).write_text(text)
    assert changed(mendable.deploy()) == set()


def test_alerts_sent_during_a_failing_deploy_are_not_lost(mendable: Desk) -> None:
    url, key = f"http://{mendable.host.address}:8000", mendable.secret("webhook_key")
    body = {"key": key, "engine": "TV_TEST", "signal": "BUY", "symbol": "X", "tf": "60", "price": 1, "tp": 2, "sl": 0}
    broken_ready(mendable)
    before = httpx.get(f"{url}/api/state").json()["events_total"]
    run = mendable.start("deploy", "--host", mendable.host.name)
    sent = 0
    with httpx.Client(timeout=30) as client:
        while run.poll() is None:
            assert client.post(f"{url}/tv", json=body, headers={"connection": "close"}).status_code == 200
            sent += 1
    assert run.communicate()[0]
    assert run.returncode == 1
    assert sent > 5
    assert httpx.get(f"{url}/api/state").json()["events_total"] == before + sent
    wait_until(lambda: httpx.get(f"{url}/api/state").json()["journal_pending"] == 0)


def test_three_releases_are_kept_the_current_one_among_them(mendable: Desk) -> None:
    for number in range(3):
        (mendable.root / "runtime/__init__.py").write_text(f'"""What runs on hosts, {number}."""\n')
        assert deploy(mendable).code == 0
    kept = mendable.on("ls -A /opt/trading/releases").split()
    assert len(kept) == 3
    assert mendable.on("basename $(readlink /opt/trading/venv)") in kept
    needed = mendable.on("cat /opt/trading/releases/*/release.json")
    blobs = mendable.on("ls -A /var/lib/trading-ops/blobs").split()
    assert blobs
    assert all(blob in needed for blob in blobs), "no wheel is kept that no release needs"


def test_a_first_deploy_that_fails_leaves_no_units_behind(desk_for: DeskFor) -> None:
    desk = desk_for("first")
    text = (desk.root / MAIN).read_text()
    broken_start(desk)
    failed = deploy(desk)
    assert failed.code == 1
    assert failed.json()["outcome"] == "rolled-back"
    assert desk.on("ls /etc/systemd/system | grep -E 'tv-|perf'; true") == ""
    assert desk.on("find /etc/systemd/system -name 'tv-*' -o -name 'perf*'") == ""
    assert desk.on("ls -d /opt/trading/venv /opt/trading/.env 2>/dev/null; true") == ""
    assert desk.on("systemctl list-units --all --no-legend 'tv-*' 'perf*'") == ""
    assert desk.on("ss -Hltn 'sport = :8000 or sport = :8010'") == ""
    (desk.root / MAIN).write_text(text)
    desk.settles()
    assert httpx.get(f"http://{desk.host.address}:8000/ready").status_code == 200


def deploy(desk: Desk) -> Done:
    return desk.inv("deploy", "--host", desk.host.name, "--json")


def snapshot(desk: Desk) -> str:
    """What a rollback must bring back: the release, every managed file with owner and mode, the units' states."""
    script = (
        "readlink /opt/trading/venv /etc/localtime;"
        "find /etc/systemd /opt/trading -maxdepth 3 -not -path '*/releases*' -not -path '*/state*' "
        "-printf '%p %y %m %u %g %l\\n' | sort;"
        "sha256sum /opt/trading/.env /opt/trading/.env.d/* /etc/systemd/system/*.service /etc/systemd/system/*.socket "
        "/etc/systemd/journald.conf.d/* /etc/timezone;"
        "systemctl show -p ActiveState,UnitFileState,NeedDaemonReload tv-webhook.{service,socket} tv-outbox.service"
        " perf.{service,socket}"
    )
    return desk.on(script)
