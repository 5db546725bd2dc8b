// The charts. Each has a sentence for those who cannot see it, and its figures as a table.

import { asTable, el, fill, svg } from "./dom.js";
import { gain, level, money, plainLocale, plainZone, ratio, short, sign, utcDay, utcMonth, utcWeekday, whole } from "./format.js";
import { t } from "./words.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
const plots = new WeakMap();

/** Equity and, below it on the same time axis, how far it is under its peak. */
export function equity(node, found) {
  const series = found.series;
  if (!series.length) { clear(node); fill(node, el("p.none", {}, t("no_closed"))); return; }
  const values = {
    from: short(series[0].ts), to: short(series.at(-1).ts), dd: money(found.dd.max_dd),
    first: money(series[0].equity), last: money(series.at(-1).equity),
  };
  const depths = below(series, found);
  const top = el("div.plot", { role: "img", "aria-label": t("equity_alt", values) });
  const under = el("div.plot", { "aria-hidden": "true" });
  clear(node);
  fill(node, top, under, curveTable(series, depths));
  draw(node, () => [curve(top, series, series.map((one) => one.equity), 12, "--accent", "--accent-soft", false),
    curve(under, series, depths, 5.5, "--bad", "--bad-soft", true)]);
}

/** A peak may lie between two points of a thinned curve: the points keep it, so the highest so far is right. */
function below(series, found) {
  let peak = found.equity0 ?? series[0].equity;
  return series.map((one) => { peak = Math.max(peak, one.equity); return one.equity - peak; });
}

function curveTable(series, depths) {
  const step = Math.max(1, Math.ceil(series.length / 60));
  const rows = series.map((one, at) => ({ ...one, depth: depths[at] })).filter((_, at) => at % step === 0 || at === series.length - 1).reverse();
  return asTable(t("figures"), t("equity"), [[t("date"), (row) => short(row.ts)], [t("equity_now"), (row) => money(row.equity), "num"],
    [t("depth"), (row) => gain(row.depth), "num"]], rows);
}

function curve(node, series, values, height, stroke, soft, falling) {
  const font = `${Math.round(rem() * 0.76)}px ${getComputedStyle(document.body).fontFamily}`;
  const grid = { stroke: colour("--grid"), width: 1 };
  const axis = { stroke: colour("--dim"), font, grid, ticks: { ...grid, size: 4 } };
  const compact = new Intl.NumberFormat(plainLocale, { maximumFractionDigits: 0 });
  const plot = new uPlot({
    width: Math.max(200, node.clientWidth), height: Math.round(height * rem()), legend: { show: false }, padding: [8, 8, 0, 0],
    cursor: { sync: { key: "equity" }, drag: { x: false, y: false }, points: { size: 6 } },
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), plainZone), fmtDate: dateFormat,
    scales: { x: { time: true }, y: { range: falling ? (_, least) => [Math.min(least * 1.1, -1), 0] : undefined } },
    axes: [{ ...axis, show: falling, size: 1.9 * rem(), space: 5 * rem() }, { ...axis, size: 4.6 * rem(), space: (falling ? 1.6 : 2.4) * rem(), values: (_, splits) => splits.map((one) => compact.format(one)) }],
    series: [{}, { stroke: colour(stroke), width: 1.6, fill: colour(soft), points: { show: series.length < 40, size: 4, fill: colour(stroke) }, fillTo: falling ? 0 : undefined, paths: uPlot.paths.stepped({ align: 1 }) }],
  }, [series.map((one) => new Date(one.ts) / 1000), values], node);
  tooltip(plot, node, series, values);
  return plot;
}

/** uPlot asks for formats in its own letters; the language's are used instead. */
export function dateFormat(pattern) {
  const given = pattern.includes("HH") || pattern.includes("{h}") || pattern.includes("h:") || pattern.includes("{mm}") ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
    : pattern.includes("{D}") || pattern.includes("{DD}") ? { day: "numeric", month: "short" }
    : pattern.includes("{M") ? { month: "short" } : { year: "numeric" };
  const format = new Intl.DateTimeFormat(plainLocale, given);
  return (date) => format.format(date);
}

