"""Everything that was measured, for Prometheus: one family for each metric, its target as a label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from miner.alerts.watch import Standing
from miner.readings import METRICS, Metric, Reading

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family


def families(latest: Mapping[tuple[str, str], Reading], standing: Sequence[Standing]) -> Iterator[Family]:
    """What is not known now has no sample."""
    from runtime import prometheus  # only a service that is scraped loads the library

    by_metric: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for (metric, target), one in latest.items():
        if one.value is not None and metric in METRICS:
            labels = (target,) if METRICS[metric].target else ()
            by_metric.setdefault(metric, []).append((labels, one.value))
    for metric, values in sorted(by_metric.items()):
        known = METRICS[metric]
        yield prometheus.gauge(_name(metric), _said(known), values, (_label(known),) if known.target else ())
    yield prometheus.gauge("alert_firing", "1: it fires; muted ones too.", _firing(standing), _ALERT)


_ALERT = ("rule", "target", "severity")


def _firing(standing: Iterable[Standing]) -> list[tuple[tuple[str, ...], float]]:
    return [((one.rule, one.target, one.severity), 1.0) for one in standing]


def _name(metric: str) -> str:
    """`stick.ghs` -> `trading_stick_ghs`"""
    return metric.replace(".", "_")


def _said(metric: Metric) -> str:
    return f"{metric.help[0].upper()}{metric.help[1:]} ({metric.unit})."


def _label(metric: Metric) -> str:
    return {"stick": "stick", "unit": "unit", "service": "service", "sink": "sink", "host": "peer"}.get(
        metric.target, metric.target.split(" ")[-1]
    )
