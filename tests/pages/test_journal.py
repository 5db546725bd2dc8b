"""The log book's page as a person meets it, in Chromium, against the real service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime import clock
from tests.journal.conftest import NOTE, SESSION
from tests.pages import seed
from tests.pages.conftest import Watched, own_address
from tests.pages.test_dash import INJECTIONS

pytestmark = pytest.mark.page

Make = Callable[..., dict[str, Any]]
Open = Callable[..., Watched]
Start = Callable[..., Any]


@pytest.fixture
def book(environ: dict[str, str]) -> Path:
    path = Path(environ["JOURNAL_PATH"])
    path.write_text(seed.journal(clock.now(), count=15))
    return path


@pytest.fixture
def running(service: Start, book: Path) -> Any:
    return service().start()


def test_it_shows_days_sessions_alerts_and_goes_on(running: Any, visit: Open) -> None:
    seen = visit(running, "/journal")
    seen.shows("article h3", "Fenêtre de test XAUUSD M15")
    page = seen.page
    assert page.locator("article").count() == 20
    assert page.locator(".k-session h4").first.inner_text() == "Objectifs"
    assert "./inv deploy --host lab" in page.locator(".k-session pre").first.inner_text()
    assert page.locator(".todos li").count() % 2 == 0
    assert page.locator(".todos .done").first.inner_text() == "Noter la durée du redéploiement."
    page.locator("#more").click()
    page.locator("article").nth(25).wait_for()
    days = page.locator(".day-of").evaluate_all("found => found.map(one => one.dataset.day)")
    assert days == sorted(set(days), reverse=True), "a day is one section, also across two pages"
    assert seen.complaints == []


def test_words_are_found_marked_and_lead_to_their_entry(running: Any, visit: Open) -> None:
    seen = visit(running, "/journal")
    seen.page.locator("#q").fill("restaurations completes")
    seen.page.keyboard.press("Enter")
    seen.shows(".hits li", "Sauvegarde du registre")
    assert seen.page.locator(".hits mark").first.inner_text() == "restauration"
    seen.shows("#said", "entrées trouvées")
    seen.page.locator(".hits a").first.click()
    seen.shows("article.here h3", "Sauvegarde du registre")
    assert seen.page.evaluate("document.activeElement.classList.contains('here')")
    seen.page.go_back()
    seen.shows(".hits li", "Sauvegarde du registre")
    seen.page.locator("#q").fill("zorglub")
    seen.page.locator("#find button").click()
    seen.shows("#said", "Rien ne correspond.")
    assert seen.complaints == []


def test_a_link_opens_its_entry_wherever_it_stands(running: Any, visit: Open) -> None:
    first = visit(running, "/journal")
    first.page.locator("#more").click()
    first.page.locator("article").nth(25).wait_for()
    target = first.page.locator("article.k-session").last
    title, place = target.locator("h3").inner_text(), target.locator(".anchor").get_attribute("href")
    again = visit(running, f"/journal{place}")
    again.shows("article.here h3", title)
    assert again.page.locator("article").first.locator("h3").inner_text() == title
    again.page.locator("#newest").click()
    again.page.locator("article.here").wait_for(state="detached")


def test_kinds_and_days_narrow_it(running: Any, visit: Open) -> None:
    seen = visit(running, "/journal")
    seen.shows("#kind-alert", "30")
    seen.page.locator("#kind-alert").click()
    seen.page.locator(".k-alert").first.wait_for(state="detached")
    assert seen.page.locator("#kind-alert").get_attribute("aria-pressed") == "false"
    seen.shows(".k-note table", "moteur")
    seen.page.locator("#since").fill(f"{clock.now():%Y-%m-%d}")
    seen.page.locator("article").nth(1).wait_for(state="detached")
    assert seen.complaints == []


def test_open_points_of_all_sessions(running: Any, visit: Open) -> None:
    seen = visit(running, "/journal")
    seen.page.locator("#todo").click()
    seen.shows("#said", "8 points ouverts")
    assert seen.page.locator(".todos li").count() == 8
    assert seen.page.locator("#todo").get_attribute("aria-pressed") == "true"
    seen.page.locator(".day-of h2 a").first.click()
    seen.page.locator("article.here").wait_for()


def test_what_is_written_in_it_is_text(running: Any, book: Path, visit: Open) -> None:
    titles = "".join(f"## 2026-04-01 1{at}:00 — {text}\n{text}\n\n`{text}`\n\n" for at, text in enumerate(INJECTIONS))
    links = "\n".join(f"[x]({text}) ![i]({text}) <{text}>" for text in INJECTIONS)
    points = SESSION.replace("Vérifier la sauvegarde", INJECTIONS[0]).replace("Séance", INJECTIONS[1])
    link = "[ici](https://example.org/a) [mal](javascript:__ran.push(9)) [pire](data:text/html,<script>1</script>)\n"
    book.write_text(f"{titles}{points}\n{NOTE}{links}\n{link}")
    seen = visit(running, "/journal")
    for text in INJECTIONS[:3]:
        seen.shows("article h3", text)
    assert seen.page.locator("#book").locator("img, script, svg, iframe, style, form").count() == 0
    found = seen.page.locator("#book .text a").evaluate_all("found => found.map(one => [one.protocol, one.rel])")
    assert found == [["https:", "noreferrer noopener"]]
    seen.page.locator("#q").fill("onerror ran")
    seen.page.keyboard.press("Enter")
    seen.shows(".hits", "<img src=x onerror")
    seen.page.locator("#todo").click()
    seen.shows("#book", INJECTIONS[0])
    assert seen.page.locator("#book").locator("img, script, svg, iframe").count() == 0
    assert seen.complaints == []


def test_it_fits_a_phone_and_a_wall(running: Any, visit: Open) -> None:
    for width in (390, 3840):
        seen = visit(running, "/journal", width=width)
        seen.page.locator("article").first.wait_for()
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        small = seen.page.locator("button:visible, input:visible").evaluate_all(
            "found => found.filter(one => one.getBoundingClientRect().height < 24).length"
        )
        assert small == 0
        assert seen.complaints == []


def test_it_is_worked_by_keys_alone(running: Any, visit: Open) -> None:
    seen = visit(running, "/journal")
    seen.page.locator("article").first.wait_for()
    press = seen.page.keyboard.press
    press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    names = list[str]()
    for _ in range(14):
        press("Tab")
        names.append(seen.page.evaluate("document.activeElement.id || document.activeElement.getAttribute('href')"))
    assert [name for name in names if name in ("/dash", "/journal", "q", "kind-session", "todo", "newest")] == [
        "/dash", "/journal", "q", "kind-session",
    ]  # fmt: skip
    seen.page.locator("#q").focus()
    seen.page.keyboard.type("sizing")
    press("Enter")
    seen.shows(".hits", "Sizing du moteur or")
    seen.page.locator(".hits a").first.focus()
    press("Enter")
    seen.shows("article.here h3", "Sizing du moteur or")


def test_a_dead_server_is_said(running: Any, visit: Open) -> None:
    seen = visit(running, "/journal")
    seen.page.locator("article").first.wait_for()
    running.kill()
    seen.page.locator('body[data-line="down"]').wait_for(timeout=5000)
    seen.shows("#alarm", "DÉCONNECTÉ")


def test_from_another_machine_it_asks_for_the_operators_key(
    service: Start, environ: dict[str, str], book: Path, visit: Open
) -> None:
    environ["LISTEN_HOST"] = "0.0.0.0"  # noqa: S104
    far = service().start()
    far.url = far.url.replace("127.0.0.1", own_address())
    seen = visit(far, "/journal")
    seen.shows("#key-note", "demande la clé opérateur")
    assert seen.page.locator("article").count() == 0
    for key, said in (("wrong", "refusée"), ("ops-key-of-the-tests", None)):
        seen.page.locator("#key").fill(key)
        seen.page.keyboard.press("Enter")
        if said:
            seen.shows("#key-note", said)
    seen.shows("article h3", "Fenêtre de test XAUUSD M15")
    assert not seen.page.locator("#key-form").is_visible()
    assert seen.misdeeds == []


def test_an_alert_that_comes_in_appears_by_itself(running: Any, visit: Open, alert: Make) -> None:
    seen = visit(running, "/journal")
    seen.page.locator("article").first.wait_for()
    running.post(alert(reason="zorglub à l’instant"))
    seen.shows(".k-alert", "zorglub à l’instant", 8)


def test_it_prints_the_entries_and_nothing_around_them(running: Any, visit: Open) -> None:
    seen = visit(running, "/journal")
    seen.page.locator("article").first.wait_for()
    seen.page.emulate_media(media="print")
    for name in (".bar", ".tools", ".foot", ".anchor"):
        assert not seen.page.locator(name).first.is_visible(), name
    assert seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.page.pdf()[:5] == b"%PDF-"
