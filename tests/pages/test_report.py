"""A run's report.html, in Chromium, from a file: it asks for nothing, runs nothing but its own, and can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from quant import engine, metrics, report
from quant.config import Config, parse
from quant.engine import Result
from quant.report import page, title_of
from quant.report.blocks import Block, Curves, Heatmap, Histogram, Table
from tests.pages.conftest import WATCH, Watched
from tests.pages.test_access import faults
from tests.quant.test_backtest import walk

pytestmark = pytest.mark.page

HOSTILE = "</script><img src=x onerror=__ran.push(1)><!--"
BARS = 20_000
Open = Callable[..., Watched]


def config(title: str = "") -> Config:
    given = {"data": {"symbol": "BTC/USDT", "timeframe": "15m"}, "exits": {"stop_atr": 2}, "title": title}
    return parse(given | {"strategy": {"params": {"fast": 20, "slow": 80}}})


def hostile(result: Result) -> list[Block]:
    """What sweeps and walks add, with names that would be code."""
    time, equity = result.candles.time, result.equity
    return [
        Heatmap("Sharpe", HOSTILE, "slow", [5, 10], [50, HOSTILE], [[1.0, -2.0], [None, 0.5]], "Sharpe", HOSTILE),
        Table("Windows", ["from", HOSTILE], [[HOSTILE, 1.5], ["2024-04-01", None]], HOSTILE),
        Curves("Walk-forward", time, {HOSTILE: equity, "out of sample": equity * 1.1}, HOSTILE),
        Histogram(HOSTILE, np.array([np.nan])),
    ]


@pytest.fixture(scope="module")
def result() -> Result:
    return engine.run(config(), walk(BARS))


@pytest.fixture(scope="module")
def file(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("report") / "report.html"
    parts = [*blocks_of(result), *hostile(result)]
    about = {"kind": "backtest", "data": HOSTILE, "code": "c", "seed": 0}
    found.write_text(page.page(HOSTILE, HOSTILE, parts, config(HOSTILE), about), encoding="utf-8")
    return found


def blocks_of(result: Result) -> tuple[Block, ...]:
    return report.blocks(result, metrics.measure(result))


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Open]:
    made = []

    def make(width: int = 1440, scheme: str = "dark", language: str = "en-CA") -> Watched:
        size = {"width": width, "height": 900}
        made.append(browser.new_context(viewport=size, color_scheme=scheme, locale=language))  # type: ignore[arg-type]
        made[-1].add_init_script(WATCH)
        watched = Watched(made[-1].new_page(), file.as_uri())
        watched.page.goto(file.as_uri())
        watched.page.locator("body[data-ready]").wait_for(timeout=20_000)
        return watched

    yield make
    for one in made:
        one.close()


def said(page: Page) -> str:
    return page.locator(".chart .said").inner_text()


def test_it_needs_nothing_and_no_text_becomes_code(opened: Open, file: Path) -> None:
    watched = opened()
    assert watched.complaints == []
    assert watched.page.locator("img").count() == 0
    assert watched.page.locator("h1").inner_text() == HOSTILE
    assert watched.page.title() == HOSTILE
    assert 'src="' not in file.read_text() and "http-equiv" in file.read_text()


def test_no_code_can_be_added_to_it(file: Path, browser: Browser, tmp_path: Path) -> None:
    """Its policy names its own scripts by their hashes."""
    added = tmp_path / "added.html"
    added.write_text(file.read_text().replace("</body>", "<script>window.added = 1</script></body>"))
    page = browser.new_page()
    page.goto(added.as_uri())
    page.locator("body[data-ready]").wait_for()
    assert page.evaluate("window.added") is None
    page.close()


def test_the_page_has_every_candle_as_it_was(opened: Open, result: Result) -> None:
    """Unpacked by the page's own script from what it carries."""
    seen = opened().page.evaluate(
        "Object.fromEntries(['time', 'open', 'high', 'low', 'close'].map((name) => [name, [...shownCandles[name]]]))"
    )
    for name in ("open", "high", "low", "close"):
        assert seen[name] == getattr(result.candles, name).tolist()
    assert [1000 * moment for moment in seen["time"]] == result.candles.time.tolist()


def test_figures_tell_their_definition_to_a_pointer_and_to_a_keyboard(opened: Open) -> None:
    page = opened().page
    tile = page.locator('[data-figure="Sharpe"]')
    assert not tile.locator(".tip").is_visible()
    tile.hover()
    assert "std(r, ddof=1)" in tile.locator(".tip").inner_text()
    page.mouse.move(0, 0)
    page.locator('[data-figure="Exposure"]').focus()
    tip = page.locator('[data-figure="Exposure"] .tip')
    assert tip.is_visible()
    box = tip.bounding_box()
    assert box and box["x"] + box["width"] <= 1440
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_candles_can_be_zoomed_by_wheel_drag_keys_and_a_trade(opened: Open, result: Result) -> None:
    page = opened().page
    count = page.locator(".count")
    total = len(result.trades)
    assert count.inner_text().startswith(f"{total} / {total}")
    over = page.locator('[data-plot="candles"] .u-over')
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    assert " O " in f" {said(page)}"
    page.mouse.wheel(0, -400)
    page.wait_for_function("n => Number(document.querySelector('.count').textContent.split(' ')[0]) < n", arg=total)
    page.keyboard.press("Tab")
    page.locator(".chart").focus()
    page.keyboard.press("0")
    assert count.inner_text().startswith(f"{total} /")
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 420, box["y"] + 110)
    page.mouse.up()
    assert int(count.inner_text().split()[0]) < total / 4
    page.locator("[data-do=all]").click()
    page.locator("button.link").first.click()
    last = result.trades.entry_bar[-1]
    assert int(count.inner_text().split()[0]) <= 5
    assert page.locator("table.trades tbody tr").first.inner_text() != ""
    assert last < BARS


def test_it_speaks_the_readers_language_and_either_at_a_press(opened: Open) -> None:
    page = opened(language="fr-CA").page
    assert page.locator("h2", has_text="Rendement par mois").is_visible()
    page.locator("#language").click()
    assert page.locator("h2", has_text="Returns by month").is_visible()
    assert not page.locator("h2", has_text="Rendement par mois").is_visible()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [390, 1440, 2560])
def test_it_fits_and_breaks_no_rule_of_access(opened: Open, width: int, scheme: str) -> None:
    watched = opened(width, scheme)
    assert watched.page.evaluate("document.documentElement.scrollWidth") == width
    background = watched.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert background == ("rgb(13, 17, 23)" if scheme == "dark" else "rgb(238, 241, 244)")
    if width != 2560:
        assert faults(watched) == []


def test_the_same_run_gives_the_same_page(result: Result) -> None:
    first, again = (page.page("t", "s", blocks_of(result), config(), {"kind": "backtest"}) for _ in range(2))
    assert first == again


def test_a_title_is_made_where_none_is_given() -> None:
    assert title_of(config()) == "ma_cross BTC/USDT 15m"
    assert title_of(config("Named")) == "Named"
