"""The role miner: what it refuses, what cgminer is told, and what systemd and udev read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from miner.sticks import MODELS
from ops.inventory import Host
from ops.plan import build
from ops.render import render
from ops.resources import Build, File, Unit
from ops.role import discover
from roles.miner.conf import conf
from roles.miner.config import RANGES, Config
from roles.miner.role import IDS, Miner
from tests.unit_kit import assert_hardened, needs_systemd

POOL = {"url": "stratum+tcp://pool.example.org:3333", "user": "1Address.rig"}
HOST = Host("rig", "10.0.0.1", roles=("miner",))


def config(**given: Any) -> Config:
    return Config.model_validate({"pools": [POOL], **given})


def resources(**given: Any) -> list[Any]:
    return list(Miner().resources(config(**given), HOST))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pools": []}, "at least 1 item"),
        ({"pools": [POOL | {"user": 'a"b'}]}, 'must not contain ", '),
        ({"pools": [POOL | {"user": "a\\b"}]}, "must not contain"),
        ({"pools": [POOL | {"password": SecretStr('pa"ss')}]}, "must not contain"),
        ({"pools": [POOL | {"url": "pool.example.org:3333"}]}, "expected stratum"),
        ({"pools": [POOL | {"url": "stratum+tcp://pool.example.org"}]}, "HOST:PORT"),
        ({"pools": [POOL | {"url": "stratum+tcp://me:secret@pool.example.org:3333"}]}, "settings of their own"),
        ({"frequency": {"compacf": 900}}, "compacf: 900 MHz; its chip takes 100 to 800"),
        ({"frequency": {"newpac": 49}}, "50 to 900"),
        ({"frequency": {"newpac": 106.25}}, "whole numbers"),
        ({"frequency": {"antminer": 100}}, "frequency"),
        ({"options": {"api-port": "1"}}, "a setting of its own"),
        ({"options": {"gekko-compacf-freq": "900"}}, "a setting of its own"),
        ({"options": {"suggest-diff": 'x"'}}, 'without " and'),
        ({"options": {"--suggest-diff": "442"}}, "without --"),
        ({"repository": "https://me:token@example.org/x.git"}, "a password in a URL"),
        ({"repository": "https://example.org/$(id)"}, "repository"),
        ({"ref": "--upload-pack=x"}, "ref"),
        ({"configure": ["; id"]}, "configure"),
        ({"cflags": "-O2 $(id)"}, "cflags"),
        ({"api_allow": ["W:*"]}, "api_allow"),
    ],
)
def test_what_cgminer_would_take_amiss_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        config(**given)
    assert "secret" not in str(refused.value)
    assert "pa" + '"' not in str(refused.value)


def test_the_ranges_and_the_ids_are_those_of_the_sticks() -> None:
    kinds = {model.label.replace(" ", "").lower(): model for model in MODELS}
    assert {kind: (kinds[kind].min_mhz, kinds[kind].max_mhz) for kind in RANGES} == RANGES
    assert {(int(vendor, 16), int(product, 16)) for vendor, product in IDS} == {(one.vid, one.pid) for one in MODELS}


def test_cgminer_is_told_pools_in_order_its_api_and_frequencies() -> None:
    second = {"url": "stratum+tcp://second.example.org:3333#xnsub", "user": "é", "password": SecretStr("p w'$")}
    given = config(
        pools=[POOL, second], frequency={"compacf": 400, "compac": 143.75}, tune2=60, serials=["1", "2"],
        options={"suggest-diff": "442", "gekko-noboost": True}, api_allow=["W:127.0.0.1", "R:192.168.1.0/24"],
    )  # fmt: skip
    assert json.loads(conf(given)) == {
        "pools": [
            {"url": POOL["url"], "user": "1Address.rig", "pass": "x"},
            {"url": second["url"], "user": "é", "pass": "p w'$"},
        ],
        "api-listen": True, "api-host": "127.0.0.1", "api-port": "4028", "api-allow": "W:127.0.0.1,R:192.168.1.0/24",
        "hotplug": "5", "log": "5", "gekko-compacf-freq": "400", "gekko-compac-freq": "143.75", "gekko-tune2": "60",
        "gekko-serial": "1,2", "suggest-diff": "442", "gekko-noboost": True,
    }  # fmt: skip
    wanted = next(one for one in Miner().resources(given, HOST) if isinstance(one, Build)).want()
    assert {"--gekko-compacf-freq", "--gekko-tune2", "--suggest-diff", "--gekko-compac-freq"} <= set(wanted["offers"])


def test_the_password_is_in_one_file_that_only_cgminer_s_group_reads() -> None:
    found = resources(pools=[POOL | {"password": SecretStr("hunter-2-hunter")}])
    holding = [one for one in found if "hunter-2-hunter" in json.dumps(one.want() if not isinstance(one, Unit) else {})]
    assert [(one.path, one.owner, one.group, one.mode, one.secret) for one in holding] == [
        ("/etc/cgminer/cgminer.conf", "root", "cgminer", 0o640, True)
    ]


def test_another_flag_restarts_cgminer_and_libsystemd_gives_it_a_watchdog() -> None:
    plain, watched = resources(), resources(configure=["--enable-gekko", "--enable-libsystemd"])
    assert "libsystemd-dev" in watched[0].names
    assert "libsystemd-dev" not in plain[0].names
    unit = next(one for one in watched if isinstance(one, Unit))
    assert [one.key for one in unit.restart_on] == ["build:/opt/cgminer", "file:/etc/cgminer/cgminer.conf"]
    text = render("systemd/cgminer.service.j2", {"c": unit.config})
    assert "WatchdogSec=150\n" in text
    assert "Watchdog" not in render("systemd/cgminer.service.j2", {"c": config()})


def test_a_plan_needs_no_network_and_no_host() -> None:
    roles = discover()
    host = Host("rig", "10.0.0.1", roles=("base",))
    assert build(host, {"base": roles["base"].config()}, roles, None).document["resources"]
    rules = next(one for one in resources() if isinstance(one, File) and "udev" in one.path)
    assert rules.path.rpartition("/")[2] > "50-udev-default.rules"
    assert str(rules.content).count('MODE="0660", GROUP="plugdev"') == 4


@needs_systemd
def test_the_unit_is_hardened(tmp_path: Path) -> None:
    path = tmp_path / "cgminer.service"
    path.write_text(render("systemd/cgminer.service.j2", {"c": config()}))
    assert_hardened(path, 3)


def test_the_units_filter_hides_the_password_that_cgminer_tells(tmp_path: Path) -> None:
    """The command of the unit itself, with a cgminer that gives up."""
    program = tmp_path / "cgminer"
    program.write_text("#!/bin/sh\necho 'Pool: 0  URL: u  User: w  Password: hunter2 \"x' | tee /dev/stderr\n")
    program.chmod(0o755)
    line = next(
        line
        for line in render("systemd/cgminer.service.j2", {"c": config()}).splitlines()
        if line.startswith("ExecStart")
    )
    script = line.partition(" -c '")[2].removesuffix("'").replace("/opt/cgminer/current/bin/cgminer", str(program))
    done = subprocess.run(["bash", "-c", f"{{ {script}; }} | cat"], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == "Pool: 0  URL: u  User: w  Password: (not shown)\n"
