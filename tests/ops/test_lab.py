"""The lab's pure parts: names, and this machine's apt configuration as an image carries it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ops.errors import UsageError
from ops.lab import apt, host, tasks


def test_a_machine_id_is_the_name_and_the_checkout() -> None:
    name, _, checkout = host.machine_id("lab").rpartition("-")
    assert (name, len(checkout)) == ("lab", 6)


@pytest.mark.parametrize("name", ["", "Lab", "1st", "a_b", "a-", "../x", "a" * 33, "a b"])
def test_a_name_that_cannot_be_a_host_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a lab host's name"):
        host.machine_id(name)


def test_one_line_sources_of_debian_12_are_carried_and_others_are_not() -> None:
    text = """
    # deb http://mirror.example/debian bookworm main
    deb http://mirror.example/debian bookworm main contrib  # ours
    deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/security bookworm-security main
    deb-src http://mirror.example/debian bookworm main
    deb https://download.example/docker bookworm stable
    deb http://mirror.example/debian trixie main
    """
    assert list(apt.one_line(text)) == [
        "deb http://mirror.example/debian bookworm main contrib",
        "deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/security bookworm-security main",
    ]


def test_deb822_sources_are_carried_suite_by_suite() -> None:
    text = (
        "Types: deb deb-src\n# a remark\nURIs: http://mirror.example/debian\nSuites: bookworm\n bookworm-updates\n"
        "Components: main\nSigned-By: /usr/share/keyrings/x.gpg\n\n"
        "Types: deb\nURIs: http://other.example\nSuites: bookworm\nComponents: main\nEnabled: no\n"
    )
    assert list(apt.deb822(text)) == [
        "deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian bookworm main",
        "deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian bookworm-updates main",
    ]


def test_credentials_and_foreign_keyrings_go_along(tmp_path: Path) -> None:
    keyring = tmp_path / "house.gpg"
    keyring.write_bytes(b"key")
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(f"deb [signed-by={keyring}] http://mirror.example/debian bookworm main\n")
    (tmp_path / "auth.conf").write_text("machine mirror.example login me password secret\n")
    way = apt.of_this_machine(tmp_path)
    assert way.files == (keyring, tmp_path / "auth.conf")


def test_another_mirror_means_another_image(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://one.example/debian bookworm main\n")
    one = apt.of_this_machine(tmp_path).fingerprint()
    (tmp_path / "sources.list").write_text("deb http://two.example/debian bookworm main\n")
    assert apt.of_this_machine(tmp_path).fingerprint() != one


@pytest.mark.parametrize(
    ("line", "carried"),
    [
        ('Acquire::http::Proxy "http://proxy.example:3128";', True),
        ('Acquire::https::mirror.example::Verify-Peer "true";', True),
        ('Acquire::Check-Valid-Until "false";', True),
        ('Acquire::IndexTargets::deb::Packages::Optional "0";', False),
        ('APT::Get::Assume-Yes "true";', False),
    ],
)
def test_only_settings_that_decide_how_the_mirror_is_reached_are_carried(line: str, carried: bool) -> None:
    assert bool(apt.CARRIED.match(line)) is carried


def test_a_resolver_on_this_machine_s_loopback_is_not_given_to_a_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("nameserver 127.0.0.53\noptions edns0\n")
    real.write_text("nameserver 192.0.2.53\nsearch example\n")
    monkeypatch.setattr(apt, "RESOLVERS", (stub, real))
    assert apt.resolv_conf() == "nameserver 192.0.2.53\nsearch example\n"


def test_a_host_counts_as_running_only_while_its_own_process_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "LAB", tmp_path)
    (tmp_path / "x").mkdir()
    record = {"address": "10.77.0.9", "tree": "/t", "pid": os.getpid(), "started": host.started_at(os.getpid())}
    (tmp_path / "x/host.json").write_text(json.dumps(record))
    found = host.info("x")
    assert found is not None
    assert (found.address, found.known_hosts) == ("10.77.0.9", tmp_path / "x/known_hosts")
    (tmp_path / "x/host.json").write_text(json.dumps(record | {"started": "1"}))  # the number was given to another
    assert host.info("x") is None


def test_the_ssh_command_trusts_the_host_s_own_keys_only() -> None:
    there = host.LabHost("x", "10.77.0.9", 22, "root", Path("/k"), Path("/h"), Path("/t"))
    line = " ".join(tasks.ssh_command(there, "true"))
    assert "StrictHostKeyChecking=yes" in line
    assert "UserKnownHostsFile=/h" in line
    assert line.endswith("root@10.77.0.9 true")
