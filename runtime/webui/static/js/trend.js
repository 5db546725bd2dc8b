// One series over time: a line that breaks where nothing is known.

import { clear, dateFormat, draw } from "./charts.js";
import { asTable, el, fill } from "./dom.js";
import { plainZone, short } from "./format.js";
import { t } from "./words.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

/** `points` are [epoch in seconds, value or null]; `format` writes a value, `title` says what it is. */
export function trend(node, points, { title, format, from, to, least = 0 }) {
  const known = points.filter(([, value]) => value !== null);
  clear(node);
  if (!known.length) { fill(node, el("p.none", {}, t("no_points_yet"))); return; }
  const values = known.map(([, value]) => value);
  const said = { title, last: format(values.at(-1)), low: format(Math.min(...values)), high: format(Math.max(...values)) };
  const box = el("div.plot", { role: "img", "aria-label": t("trend_alt", said) });
  const step = Math.max(1, Math.ceil(points.length / 60));
  const rows = points.filter((_, at) => at % step === 0).reverse();
  fill(node, box, asTable(t("figures"), title, [[t("date"), ([at]) => short(at * 1000)], [title, ([, value]) => format(value), "num"]], rows));
  draw(node, () => [plot(box, points, { format, from, to, least })]);
}

function plot(node, points, { format, from, to, least }) {
  const font = `${Math.round(rem() * 0.76)}px ${getComputedStyle(document.body).fontFamily}`;
  const grid = { stroke: colour("--grid"), width: 1 };
  const axis = { stroke: colour("--dim"), font, grid, ticks: { ...grid, size: 4 } };
  const made = new uPlot({
    width: Math.max(200, node.clientWidth), height: Math.round(13 * rem()), legend: { show: false }, padding: [8, 8, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), plainZone), fmtDate: dateFormat,
    scales: { x: { time: true, range: [from, to] }, y: { range: (_, low, high) => room(low, high, least) } },
    axes: [{ ...axis, size: 1.9 * rem(), space: 5 * rem() }, { ...axis, size: 5 * rem(), space: 2.2 * rem(), values: (_, splits) => splits.map(format) }],
    series: [{}, { stroke: colour("--accent"), width: 1.6, fill: colour("--accent-soft"), spanGaps: false, points: { show: points.length < 40, size: 4, fill: colour("--accent") } }],
  }, [points.map(([at]) => at), points.map(([, value]) => value)], node);
  tooltip(made, node, points, format);
  return made;
}

/** From nought, where nought means something; a line that does not move lies amid the picture. */
function room(low, high, least) {
  const bottom = Math.min(low ?? 0, least ?? low ?? 0);
  const top = high === null || high === undefined || high <= bottom ? bottom + 1 : high;
  return [bottom, top + (top - bottom) * 0.08];
}

function tooltip(made, node, points, format) {
  const tip = el("p.tip", { hidden: true });
  node.append(tip);
  made.over.addEventListener("mousemove", () => {
    const at = made.cursor.idx;
    tip.hidden = at === null || at === undefined;
    if (!tip.hidden) tip.textContent = `${short(points[at][0] * 1000)} · ${format(points[at][1])}`;
  });
  made.over.addEventListener("mouseleave", () => { tip.hidden = true; });
}
