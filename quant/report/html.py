"""Each block as HTML. Whatever a value holds is text: it opens no tag, ends no script and starts no attribute."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from quant.metrics.definitions import DEFINITIONS, is_fraction
from quant.quantiles import quantile
from quant.report import packing
from quant.report.blocks import Block, Cell, Chart, Curves, Figures, Heatmap, Histogram, Months, Table
from quant.report.months import monthly
from quant.report.thin import rising, thinned
from quant.report.words import FRENCH, NAMES, WORDS

_SHADES = 4
_NARROW = 8
_LINES = 2_000


def two(french: str, english: str) -> str:
    """Both, of which the page shows one."""
    fr, en = escape(french), escape(english)
    return fr if fr == en else f'<span class="fr" lang="fr">{fr}</span><span class="en" lang="en">{en}</span>'


def say(word: str) -> str:
    return two(*WORDS[word])


def number(value: Cell, *, percent: bool = False) -> str:
    """A figure as a person reads it; what is none is a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, str | bool):
        return str(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if percent:
        return f"{100 * value:,.2f} %".replace("-", "−")
    if isinstance(value, int) or value == int(value):
        return f"{value:,.0f}".replace("-", "−")
    return (f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}").replace("-", "−")


def fixed(value: float | None) -> str:
    """Two decimals, so that a column of them can be compared."""
    return "–" if value is None or not math.isfinite(value) else f"{value:,.2f}".replace("-", "−")


def edge(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def island(content: object, **attributes: str) -> str:
    """JSON that the page's script reads; no text in it can end the element."""
    said = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    names = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    text = said.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/json"{names}>{text}</script>'


def panel(title: str, body: str, note: str = "", kind: str = "") -> str:
    """`title`, `body` and `note` are HTML."""
    foot = f'<p class="note">{note}</p>' if note else ""
    return f'<section class="panel {kind}"><h2>{title}</h2>{body}{foot}</section>\n'


def _figures(block: Figures) -> str:
    known = {name: (FRENCH[name], DEFINITIONS[name]) for name in DEFINITIONS}
    known |= {name: (text, text) for name, text in block.definitions.items()}
    tiles = [_tile(name, value, known.get(name)) for name, value in block.values.items()]
    large, small = "".join(tiles[: block.large]), "".join(tiles[block.large :])
    rest = f'<dl class="tiles small">{small}</dl>' if small else ""
    first = f'<dl class="tiles">{large}</dl>' if large else ""
    seen = ' class="sr"' if block.title == "figures" else ""
    return f"<section><h2{seen}>{_title(block.title)}</h2>{first}{rest}</section>\n"


def _tile(name: str, value: float | None, definition: tuple[str, str] | None) -> str:
    shown = number(value, percent=is_fraction(name))
    label = two(*NAMES.get(name, (name.replace("_", " "),) * 2))
    tone = " bad" if isinstance(value, float) and value < 0 and name != "MDD" else ""
    if not definition:
        return f'<div class="tile{tone}"><dt>{label}</dt><dd>{shown}</dd></div>'
    tip = f'<span class="tip" role="note">{two(*definition)}</span>'
    named = escape(name)
    return f'<div class="tile{tone}" tabindex="0" data-figure="{named}"><dt>{label}</dt><dd>{shown}{tip}</dd></div>'


def _title(text: str) -> str:
    return say(text) if text in WORDS else escape(text)


def _chart(block: Chart) -> str:
    result = block.result
    arrays: dict[str, Any] = {**packing.bars(result.candles, block.unit)}
    arrays |= packing.curve(result.equity, result.initial)
    arrays |= packing.trades(result.trades)
    blob = packing.packed(arrays)
    head = f'<script type="application/json" class="head">{blob.head}</script>'
    buttons = "".join(
        f'<button type="button" data-do="{name}">{sign}<span class="sr">{say(name)}</span></button>'
        for name, sign in (("left", "←"), ("right", "→"), ("in", "+"), ("out", "−"))
    )
    tools = f'<div class="tools">{buttons}<button type="button" data-do="all">{say("all")}</button></div>'
    plots = "".join(
        f'<h3>{say(name)}</h3><div class="plot" data-plot="{name}"></div>' for name in ("candles", "equity", "drawdown")
    )
    body = (
        f'<div class="chart" tabindex="0">{tools}<p class="said">&nbsp;</p>{plots}</div>'
        f"<noscript>{say('no_script')}</noscript>{head}"
        f'<script type="application/octet-stream" class="body">{blob.body}</script>'
        f'<h3>{say("trades")} <span class="count"></span></h3><div class="scroll" tabindex="0"><table class="trades">'
        "</table></div>"
    )
    return panel(say("charts"), body, say("hint"), "wide")


def _months(block: Months) -> str:
    found = monthly(block.time, block.equity, block.initial)
    most = max((abs(v) for row in found.values() for v in row[:12] if not math.isnan(v)), default=0.0)
    heads = "".join(f'<th scope="col" class="num">{month:02}</th>' for month in range(1, 13))
    rows = "".join(
        f'<tr><th scope="row">{year}</th>{"".join(_month(value, most) for value in row[:12])}'
        f'<td class="num total">{_percent(row[12])}</td></tr>'
        for year, row in found.items()
    )
    head = f'<thead><tr><td></td>{heads}<th scope="col" class="num">{say("year")}</th></tr></thead>'
    table = f'<div class="scroll" tabindex="0"><table class="months">{head}<tbody>{rows}</tbody></table></div>'
    return panel(say("months"), table, say("months_note"), "wide")


def _month(value: float, most: float) -> str:
    return f'<td class="num {shade(value, -most, most)}">{_percent(value)}</td>'


def _percent(value: float) -> str:
    return "" if math.isnan(value) else f"{100 * value:+.1f}".replace("-", "−")


def shade(value: float | None, low: float, high: float) -> str:
    """A class: g1 to g4 above 0 (or the middle, when all are on one side), b1 to b4 below."""
    if value is None or not math.isfinite(value):
        return "none"
    middle = 0.0 if low < 0 < high else (low + high) / 2
    reach = max(high - middle, middle - low) or 1.0
    strength = min(_SHADES, max(1, math.ceil(_SHADES * abs(value - middle) / reach)))
    return f"{'g' if value >= middle else 'b'}{strength}"


def _histogram(block: Histogram) -> str:
    values = block.values[np.isfinite(block.values)]
    if not len(values):
        return panel(_title(block.title), f'<p class="none">{say("none")}</p>')
    edges = _edges(values)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    bars = _bars(counts.tolist(), edges.tolist(), block)
    note = f"{say('median')} {number(quantile(np.sort(values), 0.5))} {escape(block.unit)}"
    return panel(_title(block.title), bars, f"{note}{' · ' + escape(block.note) if block.note else ''}")


def _edges(values: Any) -> Any:
    """About 24 bins with round edges, one of them 0, over the middle 98 %; the rest counts in the outer ones."""
    from quant.report.picture import ticks

    ordered = np.sort(values)
    low, high = quantile(ordered, 0.01), quantile(ordered, 0.99)
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-12:
        return np.array([-1.0, 0.0, 1.0])
    inner = ticks(low, high, 22)
    step = inner[1] - inner[0]
    return np.array([inner[0] - step, *inner, inner[-1] + step])


def _bars(counts: Sequence[int], edges: Sequence[float], block: Histogram) -> str:
    most, width = max(counts), 600 / len(counts)
    drawn = []
    for index, count in enumerate(counts):
        tall = 170 * count / most
        said = f"{edge(edges[index])} … {edge(edges[index + 1])} {block.unit}: {count:,}"
        kind = "bad" if edges[index + 1] <= 1e-12 else "good"
        drawn.append(
            f'<g><rect class="well" x="{index * width:.2f}" y="0" width="{width:.2f}" height="180"/>'
            f'<rect class="{kind}" x="{index * width + 1:.2f}" y="{180 - tall:.2f}" width="{width - 2:.2f}" '
            f'height="{tall:.2f}"/><title>{escape(said)}</title></g>'
        )
    every = max(1, len(edges) // 6)
    zero = min(range(len(edges)), key=lambda index: abs(edges[index]))
    labels = "".join(
        f'<text x="{index * width:.2f}" y="198">{edge(value)}</text>'
        for index, value in enumerate(edges)
        if (index - zero) % every == 0 and 0 < index < len(edges) - 1
    )
    said = f"{block.title}: {sum(counts):,}"
    head = f'<svg class="histogram" viewBox="0 0 600 204" role="img" aria-label="{escape(said)}">'
    return f"{head}{''.join(drawn)}{labels}</svg>"


def _heatmap(block: Heatmap) -> str:
    flat = [value for row in block.values for value in row if value is not None and math.isfinite(value)]
    low, high = (min(flat), max(flat)) if flat else (0.0, 0.0)
    head = "".join(f'<th scope="col" class="num">{escape(number(x))}</th>' for x in block.xs)
    rows = "".join(
        f'<tr><th scope="row">{escape(number(y))}</th>'
        + "".join(_heat(block, x, y, value, low, high) for x, value in zip(block.xs, row, strict=True))
        + "</tr>"
        for y, row in zip(block.ys, block.values, strict=True)
    )
    corner = f"<td>{escape(block.y)} ↓ {escape(block.x)} →</td>"
    table = f'<table class="heat"><thead><tr>{corner}{head}</tr></thead><tbody>{rows}</tbody></table>'
    kind = "wide" if len(block.xs) > _NARROW else ""
    return panel(_title(block.title), f'<div class="scroll" tabindex="0">{table}</div>', escape(block.note), kind)


def _heat(block: Heatmap, x: Cell, y: Cell, value: float | None, low: float, high: float) -> str:
    shown = _percent(value) if is_fraction(block.measure) and value is not None else fixed(value)
    best = " best" if value is not None and value == high else ""
    unit = " %" if is_fraction(block.measure) else ""
    said = f"{block.x} {number(x)}, {block.y} {number(y)}: {block.measure} {shown}{unit}"
    return f'<td class="num {shade(value, low, high)}{best}" title="{escape(said)}">{shown}</td>'


def _table(block: Table) -> str:
    kinds = [
        "num" if all(not isinstance(row[index], str) for row in block.rows) else ""
        for index in range(len(block.columns))
    ]
    head = "".join(f'<th scope="col" class="{k}">{escape(c)}</th>' for c, k in zip(block.columns, kinds, strict=True))
    rows = "".join(
        "<tr>"
        + "".join(f'<td class="{k}">{escape(number(cell))}</td>' for cell, k in zip(row, kinds, strict=True))
        + "</tr>"
        for row in block.rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return panel(_title(block.title), f'<div class="scroll" tabindex="0">{table}</div>', escape(block.note), "wide")


def _curves(block: Curves) -> str:
    kept = rising(np.concatenate([thinned(np.nan_to_num(line), _LINES) for line in block.lines.values()]))
    lines = {name: [_finite(v) for v in line[kept].tolist()] for name, line in block.lines.items()}
    content = {"time": (block.time[kept] // 1000).tolist(), "lines": lines}
    body = f'<div class="curves"><p class="said">&nbsp;</p><div class="plot"></div>{island(content)}</div>'
    return panel(_title(block.title), body, escape(block.note), "wide")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


_MAKERS: Mapping[type, Callable[[Any], str]] = {
    Figures: _figures, Chart: _chart, Months: _months, Histogram: _histogram, Heatmap: _heatmap, Table: _table,
    Curves: _curves,
}  # fmt: skip


def html(block: Block) -> str:
    return _MAKERS[type(block)](block)
