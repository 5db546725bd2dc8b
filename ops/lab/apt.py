"""How this machine reaches its Debian mirror, carried over into the image.

The project names no mirror: an image is made from the sources this machine itself uses, with its proxy, its
credentials and its certificate authorities.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.lab.shell import output

SUITE = "bookworm"
SUITES = {SUITE, f"{SUITE}-updates", f"{SUITE}-security"}
CARRIED = re.compile(r"Acquire::(https?|ftp|Retries|Check-Valid-Until|Check-Date|ForceIPv[46])\b(?!::User-Agent)", re.I)
CERTIFICATES = Path("/usr/local/share/ca-certificates")
RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


@dataclass(frozen=True)
class Apt:
    """One machine's way to its mirror. Empty `sources` leaves the choice to mmdebstrap."""

    sources: tuple[str, ...]
    conf: str
    files: tuple[Path, ...]
    """Credentials and keyrings, kept at the same path in the image."""

    def fingerprint(self) -> str:
        digest = hashlib.sha256("\n".join([*self.sources, self.conf]).encode())
        for path in (*self.files, *certificates()):
            digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()


def of_this_machine(etc: Path = Path("/etc/apt")) -> Apt:
    """What apt on this machine is configured with, as far as it concerns Debian 12's own archive."""
    sources = tuple(dict.fromkeys(_sources(etc)))
    keyrings = {Path(path) for line in sources for path in re.findall(r"signed-by=([^\s\]]+)", line)}
    shipped = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    files = [*sorted(keyrings - {shipped}), *_auth(etc)]
    return Apt(sources, _conf(), tuple(path for path in files if path.is_file()))


def certificates() -> list[Path]:
    """Certificate authorities that this machine's owner added."""
    return sorted(CERTIFICATES.rglob("*.crt"))


def resolv_conf() -> str:
    """Name servers as a host with its own network reaches them: a resolver on this machine's loopback is not one."""
    for path in RESOLVERS:
        text = path.read_text() if path.is_file() else ""
        lines = [line for line in text.splitlines() if not re.match(r"nameserver\s+(127\.|::1)", line)]
        if any(line.startswith("nameserver") for line in lines):
            return "\n".join(lines) + "\n"
    return ""


def _sources(etc: Path) -> Iterator[str]:
    folder = etc / "sources.list.d"
    for path in [etc / "sources.list", *sorted(folder.glob("*.list"))]:
        yield from one_line(path.read_text() if path.is_file() else "")
    for path in sorted(folder.glob("*.sources")):
        yield from deb822(path.read_text())


def one_line(text: str) -> Iterator[str]:
    """The Debian 12 lines of a sources.list(5)."""
    for line in text.splitlines():
        match = re.match(r"deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)", line.partition("#")[0].strip())
        if match and match[3] in SUITES and "main" in match[4].split():
            yield f"deb {match[1] or ''}{match[2]} {match[3]} {match[4].strip()}"


def deb822(text: str) -> Iterator[str]:
    """The Debian 12 entries of a .sources file, as lines of a sources.list(5)."""
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", without_comments):
        fields = {
            key.lower(): value.strip() for key, value in re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", stanza, re.M)
        }
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no":
            yield from _entries(fields)


def _entries(fields: dict[str, str]) -> Iterator[str]:
    options = []
    if fields.get("signed-by", "").startswith("/"):
        options.append(f"signed-by={fields['signed-by']}")
    if fields.get("trusted", "").lower() == "yes":
        options.append("trusted=yes")
    bracket = f"[{' '.join(options)}] " if options else ""
    components = " ".join(fields.get("components", "").split())
    for uri in fields.get("uris", "").split():
        for suite in fields.get("suites", "").split():
            if suite in SUITES and "main" in components.split():
                yield f"deb {bracket}{uri} {suite} {components}"


def _auth(etc: Path) -> list[Path]:
    return [etc / "auth.conf", *sorted((etc / "auth.conf.d").glob("*.conf"))]


def _conf() -> str:
    """The settings that decide whether the mirror is reached, out of everything apt is configured with."""
    try:
        dump = output(["apt-config", "dump"])
    except (OSError, subprocess.CalledProcessError):
        return ""
    return "".join(f"{line}\n" for line in dump.splitlines() if CARRIED.match(line) and not line.endswith('"";'))
