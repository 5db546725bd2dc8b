"""GitHub over SSH: a key of this host's own, and an ssh that uses it, for GitHub only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from ops.fields import Port
from ops.inventory import Host
from ops.resources import AptPackages, Block, Command, Directory, File, Resource
from ops.role import Role
from ops.role_config import RoleConfig, Secret

GIT_DIR = "/opt/trading/.git"
# https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints
GITHUB = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNu"
    "G5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCj7ndNxQowgcQnjshcLrqPEiiphnt+VTTvDP6mHBL9j1aNUkY4Ue1gvwnGLVlOhGeYrnZaMgRK6+"
    "PKCUXaDbC7qtbW8gIkhL7aGCsOr/C56SJMy/BCZfxd1nWzAOxSDPgVsmerOBYfNqltV9/hWCqBywINIR+5dIg6JTJ72pcEpEjcYgXkE2YEFXV1JHnsKgbL"
    "WNlhScqb2UmyRkQyytRLtL+38TGxkxCflmO+5Z8CSSNY7GidjMIZ7Q4zMjA2n1nGrlTDkzwDCsw+wqFPGQA179cnfGWOWRVruj16z6XyvxvjJwbz0wQZ"
    "75XK5tKSb7FNyeIEs4TT4jk+S4dhPeAUC5y+bDYirYgM4GC7uEnztnZyaVWQ7B381AK4Qdrwt51ZqExKbQpTUNn+EjqoTwvqNj4kqx5QUCI0ThS/YkOx"
    "JCXmPUWZbhjpCg56i+2aB6CmK2JGhn57K5mj0MNdBXA4/WnwH6XoPWJzK5Nyu2zB3nAZp+S5hpQs+p1vN1/wsjk=",
)
_HTTPS = re.compile(r"https://(?:[^@/]+@)?([^/:]+)/(.+?)(?:\.git)?/?")
_SSH = re.compile(r"(?:[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^\s'\"\\-][^\s'\"\\]*|ssh://[^\s'\"\\]+)")


def _repository(value: str) -> str:
    """In SSH's form. A password or token in an https URL goes no further."""
    if found := _HTTPS.fullmatch(value):
        return f"git@{found[1]}:{found[2]}.git"
    if not _SSH.fullmatch(value):
        raise ValueError("expected git@github.com:OWNER/REPO.git (or its https URL)")
    return value


def _host_key(value: str) -> str:
    if not re.fullmatch(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+=*", value):
        raise ValueError("expected TYPE BASE64, as in a known_hosts file but without the host's name")
    return value


Repository = Annotated[str, AfterValidator(_repository)]
HostKey = Annotated[str, AfterValidator(_host_key)]


class Config(RoleConfig):
    repository: Repository = Field(description="git@github.com:OWNER/REPO.git; an https URL becomes that")
    branch: str = Field("main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", description="that is pushed to")
    user: str = Field("root", pattern=r"^[a-z_][a-z0-9_-]*$", description="whose key it is: root syncs the log book")
    home: str = Field("", pattern=r"^(/[A-Za-z0-9._/-]+)?$", description="of that user; default: /root, /home/USER")
    host: str = Field("github.com", pattern=r"^[A-Za-z0-9.-]+$", description="or a server of your own")
    port: Port = 22
    host_keys: tuple[HostKey, ...] = Field(GITHUB, min_length=1, description="TYPE BASE64 of each; default: GitHub's")
    api_url: str = Field("https://api.github.com", pattern=r"^https?://[^\s\"'$`\\]+$", description="for github.setup")
    github_token: Secret | None = Field(None, description="lets github.setup add the key; stays on the controller")

    @property
    def folder(self) -> str:
        """~/.ssh"""
        return f"{self.home or ('/root' if self.user == 'root' else f'/home/{self.user}')}/.ssh"

    @property
    def key(self) -> str:
        """The private key's path; the public one has .pub behind it."""
        return f"{self.folder}/github_ed25519"

    @property
    def known_hosts(self) -> str:
        return f"{self.folder}/github_known_hosts"

    @property
    def slug(self) -> str:
        """OWNER/REPO"""
        scheme, found, rest = self.repository.partition("://")
        path = rest.partition("/")[2] if found else scheme.partition(":")[2]
        return path.strip("/").removesuffix(".git")


class GithubSsh(Role):
    after = ("base", "logbook")

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        yield AptPackages(("git", "openssh-client"))
        yield Directory(c.folder, owner=c.user, group=c.user, mode=0o700)
        words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"trading-ops@{host.name}", "-f", c.key)
        yield Command("the SSH key for GitHub", words, creates=c.key, user=c.user)
        yield File(c.key, owner=c.user, group=c.user, mode=0o600)
        yield File(c.known_hosts, content=known_hosts(c), owner=c.user, group=c.user)
        yield Block(f"{c.folder}/config", "github", ssh_config(c), owner=c.user, group=c.user, mode=0o600)
        if "logbook" in host.roles:
            yield from self._remote(c)

    def _remote(self, c: Config) -> Iterable[Resource]:
        """Plain git configuration: what else stands in it is the owner's."""
        yield _git_config("remote.origin.url", c.repository)
        yield _git_config("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        yield _git_config(f"branch.{c.branch}.remote", "origin")
        yield _git_config(f"branch.{c.branch}.merge", f"refs/heads/{c.branch}")
        head = f"refs/heads/{c.branch}"
        script = f'test "$(git --git-dir={GIT_DIR} symbolic-ref HEAD)" = {head}'
        point = ("git", f"--git-dir={GIT_DIR}", "symbolic-ref", "HEAD", head)
        yield Command(f"the log book's branch is {c.branch}", point, unless=("sh", "-c", script))


def _git_config(key: str, value: str) -> Command:
    base = ("git", f"--git-dir={GIT_DIR}", "config")
    known = (*base, "--fixed-value", "--get", key, value)
    return Command(f"git's {key} is {value}", (*base, "--replace-all", key, value), unless=known)


def known_hosts(c: Config) -> str:
    """known_hosts(5): a port that is not 22 stands in the name."""
    name = c.host if c.port == 22 else f"[{c.host}]:{c.port}"
    return "".join(f"{name} {key}\n" for key in c.host_keys)


def ssh_config(c: Config) -> str:
    """ssh_config(5). `Match all` ends our part: what the owner wrote below it holds for every host, as before."""
    lines = (
        f"Host {c.host}", f"    Port {c.port}", "    User git", f"    IdentityFile {c.key}", "    IdentitiesOnly yes",
        f"    UserKnownHostsFile {c.known_hosts}", "    GlobalKnownHostsFile /dev/null",
        "    StrictHostKeyChecking yes", "    UpdateHostKeys no", "Match all",
    )  # fmt: skip
    return "".join(f"{line}\n" for line in lines)
