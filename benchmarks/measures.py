"""The measurements. Each takes the bed and yields figures; they run in the order in which MEASURES has them."""

from __future__ import annotations

import json
import re
import statistics
import threading
import zlib
from collections.abc import Callable, Iterator

from benchmarks.bed import HERE, HOST, Bed, Probe, Run, trading
from benchmarks.delay_proxy import far_away
from benchmarks.figures import Figure, median
from benchmarks.rivals import TOOLS, Tool

ROUNDS = 5
RTT = 0.030
SHARE_SECRETS = f"""
from ops.secrets import lab_vault, project_vault
own = lab_vault().read()["hosts"][{HOST!r}]
project_vault().change(lambda data: data["global"].update(own))
"""
"""The same secrets under the host's other name: else going there by another way would be a change."""
AGENT_PEAK = """
import os, pathlib, time
mark, peak = "ops" + "-agent", 0
while not os.path.exists("/run/bench-peak-stop"):
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "cmdline").read_text() and (path / "comm").read_text().startswith("python"):
                found = [line for line in (path / "status").read_text().splitlines() if line.startswith("VmHWM")]
                peak = max(peak, int(found[0].split()[1]))
        except (OSError, IndexError):
            pass
    time.sleep(0.01)
print(peak)
"""
"""Watches the agent's own high-water mark (kB) from beside it: the programs that it starts are not the agent."""


def first_deploy(bed: Bed) -> Iterator[Figure]:
    """A bare host, and a controller that has downloaded nothing yet."""
    watch = Probe(bed.target())
    peak: list[int] = []
    command = f"rm -f /run/bench-peak-stop; python3 - <<'EOF'{AGENT_PEAK}EOF"
    watching = threading.Thread(target=lambda: peak.append(int(watch.run(command))))
    watching.start()
    run = bed.checkout.inv("deploy", "--host", HOST)
    stopper = watch.another()
    stopper.run("touch /run/bench-peak-stop")
    watching.join(timeout=30)
    assert stopper.run("systemctl is-active tv-webhook.service perf.service").split() == ["active", "active"]
    note = f"{changed(run)} resources; apt, downloads, wheels, health"
    yield Figure("first deploy of a bare host", run.seconds, "s", 60, note=note)
    yield Figure("agent, peak memory in it", peak[0] / 1000, "MB", 60, note="VmHWM on the host")


def redeploy(bed: Bed) -> Iterator[Figure]:
    """One changed line of the services: wheel, upload, new release, switch, restarts, health."""
    probe, seconds, releases = Probe(bed.target()), [], set()
    for number in range(ROUNDS):
        bed.checkout.edit_runtime(number)
        seconds.append(bed.checkout.inv("deploy", "--host", HOST).seconds)
        releases.add(probe.run("readlink -f /opt/trading/venv"))
    assert len(releases) == ROUNDS, releases
    yield median("code-only redeploy", seconds, target=6)


def noop(bed: Bed) -> Iterator[Figure]:
    """Nothing to do: from shell to prompt, through the whole of ./inv."""
    probe = Probe(bed.target())
    bed.checkout.inv("deploy", "--host", HOST)
    since = probe.cursor()
    runs = [unchanged(bed.checkout.inv("deploy", "--host", HOST)) for _ in range(ROUNDS)]
    yield median("no-op deploy of the lab host", [run.seconds for run in runs], target=0.6)
    yield Figure("   SSH connections each", probe.connections(since) / ROUNDS, "", 1)
    yield Figure("   commands over them", probe.channels(since) / ROUNDS, "", 1)


def far(bed: Bed) -> Iterator[Figure]:
    """The same host, reached over a slow wire."""
    bed.checkout.python(SHARE_SECRETS)
    with far_away(bed.address, RTT) as port:
        where = {"address": "127.0.0.1", "port": port, "key": str(bed.key), "host_key": bed.host_key()}
        bed.checkout.write_inventory({HOST: trading(lab=True), "far": trading(**where)})
        bed.checkout.inv("deploy", "--host", "far")
        runs = [unchanged(bed.checkout.inv("deploy", "--host", "far")) for _ in range(ROUNDS)]
    yield median("no-op deploy at 30 ms RTT", [run.seconds for run in runs], target=1.2)


def rivals(bed: Bed) -> Iterator[Figure]:
    """The 25 steps: first runs one after another, each on a host made bare again; then no-ops by turns."""
    where = {"address": bed.address, "key": str(bed.key), "host_key": bed.host_key()}
    bed.checkout.write_inventory({HOST: trading(lab=True), "job": {**where, "roles": ["job"]}})
    probe, tools = Probe(bed.target()), [tool(bed) for tool in TOOLS]
    probe.run("apt-get -qq update && apt-get -qq install -y --no-install-recommends python3-apt >/dev/null")
    for tool in tools:
        probe.run(f"sh -c '{(HERE / 'job/reset.sh').read_text()}'")
        run = tool.run()
        assert not tool.changed_nothing(run), f"{tool.name} found the host as it should be before its first run"
        yield Figure(f"25 steps, first run: {tool.name}", run.seconds, "s")
    seconds: dict[str, list[float]] = {tool.name: [] for tool in tools}
    for tool in tools:
        tool.run()
    counts = {tool.name: _channels(probe, tool) for tool in tools}
    for _ in range(ROUNDS):
        for tool in tools:
            seconds[tool.name].append(_noop(tool).seconds)
    yield from _compared(seconds, counts)


def _noop(tool: Tool) -> Run:
    run = tool.run()
    assert tool.changed_nothing(run), f"{tool.name} changed something:\n{run.out}{run.err}"
    return run


def _channels(probe: Probe, tool: Tool) -> str:
    since = probe.cursor()
    _noop(tool)
    return f"{probe.connections(since)} connections, {probe.channels(since)} commands"


def _compared(seconds: dict[str, list[float]], counts: dict[str, str]) -> Iterator[Figure]:
    ours, *others = TOOLS
    for tool in TOOLS:
        yield median(f"25 steps, no-op: {tool.name}", seconds[tool.name], note=counts[tool.name])
    fast = statistics.median(seconds[ours.name])
    for tool in others:
        ratio = statistics.median(seconds[tool.name]) / fast
        yield Figure(f"   we are faster than {tool.name}", ratio, "x", tool.times, at_least=True)


def payload(bed: Bed) -> Iterator[Figure]:
    """What goes over the wire before the first answer comes back."""
    script = (
        "import json; from ops.archive import archive; from ops import deploy; from ops.report import Report;"
        f"one = deploy.prepare([deploy.inventory().host('{HOST}')], Report(), mode='plan', only=None, why='')[0];"
        "print(json.dumps([len(archive()), json.dumps(one.plan.document)]))"
    )
    agent, document = json.loads(bed.checkout.python(script).out)
    packed = len(zlib.compress(document.encode(), 6))
    note = f"agent {agent / 1000:.1f}, document {packed / 1000:.1f} of {len(document) / 1000:.1f}"
    yield Figure("agent and document, compressed", (agent + packed) / 1000, "kB", 60, note=note)


def changed(run: Run) -> int:
    found = re.search(r"(\d+) changed of \d+", run.out)
    assert found, run.out
    return int(found[1])


def unchanged(run: Run) -> Run:
    assert changed(run) == 0, run.out
    return run


MEASURES: dict[str, Callable[[Bed], Iterator[Figure]]] = {
    "first": first_deploy, "payload": payload, "noop": noop, "far": far, "rivals": rivals, "redeploy": redeploy,
}  # fmt: skip
