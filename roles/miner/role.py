"""Miner: cgminer built from source, proved to have the gekko driver, and kept running without root."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from ops.checks import Check, Look, active
from ops.inventory import Host
from ops.resources import AptPackages, Build, Command, Directory, File, Group, Release, Resource, Unit, User
from ops.role import Role
from roles.miner.conf import conf, gekko_options
from roles.miner.config import Config

__all__ = ["Config"]

ROOT = "/opt/cgminer"
CONF = "/etc/cgminer/cgminer.conf"
RULES = "/etc/udev/rules.d/70-cgminer.rules"
# What a clean Debian 12 lacks: the compiler, autotools, and the libraries that cgminer's configure looks for.
PACKAGES = (
    "ca-certificates", "git", "build-essential", "autoconf", "automake", "libtool", "pkg-config", "libusb-1.0-0-dev",
    "libudev-dev", "libcurl4-openssl-dev", "libncurses-dev", "zlib1g-dev",
)  # fmt: skip
IDS = (("0403", "6015"), ("04d8", "00de"), ("10c4", "ea60"), ("10c4", "ea70"))
"""Vendor and product of every bridge that the sticks have."""


class Miner(Role):
    after = ("base",)

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        yield AptPackages((*PACKAGES, *(["libsystemd-dev"] if c.has_watchdog else []), *c.packages))
        for name, groups in (("cgminer-build", ()), ("cgminer", ("plugdev",))):
            yield Group(name)
            yield User(name, group=name, groups=groups)
        yield from (Directory(ROOT), build := _build(c))
        yield Directory("/etc/cgminer", group="cgminer", mode=0o750)
        settings = File(CONF, content=conf(c), group="cgminer", mode=0o640, secret=True)
        yield settings
        yield from _udev()
        yield Release("miner")
        yield Unit("cgminer.service", c, restart_on=(build, settings))

    def checks(self, c: Config) -> Iterable[Check]:
        """That it runs. Whether a pool answers, or a stick is there, is no fault of a deploy."""
        yield active("cgminer.service", within=20)

    def looks(self, c: Config) -> Iterable[Look]:
        everywhere = c.api_listen in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        place = ("--host", "127.0.0.1" if everywhere else c.api_listen, "--port", str(c.api_port))
        yield Look("miner", module="miner.command", words=(*place, "status"))


def _build(c: Config) -> Build:
    """The gekko driver is what it is all for: a tree without it accepts --enable-gekko without a word."""
    said = f"repository ({c.repository}), ref ({c.ref}), configure ({' '.join(c.configure)})"
    better = "name a source tree that has it, such as repository: https://github.com/kanoi/cgminer.git"
    source: dict[str, Any] = {"url": c.repository, "ref": c.ref, "configure": c.configure, "cflags": c.cflags}
    offers = dict.fromkeys(("--gekko-compac-freq", *(f"--{name}" for name in gekko_options(c))))
    links = ("libsystemd.so",) if c.has_watchdog else ()
    proof: dict[str, Any] = {
        "offers": tuple(offers),
        "links": links,
        "advice": f"settings of the role miner: {said}; {better}",
    }
    return Build(ROOT, program="cgminer", user="cgminer-build", keep=c.keep_builds, **source, **proof)


def _udev() -> Iterable[Resource]:
    """Read where udev runs; a container has none, and its devices come with the rights that they have outside."""
    text = "".join(_rule(vendor, product) for vendor, product in IDS)
    text = "# Written by trading-ops (role miner). A change made here is undone by the next deploy.\n" + text
    yield Directory("/etc/udev/rules.d")
    yield File(RULES, content=text)
    stamp = f"{ROOT}/.udev-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    unless = ("sh", "-c", f"test -e {stamp} || ! udevadm control --ping --timeout=5")
    read = f"udevadm control --reload && udevadm trigger --subsystem-match=usb && touch {stamp}"
    yield Command("udev reads the rules for sticks", ("sh", "-c", read), unless=unless)


def _rule(vendor: str, product: str) -> str:
    match = (
        f'SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", ATTR{{idVendor}}=="{vendor}", ATTR{{idProduct}}=="{product}"'
    )
    return f'ACTION!="remove", {match}, MODE="0660", GROUP="plugdev"\n'
