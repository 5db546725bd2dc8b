"""Each kind of resource through a real plan on a real host, as a role would use it: made, found in place, mended."""

from __future__ import annotations

import socket
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ops.errors import ConnectError
from ops.plan import build
from ops.resources import AptPackages, AptRepo, Command, Directory, File, Git, Group, Resource, Symlink, Unit, User
from ops.role import Role
from ops.role_config import RoleConfig
from ops.wire import Session, Target, connect
from tests.lab.conftest import DeskFor
from tests.lab.kit import Desk, wait_until

pytestmark = pytest.mark.lab
Event = dict[str, Any]


class Bench:
    """Plans and applies resources on one host, over one connection."""

    def __init__(self, desk: Desk) -> None:
        self.on = desk.on
        self.desk = desk
        machine = desk.host
        self.target = Target(machine.name, machine.address, key=machine.key, known_hosts=machine.known_hosts)
        self._connection = connect(self.target)

    def close(self) -> None:
        self._connection.close()

    def run(self, *resources: Resource, mode: str = "apply") -> dict[str, Event]:
        """Each resource's result by its key."""

        class Given(Role):
            def resources(self, c: Any, host: Any) -> Any:
                return resources

        plan = build(_Host(self.desk.host.name), {"given": RoleConfig()}, {"given": Given()}, None, mode=mode)  # type: ignore[arg-type]
        told: list[Event] = []
        end = Session(self._connection, self.target).run(plan.document, {}, told.append, threading.Event())
        assert end["event"] == "end", end
        return {event["resource"]: event for event in told if event["event"] == "result"}

    def words(self, *resources: Resource, mode: str = "apply") -> list[str]:
        return [event["result"] for event in self.run(*resources, mode=mode).values()]

    def holds(self, *resources: Resource) -> None:
        """A plan announces each, a run makes it, and the next finds nothing to do."""
        assert self.words(*resources, mode="plan") == ["change"] * len(resources)
        first = self.run(*resources)
        assert [event["result"] for event in first.values()] == ["changed"] * len(resources), first
        assert self.words(*resources) == ["ok"] * len(resources)


class _Host:
    """As much of an inventory's host as a plan looks at."""

    def __init__(self, name: str) -> None:
        self.name, self.arch, self.python, self.roles = name, "x86_64", "3.11", ("given",)
        self.vars: dict[str, str] = {}


@pytest.fixture(scope="module")
def bench(desk_for: DeskFor) -> Iterator[Bench]:
    bench = Bench(desk_for("kinds"))
    yield bench
    bench.close()


def test_users_and_groups(bench: Bench) -> None:
    bench.holds(Group("miners"), User("digger", group="miners", home="/srv/digger", groups=("dialout", "plugdev")))
    assert bench.on("id -nG digger") == "miners dialout plugdev"
    assert bench.on("getent passwd digger | cut -d: -f6,7") == "/srv/digger:/usr/sbin/nologin"
    bench.on("usermod -aG audio digger")
    groups = ("dialout", "plugdev", "video")
    more = User("digger", group="miners", home="/srv/digger", shell="/bin/bash", groups=groups)  # noqa: S604
    assert bench.words(more) == ["changed"]
    assert set(bench.on("id -nG digger").split()) == {"miners", "dialout", "plugdev", "audio", "video"}
    assert bench.on("getent passwd digger | cut -d: -f7") == "/bin/bash"


def test_directories_files_and_links(bench: Bench) -> None:
    folder = Directory("/srv/a/b", mode=0o2750, owner="nobody", group="nogroup")
    page = File("/srv/a/b/page", content="one\ntwo\n", mode=0o600)
    link = Symlink("/srv/link", "/srv/a/b")
    bench.holds(folder, page, link)
    assert bench.on("stat -c '%U %G %a' /srv/a/b") == "nobody nogroup 2750"
    bench.on("chmod 0755 /srv/a/b; printf 'one\\n2\\n' >/srv/a/b/page; ln -sfn /tmp /srv/link")
    mended = bench.run(folder, page, link)
    assert [event["result"] for event in mended.values()] == ["changed"] * 3
    assert "-2\n+two" in mended["file:/srv/a/b/page"]["changes"][0]["diff"]
    assert bench.on("cat /srv/link/page") == "one\ntwo"


