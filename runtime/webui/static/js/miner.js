// The miner's page: what cgminer, its sticks and this machine do.

import { $, el, fill, options, say, table } from "./dom.js";
import { full, plainLocale, span, when, whole } from "./format.js";
import { tile } from "./ledger.js";
import { age, ask, begin, eachSecond, now } from "./shell.js";
import { trend } from "./trend.js";
import { named, t } from "./words.js";

const digits = (most) => new Intl.NumberFormat(plainLocale, { maximumFractionDigits: most });
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const unit = (most, said) => (value) => (isNumber(value) ? `${digits(most).format(value)}${said}` : "–");
const ghs = (value) => (isNumber(value) && value >= 10_000 ? `${digits(2).format(value / 1000)} TH/s` : unit(value < 10 ? 2 : 1, " GH/s")(value));
const percent = (value) => unit(1, " %")(isNumber(value) ? value * 100 : null);
const mhz = unit(1, " MHz"), celsius = unit(1, " °C"), watts = unit(1, " W");
/** A share's difficulty, as miners write it. */
const difficulty = (value) => {
  if (!isNumber(value)) return "–";
  const at = Math.min(5, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${digits(2).format(value / 1000 ** at)}${["", " k", " M", " G", " T", " P"][at]}`;
};

const SPANS = [["1h", 3600], ["24h", 86_400], ["7d", 7 * 86_400], ["60d", 60 * 86_400]];
const METRICS = { // what can be drawn: of the total, of a stick, of a sensor or whatever has `prefix` before its name
  hashrate: { total: "miner.ghs", stick: "stick.ghs", format: ghs },
  share_of_promise: { total: "miner.hashrate_ratio", stick: "stick.hashrate_ratio", format: percent },
  hw_errors: { stick: "stick.hw_error_ratio", format: percent },
  frequency: { stick: "stick.frequency_ratio", format: percent },
  temperature: { stick: "stick.temperature_c", sensor: "host.temperature_c", format: celsius },
  rejected_shares: { total: "miner.rejected_ratio", format: percent },
  cpu: { total: "host.cpu_ratio", format: percent },
  memory: { total: "host.memory_ratio", format: percent },
  node_disk: { sensor: "node.disk_ratio", prefix: "node", format: percent },
  node_behind: { sensor: "node.lag", prefix: "node", format: whole },
};

let miner = null, monitor = null, seconds = SPANS[0][1];

function take(kind, data) {
  if (kind === "miner") { miner = data; showMiner(); }
  if (kind === "monitor") { monitor = data; showMonitor(); }
  tiles();
}

const reading = (metric, target = "") => monitor?.readings.find((one) => one.metric === metric && one.target === target);
const readings = (metric) => monitor?.readings.filter((one) => one.metric === metric) ?? [];

function tiles() {
  if (!miner || !monitor) return;
  const total = miner.total, firing = monitor.alerts.filter((one) => !one.muted);
  const here = miner.sticks.filter((one) => one.present), worst = firing.some((one) => one.severity === "critical");
  const mining = miner.api !== "off" && [
    tile(t("hashrate"), ghs(total.ghs), total.expected_ghs ? t("of_expected", { share: percent(total.ghs / total.expected_ghs), all: ghs(total.expected_ghs) }) : api(), total.ghs > 0 ? "" : "bad"),
    tile(t("sticks"), `${whole(here.length)} / ${whole(miner.sticks.length)}`, t("n_mine", { n: whole(miner.sticks.filter((one) => one.in_use_by).length) }), here.length < miner.sticks.length ? "bad" : ""),
    tile(t("shares"), whole(total.accepted), t("not_taken", { rejected: whole(total.rejected), stale: whole(total.stale) })),
    tile(t("hw_errors"), whole(total.hw_errors), ""),
    tile(t("best_share"), difficulty(total.best_share), total.found_blocks ? t("blocks_found", { n: whole(total.found_blocks) }) : ""),
  ];
  fill($("tiles"), $("h-tiles"),
    tile(t("standing"), whole(firing.length), firing[0]?.text ?? t("all_well"), worst ? "bad" : firing.length ? "warn" : "good"),
    ...(mining || []),
    tile(t("machine_up"), span(monitor.uptime_s), `${t("cpu")} ${percent(reading("host.cpu_ratio")?.value)}`));
}

const api = () => ({ up: "", down: t("api_down"), slow: t("api_slow"), off: t("api_off") })[miner.api];

function showMiner() {
  fill($("sticks"), table(t("sticks"), [
    [t("stick_name"), (one) => el("span", {}, el("b", {}, one.key), " ", el("span.dim", {}, one.model ?? ""))],
    [t("state"), (one) => el(`span.state.s-${kind(one.status)}`, {}, named(one.status, "stick_"))],
    [t("hashrate"), rate, "num"],
    [t("frequency"), (one) => (one.mhz === null ? "–" : one.mhz < one.mhz_asked ? el("span.warn", {}, `${mhz(one.mhz)} / ${mhz(one.mhz_asked)}`) : mhz(one.mhz)), "num"],
    [t("temperature"), (one) => celsius(one.temperature_c), "num"],
    [t("hw_errors"), (one) => whole(one.hw_errors), "num"],
    [t("resets"), (one) => whole(one.resets), "num"],
    [t("port"), (one) => one.port ?? "–"],
    [t("used_by"), (one) => one.in_use_by ?? one.driver ?? "–"],
  ], miner.sticks, t("no_sticks")));
  fill($("pools"), miner.api === "up" ? null : el("p.note", {}, api(), miner.why ? ` (${miner.why})` : ""), table(t("pools"), [
    [t("pool"), (one) => el("span", {}, one.active ? el("b", {}, one.url) : one.url, " ", el("span.dim", {}, one.user))],
    [t("state"), (one) => el(`span.state.s-${one.status === "Alive" ? "ok" : "bad"}`, {}, one.active ? t("works_for") : named(String(one.status).toLowerCase(), "pool_"))],
    [t("accepted"), (one) => whole(one.accepted), "num"],
    [t("rejected_ones"), (one) => whole(one.rejected), "num"],
    [t("stale_shares"), (one) => whole(one.stale), "num"],
  ], miner.pools, t("no_pools")));
  showYield();
  choices();
}

const kind = (status) => ({ ok: "ok", slow: "slow", unknown: "unknown", not_mined: "slow" })[status] ?? "bad";

function rate(one) {
  if (one.ghs === null) return "–";
  const share = one.expected_ghs ? one.ghs / one.expected_ghs : null;
  const meter = share !== null && el("meter.share", { min: 0, max: 1, low: 0.5, high: 0.7, optimum: 1, value: Math.min(1, share), title: percent(share), "aria-hidden": "true" });
  return el("span.rate", {}, meter, ghs(one.ghs), el("span.dim", {}, share !== null ? ` ${percent(share)}` : ""));
}

/** What is known, and no money: nobody here knows the pool's terms or the price of a block. */
function showYield() {
  const total = miner.total, line = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
  const pool = miner.pools.find((one) => one.active);
  fill($("yield"), el("dl.pairs", {},
    ...line(t("hashrate"), `${ghs(total.ghs)} (${t("on_average")} ${ghs(total.ghs_avg)})`),
    ...line(t("power"), total.watts ? `${watts(total.watts)}${total.ghs ? ` · ${unit(1, " J/TH")((1000 * total.watts) / total.ghs)}` : ""}` : t("power_unknown")),
    ...line(t("shares"), `${whole(total.accepted)} · ${t("not_taken", { rejected: whole(total.rejected), stale: whole(total.stale) })}`),
    ...line(t("pool"), pool ? pool.url : "–"),
    ...line(t("best_share"), difficulty(total.best_share)),
    ...line(t("found_blocks"), whole(total.found_blocks)),
    ...line(t("uptime"), span(total.uptime_s))));
}

function showMonitor() {
  say($("host"), monitor.host);
  const order = { critical: 0, warning: 1, info: 2 };
  const sorted = [...monitor.alerts].sort((a, b) => order[a.severity] - order[b.severity] || a.since.localeCompare(b.since));
  fill($("standing"), sorted.length ? el("ul.standing", {}, ...sorted.map(alert)) : el("p.none", {}, t("all_well")), ...monitor.mutes.map(mute));
  showMachine();
  showNodes();
  showUnits();
}

const alert = (one) => el(`li.${one.severity}${one.muted ? ".muted" : ""}`, {}, el("span.what", {}, one.text),
  el("span.note", {}, `${t("since")} ${when(one.since, now())} (${span(age(one.since))})${one.muted ? ` · ${t("muted")}` : ""}`));
const mute = (one) => el("p.paused", {}, `${t("muted")}: ${one.scope} · ${t("until")} ${full(one.until)} · ${one.by}`);

function showMachine() {
  const rows = [
    [t("cpu"), percent, reading("host.cpu_ratio")], [t("memory"), percent, reading("host.memory_ratio")], [t("load"), unit(2, ""), reading("host.load_ratio")],
    ...readings("host.temperature_c").map((one) => [`${t("temperature")} ${one.target}`, celsius, one]),
    ...readings("disk.free_ratio").map((one) => [`${t("disk_free")} ${one.target}`, percent, one]),
    ...readings("disk.inodes_free_ratio").map((one) => [`${t("inodes_free")} ${one.target}`, percent, one]),
    [t("clock_set"), (value) => (value === null ? "–" : value ? t("ok") : t("no")), reading("clock.synchronised")],
    [t("supply"), (value) => (value === null ? "–" : value ? t("ok") : t("too_low")), reading("host.undervoltage")],
    ...readings("expiry.days").map((one) => [`${t("expiry")} ${one.target}`, (value) => span(value * 86_400), one]),
    ...readings("backup.age_s").map((one) => [`${t("backup_age")} ${one.target}`, span, one]),
    [t("tunnel"), (value) => (value === null ? "–" : value ? t("ok") : t("no")), reading("tunnel.reaches_us")],
    [t("push_age"), span, reading("journal.push_age_s")],
    [t("drift"), whole, reading("drift.count")],
    [t("docker"), (value) => (value === null ? "–" : value ? t("ok") : t("no")), reading("docker.answers")],
    ...readings("node.probe_age").map((one) => [`${t("probe_age")} ${one.target}`, span, one]),
    ...readings("peer.seen_s").map((one) => [`${t("peer_seen")} ${one.target}`, span, one]),
  ].filter(([, , one]) => one);
  fill($("machine"), table(t("machine"), [[t("measure"), ([name]) => name], [t("value"), ([, format, one]) => (one.value === null ? "–" : format(one.value)), "num"],
    [t("note"), ([, , one]) => el("span.dim", {}, one.note)]], rows, "–"));
}

/** Nodes of this host, whose containers are seen too, and others, which are only asked. */
function showNodes() {
  const nodes = readings("node.running");
  $("p-nodes").hidden = !nodes.length;
  const of = (metric) => (one) => reading(`node.${metric}`, one.target), shown = (metric, format) => (one) => format(of(metric)(one)?.value ?? null);
  fill($("nodes"), table(t("nodes"), [
    [t("node"), (one) => el("b", {}, one.target)],
    [t("state"), (one) => { const [kind_, said, note] = nodeState(one); return el("span", {}, el(`span.state.s-${kind_}`, {}, said), el("span.dim", {}, note ? ` ${note}` : "")); }],
    [t("height"), shown("height", whole), "num"],
    [t("peers"), shown("peers", whole), "num"],
    [t("node_behind"), shown("lag", whole), "num"],
    [t("node_disk"), (one) => { const found = of("disk_ratio")(one); return found ? el("span", {}, percent(found.value), el("span.dim", {}, found.note ? ` ${found.note}` : "")) : "–"; }, "num"],
    [t("disk_days"), (one) => { const left = of("disk_days")(one)?.value; return isNumber(left) && left < FOREVER ? span(left * 86_400) : "–"; }, "num"],
    [t("restarts"), shown("restarts", whole), "num"],
  ], nodes, "–"));
}

const FOREVER = 3650; // days: it does not grow

function nodeState(one) {
  const container = reading("node.container", one.target);
  if (container?.value === 0) return ["bad", t("node_stopped"), container.note];
  if (one.value === null) return ["unknown", t("node_unknown"), one.note];
  if (one.value === 0) return ["bad", t("node_silent"), one.note];
  return reading("node.syncing", one.target)?.value ? ["slow", t("node_fetches"), ""] : ["ok", t("node_runs"), container?.note || one.note];
}

function showUnits() {
  const flag = (isWell, said) => el(`span.state.s-${isWell === null ? "unknown" : isWell ? "ok" : "bad"}`, {}, said);
  const ready = readings("service.ready"), lag = readings("outbox.lag_s");
  fill($("units"),
    table(t("services"), [[t("service"), (one) => el("b", {}, one.name)], [t("state"), (one) => flag(one.active, one.state)], [t("restarts"), (one) => whole(one.restarts), "num"]], monitor.units, t("no_units")),
    ready.length ? table(t("is_ready"), [[t("answers"), (one) => el("b", {}, one.target)], [t("state"), (one) => flag(one.value === null ? null : one.value > 0, one.value ? t("is_ready") : one.note || t("not_ready"))],
      [t("takes"), (one) => unit(0, " ms")(1000 * reading("service.ready_s", one.target)?.value), "num"]], ready, "–") : null,
    lag.length ? table(t("sink"), [[t("sink"), (one) => el("b", {}, one.target)], [t("lag"), (one) => span(one.value), "num"], [t("dead"), (one) => whole(reading("outbox.dead", one.target)?.value), "num"]], lag, "–") : null);
}

/** What can be drawn of the chosen figure. */
function choices() {
  const chosen = METRICS[$("s-metric").value];
  const targets = [...(chosen.total ? [""] : []), ...(chosen.stick ? miner.sticks.map((one) => one.key) : []), ...(chosen.sensor ? readings(chosen.sensor).map((one) => `${prefix(chosen)}${one.target}`) : [])];
  options($("s-target"), targets, (name) => name || t("all_together"), 0);
  $("s-target").parentElement.hidden = targets.length < 2; // nothing to choose
}

/** Where nobody mines there is no hashrate to draw: the first figure that is measured here. */
function firstFigure() {
  const isMeasured = ({ total, stick, sensor }) => [total, stick, sensor].some((name) => name && readings(name).length);
  const found = Object.keys(METRICS).find((name) => isMeasured(METRICS[name]));
  if (miner.api === "off" && found) { $("s-metric").value = found; choices(); }
}

const prefix = (chosen) => `${chosen.prefix ?? "host"} `;
const metricOf = (chosen, target) => (target === "" ? [chosen.total, ""] : target.startsWith(prefix(chosen)) ? [chosen.sensor, target.slice(prefix(chosen).length)] : [chosen.stick, target]);

async function drawTrend() {
  const chosen = METRICS[$("s-metric").value];
  const [metric, target] = metricOf(chosen, $("s-target").value);
  const to = now() / 1000, from = to - seconds;
  const asked = new URLSearchParams({ metric: metric ?? "", target, from: String(from), to: String(to), points: "360" });
  const found = metric ? await ask(`/api/series?${asked}`) : { points: [] };
  if (found) trend($("trend"), found.points, { title: named($("s-metric").value), format: chosen.format, from, to });
}

function spans() {
  fill($("spans"), ...SPANS.map(([name, value]) => el("button", { type: "button", "data-key": name, "aria-pressed": String(value === seconds), onclick: () => { seconds = value; spans(); drawTrend(); } }, t(`span_${name}`))));
}

for (const name of Object.keys(METRICS)) $("s-metric").append(el("option", { value: name }, t(name)));
begin("/api/live", { frame: (kind_, data) => {
  const isFirst = !(miner && monitor);
  take(kind_, data);
  if (isFirst && miner && monitor) { firstFigure(); drawTrend(); }
} });
spans();
$("s-metric").addEventListener("change", () => { if (miner) choices(); drawTrend(); });
$("s-target").addEventListener("change", drawTrend);
let count = 0;
eachSecond(() => {
  if (!monitor || document.body.dataset.line !== "up") return;
  count += 1;
  if (count % 10 === 0) { drawTrend(); showMonitor(); }
});
