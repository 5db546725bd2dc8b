"""What is wrong in a log book, moving stray text, masking secrets, and writing while others write."""

from __future__ import annotations

import multiprocessing
import stat
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.journal import local, scrub
from runtime.journal.book import BookError, parse
from runtime.journal.fix import fixed
from runtime.journal.lint import PROBLEMS, lint
from runtime.journal.replace import append, rewrite
from runtime.journal.todo import ticked
from runtime.journal.words import search
from tests.journal.conftest import BOOK, FIRST, NOTE, PARASITE, SECOND, SESSION
from tests.journal.test_book import SOUP

ZONE = ZoneInfo("America/Montreal")
WHEN = "2026-03-02 08:00"


def wrong(text: str) -> list[tuple[int, str]]:
    return [(found.line, found.problem) for found in lint(parse(text.encode()), ZONE)[1]]


CASES = {
    "parasite": (f"\n\n{PARASITE}{NOTE}", 3),
    "broken-date": (f"{NOTE}\n## 2026-02-30 10:00 — x\n", 4),
    "time-order": (NOTE + FIRST, 3),
    "unclosed-fence": (NOTE + "```\nx\n", 3),
    "heading-in-fence": (NOTE + "```\nx\n" + SECOND.replace("2026-03-01", "2026-03-02").replace('"key"', '"k"'), 5),
    "missing-sections": (SESSION.replace("2) Actions", "Actions"), 1),
    "payload-not-json": (FIRST.replace("{", "("), 1),
    "payload-key": (SECOND, 13),
    "duplicate": (NOTE + "\n" + NOTE, 4),
}


def test_every_problem_has_its_case() -> None:
    assert set(CASES) == set(PROBLEMS)


@pytest.mark.parametrize("problem", CASES)
def test_a_problem_is_told_with_its_line(problem: str) -> None:
    text, line = CASES[problem]
    assert (line, problem) in wrong(text)


def test_a_clean_book_has_no_problem() -> None:
    assert wrong("# Journal\n\n" + BOOK.replace("planted-key-of-the-demo", "***")) == []


def test_the_hour_that_autumn_repeats_is_in_order() -> None:
    twice = "## 2026-11-01 01:50 — a\n## 2026-11-01 01:10 — b\n"
    assert wrong(twice) == []
    assert wrong(twice.replace("11-01", "11-02")) == [(2, "time-order")]


def test_without_time_zone_data_order_is_still_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "ZoneInfo", _unknown)
    assert local.order_zone() is UTC
    with pytest.raises(BookError, match="America/Montreal"):
        local.heading_time()


def _unknown(name: str) -> None:
    raise ZoneInfoNotFoundError(name)


def test_stray_text_moves_to_the_end_whole() -> None:
    after = fixed((PARASITE + BOOK + "\n" + FIRST.replace("09:00", "13:00") + "\nreste").encode(), WHEN)
    assert after.startswith(BOOK.encode())
    found = list(parse(after).entries())
    assert [entry.kind for entry in found] == ["alert", "alert", "session", "note", "alert", "note"]
    assert PARASITE.encode() in found[-1].raw
    assert b"reste" in found[-1].raw
    assert fixed(after, WHEN) == after


@given(lines=st.lists(st.sampled_from(SOUP), max_size=30))
def test_fixing_loses_no_line_and_is_done_once(lines: list[str]) -> None:
    before = "\n".join(lines).encode()
    try:
        after = fixed(before, WHEN)
    except BookError:
        return
    assert fixed(after, WHEN) == after
    assert {line for line in before.split(b"\n") if line.strip()} <= set(after.split(b"\n"))


def test_a_fence_that_never_ends_must_be_ended_first() -> None:
    with pytest.raises(BookError, match="line 4 never ends"):
        fixed(f"reste\n{NOTE}```\n".encode(), WHEN)


NUMBER = "8412067395"
LETTERS = "Qz7Lm2Xc9Vb4Nk8Jh3Gf6Ds1Ap5Wr0TyUeIo"
BODY = "\n".join([LETTERS * 2] * 3)
SECRETS = {
    "webhook-key": ['"key": "%s"', LETTERS[:14]],
    "openai-key": ["clé %s.", "sk-proj-" + LETTERS],
    "telegram-token": ["https://api.telegram.org/bot%s/getMe", f"{NUMBER}:AA{LETTERS[:33]}"],
    "ngrok-token": ["ngrok config add-authtoken %s", f"2{LETTERS[:26]}_{LETTERS[:21]}"],
    "github-token": ["git clone https://x-access-token:%s@github.com/a/b", f"ghp_{LETTERS}"],
    "private-key": ["-----BEGIN OPENSSH PRIVATE KEY-----%s-----END OPENSSH PRIVATE KEY-----", f"\n{BODY}\n"],
    "age-key": ["%s", "AGE-SECRET-KEY-1" + (LETTERS * 2)[:58].upper()],
    "aws-key": ["id %s", "AKIA" + LETTERS[:16].upper()],
    "seed-phrase": ["seed phrase: %s", " ".join(["apple", "river", "stone"] * 4)],
    "password-in-url": ["stratum://worker:%s@pool.example", LETTERS[:12]],
    "bearer-token": ["-H 'Authorization: Bearer %s'", LETTERS],
    "assignment": ["export TV_WEBHOOK_KEY='%s'", LETTERS[:20]],
}


