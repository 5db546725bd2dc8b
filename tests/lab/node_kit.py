"""Images of a node that is none, made without a registry: tests/fakes/blockdag_node.c, compiled and imported."""

from __future__ import annotations

import base64
import io
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ops.paths import ROOT
from tests.lab.kit import Desk

SOURCE = ROOT / "tests/fakes/blockdag_node.c"
ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
OTHER = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
CONTAINER = "blockdag-miner-testnet"

DOCKER = """
version: 1
hosts:
  {name}:
    lab: true
    roles: [base, docker]
    settings:
      base: {{security_updates: false, time_sync: false}}
      docker: {docker}
"""
NODE = """
version: 1
hosts:
  {name}:
    lab: true
    roles: [base, docker, blockdag, monitor]
    settings:
      base: {{security_updates: false, time_sync: false}}
      docker: {docker}
      monitor: {{language: en}}
      blockdag:
        address: {address}
        image: {image}
        rpc_password: {{secret: blockdag_rpc, generate: true}}
        p2p_port: {p2p_port}
        memory: 64m
        cpus: 0.5
        stop_seconds: 5
        disk: {{budget_gb: 0.05}}
"""
VALUES = {
    "docker": "{source: debian, log_max_size: 1m}", "address": f'"{ADDRESS}"', "image": '"node:1"', "p2p_port": "18150",
}  # fmt: skip


@cache
def program() -> bytes:
    with TemporaryDirectory() as folder:
        made = Path(folder, "node")
        command = ["gcc", "-static", "-O2", "-Wall", "-Werror", "-D_GNU_SOURCE", "-o", str(made), str(SOURCE)]
        subprocess.run(command, check=True, capture_output=True)
        return made.read_bytes()


def image(version: str, *, broken: bool = False) -> str:
    """What `docker import` takes, in base64."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bdag", "bdag/data", "bdag/logs"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        files = {"node": program(), "version": version.encode(), "bdag/node.conf": b""}
        files |= {"broken": b""} if broken else {}
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content))
    return base64.b64encode(out.getvalue()).decode()


def load(desk: Desk, version: str, *, broken: bool = False) -> None:
    """The image node:VERSION on the host."""
    command = f"base64 -d | docker import -c 'CMD [\"/node\"]' - node:{version}"
    desk.on(command, stdin=image(version, broken=broken))