function tooltip(plot, node, series, values) {
  const tip = el("p.tip", { hidden: true });
  node.append(tip);
  plot.over.addEventListener("mousemove", () => {
    const at = plot.cursor.idx;
    tip.hidden = at === null || at === undefined;
    if (!tip.hidden) tip.textContent = `${short(series[at].ts)} · ${money(values[at])}`;
  });
  plot.over.addEventListener("mouseleave", () => { tip.hidden = true; });
}

/** Keep a drawing true to its box and to the theme. */
export function draw(node, make) {
  let made = make(), width = node.clientWidth;
  const again = () => { for (const one of made) one.destroy(); for (const tip of node.querySelectorAll(".tip")) tip.remove(); made = make(); };
  const sized = new ResizeObserver(() => { if (node.clientWidth !== width) { width = node.clientWidth; again(); } });
  sized.observe(node);
  addEventListener("themechange", again);
  plots.set(node, () => { sized.disconnect(); removeEventListener("themechange", again); for (const one of made) one.destroy(); });
}

export function clear(node) {
  plots.get(node)?.();
  plots.delete(node);
}

/** Closed trades by R multiple. */
export function histogram(node, bins) {
  const total = bins.reduce((sum, bin) => sum + bin.trades, 0);
  if (!total) { fill(node, el("p.none", {}, t("no_closed"))); return; }
  const most = Math.max(...bins.map((bin) => bin.trades));
  const best = bins.find((bin) => bin.trades === most);
  const bars = bins.map((bin) => {
    const bar = el(`div.stick.${(bin.to ?? 1) <= 0 ? "bad" : "good"}`, { title: `${range(bin)} : ${whole(bin.trades)}` });
    bar.style.height = `${(100 * bin.trades) / most}%`;
    return el("div.bin", {}, el("span.count", {}, bin.trades || ""), el("div.well", {}, bar), el("span.edge", {}, edge(bin)));
  });
  fill(node, el("div.bars", { role: "img", "aria-label": t("histogram_alt", { n: whole(total), best: range(best) }) }, ...bars),
    asTable(t("figures"), t("histogram"), [["R", range], [t("trades"), (bin) => whole(bin.trades), "num"]], bins.filter((bin) => bin.trades)));
}

const edge = (bin) => (bin.from === null ? "" : Number.isInteger(bin.from) ? level(bin.from) : "");
const range = (bin) => (bin.from === null ? `${t("less")} ${ratio(bin.to)} R` : bin.to === null ? `${ratio(bin.from)} R ${t("or_more")}` : `${ratio(bin.from)} ${t("to_r")} ${ratio(bin.to)} R`);

const DAY = 86_400_000;

/** Profit by UTC day, a column for each week; fewer weeks where there is less room. */
export function calendar(node, days, today) {
  if (!days.length) { fill(node, el("p.none", {}, t("no_closed"))); return; }
  const weeks = node.clientWidth < 34 * rem() ? 26 : 53;
  const end = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate());
  const monday = end - ((today.getUTCDay() + 6) % 7) * DAY;
  const first = monday - (weeks - 1) * 7 * DAY;
  const byDay = new Map(days.map((one) => [one.day, one]));
  const seen = days.filter((one) => Date.parse(one.day) >= first);
  const most = Math.max(1e-9, ...seen.map((one) => Math.abs(one.pnl)));
  const shown = svg("svg.weeks", { viewBox: `0 0 ${weeks * 12 + 26} 100`, "aria-hidden": "true" });
  for (const row of [0, 2, 4]) shown.append(svg("text", { x: 0, y: 23 + row * 12 }, utcWeekday(new Date(monday + row * DAY))));
  let labelled = -3;
  for (let week = 0; week < weeks; week++) {
    const start = first + week * 7 * DAY;
    const begins = new Date(start + 6 * DAY).getUTCDate() <= 7;
    if (begins && week - labelled > 2 && week < weeks - 1) { shown.append(svg("text", { x: 26 + week * 12, y: 10 }, utcMonth(new Date(start + 6 * DAY)))); labelled = week; }
    for (let row = 0; row < 7 && start + row * DAY <= end; row++) shown.append(cell(start + row * DAY, 26 + week * 12, 15 + row * 12, byDay, most));
  }
  const pnl = seen.map((one) => one.pnl);
  const values = { n: whole(seen.length), best: gain(Math.max(...pnl, 0)), worst: gain(Math.min(...pnl, 0)) };
  fill(node, el("div.year", { role: "img", "aria-label": t("calendar_alt", values) }, shown),
    el("p.foot.dim", {}, `${t("days_utc")} · ${values.worst} … ${values.best}`),
    asTable(t("figures"), t("calendar"), [[t("day"), (one) => utcDay(one.day)], [t("pnl"), (one) => el(`span.${sign(one.pnl)}`, {}, gain(one.pnl)), "num"],
      [t("trades"), (one) => whole(one.closed), "num"], [t("wins"), (one) => whole(one.wins), "num"]], [...days].reverse().slice(0, 60)));
}