def test_what_stands_in_the_way_goes_only_when_nothing_is_lost(bench: Bench) -> None:
    bench.on("mkdir -p /srv/w/empty /srv/w/full; touch /srv/w/full/mine /srv/w/file; ln -s /nowhere /srv/w/dangling")
    assert bench.words(File("/srv/w/empty", content="")) == ["changed"]
    assert bench.words(Directory("/srv/w/dangling")) == ["changed"]
    refused = bench.run(File("/srv/w/full", content=""))["file:/srv/w/full"]
    assert (refused["result"], refused["hint"]) == (
        "failed",
        "move it away on the host: mv /srv/w/full /srv/w/full.old",
    )
    assert bench.words(Directory("/srv/w/file")) == ["failed"]
    assert bench.on("ls /srv/w/full") == "mine"


def test_a_file_may_be_refused_by_the_program_that_reads_it(bench: Bench) -> None:
    check = ("python3", "-m", "json.tool", "%s")
    assert bench.words(File("/srv/good.json", content='{"a": 1}\n', validate=check)) == ["changed"]
    refused = bench.run(File("/srv/good.json", content="{", validate=check))["file:/srv/good.json"]
    assert refused["result"] == "failed"
    assert bench.on("cat /srv/good.json") == '{"a": 1}'


def test_a_command_runs_until_its_work_is_done(bench: Bench) -> None:
    made = Command("make a", ("touch", "/srv/made"), creates="/srv/made")
    asked = Command("ask b", ("sh", "-c", "echo x >>/srv/asked"), unless=("grep", "-q", "x", "/srv/asked"))
    bench.holds(made, asked)
    assert bench.on("wc -l </srv/asked") == "1"
    bench.on("install -d -o nobody /srv/theirs")
    bench.holds(
        Command("as nobody", ("sh", "-c", "id -un >who"), creates="/srv/theirs/who", user="nobody", cwd="/srv/theirs")
    )
    assert bench.on("cat /srv/theirs/who") == "nobody"


def test_a_command_that_fails_or_does_nothing_or_hangs_says_so(bench: Bench) -> None:
    fails = bench.run(Command("fails", ("sh", "-c", "echo because >&2; exit 3"), creates="/srv/never"))["command:fails"]
    assert (fails["result"], "exited 3" in fails["why"], "because" in fails["why"]) == ("failed", True, True)
    idle = bench.run(Command("idle", ("true",), creates="/srv/never"))["command:idle"]
    assert (idle["result"], "applied but" in idle["why"]) == ("failed", True)
    hangs = bench.run(Command("hangs", ("sleep", "60"), creates="/srv/never", timeout=0.3))["command:hangs"]
    assert (hangs["result"], "did not end within" in hangs["why"]) == ("failed", True)
    absent = bench.run(Command("absent", ("nosuch-program",), creates="/srv/never"))["command:absent"]
    assert "nosuch-program is not installed on this host" in absent["why"]


def test_a_failed_resource_stops_its_role(bench: Bench) -> None:
    told = bench.run(Command("stops", ("false",), creates="/srv/never"), File("/srv/after", content=""))
    assert [event["result"] for event in told.values()] == ["failed", "skipped"]
    assert told["file:/srv/after"]["why"] == "command:stops failed"
    assert bench.on("ls /srv/after 2>/dev/null; true") == ""


@pytest.fixture(scope="module")
def origin(bench: Bench) -> str:
    """A bare repository on the host, with a branch, a tag and two commits."""
    bench.run(AptPackages(("git",)))
    bench.on(
        "git init -q -b main /srv/author; cd /srv/author; git config user.email a@b; git config user.name a;"
        "git config --system filter.slow.smudge 'test ! -e /srv/slow || sleep 60; cat';"
        "echo '* filter=slow' >.gitattributes;"
        "echo 1 >n; git add n .gitattributes; git commit -qm one; git tag -a v1 -m v1; echo 2 >n; git commit -qam two;"
        "git clone -q --bare /srv/author /srv/origin.git; chown -R nobody /srv/origin.git;"
        "git config --system --add safe.directory '*'"
    )
    return "/srv/origin.git"


