"""The 25 steps as a role: copied to roles/job of the checkout that is measured."""

from __future__ import annotations

from collections.abc import Iterable

from ops.inventory import Host
from ops.resources import AptPackages, Directory, File, Group, Resource, Symlink, Unit, UnitFile, User
from ops.role import Role
from ops.role_config import RoleConfig

FOLDERS = ("", "/conf", "/data", "/data/in", "/data/out", "/logs")


class Config(RoleConfig):
    pass


class Job(Role):
    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        yield Group("bench")
        yield User("bench", group="bench", home="/opt/bench")
        for folder in FOLDERS:
            yield Directory(f"/opt/bench{folder}", owner="bench", group="bench", mode=0o750)
        for number in range(10):
            values = {"app": f"app{number}", "first": 9000 + 10 * number, "workers": number + 1}
            path = f"/opt/bench/conf/app{number}.conf"
            yield File(path, template="job/app.conf.j2", context=values, owner="bench", group="bench", mode=0o640)
        yield Symlink("/opt/bench/current", "/opt/bench/conf")
        yield AptPackages(("jq", "less", "tree"))
        yield UnitFile("/etc/systemd/system/bench.target", template="systemd/bench.target.j2")
        for letter in ("a", "b"):
            yield Unit(f"bench-{letter}.service", c)
