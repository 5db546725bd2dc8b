"""The OpenAPI documents against the running services: schemathesis sends what they allow and what they do not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from runtime.http import Edge
from runtime.perf.app import Perf
from tests.runtime.process_kit import Daemon

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance"
CHECKS += ",response_schema_conformance,missing_required_header,unsupported_method"
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
EXAMPLES = 50


@pytest.mark.parametrize("service", ["webhook", "perf"])
def test_the_services_do_what_their_documents_say(
    daemon: Callable[[str], Daemon], environ: dict[str, str], tmp_path: Path, service: str
) -> None:
    running = daemon(f"runtime.{service}").start()
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{running.url}/openapi.json"]
    command += ["--checks", CHECKS, "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color"]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--mode", "all", "--suppress-health-check", "all"]
    hooks = {"SCHEMATHESIS_HOOKS": str(HOOKS), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [*command], env={**os.environ, **environ, **hooks}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert running.get("/ready")["ok"] is True
    if service == "webhook":
        assert running.get("/api/state")["events_total"] > EXAMPLES, "the right key came too seldom"


@pytest.mark.parametrize("service", ["webhook", "perf"])
def test_what_the_framework_would_answer_is_not_promised(request: pytest.FixtureRequest, service: str) -> None:
    spec = request.getfixturevalue(service).get("/openapi.json").json()
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            said = set(operation["responses"])
            assert "422" not in said, path
            assert method != "post" or {"200", "400", "408", "413", "503"} <= said, path


def test_every_page_of_the_ledger_that_says_401_means_it(perf_app: Perf, environ: dict[str, str]) -> None:
    token = {"Authorization": f"Bearer {environ['PERF_TOKEN']}"}
    with TestClient(Edge(perf_app.app), raise_server_exceptions=False, client=("192.0.2.7", 5)) as stranger:
        for path, item in stranger.get("/openapi.json").json()["paths"].items():
            for method, operation in item.items():
                is_guarded = "401" in operation["responses"]
                assert (path, stranger.request(method, path).status_code == 401) == (path, is_guarded)
                assert (path, stranger.request(method, path, headers=token).status_code == 401) == (path, False)


def test_every_post_of_the_webhook_that_says_403_means_it(webhook: TestClient) -> None:
    for path, item in webhook.get("/openapi.json").json()["paths"].items():
        if "post" in item:
            wrong = {"key": "wrong", "ops_key": "wrong"}
            assert (path, webhook.post(path, json=wrong).status_code) == (path, 403)
            assert "403" in item["post"]["responses"], path