def test_git(bench: Bench, origin: str) -> None:
    bench.holds(Git("/srv/checkout", origin, "main"))
    assert bench.on("cat /srv/checkout/n") == "2"
    assert bench.words(Git("/srv/checkout", origin, "v1")) == ["changed"]
    assert bench.on("cat /srv/checkout/n") == "1"
    commit = bench.on("git -C /srv/author rev-parse HEAD")
    assert bench.words(Git("/srv/checkout", origin, commit)) == ["changed"]
    assert bench.words(Git("/srv/checkout", origin, commit)) == ["ok"]


def test_git_follows_a_branch_and_refuses_to_lose_local_edits(bench: Bench, origin: str) -> None:
    bench.run(Git("/srv/follow", origin, "main"))
    bench.on("cd /srv/author; echo 3 >n; git commit -qam three; git push -q /srv/origin.git main")
    assert bench.words(Git("/srv/follow", origin, "main")) == ["changed"]
    assert bench.on("cat /srv/follow/n") == "3"
    bench.on("echo mine >>/srv/follow/n")
    refused = bench.run(Git("/srv/follow", origin, "main"))["git:/srv/follow"]
    assert (refused["result"], refused["hint"]) == ("failed", "look at them on the host: git -C /srv/follow diff")
    absent = bench.run(Git("/srv/absent", origin, "nosuch"))["git:/srv/absent"]
    assert 'has no branch or tag "nosuch"' in absent["why"]


@pytest.mark.parametrize("before", ["nothing", "an older commit"])
def test_git_finishes_what_was_cut_off_by_a_kill(bench: Bench, origin: str, before: str) -> None:
    wanted, path = Git("/srv/cut", origin, "main"), "/srv/cut"
    bench.on(f"rm -rf {path}")
    if before != "nothing":
        bench.run(Git(path, origin, "v1"))
    bench.on("touch /srv/slow")
    killed = Bench(bench.desk)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(killed.run, wanted)
        wait_until(lambda: bench.on("pgrep -fx 'sleep 60'; true"), what="git did not come to writing files")
        bench.on("pkill -9 -f 'memfd_create.*agent[.]main'; rm /srv/slow")
        with pytest.raises(ConnectError, match="the agent ended without a result"):
            run.result()
    killed.close()
    wait_until(lambda: not bench.on("pgrep -x git; true"), what="git outlived the agent")
    bench.on("pkill -fx 'sleep 60'; true")
    assert bench.words(wanted) == ["changed"]
    assert bench.on(f"cat {path}/n; git -C {path} status --porcelain") == bench.on("cat /srv/author/n")
    assert bench.words(wanted) == ["ok"]


def test_git_takes_over_an_empty_checkout(bench: Bench, origin: str) -> None:
    bench.on("git init -q /srv/begun")
    assert bench.words(Git("/srv/begun", origin, "main")) == ["changed"]
    assert bench.words(Git("/srv/begun", origin, "main")) == ["ok"]


@pytest.fixture(scope="module")
def repository(bench: Bench) -> str:
    """A signed package repository on the host with one package in it; returns its public key."""
    bench.run(AptPackages(("gpg", "gpg-agent", "apt-utils", "dpkg")))
    bench.on(
        "mkdir -p /srv/repo /srv/pkg/DEBIAN /srv/pkg/usr/bin; cd /srv;"
        "printf 'Package: tiny-tool\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: tiny\\n'"
        " >pkg/DEBIAN/control; printf '#!/bin/sh\\necho tiny\\n' >pkg/usr/bin/tiny-tool; chmod 755 pkg/usr/bin/*;"
        "dpkg-deb -b pkg repo/tiny-tool.deb >/dev/null; cd repo; apt-ftparchive packages . >Packages;"
        "apt-ftparchive -o APT::FTPArchive::Release::Suite=./ release . >../Release; mv ../Release .;"
        "gpg -q --batch --passphrase '' --quick-generate-key repo@example default default never;"
        "gpg -q --clearsign -o InRelease Release; chmod -R a+rX /srv/repo"
    )
    return bench.on("gpg --armor --export repo@example") + "\n"


