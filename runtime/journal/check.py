"""`./inv github.check`: what ssh and the remote say about this log book, each in a line, with what to do."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from runtime.journal import pending
from runtime.journal.git import Done, Repo, VcsError, find
from runtime.journal.remote import Remote, remote_of
from runtime.journal.trouble import explained

_SCP = re.compile(r"(?:([^@/:]+)@)?([^/:]+):(?!//)(.+)")
_SSH = re.compile(r"ssh://(?:([^@/]+)@)?([^/:]+)(?::(\d+))?/(.+)")
_FINGERPRINTS = "https://docs.github.com/en/authentication (GitHub's SSH key fingerprints)"
_OPTIONS = ("-oBatchMode=yes", "-oConnectTimeout=10")


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is repository, remote, key, access, branch, standing or queue."""

    what: str
    ok: bool
    text: str
    hint: str = ""
    code: str = ""


class Place(NamedTuple):
    """A remote that is reached by SSH."""

    user: str
    host: str
    port: str
    path: str

    @property
    def pages(self) -> str:
        """Where a public key is pasted."""
        slug = self.path.strip("/").removesuffix(".git")
        site = f"https://{self.host}"
        return f"{site}/{slug}/settings/keys/new (this repository, allow write access) or {site}/settings/ssh/new"


def place_of(url: str) -> Place | None:
    if found := _SSH.fullmatch(url):
        return Place(found[1] or "git", found[2], found[3] or "", found[4])
    if "://" not in url and (found := _SCP.fullmatch(url)):
        return Place(found[1] or "git", found[2], "", found[3])
    return None


def findings(path: Path) -> Iterator[Finding]:
    """From the nearest to the farthest; stops where the next would only repeat the trouble."""
    try:
        repo = find(path)
        remote = remote_of(repo) if repo else None
    except VcsError as error:
        yield Finding("repository", False, str(error), error.hint, error.code)
        return
    if repo is None:
        yield Finding("repository", False, f"{path} lies in no git repository", "git init, or deploy the role logbook")
        return
    yield Finding("repository", True, f"{repo.git_dir}, branch {repo.branch}")
    if remote is None:
        yield Finding("remote", False, "no remote is set", "git remote add origin git@github.com:OWNER/REPO.git")
        return
    yield from _of_remote(repo, remote)


def _of_remote(repo: Repo, remote: Remote) -> Iterator[Finding]:
    place = place_of(remote.url)
    if remote.url.startswith("http"):
        ssh = re.sub(r"^https?://(?:[^@/]*@)?([^/]+)/(.+?)(?:\.git)?/?$", r"git@\1:\2.git", remote.url)
        hint = f"use SSH, which asks nobody: git -C {repo.top} remote set-url {remote.name} {ssh}"
        yield Finding("remote", False, f"{remote.url} wants a password or a token", hint, "https")
    else:
        yield Finding("remote", True, remote.url)
    accepted = _key(place, remote.url) if place else None
    if accepted:
        yield accepted
    if accepted is None or accepted.ok:
        yield from _standing(repo, remote)
    yield _queue(repo)


def _key(place: Place, url: str) -> Finding:
    port = ("-p", place.port) if place.port else ()
    done = _ssh(*_OPTIONS, "-T", *port, f"{place.user}@{place.host}")
    if done.code != 255:  # ssh's own: whatever else comes is what the other side answered to an accepted key
        said = done.err.splitlines() or done.text.splitlines() or ["the key is accepted"]
        return Finding("key", True, said[-1][:200])
    error = explained(done, url)
    hint = error.hint
    if error.code in ("key-refused", "key-missing"):
        hint = f"paste this key at {place.pages}\n     {public_key(place)}"
    elif error.code == "host-key-changed":
        hint = f"compare before you trust it: {_FINGERPRINTS}"
    return Finding("key", False, str(error), hint, error.code)


def public_key(place: Place) -> str:
    """Of the first key that ssh would show there."""
    for line in _ssh("-G", place.host).text.splitlines():
        name, _, value = line.partition(" ")
        public = Path(f"{value}.pub").expanduser()
        if name == "identityfile" and public.is_file():
            return public.read_text(errors="replace").strip()
    return "(there is no key yet: ./inv github.setup makes one)"


def _ssh(*words: str) -> Done:
    try:
        done = subprocess.run(["ssh", *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return Done(255, b"", "ssh: connect: Connection timed out")
    except FileNotFoundError:
        return Done(255, b"", "ssh: this machine has no ssh")
    return Done(done.returncode, done.stdout, done.stderr.decode(errors="replace").strip())


def _standing(repo: Repo, remote: Remote) -> Iterator[Finding]:
    try:
        upstream = remote.fetch()
    except VcsError as error:
        yield Finding("access", False, str(error), error.hint, error.code)
        return
    yield Finding("access", True, f"{remote.url} can be read")
    if not upstream:
        yield Finding("branch", True, f"{remote.branch} is not there yet: the first sync makes it")
        return
    yield Finding("branch", True, f"{remote.branch} is at {upstream[:12]}")
    if repo.commit_of("HEAD"):
        counts = repo.do("rev-list", "--left-right", "--count", f"HEAD...{upstream}").split()
        text = f"{counts[0]} commits to push, {counts[1]} to receive"
        yield Finding("standing", counts == ["0", "0"], text, "" if counts == ["0", "0"] else "./inv journal.sync")


def _queue(repo: Repo) -> Finding:
    left = pending.read(repo.git_dir)
    if left is None:
        return Finding("queue", True, "nothing waits")
    text = f"waits since {left.since[:16]}Z, {left.attempts} attempts, next {left.next_try[:16]}Z: {left.message}"
    return Finding("queue", False, text, left.hint or "./inv journal.sync", left.code)


def command(path: Path, *, as_json: bool) -> int:
    """1 when something must be done."""
    found = list(findings(path))
    if as_json:
        said = {"file": str(path), "findings": [asdict(one) for one in found]}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    else:
        for one in found:
            sys.stdout.write(f"{'ok ' if one.ok else 'NOT'}  {one.what:<10}  {one.text}\n")
            sys.stdout.write(f"       -> {one.hint}\n" if one.hint else "")
    return 0 if all(one.ok for one in found) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m runtime.journal.check", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sys.exit(command(given.path, as_json=given.json))
