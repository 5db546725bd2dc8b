"""What a host can be asked to have. Each resource is plain data; its twin in ops.agent.kinds makes it so.

A role yields resources in the order in which they are applied. Paths are absolute, modes are integers (0o644),
owners are names. Text comes either as `content` or from a template under templates/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ops.errors import OpsError

Want = dict[str, Any]


class Resource:
    """Base of all resources. `key` names it in output, in restart_on and in the host's memory."""

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        raise OpsError(f"{type(self).__name__} has no name")

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.name}"

    def want(self) -> Want:
        """The desired state as the agent compares it: JSON, everything spelled out."""
        raise OpsError(f"{type(self).__name__} has no desired state")


class _Placed(Resource):
    path: str

    @property
    def name(self) -> str:
        return self.path


@dataclass(frozen=True)
class Group(Resource):
    kind = "group"
    group: str
    system: bool = True

    @property
    def name(self) -> str:
        return self.group

    def want(self) -> Want:
        return {"name": self.group, "system": self.system}


@dataclass(frozen=True)
class User(Resource):
    """A user whose main group exists already; groups that somebody else added are left alone."""

    kind = "user"
    user: str
    group: str
    home: str = "/nonexistent"
    shell: str = "/usr/sbin/nologin"
    groups: tuple[str, ...] = ()
    system: bool = True

    @property
    def name(self) -> str:
        return self.user

    def want(self) -> Want:
        account = {"name": self.user, "group": self.group, "groups": sorted(self.groups)}
        return account | {"home": self.home, "shell": self.shell, "system": self.system}


@dataclass(frozen=True)
class Directory(_Placed):
    kind = "directory"
    path: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755

    def want(self) -> Want:
        return {"path": self.path, "owner": self.owner, "group": self.group, "mode": f"{self.mode:04o}"}


@dataclass(frozen=True)
class File(_Placed):
    """A file with the given text, or the text of templates/<template>, or (neither) only its owner and mode.

    `secret` files show hashes instead of a diff. `validate` is a program that may refuse the new text before it is in
    place; `%s` stands for the draft's path.
    """

    kind = "file"
    path: str
    content: str | None = None
    template: str | None = None
    context: Mapping[str, Any] | None = None
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    secret: bool = False
    validate: tuple[str, ...] = ()

    def want(self) -> Want:
        access = {"owner": self.owner, "group": self.group, "mode": f"{self.mode:04o}"}
        return {
            "path": self.path,
            "content": self.content,
            **access,
            "secret": self.secret,
            "validate": list(self.validate),
        }


@dataclass(frozen=True)
class Block(_Placed):
    """Our lines in a file that belongs to somebody else, between two lines that say so; all other lines stay theirs.

    A new block comes first in the file: in ssh_config(5) the first value that is obtained counts. `owner`, `group` and
    `mode` are those of a file that is not there yet; an existing one only loses the right of others to write to it.
    """

    kind = "block"
    path: str
    title: str
    content: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644

    def want(self) -> Want:
        access = {"owner": self.owner, "group": self.group, "mode": f"{self.mode:04o}"}
        return {"path": self.path, "title": self.title, "content": self.content, **access}


@dataclass(frozen=True)
class UnitFile(File):
    """The file of one of our own units; a Unit brings it along."""

    kind = "unit-file"

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def env_file(name: str, config: Any, path: str) -> File:
    """templates/env/<name>.env.j2 as a file that only root reads: systemd hands it to the service."""
    return File(path, template=f"env/{name}.env.j2", context={"c": config}, mode=0o600, secret=True)


@dataclass(frozen=True)
class Symlink(_Placed):
    kind = "symlink"
    path: str
    target: str

    def want(self) -> Want:
        return {"path": self.path, "target": self.target}


@dataclass(frozen=True)
class AptRepo(Resource):
    """A signed package repository, trusted for its own packages only (deb822, Signed-By)."""

    kind = "apt-repo"
    repo: str
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    key_text: str
    """The repository's public key, armoured."""
    components: tuple[str, ...] = ()
    arch: str = ""

    @property
    def name(self) -> str:
        return self.repo

    def want(self) -> Want:
        lines = ["Types: deb", f"URIs: {' '.join(self.uris)}", f"Suites: {' '.join(self.suites)}"]
        lines += [f"Components: {' '.join(self.components)}"] if self.components else []
        lines += [f"Architectures: {self.arch}"] if self.arch else []
        lines += [f"Signed-By: /etc/apt/keyrings/{self.repo}.asc", ""]
        return {"name": self.repo, "source": "\n".join(lines), "key": self.key_text}


