// Puts the page's charts together. Everything that is not a chart is there without this.

const REASONS = ["signal", "stop", "target", "trailing", "liquidation", "end"];
const ROWS = 60;
let shownCandles = null; // what was unpacked, for who looks from outside

function el(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

async function chart(section) {
  const data = await unpacked(JSON.parse(section.querySelector(".head").textContent), section.querySelector(".body").textContent);
  section.querySelector(".body").remove();
  const candles = shownCandles = candlesOf(data), box = section.querySelector(".chart");
  const end = candles.time[candles.n - 1] + candles.step;
  const at = Array.from(data.at, (bar) => candles.time[bar] + candles.step);
  const state = { from: candles.time[0], to: end, view: null, seen: [] };
  const limits = { first: candles.time[0], end, least: Math.min(10 * candles.step, end - candles.time[0]) };
  const plots = [];

  const look = () => {
    const begin = Math.max(0, barAt(candles.time, state.from) - 1), stop = Math.min(candles.n, barAt(candles.time, state.to) + 1);
    state.view = together(candles, begin, stop, Math.max(60, Math.floor(box.clientWidth / 4)));
    state.view.step = candles.step;
    state.seen = [];
    for (let i = 0; i < data.entry_bar.length; i++) if (data.exit_bar[i] >= begin && data.entry_bar[i] < stop) state.seen.push(i);
  };
  const show = (from, to) => {
    const width = Math.min(Math.max(to - from, limits.least), limits.end - limits.first);
    const start = Math.min(Math.max(from, limits.first), limits.end - width);
    state.from = start; state.to = start + width;
    look();
    const [top, ...curves] = plots;
    top.batch(() => { top.setData([state.view.time, state.view.low], false); top.setScale("x", { min: state.from, max: state.to }); });
    for (const one of curves) one.setScale("x", { min: state.from, max: state.to });
    listed(section, data, candles, state, show);
  };
  const zoom = (factor, middle = (state.from + state.to) / 2) => show(middle - (middle - state.from) * factor, middle + (state.to - middle) * factor);
  const move = (part) => { const by = (state.to - state.from) * part; show(state.from + by, state.to + by); };
  const act = { in: () => zoom(0.5), out: () => zoom(2), left: () => move(-0.5), right: () => move(0.5), all: () => show(limits.first, limits.end) };

  const chosen = (u) => {
    if (u.select.width < 6) return;
    const [from, to] = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    show(from, to);
  };
  const hover = (u) => { if (u.cursor.left >= 0) told(section, u.posToVal(u.cursor.left, "x"), candles, data, state, at); };
  const common = { x: { range: () => [state.from, state.to] }, cursor: { sync: { key: "chart" } } };
  const hooks = { setSelect: [chosen], setCursor: [hover] };

  look();
  kept(box, () => {
    plots.length = 0;
    look();
    const low = () => [Math.min(...state.view.low), Math.max(...state.view.high)];
    const room = () => { const [least, most] = low(), edge = (most - least) * 0.04 || most * 0.01; return [least - edge, most + edge]; };
    const place = (name) => section.querySelector(`[data-plot="${name}"]`);
    plots.push(
      plot(place("candles"), { ...common, height: 20, data: [state.view.time, state.view.low], range: room, series: [{ paths: () => null, points: { show: false } }],
        hooks: { ...hooks, draw: [candleHook(() => state.view), tradeHook(data, candles, () => state.seen)] } }),
      plot(place("equity"), { ...common, height: 12, data: [at, Array.from(data.equity)], range: (_, least, most) => inView(at, data.equity, state, least, most),
        series: [{ stroke: colour("--accent"), width: 1.6, points: { show: false } }], hooks }),
      plot(place("drawdown"), { ...common, height: 8, data: [at, fallen(data.equity, data.initial[0])], range: (_, least) => [Math.min(least * 1.08, -0.01), 0],
        values: (_, splits) => splits.map((one) => `${shown(one, 4)} %`), series: [{ stroke: colour("--bad"), fill: colour("--bad-soft"), fillTo: 0, width: 1.2, points: { show: false } }], hooks }),
    );
    for (const one of plots) wheel(one, zoom, act);
    listed(section, data, candles, state, show);
    return plots;
  });
  for (const button of box.querySelectorAll("[data-do]")) button.addEventListener("click", act[button.dataset.do]);
  const keys = { "+": act.in, "=": act.in, "-": act.out, ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2), 0: act.all };
  box.addEventListener("keydown", (event) => { const found = keys[event.key]; if (found && !event.ctrlKey && !event.metaKey) { event.preventDefault(); found(); } });
}

function inView(at, values, state, least, most) {
  if (least === null || most === null) { least = Infinity; most = -Infinity; }
  const from = Math.max(0, barAt(at, state.from) - 1), to = Math.min(at.length, barAt(at, state.to) + 1);
  for (let i = from; i < to; i++) { least = Math.min(least, values[i]); most = Math.max(most, values[i]); }
  const room = (most - least) * 0.05 || Math.abs(most) * 0.001 || 1;
  return [least - room, most + room];
}

