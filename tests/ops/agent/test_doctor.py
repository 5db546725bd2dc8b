"""What the agent gathers for doctor on this machine: every fact, whatever the machine is, and what services tell."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ops.agent import doctor
from tests.fakes.listen import end, free_port, serve

LOOK = {"file": "", "url": "", "module": "", "words": [], "env": ""}
RELEASE = {"kind": "release", "want": {"root": "/nowhere"}}
WANTED = {
    "now", "facts", "clock", "container", "mounts", "memory", "failed", "packages", "kernel", "run", "docker", "ports",
    "units", "checks", "release", "last", "disk", "up", "told", "asked",
}  # fmt: skip


class Teller(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"path": self.path}).encode())


def test_all_is_gathered_even_on_a_machine_that_no_deploy_would_take(
    machine: Any, tmp_path: Path, as_document: Any
) -> None:
    told = tmp_path / "state.json"
    told.write_text('{"state": "up"}')
    server = ThreadingHTTPServer(("127.0.0.1", 0), Teller)
    port = serve(server)
    looks = [
        {**LOOK, "name": "tunnel", "file": str(told)},
        {**LOOK, "name": "none", "file": str(tmp_path / "none")},
        {**LOOK, "name": "monitor", "url": f"http://127.0.0.1:{port}/api/monitor"},
        {**LOOK, "name": "gone", "url": f"http://127.0.0.1:{free_port()}/x"},
        {**LOOK, "name": "drift", "module": "miner.drift"},
    ]
    checks = [{"kind": "http", "port": port, "host": "127.0.0.1", "path": "/", "status": 200, "within": 1,
               "unit": "perf.service", "url": f"http://127.0.0.1:{port}/", "role": "perf"}]  # fmt: skip
    wrong = {"os": "debian 99", "arch": "x", "python": "2.7"}
    asked = as_document(RELEASE, mode="doctor", looks=looks, checks=checks, facts=wrong)
    found = machine.run(asked).events[-1]
    end(server)
    assert (found["event"], found["outcome"]) == ("end", "done")
    assert set(found) - {"event", "outcome"} == WANTED
    assert found["told"] == {"tunnel": {"state": "up"}, "none": None}
    assert found["asked"]["monitor"] == {"said": {"path": "/api/monitor"}, "why": ""}
    assert found["asked"]["gone"]["said"] is None and "refused" in found["asked"]["gone"]["why"]
    assert found["asked"]["drift"] == {"said": None, "why": "no release is installed"}
    assert found["ports"] is None or [one["port"] for one in found["ports"]] == [port]
    assert found["mounts"] is not None and found["memory"]["total"] > found["memory"]["available"] > 0


@pytest.mark.parametrize(
    ("older", "newer"),
    [("6.1.0-9-amd64", "6.1.0-40-amd64"), ("6.1.0-40-amd64", "6.12.0-1-amd64"), ("5.10.0-40-amd64", "6.1.0-1-amd64")],
)
def test_kernels_are_compared_as_versions(older: str, newer: str) -> None:
    assert doctor._version(older) < doctor._version(newer)


def test_a_package_that_is_half_installed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "ii \tgit\nrc \told\nhi \tdocker-ce\niU \tcurl\niF \tnginx\niiR\tlibc6\nun \tnothing\n"

    class Done:
        stdout = said

    def run(*_: str, **__: Any) -> Done:
        return Done()

    monkeypatch.setattr(doctor, "run", run)
    found = doctor._packages()
    assert (found["broken"], found["held"]) == (["curl", "nginx", "libc6"], ["docker-ce"])
