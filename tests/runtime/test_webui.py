"""The pages' files: what is shipped, how it is served, and what no script may contain."""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ops import own_wheel, paths
from runtime.webui import assets

STATIC = assets.FOLDER
VENDORED = (STATIC / "vendor", Path(__file__).parents[1] / "pages" / "vendor")
OURS = sorted(STATIC.glob("js/*.js"))
PAGES = [("webhook", "/dash"), ("webhook", "/journal"), ("perf", "/perf/ui")]


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.parent.name)
def test_vendored_files_are_the_ones_we_looked_at(folder: Path) -> None:
    listed = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    found = {path.relative_to(folder).as_posix(): path for path in folder.glob("*/*")}
    assert set(listed) == set(found)
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == listed
    assert all((package / "LICENSE").exists() for package in folder.iterdir() if package.is_dir())


def test_the_wheel_carries_every_file_of_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    wheel = own_wheel.build(own_wheel.sources(), lambda _: None)
    target = tmp_path / "installed"
    subprocess.run(["/usr/bin/python3", "-m", "zipfile", "-e", wheel, target], check=True)
    shipped = {path.relative_to(target / "runtime/webui/static") for path in target.glob("runtime/webui/static/**/*")}
    assert shipped == {path.relative_to(STATIC) for path in STATIC.rglob("*")}


@pytest.mark.parametrize(("service", "path"), PAGES)
def test_a_page_forbids_everything_it_does_not_need(request: pytest.FixtureRequest, service: str, path: str) -> None:
    client = request.getfixturevalue(service)
    page = client.get(path)
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert 'lang="fr"' in page.text
    assert 'data-timezone="America/Montreal"' in page.text
    assert not re.search(
        r"<script(?![^>]* src=)|<style| style=| on\w+=|https?://(?!www\.tradingview\.com/\")", page.text
    )


@pytest.mark.parametrize(("service", "path"), PAGES)
def test_a_file_may_be_kept_for_ever_and_only_under_its_releases_name(
    request: pytest.FixtureRequest, service: str, path: str
) -> None:
    client = request.getfixturevalue(service)
    named = re.findall(r'(?:src|href)="(/ui/[^"]+)"', client.get(path).text)
    assert len(named) >= 5
    for name in named:
        found = client.get(name, headers={"accept-encoding": "identity"})
        assert found.status_code == 200, name
        assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert found.headers.get_list("x-content-type-options") == ["nosniff"]
        assert found.content == (STATIC / name.split("/", 3)[3]).read_bytes()
        assert client.get(name).content == found.content  # packed by gzip on the way
        assert client.get(name.replace(assets.bundle().version, "0123456789abcdef")).status_code == 404


def test_nothing_else_of_the_folder_is_served(webhook: Any) -> None:
    base = f"/ui/{assets.bundle().version}"
    for name in ("vendor/SHA256SUMS", "vendor/uplot/LICENSE", "dash.html", "../assets.py", "%2e%2e/assets.py", ""):
        assert webhook.get(f"{base}/{name}").status_code == 404, name


def test_a_changed_file_changes_every_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.js").write_text("one")
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    first = assets.bundle.__wrapped__()
    (tmp_path / "a.js").write_text("two")
    second = assets.bundle.__wrapped__()
    assert first.version != second.version
    assert gzip.decompress(second.files["a.js"].packed) == b"two"


FORBIDDEN = "|".join(
    (
        r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|srcdoc|DOMParser|createContextualFragment",
        r"document\.write|\beval\(|new Function",
    )
)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_no_script_of_ours_parses_text_as_markup_or_code(path: Path) -> None:
    text = path.read_text()
    assert not re.search(FORBIDDEN, text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), "no other origin is named"


# What the server names and the page has words for.
SERVERS = {"opened", "closed", "updated", "ignored", "duplicate"}
SERVERS |= {f"check_{what}" for what in ("store", "journal", "disk", "node")}
SERVERS |= {f"{prefix}_{kind}" for prefix in ("kind", "one") for kind in ("session", "alert", "note", "text")}
SERVERS |= {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "Asia", "London"}
SERVERS |= {f"pool_{status}" for status in ("alive", "dead", "disabled", "rejecting")}
SERVERS |= {f"stick_{status}" for status in ("ok", "slow", "silent", "missing", "no_permission", "not_mined")}
SERVERS |= {"stick_disabled", "stick_unknown"}
# What the miner's page puts together from the names of its figures and spans.
SERVERS |= {"share_of_promise", "rejected_shares", "span_1h", "span_24h", "span_7d", "span_60d"}


def test_both_languages_say_everything_that_is_asked_for() -> None:
    words = (STATIC / "js/words.js").read_text()
    said = [re.findall(r"(\w+): \"", part) for part in words.split("const en = ", 1)]
    assert [word for part in said for word, times in Counter(part).items() if times > 1] == [], "the last one would win"
    french, english = map(set, said)
    assert french == english
    used = {key for path in OURS for key in re.findall(r"\bt\(\"(\w+)\"", path.read_text())}
    settings = {"language": "fr", "timezone": "UTC"}
    pages = [path.name for path in STATIC.glob("*.html") if path.name != "shell.html"]
    html = "".join(assets.bundle().page(name, settings).decode() for name in pages)
    used |= set(re.findall(r'data-t(?:-label)?="(\w+)"', html))
    assert used <= french
    everything = html + "".join(path.read_text() for path in OURS if path.name != "words.js")
    unused = {key for key in french if f'"{key}"' not in everything}
    assert unused <= SERVERS, "words that nothing says"
    placeholders = [re.findall(r"(\w+): \"([^\"]*)\"", part) for part in words.split("const en = ", 1)]
    fr, en = ({key: set(re.findall(r"\{(\w+)\}", said)) for key, said in part} for part in placeholders)
    assert fr == en
