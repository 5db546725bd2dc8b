"""The pages by axe-core's rules: names, roles, landmarks, contrast; dark and light, in each state one may meet."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime import clock
from tests.pages import seed
from tests.pages.conftest import KEY, Watched

pytestmark = pytest.mark.page

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text()
Open = Callable[..., Watched]


@pytest.fixture
def both(service: Callable[..., Any], environ: dict[str, str]) -> dict[str, Any]:
    ledger = service("runtime.perf").start()
    now = clock.now()
    seed.tell(ledger.url, itertools.chain(seed.trades(now, count=40), seed.still_open(now)), "/perf/event")
    environ["PERF_URL"] = ledger.url
    webhook = service().start()
    Path(environ["JOURNAL_PATH"]).write_text(seed.journal(now))
    seed.tell(webhook.url, seed.alerts(KEY), "/tv")
    return {"/dash": webhook, "/journal": webhook, "/perf/ui": ledger}


def faults(watched: Watched) -> list[str]:
    """What axe finds, one line for each element: the rule, the element, what to do."""
    watched.page.evaluate(AXE)
    found = watched.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target'][0]}: {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("path", ["/dash", "/journal", "/perf/ui"])
def test_no_rule_is_broken(both: dict[str, Any], visit: Open, path: str, scheme: str) -> None:
    for width in (1440, 390):
        watched = visit(both[path], path, width=width, scheme=scheme)
        watched.page.locator("article" if path == "/journal" else "#calendar svg").first.wait_for()
        assert faults(watched) == []


def test_nor_when_the_server_is_gone_or_a_question_is_asked(both: dict[str, Any], visit: Open) -> None:
    dash = visit(both["/dash"], "/dash")
    dash.page.locator("#pause").click()
    assert faults(dash) == []
    dash.page.locator("#ops-cancel").click()
    both["/dash"].kill()
    dash.page.locator('body[data-line="down"]').wait_for()
    assert faults(dash) == []


@pytest.mark.parametrize("path", ["/dash", "/perf/ui"])
def test_what_a_screen_reader_is_told(both: dict[str, Any], visit: Open, path: str) -> None:
    watched = visit(both[path], path)
    watched.page.locator("#calendar svg").wait_for()
    page = watched.page
    for role in ("banner", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1, role  # type: ignore[arg-type]
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("heading", level=2).count() >= 6
    for name in ("#equity", "#histogram", "#calendar"):
        picture = page.locator(f"{name} [role=img]").first
        assert len(picture.get_attribute("aria-label") or "") > 30
        page.locator(f"{name} details summary").click()
        assert page.locator(f"{name} details table").is_visible()
    if path == "/dash":
        assert page.locator("#said").get_attribute("aria-live") == "polite"
