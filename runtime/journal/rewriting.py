"""Takes what leaked out of a log book's history: every version is masked, everything else stays as it is.

Authors, dates, messages, other files, branches and tags are kept; what nothing leaked into keeps its id. Objects are
written first and nothing refers to them; then all refs are moved in one transaction. A note of where they stood lies in
Git's folder meanwhile, so that a transaction that was cut off is taken back by the next run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runtime import clock
from runtime.journal.book import BookError
from runtime.journal.hide import Hide
from runtime.journal.history import Found
from runtime.journal.objects import Reader, Repo, identity, tree, with_line

NOTE = "logbook-rewrite.json"
TAKEN_OUT = "logbook-taken-out"
"""A file of Git's that names, one a line, the commits that branches were before: what has them must not come back."""
OURS = "refs/trading-ops/"
UNDER_WAY = {
    "rebase-merge": "rebase", "rebase-apply": "rebase", "MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert", "BISECT_LOG": "bisect",
}  # fmt: skip
_SIGNATURE = re.compile(rb"^gpgsig(?:-sha256)? .*\n(?: .*\n)*", re.MULTILINE)
_TAG_SIGNATURE = re.compile(rb"^-----BEGIN (?:PGP|SSH) SIGNATURE-----\n.*", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ref:
    """`old` and `new` are ids; an empty `new` is a ref that goes."""

    name: str
    old: str
    new: str


@dataclass(slots=True)
class Rewritten:
    """What was done, and what is left to a person. `leftovers` are objects that still hold a value."""

    backup: Path
    commits: int
    refs: list[Ref]
    push: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


def recover(repo: Repo) -> bool:
    """Put refs back that a run which was cut off had moved. True when there was one."""
    note = repo.place(NOTE)
    if not note.exists():
        return False
    now = {ref.name: ref.old for ref in _refs(repo)}
    moved = [Ref(name, new, old) for name, old, new in json.loads(note.read_text()) if now.get(name, "") == new]
    _move(repo, moved)
    note.unlink()
    return True


def rewrite(found: Found) -> Rewritten:
    """Mask every version that holds what `found` names, after a backup of everything.

    Raises BookError, and then no ref has moved.
    """
    repo = found.repo
    _check(repo)
    backup = _backup(repo)
    work = _Work(found)
    with repo.reading() as read:
        work.run(read)
    work.store()
    refs = [ref for ref in work.refs() if ref.old != ref.new]
    push = list(_pushes(repo, refs))
    gone = [ref for ref in _tracking(repo) if work.is_changed(ref.old)]
    _moved(repo, [*refs, *gone])
    work.settle_index()
    done = Rewritten(backup, len(work.changed("commit")), [*refs, *gone], push)
    done.leftovers = list(leftovers(found))
    return done


def _check(repo: Repo) -> None:
    """Raises BookError while something else is under way, or not all of the history is here."""
    for name, what in UNDER_WAY.items():
        if repo.place(name).exists():
            raise BookError(f"a {what} is under way in {repo.top}", f"finish it: git {what} --abort, or go on with it")
    if repo.lines("ls-files", "-u"):
        raise BookError(f"there are conflicts in {repo.top}", "solve them and commit first")
    if repo.lines("rev-parse", "--is-shallow-repository") == ["true"]:
        raise BookError("this clone does not have the whole history", "git fetch --unshallow")
    trees = [line for line in repo.lines("worktree", "list", "--porcelain") if line.startswith("worktree ")]
    if len(trees) > 1:
        raise BookError(
            f"{len(trees) - 1} more work trees share this repository", "git worktree remove each, then again"
        )


def _backup(repo: Repo) -> Path:
    """All refs as a bundle beside the log book, for its owner alone, and ignored by Git."""
    stamp = clock.iso(clock.now()).translate(str.maketrans("", "", "-:.+"))[:21]
    book = repo.top / repo.path
    path = book.with_name(f"{book.name}.{stamp}.bundle.bak")
    repo.git("bundle", "create", str(path), "--all")
    path.chmod(0o600)
    repo.git("bundle", "verify", str(path))
    if not repo.says("check-ignore", "--quiet", str(path)):
        exclude = repo.place("info/exclude")
        exclude.parent.mkdir(exist_ok=True)
        with exclude.open("a") as file:
            file.write(f"\n{book.name}.*.bak\n")
    return path


class _Work:
    """Old ids to new ids, made from the oldest commit on."""

    def __init__(self, found: Found) -> None:
        self._found, self._repo = found, found.repo
        self._values = found.telling()
        self._hide = Hide(value.decode(errors="replace") for value in self._values)
        self._width = len(self._repo.lines("hash-object", "-t", "tree", "/dev/null")[0]) // 2
        self._new: dict[str, str] = {}
        self._made: dict[str, dict[str, bytes]] = {kind: {} for kind in ("blob", "tree", "commit", "tag")}
        self._parts = self._repo.path.encode(errors="surrogateescape").split(b"/")

    def run(self, read: Reader) -> None:
        for commit in self._repo.commits():
            self._commit(commit, read(commit)[1], read)
        for line in self._repo.lines("for-each-ref", "--format=%(objecttype) %(objectname)"):
            kind, name = line.split()
            if kind == "tag":
                self._tag(name, read)

    def is_changed(self, name: str) -> bool:
        return self._new.get(name, name) != name

    def changed(self, kind: str) -> list[str]:
        return list(self._made[kind])

    def store(self) -> None:
        """Raises BookError when Git names an object otherwise than we do: then something is not understood."""
        for kind, made in self._made.items():
            if made and self._repo.write(kind, list(made.values())) != list(made):
                raise BookError("Git stored an object under another name than expected", "nothing was changed")

    def refs(self) -> Iterator[Ref]:
        """All that are ours to move; what only remembers a remote is not."""
        theirs = {ref.name for ref in _tracking(self._repo)}
        for ref in _refs(self._repo):
            if ref.name not in theirs:
                yield Ref(ref.name, ref.old, self._new.get(ref.old, ref.old))

    def settle_index(self) -> None:
        """What is staged is masked too: else the next commit would bring the secret back."""
        for line in self._repo.lines("ls-files", "-s", "--", self._repo.path):
            mode, old = line.split()[:2]
            with self._repo.reading() as read:
                content = read(old)[1]
            masked = self._hide.masked(content)
            if masked != content:
                (new,) = self._repo.write("blob", [masked])
                self._repo.git("update-index", "--cacheinfo", f"{mode},{new},{self._repo.path}")

    def _make(self, kind: str, old: str, content: bytes) -> str:
        new = identity(kind, content, self._width)
        self._made[kind][new] = content
        self._new[old] = new
        return new

    def _commit(self, name: str, content: bytes, read: Reader) -> None:
        head, gap, message = content.partition(b"\n\n")
        old = head[5 : head.index(b"\n")].decode()
        changed = head.replace(old.encode(), self._tree(old, self._parts, read).encode(), 1)
        for line in head.split(b"\n")[1:]:
            if line.startswith(b"parent ") and (parent := line[7:].decode()) in self._new:
                changed = changed.replace(line, b"parent " + self._new[parent].encode(), 1)
        if changed != head:
            self._make("commit", name, _SIGNATURE.sub(b"", changed + b"\n").removesuffix(b"\n") + gap + message)

    def _tree(self, name: str, parts: list[bytes], read: Reader) -> str:
        """The tree's new id, or its old one."""
        key = f"{name}/{len(parts)}"
        if key not in self._new:
            content = read(name)[1]
            old = next((ref for _, one, ref in tree(content, self._width) if one == parts[0]), "")
            new = self._below(old, parts[1:], read) if old else old
            self._new[key] = name if new == old else self._make_tree(with_line(content, self._width, parts[0], new))
        return self._new[key]

    def _make_tree(self, content: bytes) -> str:
        new = identity("tree", content, self._width)
        self._made["tree"][new] = content
        return new

    def _below(self, name: str, rest: list[bytes], read: Reader) -> str:
        if rest:
            kind, _ = read(name)
            return self._tree(name, rest, read) if kind == "tree" else name
        if name not in self._new:
            content = read(name)[1]
            holds = name in self._found.blobs or any(value in content for value in self._values)
            self._new[name] = self._make("blob", name, self._hide.masked(content)) if holds else name
        return self._new[name]

    def _tag(self, name: str, read: Reader) -> None:
        content = read(name)[1]
        target = content[7 : content.index(b"\n")].decode()
        if read(target)[0] == "tag" and target not in self._new:
            self._tag(target, read)
        if target in self._new:
            changed = content.replace(target.encode(), self._new[target].encode(), 1)
            self._make("tag", name, _TAG_SIGNATURE.sub(b"", changed))


def _refs(repo: Repo) -> Iterator[Ref]:
    """Every ref that is no name for another one, and a HEAD that is on no branch."""
    for line in repo.lines("for-each-ref", "--format=%(objectname) %(refname) %(symref)"):
        old, name, symbolic = line.split(" ", 2)
        if not symbolic:
            yield Ref(name, old, old)
    if not repo.says("symbolic-ref", "--quiet", "HEAD"):
        old = repo.lines("rev-parse", "HEAD")[0]
        yield Ref("HEAD", old, old)


def _tracking(repo: Repo) -> list[Ref]:
    """What remotes were when last asked. Those that hold what leaked go; the next push or fetch makes them anew."""
    places = ("refs/remotes/", *(f"{OURS}{remote}/" for remote in repo.lines("remote")))
    return [Ref(ref.name, ref.old, "") for ref in _refs(repo) if ref.name.startswith(places)]


def _moved(repo: Repo, refs: list[Ref]) -> None:
    with repo.place(TAKEN_OUT).open("a") as file:
        file.writelines(f"{ref.old}\n" for ref in refs if ref.name.startswith("refs/heads/"))
    note = repo.place(NOTE)
    note.write_text(json.dumps([(ref.name, ref.old, ref.new) for ref in refs]))
    _move(repo, refs)
    note.unlink()


def _move(repo: Repo, refs: list[Ref]) -> None:
    """All of them or none; each only from where it was."""
    lines = ["start", *(line for ref in refs for line in _steps(ref)), "prepare", "commit"]
    if refs:
        words = ("update-ref", "-m", "journal.scrub --history", "--stdin")
        repo.git(*words, given="".join(f"{line}\n" for line in lines).encode(errors="surrogateescape"))


def _steps(ref: Ref) -> list[str]:
    if ref.name == "HEAD":
        return ["option no-deref", f"update HEAD {ref.new} {ref.old}"]
    if not ref.new:
        return [f"delete {ref.name} {ref.old}"]
    return [f"update {ref.name} {ref.new} {ref.old}" if ref.old else f"create {ref.name} {ref.new}"]


def _pushes(repo: Repo, refs: list[Ref]) -> Iterator[str]:
    """The command for each remote that had a branch of ours, with what it must still be there; and for our tags."""
    places = ((ref.name.removeprefix("refs/remotes/"), ref.old) for ref in _refs(repo))
    theirs = dict(places)
    tags = [ref.name.removeprefix("refs/tags/") for ref in refs if ref.name.startswith("refs/tags/")]
    for remote in repo.lines("remote"):
        names = [ref.name.removeprefix("refs/heads/") for ref in refs if ref.name.startswith("refs/heads/")]
        shared = [name for name in names if f"{remote}/{name}" in theirs]
        if shared:
            leases = " ".join(f"--force-with-lease={name}:{theirs[f'{remote}/{name}']}" for name in shared)
            yield f"git push {leases} {remote} {' '.join(shared)}"
        if tags:
            yield f"git push --force {remote} {' '.join(f'refs/tags/{tag}' for tag in tags)}"


def leftovers(found: Found) -> Iterator[str]:
    """Objects that refs or the index reach and that hold one of the values: another file, a message."""
    repo = found.repo
    values = found.telling()
    staged = [f"{line.split()[1]} {line.split(maxsplit=3)[3]}" for line in repo.lines("ls-files", "-s")]
    heads = ["HEAD"] if repo.says("rev-parse", "--verify", "--quiet", "HEAD") else []
    with repo.reading() as read:
        for line in dict.fromkeys([*repo.lines("rev-list", "--all", *heads, "--objects"), *staged]):
            name, _, path = line.partition(" ")
            kind, content = read(name)
            if kind != "tree" and any(value in content for value in values):
                yield f"{kind} {name[:12]} {path}".strip()
