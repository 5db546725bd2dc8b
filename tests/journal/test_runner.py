"""What programs write into the log book about their runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.journal import runner, scrub
from runtime.journal.book import BookError, parse
from tests.journal.conftest import BOOK
from tests.journal.test_changes import SECRETS

WHEN = "2026-03-02 08:00"


def test_an_entry_is_a_note_with_its_parts() -> None:
    text = runner.entry(
        "Déploiement : admin-trading",
        when=WHEN,
        parameters={"hôte": "admin-trading", "release": ""},
        results={"changements": 3, "échecs": 0},
        artefacts=["/opt/trading/releases/abc"],
    )
    assert text.decode() == (
        "## 2026-03-02 08:00 — Déploiement : admin-trading\n\n"
        "**Paramètres**\n\n- hôte : admin-trading\n\n"
        "**Résultats**\n\n- changements : 3\n- échecs : 0\n\n"
        "**Artefacts**\n\n- `/opt/trading/releases/abc`\n"
    )
    (found,) = parse(text).entries()
    assert (found.kind, found.timestamp, found.title) == ("note", WHEN, "Déploiement : admin-trading")


ANY = st.text(max_size=60) | st.sampled_from(
    ["\n## 2026-01-01 00:00 — x\n", "```\n", "1) Objectifs:\n", "<b>", "\r\n~~~"]
)


@given(title=ANY, name=ANY, value=ANY, artefact=ANY)
def test_whatever_a_value_holds_it_is_one_note(title: str, name: str, value: str, artefact: str) -> None:
    text = runner.entry(title, when=WHEN, parameters={name: value}, results={"r": value}, artefacts=[artefact])
    found = list(parse(text + b"\n" + BOOK.encode()).entries())
    assert [one.kind for one in found[:2]] == ["note", "alert"]
    assert len(found) == 5


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_is_written(kind: str) -> None:
    around, secret = SECRETS[kind]
    text = runner.entry("x", when=WHEN, results={"message": around % secret}, known=["known-value"])
    flat = " ".join(secret.split())
    assert scrub.find(text) == []
    assert flat.encode() not in text
    assert b"known-value" not in runner.entry("known-value", when=WHEN, known=["known-value"])


def test_it_is_appended_and_what_fails_is_told(tmp_path: Path) -> None:
    book = tmp_path / "journal.md"
    book.write_text("# Journal")
    runner.write(book, "Essai", results={"durée": "1 s"})
    assert book.read_text().startswith("# Journal\n\n## 2")
    with pytest.raises(BookError):
        runner.write(tmp_path / "nowhere" / "journal.md", "Essai")