function cell(day, x, y, byDay, most) {
  const found = byDay.get(new Date(day).toISOString().slice(0, 10));
  const strength = found ? Math.max(1, Math.ceil((4 * Math.abs(found.pnl)) / most)) : 0;
  const kind = found ? `${found.pnl < 0 ? "b" : "g"}${found.pnl === 0 ? 0 : strength}` : "none";
  const said = found ? `${utcDay(day)} : ${gain(found.pnl)}, ${whole(found.closed)} ${t("trades").toLowerCase()}` : utcDay(day);
  return svg(`rect.day.${kind}`, { x, y, width: 10, height: 10, rx: 2 }, svg("title", {}, said));
}

let library = null;

/** Candles. Their library is fetched by the first page that has some to show. */
export async function candles(node, found) {
  library ??= new Promise((done, failed) => {
    const at = new URL("../vendor/lightweight-charts/lightweight-charts.standalone.production.js", import.meta.url);
    document.head.append(el("script", { src: at.href, onload: done, onerror: failed }));
  });
  await library;
  const last = found.bars.at(-1);
  const box = el("div.candles", { role: "img", "aria-label": t("candles_alt", { symbol: found.symbol, tf: found.tf, n: whole(found.bars.length), last: level(last?.close) }) });
  clear(node);
  fill(node, box, asTable(t("figures"), t("candles"), [[t("date"), (bar) => short(bar.ts)], ...["open", "high", "low", "close"].map((name) => [name, (bar) => level(bar[name]), "num"])], [...found.bars].reverse().slice(0, 60)));
  draw(node, () => [chart(box, found)]);
}

function chart(box, found) {
  const line = colour("--grid"), good = colour("--good"), bad = colour("--bad");
  const time = (date) => new Date(date * 1000);
  const made = LightweightCharts.createChart(box, {
    width: box.clientWidth, height: Math.round(18 * rem()),
    // Its own logo brings an inline style, which this page forbids; the attribution stands below the chart.
    layout: { attributionLogo: false, background: { color: "transparent" }, textColor: colour("--dim"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: Math.round(0.76 * rem()) },
    grid: { vertLines: { color: line }, horzLines: { color: line } }, rightPriceScale: { borderColor: line },
    timeScale: { borderColor: line, timeVisible: true, tickMarkFormatter: (date) => new Intl.DateTimeFormat(plainLocale, { timeZone: plainZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(time(date)) },
    localization: { locale: plainLocale, timeFormatter: (date) => short(time(date)) },
  });
  const bars = made.addSeries(LightweightCharts.CandlestickSeries, { upColor: good, wickUpColor: good, downColor: bad, wickDownColor: bad, borderVisible: false });
  const byTime = new Map(found.bars.map((bar) => [Math.floor(new Date(bar.ts) / 1000), bar]));
  bars.setData([...byTime].sort(([a], [b]) => a - b).map(([at, bar]) => ({ time: at, open: bar.open, high: bar.high, low: bar.low, close: bar.close })));
  made.timeScale().fitContent();
  return { destroy: () => made.remove() };
}

