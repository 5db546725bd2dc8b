"""What can go wrong between a person and a host: one clear message with what to do, and the host still works."""

from __future__ import annotations

import shutil
import socket
import subprocess
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.kit import Desk, Done, changed

pytestmark = pytest.mark.lab


@pytest.fixture
def outside(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """The same machine as no lab host but a plain one: its key and its host key come from the inventory or ~/.ssh."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    yield Desk(desk.root, desk.host, tmp_path / "inventory.yaml")


def plain(desk: Desk, **changes: Any) -> Done:
    """A deploy of the host "far", which is at the lab host's address unless told otherwise."""
    known = desk.host.known_hosts.read_text().splitlines()
    pinned = next(line.split(None, 1)[1] for line in known if "ed25519" in line)
    fields = {"address": desk.host.address, "key": desk.host.key, "user": "root", "roles": "[]", "host_key": pinned}
    fields |= changes
    lines = "".join(f"    {key}: {value}\n" for key, value in fields.items() if value is not None)
    desk.inventory.write_text(f"version: 1\nhosts:\n  far:\n{lines}")
    home = desk.inventory.parent / "home"
    return desk.inv("deploy", "--host", "far", env={"HOME": str(home)})


def test_a_host_that_nobody_answers_for(outside: Desk) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = plain(outside, address="127.0.0.1", port=unused.getsockname()[1])
    refused(done, "far (root@127.0.0.1:", "cannot connect", "is it switched on, on the network, and is sshd running?")


def test_a_name_that_does_not_resolve(outside: Desk) -> None:
    refused(plain(outside, address="nosuch.invalid"), "the name does not resolve", "set hosts.far.address")


def test_something_that_is_no_ssh_server(outside: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        done = plain(outside, address="127.0.0.1", port=server.getsockname()[1])
    refused(done, "cannot connect")


def test_a_key_that_the_host_does_not_take(outside: Desk) -> None:
    key = outside.inventory.with_name("other")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    refused(plain(outside, key=key), "the host refuses our key for user root", f"try: ssh -i {key}")


def test_a_key_file_that_is_not_there(outside: Desk) -> None:
    refused(plain(outside, key="/nosuch/key"), "/nosuch/key")


def test_an_unknown_host_shows_its_fingerprint_and_the_command_that_trusts_it(outside: Desk) -> None:
    done = plain(outside, host_key=None)
    shown = outside.on("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    refused(done, "is not known yet", shown, f"./inv host.trust far --fingerprint {shown}")
    home = {"HOME": str(outside.inventory.parent / "home")}
    wrong = outside.inv("host.trust", "far", "--fingerprint", "SHA256:" + "A" * 43, env=home)
    refused(wrong, "do not trust it before you know why")
    assert outside.inv("host.trust", "far", "--fingerprint", shown, env=home).code == 0
    assert plain(outside, host_key=None).code == 0


def test_a_host_that_shows_another_key_than_before(outside: Desk) -> None:
    other = outside.inventory.with_name("other")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    pinned = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    done = plain(outside, host_key=pinned)
    refused(done, "shows another SSH key than the one we trust", "instead of", "hosts.far.host_key in inventory.yaml")


@pytest.fixture
def person(outside: Desk) -> Iterator[Desk]:
    """The host has a user `ann` who may log in, and nothing else."""
    install = (
        "useradd -m -s /bin/bash ann; install -d -o ann -m 700 /home/ann/.ssh;"
        "install -o ann -m 600 /root/.ssh/authorized_keys /home/ann/.ssh/"
    )
    outside.on(install)
    yield outside
    outside.on("rm -f /etc/sudoers.d/ann; userdel -rf ann 2>/dev/null; true")


def test_a_user_who_may_not_become_root(person: Desk) -> None:
    done = plain(person, user="ann")
    refused(done, "sudo -n is refused for ann", "NOPASSWD: ALL' | sudo tee /etc/sudoers.d/")


def test_a_user_with_sudo_works_like_root(person: Desk) -> None:
    person.on("echo 'ann ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann; chmod 440 /etc/sudoers.d/ann")
    person.on("chmod 0600 /etc/timezone")
    base = textwrap.dedent("""
        [base]
            vars: {timezone: America/Montreal}
    """).strip()
    done = plain(person, user="ann", roles=base)
    assert done.code == 0, done.said
    assert "file:/etc/timezone" in done.out
    assert person.on("stat -c %a /etc/timezone") == "644"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("arch", "aarch64", "this host has arch x86_64, but the inventory says aarch64"),
        ("python", '"3.12"', "this host has python 3.11, but the inventory says 3.12"),
    ],
)
def test_the_inventory_is_wrong_about_the_machine(outside: Desk, field: str, value: str, words: str) -> None:
    refused(plain(outside, **{field: value}), words, f"set `{field}: ", "in inventory.yaml")


# on the host


def test_a_full_disk(desk: Desk) -> None:
    """/opt/trading on a file system that has no room for another release."""
    with mended(desk):
        desk.on(
            "systemctl stop tv-webhook.socket perf.socket tv-webhook perf; mv /opt/trading /opt/trading.whole;"
            "mkdir /opt/trading; mount -t tmpfs -o size=1G,mode=755 tmpfs /opt/trading; cp -a /opt/trading.whole/. "
            "/opt/trading/; systemctl start tv-webhook.socket perf.socket tv-webhook perf;"
            "fallocate -l $(($(df --output=avail -B1 /opt/trading | tail -1) - 3000000)) /opt/trading/filler"
        )
        try:
            (desk.root / "runtime/__init__.py").write_text('"""Another release, for which there is no room."""\n')
            done = deploy(desk)
            refused(done, "no space left on", "free some space on the host", ignore_case=True)
            still_works(desk, full=True)
        finally:
            desk.on(
                "systemctl stop tv-webhook.socket perf.socket tv-webhook perf; umount /opt/trading; rmdir /opt/trading;"
                "mv /opt/trading.whole /opt/trading; systemctl start tv-webhook.socket perf.socket tv-webhook perf"
            )


def test_a_full_disk_under_the_agents_own_memory(desk: Desk) -> None:
    with mended(desk):
        desk.on(
            "mount -t tmpfs -o size=64k tmpfs /var/lib/trading-ops; dd if=/dev/zero of=/var/lib/trading-ops/x; true"
        )
        try:
            desk.on("chmod 0600 /etc/timezone")
            refused(deploy(desk), "no space left on device", "/var/lib/trading-ops", "free some space on the host")
            still_works(desk)
        finally:
            desk.on("umount /var/lib/trading-ops")


@pytest.mark.parametrize("what", ["the mirror is unreachable", "the sources are broken"])
def test_apt_fails(desk: Desk, what: str) -> None:
    with mended(desk):
        desk.on(
            "apt-get -qq remove -y unattended-upgrades >/dev/null; apt-get clean; rm -rf /root/apt; mkdir /root/apt;"
            "mv /etc/apt/sources.list /etc/apt/sources.list.d /root/apt/ 2>/dev/null; mkdir -p /etc/apt/sources.list.d;"
            "rm -rf /var/lib/apt/lists/*"
        )
        line = "deb http://127.0.0.1:9/debian bookworm main" if "unreach" in what else "deb this is no source"
        desk.on(f"echo '{line}' >/etc/apt/sources.list")
        try:
            refused(deploy(desk), "the package lists could not be fetched", "try `apt-get update` on the host")
            still_works(desk)
        finally:
            desk.on("rm -rf /etc/apt/sources.list*; mv /root/apt/* /etc/apt/; rmdir /root/apt; apt-get -qq update")


def test_a_package_that_does_not_exist(desk: Desk) -> None:
    with mended(desk):
        edit(desk, "roles/base/role.py", '"ca-certificates", "tzdata"', '"ca-certificates", "tzdata", "nosuch-package"')
        refused(deploy(desk), "nosuch-package", "Unable to locate package")
        still_works(desk)


def test_a_unit_that_systemd_refuses(desk: Desk) -> None:
    with mended(desk):
        edit(desk, "templates/systemd/perf.service.j2", "UMask=0077", "UMaks=0077")
        refused(deploy(desk), "systemd refuses perf.service", "UMaks", "mend its template")
        assert "UMask" in desk.on("cat /etc/systemd/system/perf.service"), "the old file is in place"
        still_works(desk)


def test_a_unit_for_a_user_who_does_not_exist(desk: Desk) -> None:
    with mended(desk):
        edit(desk, "templates/systemd/perf.service.j2", "User=trading", "User=tradnig")
        refused(deploy(desk), 'there is no user "tradnig"')
        still_works(desk)


def test_a_port_that_is_in_use_names_who_has_it(desk: Desk) -> None:
    with mended(desk):
        desk.on("systemd-run -q --unit=squatter python3 -m http.server 8999")
        desk.on("until ss -Hltn 'sport = :8999' | grep -q .; do sleep 0.05; done")
        try:
            desk.describe(port="8999")
            refused(deploy(desk), "tv-webhook.socket", "port 8999 is in use by python3 (pid ", "or set another port")
            still_works(desk)
        finally:
            desk.on("systemctl stop squatter")


def test_a_file_that_cannot_be_written(desk: Desk) -> None:
    """The nearest thing to a broken disk that a container allows: a file system that is read-only."""
    with mended(desk):
        desk.on("mount --bind /etc/apt /etc/apt; mount -o remount,bind,ro /etc/apt; true")
        edit(desk, "templates/base/updates.conf.j2", "Automatic-Reboot", "Automatic-Reboots")
        try:
            refused(deploy(desk), "/etc/apt/apt.conf.d/52trading-ops", "read-only")
            still_works(desk)
        finally:
            desk.on("umount /etc/apt")


def test_a_directory_where_a_file_belongs(desk: Desk) -> None:
    with mended(desk):
        desk.on("rm /etc/apt/apt.conf.d/52trading-ops; mkdir -p /etc/apt/apt.conf.d/52trading-ops/mine")
        try:
            refused(
                deploy(desk), "is a directory with something in it, not a file", "mv /etc/apt/apt.conf.d/52trading-ops"
            )
            still_works(desk)
        finally:
            desk.on("rm -r /etc/apt/apt.conf.d/52trading-ops")


def test_a_venv_that_somebody_made_by_hand(desk: Desk) -> None:
    with mended(desk):
        desk.on("mv /opt/trading/venv /opt/trading/venv.link; mkdir -p /opt/trading/venv/bin")
        try:
            refused(deploy(desk), "/opt/trading/venv is a directory with something in it", "mv /opt/trading/venv ")
        finally:
            desk.on("rm -r /opt/trading/venv; mv /opt/trading/venv.link /opt/trading/venv")
        still_works(desk)


def test_a_wheel_that_was_changed_on_the_host(desk: Desk) -> None:
    """The largest, which is the installer: every release needs it."""
    with mended(desk):
        desk.on("cd /var/lib/trading-ops/blobs; echo >>$(ls -S | head -1); rm /opt/trading/venv/release.json")
        refused(deploy(desk), "was changed after it was uploaded", "run deploy again to upload it anew")
        still_works(desk)


def test_a_host_that_runs_something_else(desk: Desk) -> None:
    with mended(desk):
        desk.on("sed -i 's/^VERSION_ID=.*/VERSION_ID=\"13\"/' /usr/lib/os-release")
        try:
            refused(deploy(desk), "this host runs debian 13", "these roles are for debian 12")
        finally:
            desk.on("sed -i 's/^VERSION_ID=.*/VERSION_ID=\"12\"/' /usr/lib/os-release")


def test_nothing_is_left_to_mend_after_all_this(desk: Desk) -> None:
    assert changed(desk.deploy()) == set()
    assert desk.on("systemctl --failed --no-legend; find /etc /opt/trading -name '*.ops-new'") == ""


def test_an_inventory_that_names_no_such_host(desk: Desk) -> None:
    done = desk.inv("deploy", "--host", "nosuch")
    assert done.code in (1, 2)
    assert "nosuch" in done.err


def refused(done: Done, *words: str, ignore_case: bool = False) -> None:
    """Exit 1 and these words; no traceback, which `Desk.inv` looks for."""
    assert done.code == 1, done.said
    said = done.said.lower() if ignore_case else done.said
    for word in words:
        assert (word.lower() if ignore_case else word) in said, f"{word!r} is not in:\n{done.said}"
    assert "fault in the tool" not in said


def still_works(desk: Desk, *, full: bool = False) -> None:
    """The services that were there before answer; on a `full` disk they say so, and nothing else is wrong with them."""
    for port in (8000, 8010):
        answer = httpx.get(f"http://{desk.host.address}:{port}/ready")
        assert answer.status_code == (503 if full else 200)
        wrong = {name for name, said in answer.json()["checks"].items() if said != "ok"}
        assert wrong == ({"disk"} if full else set())


@contextmanager
def mended(desk: Desk) -> Iterator[None]:
    """Whatever is done inside to the host or the checkout, the next deploy of whole sources converges."""
    kept = desk.inventory.with_name("kept")
    names = ("runtime", "templates", "roles")
    for name in names:
        shutil.copytree(desk.root / name, kept / name)
    try:
        yield
    finally:
        for name in names:
            shutil.rmtree(desk.root / name)
            shutil.copytree(kept / name, desk.root / name)
        shutil.rmtree(kept)
        desk.usual()
    desk.deploy()


def edit(desk: Desk, name: str, old: str, new: str) -> None:
    path = desk.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def deploy(desk: Desk) -> Done:
    return desk.inv("deploy", "--host", desk.host.name)