function wheel(u, zoom, act) {
  u.over.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25, u.posToVal(event.offsetX, "x"));
  }, { passive: false });
  u.over.addEventListener("dblclick", act.all);
}

/** What is under the pointer, in a line. */
function told(section, seconds, candles, data, state, at) {
  const { view } = state, i = Math.max(0, barAt(view.time, seconds + 1e-6) - 1);
  const near = Math.min(at.length - 1, barAt(at, seconds));
  const held = state.seen.filter((one) => candles.time[data.entry_bar[one]] <= seconds && seconds < candles.time[data.exit_bar[one]] + candles.step);
  const parts = [moment(view.time[i]), `O ${shown(view.open[i])}  H ${shown(view.high[i])}  L ${shown(view.low[i])}  C ${shown(view.close[i])}`, `E ${shown(data.equity[near])}`];
  for (const one of held.slice(0, 1)) parts.push(`${data.side[one] > 0 ? "long" : "short"} ${gain(data.pnl[one])}`);
  section.querySelector(".said").textContent = parts.join("  ·  ");
}

/** The trades in view, newest first; a press on one shows it large. */
function listed(section, data, candles, state, show) {
  const table = section.querySelector("table.trades"), fr = document.documentElement.lang === "fr";
  const total = data.entry_bar.length;
  section.querySelector(".count").textContent = `${state.seen.length.toLocaleString(lang())} / ${total.toLocaleString(lang())}${state.seen.length > MOST_TRADES ? (fr ? " (zoomer pour les voir)" : " (zoom in to see them)") : ""}`;
  const head = el("tr");
  for (const name of fr ? ["Entrée", "Sortie", "Sens", "Prix d'entrée", "Prix de sortie", "Stop", "Résultat", "R", "Motif"] : ["Entry", "Exit", "Side", "Entry price", "Exit price", "Stop", "Profit", "R", "Reason"]) head.append(el("th", name, head.children.length > 2 && head.children.length < 8 ? "num" : ""));
  const body = el("tbody");
  for (const i of state.seen.slice(-ROWS).reverse()) body.append(row(i, data, candles, show));
  const top = el("thead");
  top.append(head);
  table.replaceChildren(top, body);
}

function row(i, data, candles, show) {
  const made = el("tr"), first = el("td"), button = el("button", moment(candles.time[data.entry_bar[i]]), "link");
  const span = Math.max(40, (data.exit_bar[i] - data.entry_bar[i]) * 2) * candles.step;
  button.type = "button";
  button.addEventListener("click", () => { const middle = (candles.time[data.entry_bar[i]] + candles.time[data.exit_bar[i]]) / 2; show(middle - span / 2, middle + span / 2); });
  first.append(button);
  made.append(first, el("td", moment(candles.time[data.exit_bar[i]])), el("td", data.side[i] > 0 ? "long" : "short"));
  for (const name of ["entry", "exit", "stop"]) made.append(el("td", shown(data[name][i]), "num"));
  for (const name of ["pnl", "r"]) made.append(el("td", Number.isNaN(data[name][i]) ? "–" : gain(data[name][i]), `num ${data[name][i] < 0 ? "bad" : "good"}`));
  made.append(el("td", REASONS[data.reason[i]]));
  return made;
}

function curves(node) {
  const { time, lines } = JSON.parse(node.querySelector("script").textContent), names = Object.keys(lines);
  const shades = ["--accent", "--warn", "--good", "--bad", "--dim"];
  kept(node, () => [plot(node.querySelector(".plot"), {
    height: 14, data: [time, ...Object.values(lines)],
    series: names.map((_, i) => ({ stroke: colour(shades[i % shades.length]), width: 1.5, spanGaps: false, points: { show: false } })),
    cursor: { drag: { x: true, y: false, setScale: true } },
    hooks: { setCursor: [(u) => { const i = u.cursor.idx; if (i !== null && i !== undefined) node.querySelector(".said").textContent = [moment(time[i]), ...names.map((name) => `${name} ${shown(lines[name][i], 6)}`)].join("  ·  "); }] },
  })]);
}

// A definition opens towards the middle, so that it stays on the screen.
for (const tile of document.querySelectorAll("[data-figure]")) for (const kind of ["pointerenter", "focus"]) tile.addEventListener(kind, () => {
  const { left, right } = tile.getBoundingClientRect();
  tile.classList.toggle("edge", left + right > document.documentElement.clientWidth);
});
addEventListener("keydown", (event) => { if (event.key === "Escape" && document.activeElement?.closest?.("[data-figure]")) document.activeElement.blur(); });

(async () => {
  for (const section of document.querySelectorAll("section:has(> .chart)")) await chart(section);
  for (const node of document.querySelectorAll(".curves")) curves(node);
  document.body.dataset.ready = "yes";
})();
