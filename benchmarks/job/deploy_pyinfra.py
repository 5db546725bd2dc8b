"""The 25 steps for pyinfra."""

from __future__ import annotations

from pathlib import Path

from pyinfra.operations import apt, files, server, systemd

TEMPLATES = Path(__file__).parent / "templates"
OWNED = {"user": "bench", "group": "bench"}
UNITS = Path("/etc/systemd/system")

server.group(group="bench", system=True)
server.user(user="bench", group="bench", home="/opt/bench", shell="/usr/sbin/nologin", system=True, ensure_home=False)  # noqa: S604
for folder in ("", "/conf", "/data", "/data/in", "/data/out", "/logs"):
    files.directory(path=f"/opt/bench{folder}", mode="750", **OWNED)
for number in range(10):
    files.template(
        src=str(TEMPLATES / "job/app.conf.j2"),
        dest=f"/opt/bench/conf/app{number}.conf",
        mode="640",
        jinja_env_kwargs={"trim_blocks": True, "lstrip_blocks": True},
        name=f"app{number}.conf",
        **OWNED,
        **{"first": 9000 + 10 * number, "workers": number + 1, "app": f"app{number}"},
    )
files.link(path="/opt/bench/current", target="/opt/bench/conf", user="root", group="root")
apt.packages(packages=["jq", "less", "tree"], no_recommends=True)
changed = [
    files.template(
        src=str(TEMPLATES / f"systemd/{unit}.j2"),
        dest=str(UNITS / unit),
        mode="644",
        user="root",
        group="root",
    )
    for unit in ("bench-a.service", "bench-b.service", "bench.target")
]
for letter, file in zip("ab", changed, strict=False):
    systemd.service(service=f"bench-{letter}.service", enabled=True, running=True)
    systemd.service(service=f"bench-{letter}.service", restarted=True, daemon_reload=True, _if=file.did_change)