def test_every_kind_of_secret_has_its_case() -> None:
    assert set(SECRETS) == {pattern.kind for pattern in scrub.PATTERNS}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_never_told_and_masked(kind: str) -> None:
    around, secret = SECRETS[kind]
    text = SESSION.replace("cat > note.md", around % secret + "\ncat > note.md").encode()
    (found,) = scrub.find(text)
    assert text[found.start : found.end] == secret.encode()
    assert (found.kind, found.line) == (kind, 14)
    assert found.preview.split("***")[0] in ("", "sk-", "ghp_", "AKIA", "AGE-SECRET-KEY-")
    assert secret.strip() not in repr(found)
    masked = scrub.masked(text)
    assert secret.strip().encode() not in masked
    assert masked.count(b"\n") == text.count(b"\n")
    assert scrub.find(masked) == []


@pytest.mark.parametrize(
    "text",
    ['OPENAI_API_KEY="sk-..."', "KEY=$OTHER_KEY", 'TOKEN="<votre jeton>"', '{"key": "***"}', "KEY=VOTRE_CLE_ICI"],
)
def test_a_placeholder_is_no_secret(text: str) -> None:
    assert scrub.find(text.encode()) == []


def test_a_key_in_pine_or_escaped_json() -> None:
    assert scrub.find(rb'"{\"key\":\"" + key + "\",\"engine\":\""') == []
    assert [found.kind for found in scrub.find(rb'-d "{\"key\":\"abc123\"}"')] == ["webhook-key"]


def test_a_rewrite_keeps_the_mode_and_a_private_backup(book: Path) -> None:
    book.chmod(0o640)
    backup = rewrite(book, scrub.masked)
    assert backup is not None
    assert (backup.read_text(), stat.S_IMODE(backup.stat().st_mode)) == (BOOK, 0o600)
    assert book.read_text() == BOOK.replace("planted-key-of-the-demo", "***")
    assert stat.S_IMODE(book.stat().st_mode) == 0o640
    assert rewrite(book, scrub.masked) is None
    assert len(list(book.parent.iterdir())) == 2


def test_a_rewrite_follows_a_link(book: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.md"
    link.symlink_to(book)
    rewrite(link, scrub.masked)
    assert link.is_symlink()
    assert "planted" not in book.read_text()


def test_a_rewrite_that_fails_leaves_the_file(book: Path) -> None:
    def fail(_: bytes) -> bytes:
        raise BookError("no")

    with pytest.raises(BookError):
        rewrite(book, fail)
    assert (book.read_text(), len(list(book.parent.iterdir()))) == (BOOK, 1)


def test_a_point_is_ticked_off_by_its_line() -> None:
    after = ticked(SESSION.encode(), 22)
    assert after.decode() == SESSION.replace("- Vérifier la sauv", "- [x] Vérifier la sauv")
    with pytest.raises(BookError, match="line 20"):
        ticked(SESSION.encode(), 20)


@pytest.mark.parametrize("query", ["deploiements", "VALIDATION", "séances essai", "clé"])
def test_search_minds_neither_accents_nor_endings(query: str) -> None:
    found = [entry.title for entry, _ in search(parse(BOOK.encode()), query)]
    assert "Séance d’essai" in found


def test_search_wants_all_words() -> None:
    assert list(search(parse(BOOK.encode()), "essai introuvable")) == []


EACH, WRITERS = 1000, 8


def _write(path: Path, writer: int) -> None:
    for number in range(EACH):
        body = f"{writer}-{number} " * 20
        append(path, f"## 2026-03-01 09:00 — w{writer} n{number}\n{body}\n".encode(), sync=False)


def test_eight_writers_and_a_rewriter_lose_and_tear_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.md"
    path.write_text(PARASITE)
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(path, writer)) for writer in range(WRITERS)]
    for process in writers:
        process.start()
    rewrite(path, lambda data: fixed(data, WHEN))
    for process in writers:
        process.join(60)
    assert [process.exitcode for process in writers] == [0] * WRITERS
    found = [entry for entry in parse(path.read_bytes()).entries() if entry.title.startswith("w")]
    assert len({entry.title for entry in found}) == len(found) == EACH * WRITERS
    assert all(entry.text.split("\n")[1] == f"{entry.title[1:].replace(' n', '-')} " * 20 for entry in found)


def test_an_append_parts_entries_and_finishes_a_last_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.md"
    append(path, b"a\n")
    append(path, b"b")
    append(path, b"c\n")
    assert path.read_bytes() == b"a\n\nb\n\nc\n"