def test_a_signed_package_repository(bench: Bench, repository: str) -> None:
    repo = AptRepo("tiny", ("file:/srv/repo",), ("./",), key_text=repository)
    assert bench.words(AptPackages(("tiny-tool",))) == ["failed"], "it is in no other repository"
    bench.holds(repo, AptPackages(("tiny-tool",)))
    assert bench.on("tiny-tool") == "tiny"
    bench.on("apt-get -qq purge -y tiny-tool >/dev/null; echo >>/etc/apt/sources.list.d/tiny.sources")
    assert bench.words(repo, AptPackages(("tiny-tool",))) == ["changed", "changed"]


def test_a_repository_with_the_wrong_key_is_refused(bench: Bench, repository: str) -> None:
    bench.on("gpg -q --batch --passphrase '' --quick-generate-key other@example default default never")
    other = bench.on("gpg --armor --export other@example") + "\n"
    refused = bench.run(AptRepo("tiny", ("file:/srv/repo",), ("./",), key_text=other))["apt-repo:tiny"]
    assert refused["result"] == "failed"
    assert "NO_PUBKEY" in refused["why"] or "not signed" in refused["why"]
    assert bench.words(AptRepo("tiny", ("file:/srv/repo",), ("./",), key_text=repository)) == ["changed"]


def test_a_timer(bench: Bench) -> None:
    bench.on(
        "cd /etc/systemd/system; printf '[Service]\\nType=oneshot\\nExecStart=/bin/touch /run/ticked\\n' >tick.service;"
        "printf '[Timer]\\nOnActiveSec=0\\nAccuracySec=1ms\\n[Install]\\nWantedBy=timers.target\\n' >tick.timer;"
        "systemctl daemon-reload"
    )
    bench.holds(Unit("tick.timer", vendor=True))
    assert bench.on("systemctl is-active tick.timer; systemctl is-enabled tick.timer") == "active\nenabled"
    assert bench.on("timeout 10 sh -c 'until [ -e /run/ticked ]; do sleep 0.05; done'; echo done") == "done"
    assert bench.words(Unit("tick.timer", vendor=True, enabled=False, running=False)) == ["changed"]
    assert bench.on("systemctl is-enabled tick.timer; systemctl is-active tick.timer; true") == "disabled\ninactive"


def test_a_unit_follows_what_it_reads(bench: Bench) -> None:
    bench.on(
        "printf '[Service]\\nExecStart=/bin/sleep inf\\n[Install]\\nWantedBy=multi-user.target\\n' "
        ">/etc/systemd/system/rest.service; systemctl daemon-reload"
    )
    pid = "systemctl show -P MainPID rest.service"
    settings = [File("/srv/rest.conf", content=text) for text in ("one", "two")]
    bench.run(settings[0], Unit("rest.service", vendor=True, restart_on=(settings[0],)))
    first = bench.on(pid)
    assert bench.words(settings[0], Unit("rest.service", vendor=True, restart_on=(settings[0],))) == ["ok", "ok"]
    assert bench.on(pid) == first
    assert bench.words(settings[1], Unit("rest.service", vendor=True, restart_on=(settings[1],))) == [
        "changed",
        "changed",
    ]
    assert bench.on(pid) != first


def test_the_firewall_lets_in_ssh_and_open_ports_and_nothing_else(desk_for: DeskFor) -> None:
    desk = desk_for("kinds")
    desk.text = textwrap.dedent("""
        version: 1
        hosts:
          {name}:
            lab: true
            roles: [base]
            settings: {{base: {{firewall: true, open_ports: [8123], security_updates: false}}}}
    """)
    desk.describe()
    for port in (8123, 8124):
        desk.on(f"systemd-run -q --unit=web{port} python3 -m http.server {port}")
        desk.on(f"until ss -Hltn 'sport = :{port}' | grep -q .; do sleep 0.05; done")
    assert reachable(desk, 8124), "before"
    desk.settles()
    assert desk.on("systemctl is-active nftables; systemctl is-enabled nftables") == "active\nenabled"
    assert (reachable(desk, 22), reachable(desk, 8123), reachable(desk, 8124)) == (True, True, False)
    assert desk.on("echo >/dev/tcp/127.0.0.1/8124 && echo yes") == "yes", "the host reaches itself"
    desk.on("nft flush ruleset")
    desk.hang_up()
    desk.on("true")  # a new connection gets in as well


def reachable(desk: Desk, port: int) -> bool:
    try:
        with socket.create_connection((desk.host.address, port), timeout=0.7):
            return True
    except OSError:
        return False
