// The ledger's page.

import * as charts from "./charts.js";
import { $, el, fill, options, say, table } from "./dom.js";
import { gain, level, money, multiple, percent, ratio, short, sign, size, span, whole } from "./format.js";
import { openR, openTrades, tile } from "./ledger.js";
import { ask, begin, eachSecond, now, soon } from "./shell.js";
import { named, t } from "./words.js";

const PAGE = 50;
const BY = ["engine", "symbol", "session", "hour", "weekday"];
const KEPT = "perf-token"; // for this tab only

let summary = null, opened = [], kpi = null, by = "engine";
let befores = [null]; // where each page of trades begins, up to the one that is shown

const token = () => sessionStorage.getItem(KEPT);
const headers = () => (token() ? { Authorization: `Bearer ${token()}` } : {});
const get = (path) => ask(`/perf/${path}`, { headers: headers(), failed: (why) => { if (why === "denied") denied(); } });

function take(kind, data) {
  if (kind !== "ledger") return;
  hideToken();
  summary = data.summary;
  opened = data.open;
  openTrades($("open"), opened);
  tiles();
  figures();
}

const figures = soon(async () => { await Promise.all([loadCharts(), loadGroups(), loadTrades()]); }, 150);

function tiles() {
  const all = kpi?.all;
  const risk = Object.values(summary.open_risk_by_engine).reduce((sum, one) => sum + one, 0);
  fill($("tiles"), $("h-tiles"),
    tile(t("equity_now"), money(summary.equity_last), `${t("pnl")} ${gain(summary.pnl_realized)}`),
    tile(t("expectancy"), multiple(summary.avg_r), all ? `${t("rolling", { n: all.rolling.trades })} ${multiple(all.rolling.expectancy_r)}` : "", sign(summary.avg_r)),
    tile(t("winrate"), percent(summary.winrate_pct), `${whole(summary.closed_trades)} ${t("closed_trades").toLowerCase()}`),
    tile(t("profit_factor"), ratio(all?.profit_factor), `${t("payoff")} ${ratio(all?.payoff)}`),
    tile(t("drawdown"), money(all?.drawdown.current), `${t("max")} ${money(summary.max_dd)} (${percent(summary.max_dd_pct)})`),
    tile(t("open_now"), whole(summary.open_trades), `${t("open_r")} ${multiple(openR(opened))} · ${t("at_risk")} ${money(risk)}`, sign(openR(opened))));
}

async function loadCharts() {
  const [curve, found] = await Promise.all([get("equity?points=1200"), get("kpi?days=400")]);
  if (!curve || !found) return;
  kpi = found;
  tiles();
  showKpi(kpi.all);
  charts.equity($("equity"), { ...curve, equity0: summary.equity0 });
  charts.histogram($("histogram"), kpi.all.r_histogram);
  charts.calendar($("calendar"), kpi.calendar, now());
}

