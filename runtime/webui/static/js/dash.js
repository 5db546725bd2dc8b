// The webhook's page.

import * as charts from "./charts.js";
import { $, el, fill, options, say, table } from "./dom.js";
import * as feed from "./feed.js";
import { full, gain, money, multiple, percent, sign, span, when, whole } from "./format.js";
import * as guards from "./guards.js";
import { openR, openTrades, tile } from "./ledger.js";
import * as ops from "./ops.js";
import { age, ask, begin, eachSecond, now, old, soon } from "./shell.js";
import { named, t } from "./words.js";

const FRESH = 3600; // seconds since an engine's last alert; /api/metrics calls an hour inactive too
const QUIET = 86_400;

let known = false;
let state = null, ready = null, summary = null, opened = [], days = null;

function take(kind, data) {
  if (kind === "hello") { feed.take(data.events, { replace: data.missed, fresh: known }); known = true; guards.refresh(); ledger(); bars(); }
  if (kind === "events") { feed.take(data.events, { fresh: true, skipped: data.skipped }); changed(); }
  if (kind === "state") { ready = data.ready; newState(data.state); }
}

// What an alert changes comes a moment later: the ledger is told after the alert was answered.
const changed = soon(ledger, 2500);

function newState(next) {
  const held = (one) => JSON.stringify([one?.pauses, one?.guards]);
  if (held(state) !== held(next)) guards.refresh();
  state = next;
  showState();
}

function showState() {
  tiles();
  showLock();
  showEngines();
  showHealth();
}

function tiles() {
  const last = feed.newest();
  const reading = state && [
    tile(t("lock"), state.active_engine ?? t("free"), state.lock ? `${t("since")} ${when(state.lock.since, now())}` : "", state.active_engine ? "warn" : ""),
    tile(t("last_alert"), last ? span(age(last._ts)) : t("none_yet"), last ? `${last.engine} ${last.signal} ${last.symbol}` : ""),
    tile(t("alerts"), whole(state.events_total), t("total")),
    tile(t("ready"), ready?.ok ? t("is_ready") : t("not_ready"), trouble(), ready?.ok ? "good" : "bad"),
  ];
  const figures = summary && [
    tile(t("equity_now"), money(summary.equity_last), `${t("pnl")} ${gain(summary.pnl_realized)}`),
    tile(t("drawdown"), days ? money(days.all.drawdown.current) : "–", `${t("max")} ${money(summary.max_dd)} (${percent(summary.max_dd_pct)})`),
    tile(t("open_now"), whole(summary.open_trades), `${t("open_r")} ${multiple(openR(opened))}`, sign(openR(opened))),
  ];
  fill($("tiles"), $("h-tiles"), ...(reading ?? []), ...(figures ?? []));
}

const trouble = () => Object.entries(ready?.checks ?? {}).filter(([, said]) => said !== "ok").map(([name]) => named(name, "check_")).join(", ");

function showLock() {
  const lock = state.lock;
  const line = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
  fill($("lock"), el(`p.holder.${lock ? "warn" : "good"}`, {}, lock ? `${t("held_by")} ` : t("free"), lock ? el("b", {}, lock.engine) : null),
    el("dl.pairs", {}, ...(lock ? [...line(t("since"), `${full(lock.since)} (${span(age(lock.since))})`), ...line(t("expires"), lock.expires_at ? full(lock.expires_at) : t("never"))]
      : state.updated_at ? line(t("changed"), full(state.updated_at)) : [])));
}

function staleness(ts) {
  if (!ts) return ["none", t("engine_none")];
  const seconds = age(ts);
  return seconds < FRESH ? ["fresh", t("fresh")] : seconds < QUIET ? ["quiet", t("quiet")] : ["silent", t("silent")];
}

function showEngines() {
  const rows = Object.entries(state.engines ?? {}).sort(([a], [b]) => a.localeCompare(b));
  fill($("engines"), table(t("engines"), [
    [t("engine"), ([name]) => el("b", {}, name)],
    [t("state"), ([, one]) => { const [kind, said] = staleness(one?.ts); return el(`span.state.s-${kind}`, {}, said); }],
    [t("age"), ([, one]) => (one ? span(age(one.ts)) : "–"), "num"],
    [t("last_alert"), ([, one]) => (one ? `${one.signal} ${one.symbol}` : "–")],
    [t("outcome"), ([, one]) => (one ? named(one.outcome ?? "recorded") : "–")],
  ], rows, t("no_engines")));
}

/** Each delivery: how much it owes, how late it is, what it refused for good. */
const sinks = () => Object.entries(state.sinks ?? {}).map(([name, one]) => ({ name, ...one }));

