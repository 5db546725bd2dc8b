"""Building from a git repository: once for the same inputs, by steps that are told, with proof of what came out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.agent.host import HostError
from ops.agent.kinds import build
from ops.agent.kinds.base import State
from ops.agent.kinds.build import Build

# As autotools would make them, without the seconds that they take.
CONFIGURE = r"""#!/bin/sh
for word; do case $word in --prefix=*) prefix=${word#*=};; --enable-gekko) offers='--gekko-freq';; esac; done
test -n "$prefix" || { echo "no prefix"; exit 3; }
printf 'all:\n\tprintf "#!/bin/sh\\necho --help %s cflags=%s\\n" > cgminer; echo made\n' "$offers" "$CFLAGS" > Makefile
printf 'install:\n\tmkdir -p $(DESTDIR)%s/bin; cp cgminer $(DESTDIR)%s/bin; chmod +x $(DESTDIR)%s/bin/cgminer\n' \
    $prefix $prefix $prefix >> Makefile
"""
AUTOGEN = '#!/bin/sh\ntest -n "$NOCONFIGURE" || exit 1; test -e stale && exit 4; touch stale; chmod +x configure\n'


def git(at: Path, *words: str) -> str:
    base = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(at)]
    return subprocess.run([*base, *words], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    at = tmp_path / "source"
    at.mkdir()
    git(at, "init", "-q", "-b", "master")
    (at / "configure").write_text(CONFIGURE)
    (at / "autogen.sh").write_text(AUTOGEN)
    git(at, "add", "-A")
    git(at, "commit", "-qm", "first")
    return at


class Host:
    """One host that is asked to have a build, and everything that it tells meanwhile."""

    def __init__(self, tmp_path: Path, source: Path) -> None:
        self.told: list[str] = []
        self.root = tmp_path / "cgminer"
        self.kind = Build(lambda event, text: self.told.append(text))
        self.want: dict[str, Any] = {"root": str(self.root), "url": str(source), "ref": "master", "program": "cgminer"}
        self.want |= {"user": "root", "configure": ["--enable-gekko"], "cflags": "-O2", "keep": 2, "links": []}
        self.want |= {"offers": ["--gekko-freq"], "advice": "set repository"}

    def apply(self, **other: Any) -> State:
        """As the engine does: compares, applies what differs, and looks again."""
        self.want |= other
        state = self.kind.read(self.want)
        if found := self.kind.changes(state, self.want):
            self.kind.apply(self.want, state, found)
        after = self.kind.read(self.want)
        assert self.kind.changes(after, self.want) == []
        return state

    @property
    def current(self) -> str:
        return (self.root / "current").readlink().name

    @property
    def builds(self) -> int:
        return len([text for text in self.told if "make install" in text])

    def said(self) -> str:
        words = [str(self.root / "current/bin/cgminer"), "--help"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def host(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(build, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(build, "STATE", tmp_path / "state")
    return Host(tmp_path, source)


def test_it_is_built_once_and_tells_its_steps(host: Host, tmp_path: Path) -> None:
    host.apply()
    assert host.said() == "--help --gekko-freq cflags=-O2\n"
    assert [text.rpartition(": ")[2] for text in host.told] == [
        "fetching the source", "autogen.sh", "configure", "make", "make install",
    ]  # fmt: skip
    log = (tmp_path / "logs" / f"build-cgminer-{host.current}.log").read_text()
    assert "made" in log
    assert not (host.root / ".build").exists()
    host.apply()
    assert host.builds == 1


@pytest.mark.parametrize("other", [{"cflags": "-O3"}, {"configure": ["--enable-gekko", "--disable-curses"]}])
def test_another_flag_is_another_build_and_the_old_one_stays_at_hand(host: Host, other: dict[str, Any]) -> None:
    host.apply()
    first = host.current
    host.apply(**other)
    assert host.current != first
    assert (host.root / "previous").readlink().name == first
    host.apply(cflags="-O2", configure=["--enable-gekko"])
    assert (host.current, host.builds) == (first, 2)


def test_a_new_commit_is_built_and_a_full_one_needs_no_network(host: Host, source: Path) -> None:
    host.apply()
    first, commit = host.current, git(source, "rev-parse", "HEAD")
    git(source, "commit", "-q", "--allow-empty", "-m", "second")
    host.apply()
    assert host.current != first
    host.apply(ref=commit)
    git(source, "tag", "v1")
    source.rename(source.with_name("away"))
    state = host.apply()
    assert state["unasked"] == ""


def test_a_repository_that_is_down_changes_nothing_that_runs(host: Host, source: Path) -> None:
    host.apply()
    first = host.current
    source.rename(source.with_name("away"))
    state = host.apply()
    assert "stays: its repository could not be asked" in host.kind.skipped(state, host.want)
    assert host.current == first
    with pytest.raises(HostError) as refused:
        host.apply(cflags="-O3")
    assert refused.value.hint == "set repository"


def test_a_tree_without_the_driver_is_refused_each_time_and_built_once(host: Host) -> None:
    host.apply()
    first = host.current
    for _ in range(2):
        with pytest.raises(HostError, match=r"at master \([0-9a-f]{12}\) does not offer --gekko-freq") as refused:
            host.apply(configure=[])
        assert refused.value.hint == "set repository"
    assert (host.current, host.builds) == (first, 2)


def test_a_step_that_fails_says_which_and_keeps_its_log(host: Host, source: Path, tmp_path: Path) -> None:
    (source / "configure").write_text("#!/bin/sh\necho 'no libusb found'; exit 77\n")
    git(source, "commit", "-qam", "broken")
    with pytest.raises(HostError, match=r"configure: it exited 77:\nno libusb found") as refused:
        host.apply()
    assert str(tmp_path / "logs") in refused.value.hint
    assert not [path for path in host.root.iterdir() if path.name != "logs"]


def test_an_unknown_ref_is_told(host: Host) -> None:
    with pytest.raises(HostError, match='has no branch or tag "v9"'):
        host.apply(ref="v9")


def test_undoing_points_back_at_what_ran(host: Host) -> None:
    host.apply()
    first = host.current
    before = host.kind.read(host.want)
    kept = host.kind.keep(before, host.want)
    host.apply(cflags="-O3")
    assert kept is not None
    host.kind.restore(kept)
    assert host.current == first
    assert not (host.root / "previous").is_symlink()


def test_old_builds_go_but_for_the_two_that_are_pointed_at(host: Host) -> None:
    for number in range(5):
        host.apply(cflags=f"-O{number}")
    kept = {path.name for path in host.root.iterdir() if not path.is_symlink()}
    assert kept == {host.current, (host.root / "previous").readlink().name}