@dataclass(frozen=True)
class AptPackages(Resource):
    kind = "apt-packages"
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return " ".join(self.names)

    def want(self) -> Want:
        return {"names": list(self.names)}


@dataclass(frozen=True)
class Git(_Placed):
    """A checkout of `url` at `ref` (branch, tag or full commit; a full commit needs no network once it is there)."""

    kind = "git"
    path: str
    url: str
    ref: str
    user: str = "root"

    def want(self) -> Want:
        return {"path": self.path, "url": self.url, "ref": self.ref, "user": self.user}


@dataclass(frozen=True)
class Release(Resource):
    """Our own services with everything they import, for one extra of pyproject.toml.

    A host has one release: the extras of all its roles are merged into one environment at `root`/venv.
    """

    kind = "release"
    extra: str
    root: str = "/opt/trading"
    keep: int = 3

    @property
    def name(self) -> str:
        return self.root

    def want(self) -> Want:
        return {"root": self.root, "keep": self.keep}


@dataclass(frozen=True)
class Unit(Resource):
    """A systemd unit, from templates/systemd/<unit>.j2 with `config` as `c`, or a package's own unit (`vendor`).

    It is restarted when its file, or anything in `restart_on`, is not what it was started with. `service` names the
    service behind a socket unit: the two are restarted together.
    """

    kind = "unit"
    unit: str
    config: Any = None
    enabled: bool | None = True
    running: bool | None = True
    restart_on: tuple[Resource, ...] = ()
    service: str = ""
    vendor: bool = False

    @property
    def name(self) -> str:
        return self.unit

    def want(self) -> Want:
        state = {"name": self.unit, "enabled": self.enabled, "running": self.running}
        return state | {"service": self.service, "restart_on": [resource.key for resource in self.restart_on]}


@dataclass(frozen=True)
class Command(Resource):
    """A command that is run as long as its guard says that its work is not done."""

    kind = "command"
    title: str
    argv: tuple[str, ...]
    creates: str = ""
    unless: tuple[str, ...] = ()
    user: str = "root"
    cwd: str = "/"
    timeout: float = 300
    """Seconds."""

    def __post_init__(self) -> None:
        if bool(self.creates) == bool(self.unless):
            raise OpsError(f"Command {self.title!r} needs one guard: either creates=PATH or unless=(PROGRAM, ...)")

    @property
    def name(self) -> str:
        return self.title

    def want(self) -> Want:
        guard = {"creates": self.creates, "unless": list(self.unless)}
        how = {"user": self.user, "cwd": self.cwd, "timeout": self.timeout}
        return {"name": self.title, "argv": list(self.argv), **guard, **how}


@dataclass(frozen=True)
class Compose(Resource):
    """Containers of one compose file: each service runs, from its image, as the plan's `stamp` says.

    The file gives each service the label trading-ops.stamp. `unit` owns the stack: it starts it at boot and after its
    files changed, and a rollback brings it back by that unit; this resource mends what was changed by hand. `launcher`
    is the role docker's, for `docker compose` (v2) or `docker-compose` (v1), whichever is there.
    """

    kind = "compose"
    project: str
    file: str
    services: Mapping[str, str]
    """Image by service."""
    stamp: str
    unit: str
    launcher: str = "/usr/local/lib/trading-ops/compose"

    @property
    def name(self) -> str:
        return self.project

    def want(self) -> Want:
        stack = {"project": self.project, "file": self.file, "services": dict(self.services), "stamp": self.stamp}
        return {**stack, "unit": self.unit, "launcher": self.launcher}


@dataclass(frozen=True)
class Build(Resource):
    """A program built with autotools from `url` at `ref` (branch, tag or full commit) by the unprivileged `user`.

    `root`/current is the build in use; its program is `root`/current/bin/<program>. It must show `offers` in its --help
    and be linked with `links`, or the build in use stays and `advice` says what to set. `keep`: how many builds.
    """

    kind = "build"
    root: str
    url: str
    ref: str
    program: str
    user: str
    configure: tuple[str, ...] = ()
    cflags: str = "-O2"
    offers: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    advice: str = ""
    keep: int = 3

    @property
    def name(self) -> str:
        return self.root

    def want(self) -> Want:
        source = {"url": self.url, "ref": self.ref, "configure": list(self.configure), "cflags": self.cflags}
        proof = {"offers": list(self.offers), "links": list(self.links), "advice": self.advice}
        return {"root": self.root, "program": self.program, "user": self.user, "keep": self.keep, **source, **proof}