function showKpi(all) {
  const fall = all.drawdown;
  const pair = (mean, largest) => `${size(mean)} · ${size(largest)}`;
  const rows = [
    [t("closed_trades"), whole(all.closed)], [t("pnl_total"), gain(all.pnl)], [t("expectancy"), `${multiple(all.expectancy_r)} · ${gain(all.expectancy)}`],
    [t("rolling", { n: all.rolling.trades }), multiple(all.rolling.expectancy_r)], [t("winrate"), percent(all.winrate_pct)],
    [t("payoff"), ratio(all.payoff)], [t("profit_factor"), ratio(all.profit_factor)], [t("avg_win"), gain(all.avg_win)], [t("avg_loss"), gain(all.avg_loss)],
    [t("dd_max"), `${money(fall.amount)} (${percent(fall.percent)})`], [t("dd_now"), `${money(fall.current)} (${percent(fall.current_pct)})`],
    [t("dd_longest"), span(fall.longest_s)], [t("dd_recovery"), fall.amount ? (fall.recovered_ts ? span(fall.recovery_s) : t("not_recovered")) : "–"],
    [t("mae_winners"), pair(all.mae_winners.avg_r, all.mae_winners.max_r)], [t("mfe_losers"), pair(all.mfe_losers.avg_r, all.mfe_losers.max_r)],
  ];
  fill($("kpi"), el("dl.pairs.wide", {}, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd.num", {}, value)])));
}

async function loadGroups() {
  const found = await get(`kpi?days=1&by=${by}`);
  if (!found) return;
  for (const one of $("by").children) one.setAttribute("aria-pressed", String(one.dataset.by === by));
  const value = (given, format) => el(`span.${sign(given) || "dim"}`, {}, format(given));
  fill($("groups"), table(`${t("groups")} ${t(by)}`, [
    [t(by), ([name]) => el("b", {}, by === "hour" ? `${name} h` : by === "weekday" || by === "session" ? named(name) : name)], [t("count"), ([, one]) => whole(one.closed), "num"], [t("winrate"), ([, one]) => percent(one.winrate_pct), "num"],
    [t("expectancy"), ([, one]) => value(one.expectancy_r, multiple), "num"], [t("pnl"), ([, one]) => value(one.pnl, gain), "num"], [t("profit_factor"), ([, one]) => ratio(one.profit_factor), "num"],
  ], Object.entries(found.groups), t("no_closed")));
  if (by === "engine") options($("t-engine"), Object.keys(found.groups));
  if (by === "symbol") options($("t-symbol"), Object.keys(found.groups));
}

/** The symbols to filter by are a group's names. */
async function loadSymbols() {
  const found = await get("kpi?days=1&by=symbol");
  if (found) options($("t-symbol"), Object.keys(found.groups));
}

const filters = () => {
  const wanted = new URLSearchParams();
  for (const name of ["engine", "symbol", "status", "side"]) if ($(`t-${name}`).value) wanted.set(name, $(`t-${name}`).value);
  return wanted;
};

async function loadTrades() {
  const wanted = filters();
  wanted.set("limit", PAGE);
  const before = befores.at(-1);
  if (before !== null) wanted.set("before", before);
  const found = await get(`trades?${wanted}`);
  if (!found) return;
  const value = (given, format) => el(`span.${sign(given) || "dim"}`, {}, format(given));
  fill($("trades"), table(t("trades"), [
    [t("opened_at"), (one) => short(one.opened_ts)], [t("symbol"), (one) => el("b", {}, one.symbol)], [t("engine"), (one) => one.engine], [t("side"), (one) => one.side],
    [t("status"), (one) => (one.status === "OPEN" ? el("span.warn", {}, t("status_open")) : t("status_closed"))],
    [t("live_r"), (one) => value(one.r ?? one.open_r, multiple), "num"], [t("pnl"), (one) => value(one.status === "OPEN" ? one.open_pnl : one.pnl, gain), "num"],
    [t("entry"), (one) => level(one.entry), "num"], [t("stop"), (one) => level(one.stop), "num"], [t("exit"), (one) => level(one.exit), "num"], [t("size"), (one) => level(one.qty), "num"],
    [t("mae"), (one) => (one.marks ? size(one.mae_r) : "–"), "num"], [t("mfe"), (one) => (one.marks ? size(one.mfe_r) : "–"), "num"],
    [t("closed_at"), (one) => short(one.closed_ts)], [t("trade"), (one) => el("code", {}, one.trade_id)],
  ], found.trades, t("no_trades")));
  $("newer").disabled = befores.length === 1;
  $("older").disabled = found.next === null;
  $("older").dataset.next = found.next ?? "";
  for (const format of ["csv", "parquet"]) $(format).href = `/perf/export?format=${format}&${filters()}`;
}

function denied() {
  const wrong = Boolean(token());
  sessionStorage.removeItem(KEPT);
  $("token-form").hidden = false;
  say($("token-note"), t(wrong ? "token_wrong" : "token_why"));
}

function hideToken() {
  $("token-form").hidden = true;
  $("token").value = "";
}

/** A link carries no token: with one, the file is fetched and handed over. */
async function download(event, format) {
  if (!token()) return;
  event.preventDefault();
  say($("export-error"), "");
  const answer = await fetch($(format).href, { headers: headers(), cache: "no-store" }).catch(() => null);
  if (!answer?.ok) { say($("export-error"), t("export_failed", { why: answer ? answer.status : t("no_answer") })); return; }
  const url = URL.createObjectURL(await answer.blob());
  el("a", { href: url, download: `ledger.${format}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const line = begin("/perf/stream", { frame: take, up: () => { loadSymbols(); }, denied }, headers);
fill($("by"), ...BY.map((name) => el("button", { type: "button", "data-by": name, "data-key": name, "aria-pressed": String(name === by) }, named(name))));
$("by").addEventListener("click", (event) => { if (event.target.dataset.by) { by = event.target.dataset.by; loadGroups(); } });
$("token-form").addEventListener("submit", (event) => { event.preventDefault(); sessionStorage.setItem(KEPT, $("token").value.trim()); line.start(); });
for (const name of ["engine", "symbol", "status", "side"]) $(`t-${name}`).addEventListener("change", () => { befores = [null]; loadTrades(); });
$("older").addEventListener("click", () => { befores.push($("older").dataset.next); loadTrades(); });
$("newer").addEventListener("click", () => { befores.pop(); loadTrades(); });
for (const format of ["csv", "parquet"]) $(format).addEventListener("click", (event) => download(event, format));
eachSecond(() => { if (opened.length && document.body.dataset.line === "up" && Math.floor(Date.now() / 1000) % 15 === 0) openTrades($("open"), opened); });