function showHealth() {
  const flag = (isWell, said) => el(`span.state.s-${isWell ? "fresh" : "silent"}`, {}, said);
  const checks = Object.entries(ready?.checks ?? {});
  const { tunnel, node } = state;
  if (tunnel) checks.push(["tunnel", tunnel.state === "up" ? "ok" : tunnel.says, tunnel.state === "up" ? tunnel.url : `${t("since")} ${when(tunnel.since, now())}`]);
  if (node) checks.push(["node", node.ok ? "ok" : node.says, node.ok ? node.says : `${t("since")} ${when(node.at, now())}`]);
  fill($("health"),
    table(t("health"), [[t("sink"), (one) => el("b", {}, one.name)], [t("pending"), (one) => whole(one.pending), "num"], [t("lag"), (one) => span(one.lag_sec), "num"], [t("dead"), (one) => (one.dead ? el("span.bad", {}, whole(one.dead)) : whole(one.dead ?? 0)), "num"],
      [t("state"), (one) => (one.error ? el("span", {}, flag(false, t("error")), ` ${one.failing_since ? `${t("since")} ${when(one.failing_since, now())} ` : ""}`, one.error) : flag(true, t("ok")))]], sinks(), "–"),
    table(t("check"), [[t("check"), ([name]) => el("b", {}, named(name, "check_").replace(/^check_/, ""))], [t("state"), ([, said, more]) => el("span", {}, said === "ok" ? flag(true, t("ok")) : flag(false, t("error")), said === "ok" ? "" : ` ${said}`, more ? el("span.dim", {}, ` ${more}`) : "")]], checks, "–"));
}

let failing = null;
const failed = (why) => { failing = why; };

async function ledger() {
  failing = null;
  const asked = { failed, headers: ops.keyed() };
  const [now_, open_] = await Promise.all([ask("/api/perf/summary", asked), ask("/api/perf/open?limit=100", asked)]);
  if (now_ && open_) {
    summary = now_;
    opened = open_.trades;
    openTrades($("open"), opened);
    await curves(asked);
    if (state) tiles();
  }
  note();
}

let drawn = "";

/** Only a closing changes them. */
async function curves(asked) {
  const wanted = JSON.stringify([summary.equity0, summary.closed_trades, summary.pnl_realized, now().toISOString().slice(0, 10)]);
  if (wanted === drawn) return;
  const [found, series] = await Promise.all([ask("/api/perf/kpi?days=400", asked), ask("/api/perf/equity?points=800", asked)]);
  if (!found || !series) return;
  days = found;
  charts.equity($("equity"), { ...series, equity0: summary.equity0 });
  charts.histogram($("histogram"), days.all.r_histogram);
  charts.calendar($("calendar"), days.calendar, now());
  drawn = wanted;
}

function note() {
  for (const node of document.querySelectorAll("[data-ledger]")) {
    node.hidden = !failing;
    const before = summary ? ` ${t("ledger_old")}` : "";
    const said = failing ? (failing === "denied" ? t("ledger_key") : t("ledger_silent")) + before : "";
    const give = failing === "denied" && el("button", { type: "button", "data-key": "give", onclick: ops.give }, t("give_key"));
    fill(node, said, give && " ", give);
    old(node.parentElement.querySelector("h2"), "ledger", Boolean(failing && summary));
  }
}

let barsAt = null;

async function bars() {
  barsAt = state?.events_total;
  const symbol = $("f-symbol").value;
  const found = await ask(`/api/bars?limit=300${symbol ? `&symbol=${encodeURIComponent(symbol)}` : ""}`);
  $("candles-panel").hidden = !found?.bars.length;
  if (!found?.bars.length) return;
  options($("f-symbol"), found.symbols, (name) => name, 0);
  $("f-symbol").value = found.symbol;
  await charts.candles($("candles"), found);
}

feed.begin();
ops.begin(() => { guards.refresh(); ledger(); });
begin("/api/stream", { frame: take });
$("reset").addEventListener("click", () => ops.reset(state?.active_engine));
$("pause").addEventListener("click", () => ops.pause(Object.keys(state?.engines ?? {})));
$("resume").addEventListener("click", () => ops.resume(guards.paused().length ? guards.paused() : [["*", t("everything")]]));
$("f-symbol").addEventListener("change", bars);
let count = 0;
eachSecond(() => {
  if (!state || document.body.dataset.line !== "up") return;
  count += 1;
  tiles();
  showLock();
  if (count % 10 === 0) { showEngines(); guards.refresh(); ledger(); if (state.events_total !== barsAt) bars(); }
});
