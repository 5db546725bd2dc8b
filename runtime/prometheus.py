"""A service's numbers in Prometheus' text format, made when somebody asks for them.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from runtime.meter import Histogram, Meter
from runtime.store import Store

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "trading_"

Labels = tuple[str, ...]


class _Once(Collector):
    """Families that were worked out for this one answer."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def exposition(families: Iterable[Metric]) -> bytes:
    """What a scrape is answered."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(families))
    return generate_latest(registry)


def gauge(name: str, said: str, values: Iterable[tuple[Labels, float]], labels: Labels = ()) -> Metric:
    """One number now for each combination of labels."""
    return _filled(GaugeMetricFamily(PREFIX + name, said, labels=labels), values)


def counter(name: str, said: str, values: Iterable[tuple[Labels, float]], labels: Labels = ()) -> Metric:
    """Counted since the service started; `_total` is added to the name."""
    return _filled(CounterMetricFamily(PREFIX + name, said, labels=labels), values)


def histogram(name: str, said: str, values: Iterable[tuple[Labels, Histogram]], labels: Labels = ()) -> Metric:
    family = HistogramMetricFamily(PREFIX + name, said, labels=labels)
    for given, one in values:
        family.add_metric(given, one.buckets(), one.total)
    return family


def of_service(service: str, started: float, meter: Meter) -> Iterator[Metric]:
    """What every service has: which build it is, its requests, its process. `started` is an epoch in seconds."""
    yield gauge("build_info", "1, with the release's version.", [((service, _version()), 1)], ("service", "version"))
    requests = (((method, route, str(status)), one) for (method, route, status), one in meter.requests())
    said = "Time until the answer began; status 0: the caller left before."
    yield histogram("http_request_duration_seconds", said, requests, ("method", "route", "status"))
    yield from _process(started)


def of_store(store: Store) -> Iterator[Metric]:
    """How its writer does."""
    meter = store.meter
    yield histogram(
        "store_commit_seconds", "One transaction, from its start to the end of COMMIT.", [((), meter.seconds)]
    )
    yield histogram("store_commit_writes", "Writes that shared a transaction.", [((), meter.writes)])
    yield counter("store_commit_failures", "Transactions that could not be committed.", [((), meter.failures)])
    yield gauge("store_queue_writes", "Writes that wait for their transaction.", [((), store.waiting)])


def _process(started: float) -> Iterator[Metric]:
    """The usual names. Read here because a hardened unit hides what the library's own collector looks at."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    found = {
        "resident_memory_bytes": ("Resident memory.", pages * resource.getpagesize()),
        "open_fds": ("Open file descriptors.", sum(1 for _ in Path("/proc/self/fd").iterdir())),
        "max_fds": ("Most file descriptors it may open.", resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        "start_time_seconds": ("When the service started, since the epoch.", started),
    }
    cpu = CounterMetricFamily("process_cpu_seconds", "Processor time used.")
    yield _filled(cpu, [((), used.ru_utime + used.ru_stime)])
    for name, (said, value) in found.items():
        yield _filled(GaugeMetricFamily(f"process_{name}", said), [((), value)])


def _filled(family: Any, values: Iterable[tuple[Labels, float]]) -> Metric:
    for labels, value in values:
        family.add_metric(labels, value)
    filled: Metric = family
    return filled


def _version() -> str:
    try:
        return version("trading-ops")
    except PackageNotFoundError:
        return "unknown"
