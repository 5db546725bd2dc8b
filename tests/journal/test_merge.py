"""Two log books that grew from one: nothing lost, nothing doubled, never a conflict."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ops.paths import ROOT
from runtime.journal import scrub
from runtime.journal.book import parse
from runtime.journal.merge import lost, merged
from runtime.journal.reconcile import NOTE as MARK
from tests.journal.conftest import BOOK, FIRST, NOTE, SECOND, SESSION
from tests.journal.test_book import SOUP

KEY = "sk-" + "a1B2" * 8


def at(time: str, words: str = "x") -> str:
    return f"## 2026-03-01 {time} — {words}\ncorps de {words}\n"


def book(*entries: str) -> bytes:
    return "\n".join(entries).encode()


def titles(data: bytes) -> list[str]:
    return [entry.title for entry in parse(data).entries()]


A, B, C, D = (at(f"1{hour}:00", word) for hour, word in enumerate("ABCD"))


def test_what_both_appended_stands_by_time() -> None:
    result = merged(book(A), book(A, C), book(A, B, D))
    assert result == book(A, B, C, D)
    assert merged(book(A), book(A, B, D), book(A, C)) == result


def test_the_same_addition_stays_once_and_a_minute_keeps_each_side_s_order() -> None:
    one, two, three = (at("11:00", word) for word in ("un", "deux", "trois"))
    assert merged(book(A), book(A, one, two), book(A, two, three)) == book(A, one, two, three)


def test_an_order_that_is_not_by_time_is_kept() -> None:
    assert titles(merged(book(C, A), book(C, A, D), book(C, A, B))) == ["C", "A", "B", "D"]


def test_a_point_ticked_off_here_and_an_entry_added_there() -> None:
    ticked = SESSION.replace("- Vérifier", "- [x] Vérifier")
    for ours, theirs in ((book(ticked), book(SESSION, NOTE)), (book(SESSION, NOTE), book(ticked))):
        assert merged(book(SESSION), ours, theirs) == book(ticked, NOTE)


def test_deleted_here_and_untouched_there_is_deleted() -> None:
    assert merged(book(A, B, C), book(A, C), book(A, B, C, D)) == book(A, C, D)
    assert merged(book(A, B, C), book(A, B, C, D), book(A, C)) == book(A, C, D)


def test_deleted_here_and_changed_there_stays_changed() -> None:
    changed = B.replace("corps", "mieux")
    assert merged(book(A, B, C), book(A, C), book(A, changed, C)) == book(A, changed, C)
    assert merged(book(A, B, C), book(A, changed, C), book(A, C)) == book(A, changed, C)


def test_two_points_of_one_entry_ticked_off_on_two_machines() -> None:
    entry = SESSION.replace("- [x] Poser", "- Poser")
    one, two = entry.replace("- Vérifier", "- [x] Vérifier"), entry.replace("- Poser", "- [x] Poser")
    both = one.replace("- Poser", "- [x] Poser")
    assert merged(book(entry, A), book(one, A), book(two, A)) == book(both, A)


def test_changed_on_both_stays_twice_with_a_note_and_the_same_on_both_machines() -> None:
    short, long = B.replace("corps", "ici"), B.replace("corps", "là-bas,")
    result = merged(book(A, B), book(A, short), book(A, long))
    assert titles(result) == ["A", "B", "B"]
    assert result.count(MARK) == 1
    assert "là-bas,".encode() in result.partition(MARK)[0]
    assert b"<<<<" not in result
    other = merged(book(A, B), book(A, long), book(A, short))
    assert pieces_of(result) == pieces_of(other)
    assert merged(book(A, B), result, other) == result


def test_a_secret_masked_on_one_machine_does_not_come_back() -> None:
    leaked, other = B + f"OPENAI_API_KEY={KEY}\n", B.replace("corps", "autre") + f"et {KEY} là\n"
    masked = scrub.masked(leaked.encode()).decode()
    for ours, theirs in ((masked, leaked), (leaked, masked), (masked, other), (other, masked)):
        result = merged(book(A, leaked), book(A, ours, C), book(A, theirs, D))
        assert KEY.encode() not in result
        assert {"A", "B", "C", "D"} == set(titles(result))


def test_an_alert_changed_on_both_stays_an_alert() -> None:
    one, two = SECOND.replace("essai", "un"), SECOND.replace("essai", "deux fois")
    kinds = [entry.kind for entry in parse(merged(book(SECOND), book(one), book(two))).entries()]
    assert kinds == ["alert", "alert"]


def test_text_outside_entries_stays_where_it_was() -> None:
    base = b"# Journal\n\n" + book(FIRST) + b"\nune remarque\n"
    theirs = base + b"\n" + SECOND.encode()
    ours = base.replace(b"une remarque", b"une remarque bien faite") + b"\n" + SESSION.encode()
    result = merged(base, ours, theirs)
    assert result == ours[: ours.index(b"## 2026-03-01 11")] + SECOND.encode() + b"\n" + SESSION.encode()


def test_crlf_and_no_final_newline() -> None:
    base = book(A, B).replace(b"\n", b"\r\n").rstrip()
    ours, theirs = base + b"\n\n" + C.encode().rstrip(), base + b"\n\n" + D.encode()
    result = merged(base, ours, theirs)
    assert result == base + b"\n\n" + C.encode().rstrip() + b"\n\n" + D.encode()


def test_behind_a_fence_that_never_ends_nothing_is_lost() -> None:
    base = book(A + "```\nouvert\n")
    ours, theirs = base + b"\n" + book(FIRST, C), base + b"\n" + book(SECOND, D)
    for one, two in ((ours, theirs), (theirs, ours)):
        result = merged(base, one, two)
        assert [result.count(entry.encode().strip()) for entry in (FIRST, SECOND, C, D)] == [1, 1, 1, 1]


FORMS = (
    "## {} — t\n{}\n", "## {} | TV Webhook | E | S 1 | BUY\n```json\n{}\n```\n", "## {} — f\n~~~\n## x\n{}\n~~~\n",
)  # fmt: skip
entries = st.tuples(st.sampled_from(FORMS), st.integers(0, 5), st.text("ab\r\0🦊", min_size=1, max_size=3))


@st.composite
def histories(draw: st.DrawFn) -> list[bytes]:
    """A book, and two that grew from it: entries changed, deleted and added, at the end or anywhere."""
    base = draw(st.lists(entries, max_size=4, unique_by=lambda one: one[:2]))
    return [written(side) for side in (base, draw(sides(base)), draw(sides(base)))]


@st.composite
def sides(draw: st.DrawFn, base: list[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    out = []
    for form, minute, body in base:
        what = draw(st.sampled_from(["same", "same", "deleted", " plus", "\nplus", "\nautre"]))
        if what != "deleted":
            out.append((form, minute, body if what == "same" else body + what))
    for form, minute, body in draw(st.lists(entries, max_size=3, unique=True)):
        out.insert(draw(st.integers(0, len(out))), (form, minute, f"{body}+"))
    return out


def written(side: list[tuple[str, int, str]]) -> bytes:
    return book(*(form.format(f"2026-03-01 10:0{minute}", body) for form, minute, body in side))


def pieces_of(data: bytes) -> Counter[bytes]:
    return Counter(piece.raw.strip() for piece in parse(data).entries())


@given(three=histories())
def test_nothing_is_lost_nothing_doubled_and_again_changes_nothing(three: list[bytes]) -> None:
    base, ours, theirs = three
    result = merged(base, ours, theirs)
    assert merged(base, ours, ours) == ours
    assert merged(base, base, ours) == ours
    assert merged(base, ours, base) == ours
    assert lost(base, ours, result) == lost(base, theirs, result) == []
    known = pieces_of(base) | pieces_of(ours) | pieces_of(theirs)
    doubled = {raw: n for raw, n in pieces_of(result).items() if n > known[raw] and MARK not in raw}
    assert doubled == {}
    assert pieces_of(merged(base, theirs, ours)) == pieces_of(result)
    assert merged(base, result, theirs) == result
    assert merged(base, result, ours) == result


@given(
    parts=st.lists(
        st.lists(st.one_of(st.sampled_from(SOUP), st.text(max_size=9)), max_size=12), min_size=3, max_size=3
    ),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_three_files_merge_and_nothing_that_was_added_is_lost(parts: tuple[list[str], ...], end: str) -> None:
    base, ours, theirs = (end.join(lines).encode() for lines in parts)
    for left, right in ((base + ours, base + theirs), (ours, theirs)):
        result = merged(base, left, right)
        for line in left.split(b"\n") + right.split(b"\n"):
            assert line.strip() in result or line.strip() in base


def test_as_git_s_driver(tmp_path: Path) -> None:
    for name, content in zip("OAB", (book(A), book(A, B), book(A, C)), strict=True):
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-P", "-m", "runtime.journal.merge", *(str(tmp_path / name) for name in "OAB")]
    subprocess.run(command, check=True, cwd=ROOT)
    assert (tmp_path / "A").read_bytes() == book(A, B, C)


def test_a_book_of_some_years_is_merged_in_a_moment() -> None:
    base = "\n".join([BOOK] * 2_000).encode()
    late = at("14:00").encode()
    assert len(base) > 2_500_000
    assert merged(base, base + b"\n" + D.encode(), base + b"\n" + late).endswith(b"\n\n" + book(D) + b"\n" + late)
