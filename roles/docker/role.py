"""Docker: its daemon with limits on logs, from Docker's own repository or Debian's, and compose v2 or v1."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from ops.checks import Check, docker
from ops.inventory import Host
from ops.resources import AptPackages, Command, Directory, File, Resource, Unit
from ops.role import Role
from ops.role_config import RoleConfig
from roles.shared import RepositoryConfig

UNIT = "docker.service"
LAUNCHER = "/usr/local/lib/trading-ops/compose"
URI, SUITE, COMPONENT = "https://download.docker.com/linux/debian", "bookworm", "stable"
KEY_URL = "https://download.docker.com/linux/debian/gpg"
PACKAGES = {
    "docker": ("docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin"),
    "debian": ("docker.io", "docker-compose"),
}
OTHERS = {
    "docker": ("docker.io", "docker-cli", "containerd", "runc"),
    "debian": ("docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin", "docker-buildx-plugin"),
}
"""What the other source brings, which cannot be beside this one's."""
OWN = {
    "log-driver": "log_driver", "log-opts": "log_max_size and log_max_files", "live-restore": "live_restore",
    "data-root": "data_root",
}  # fmt: skip
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9.+:~-]+$")]


class Config(RoleConfig):
    source: Literal["docker", "debian"] = Field("docker", description="whose packages: Docker's own, or Debian's")
    repository: RepositoryConfig | None = Field(None, description="Docker's, and its key; source docker only")
    versions: dict[str, Version] = Field({}, description="of packages, by name; default: the newest")
    log_driver: Literal["json-file", "local"] = "json-file"
    log_max_size: str = Field("10m", pattern=r"^[1-9]\d*[kmg]$", description="of one file of a container's log")
    log_max_files: int = Field(3, ge=1, le=100, description="kept for each container")
    live_restore: bool = Field(True, description="containers go on while the daemon restarts")
    data_root: str | None = Field(None, pattern=r"^/[A-Za-z0-9._/-]+$", description="default: /var/lib/docker")
    options: dict[str, JsonValue] = Field({}, description="more of daemon.json, as Docker documents it")

    @model_validator(mode="after")
    def _can_be(self) -> Config:
        if self.source == "docker" and self.repository is None:
            raise ValueError(
                f"repository.key is missing: the key of Docker's packages, {KEY_URL}, read before it is trusted; or "
                "set source: debian"
            )
        if self.source == "debian" and self.repository is not None:
            raise ValueError("repository is Docker's; with source: debian there is none")
        if strange := sorted(set(self.versions) - set(PACKAGES[self.source])):
            known = ", ".join(PACKAGES[self.source])
            raise ValueError(f"versions: {strange[0]} is no package of source {self.source}; those are {known}")
        if taken := sorted(set(self.options) & set(OWN)):
            raise ValueError(f"options: {taken[0]} has a setting of its own: {OWN[taken[0]]}")
        return self

    @property
    def packages(self) -> tuple[str, ...]:
        """Names, with the version where one is asked for."""
        pinned = {name: f"{name}={version}" for name, version in self.versions.items()}
        return tuple(pinned.get(name, name) for name in PACKAGES[self.source])

    def daemon(self) -> str:
        """/etc/docker/daemon.json."""
        logs = {"max-size": self.log_max_size, "max-file": str(self.log_max_files)}
        found: dict[str, Any] = {"log-driver": self.log_driver, "log-opts": logs, "live-restore": self.live_restore}
        found |= {"data-root": self.data_root} if self.data_root else {}
        return json.dumps(found | self.options, indent=2, sort_keys=True) + "\n"


class Docker(Role):
    after = ("base",)

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        if c.repository:
            yield c.repository.at("docker", URI, SUITE, COMPONENT)
        yield _others_gone(c)
        # Before the packages, so that the daemon's first start has it already.
        yield Directory("/etc/docker")
        settings = File("/etc/docker/daemon.json", content=c.daemon())
        yield settings
        yield AptPackages(c.packages)
        yield Directory("/usr/local/lib/trading-ops")
        yield File(LAUNCHER, template="docker/compose.j2", mode=0o755)
        yield Unit(UNIT, vendor=True, restart_on=(settings,))

    def checks(self, c: Config) -> Iterable[Check]:
        yield docker(UNIT)


def _others_gone(c: Config) -> Command:
    """Removed, not purged: images, containers and volumes are in /var/lib/docker and stay."""
    query = "dpkg-query -W -f='${db:Status-Abbrev} ${Package}\\n' " + " ".join(OTHERS[c.source])
    # apt-get refuses a name that it has never heard of, so only those that are installed are named.
    installed = f"{query} 2>/dev/null | sed -n 's/^.i. *//p'"
    whose = {"docker": "Debian's", "debian": "Docker's"}[c.source]
    return Command(
        f"remove {whose} packages of Docker, and keep images, containers and volumes",
        ("sh", "-c", f"apt-get remove -y -q -o DPkg::Lock::Timeout=180 -- $({installed})"),
        unless=("sh", "-c", f'test -z "$({installed})"'),
    )
