"""The branch at the remote that the log book is pushed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.journal.git import NETWORK, Repo, VcsError, ssh_command
from runtime.journal.scrub import masked
from runtime.journal.trouble import explained
from runtime.settings import environment


@dataclass(frozen=True, slots=True)
class Remote:
    """`name` is git's (origin), `branch` the one there, which need not be called as ours is."""

    repo: Repo
    name: str
    url: str
    branch: str

    @property
    def tracking(self) -> str:
        """What we last saw of it."""
        return f"refs/remotes/{self.name}/{self.branch}"

    @property
    def kept(self) -> str:
        """What of it is in our branch: it tells a history that was rewritten, and is what both sides once had."""
        return f"refs/trading-ops/{self.name}/{self.branch}"

    def fetch(self) -> str:
        """The commit of the branch there, or "" when there is no such branch yet. Raises VcsError."""
        refspec = f"+refs/heads/{self.branch}:{self.tracking}"
        done = self.repo.ask(
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", self.name, refspec,
            limit=NETWORK, env=self._env(),
        )  # fmt: skip
        if done.code and "couldn't find remote ref" in done.err:
            self.repo.ask("update-ref", "-d", self.tracking)
            return ""
        if done.code:
            raise explained(done, self.url)
        return self.repo.commit_of(self.tracking)

    def push(self, branch: str) -> bool:
        """False when somebody else was faster. Never by force. Raises VcsError."""
        done = self.repo.ask(
            "push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", self.name,
            f"refs/heads/{branch}:refs/heads/{self.branch}", limit=NETWORK, env=self._env(),
        )  # fmt: skip
        if not done.code:
            return True
        error = explained(done, self.url)
        if error.code != "race":
            raise error
        return False

    def _env(self) -> Mapping[str, str]:
        return {} if environment().get("GIT_SSH_COMMAND") else ssh_command(self.repo.get("core.sshCommand"))


def remote_of(repo: Repo) -> Remote | None:
    """Where this branch is pushed to; None when the repository has no remote."""
    branch = repo.branch
    names = repo.do("remote").split()
    name = repo.get(f"branch.{branch}.remote") or ("origin" if "origin" in names else "".join(names[:1]))
    if name not in names:
        return None
    there = repo.get(f"branch.{branch}.merge").removeprefix("refs/heads/") or branch
    url = repo.do("remote", "get-url", "--push", name)
    if not url:
        raise VcsError(f"the remote {name} of {repo.top} has no address", f"git remote set-url {name} URL")
    return Remote(repo, name, masked(url.encode()).decode(), there)
