// The list of alerts: newest first, filtered, each opened for what it carried.

import { $, el, fill, options, say } from "./dom.js";
import { gain, level, when, whole } from "./format.js";
import { now } from "./shell.js";
import { named, t } from "./words.js";

const KEPT = 500;
const PAGE = 60;
const SAID_EVERY = 2000;
const KNOWN = new Set(["engine", "signal", "symbol", "tf", "price", "tp", "sl", "reason", "qty", "risk_usd", "risk_real_usd"]);

const alerts = new Map(); // by id
let page = PAGE;
let saidAt = 0;
let left = 0; // came at once with those that are shown, and are not

export function begin() {
  for (const id of ["f-engine", "f-outcome"]) $(id).addEventListener("change", () => { page = PAGE; show(); });
  $("more").addEventListener("click", () => { page += PAGE; show(); });
}

/** Alerts that came, newest first. `replace`, or more that were `skipped`: they stand in place of what was there. */
export function take(found, { fresh = false, replace = false, skipped = 0 } = {}) {
  if (replace || skipped) alerts.clear();
  left = skipped;
  const known = alerts.size > 0;
  const unseen = found.filter((one) => !alerts.has(one._id));
  for (const one of unseen) alerts.set(one._id, one);
  for (const id of [...alerts.keys()].sort((a, b) => b - a).slice(KEPT)) alerts.delete(id);
  show(fresh && known ? new Set(unseen.map((one) => one._id)) : undefined);
  if (fresh && unseen.length) announce(unseen[0]);
}

/** The newest alert that was taken, or null. */
export const newest = () => [...alerts.values()].reduce((best, one) => (!best || one._id > best._id ? one : best), null);

function announce(one) {
  if (Date.now() - saidAt < SAID_EVERY) return;
  saidAt = Date.now();
  say($("said"), [one.engine, one.signal, one.symbol, named(one._outcome ?? "recorded"), one._why].filter(Boolean).join(", "));
}

const REFUSED = new Set(["locked", "rejected", "invalid", "guarded", "paused", "blocked"]);
const isRefused = (one) => REFUSED.has(one._outcome);

function show(fresh = new Set()) {
  options($("f-engine"), [...new Set([...alerts.values()].map((one) => one.engine))].filter(Boolean).sort());
  options($("f-outcome"), [...new Set([...alerts.values()].map((one) => one._outcome))].filter(Boolean).sort(), named, 2);
  const all = [...alerts.values()].sort((a, b) => b._id - a._id);
  const found = all.filter(matches);
  const shown = found.slice(0, page);
  const none = all.length ? t("no_match") : t("no_alerts");
  fill($("feed"), ...(shown.length ? shown.map((one) => row(one, fresh.has(one._id))) : [el("li.none", {}, none)]));
  say($("feed-count"), `${whole(shown.length)} ${t("shown")} ${whole(found.length)}${left ? ` · ${t("left_out", { n: whole(left) })}` : ""}`);
  $("more").hidden = shown.length === found.length;
}

function matches(one) {
  const engine = $("f-engine").value, outcome = $("f-outcome").value;
  if (engine && one.engine !== engine) return false;
  return !outcome || (outcome === "refused" ? isRefused(one) : one._outcome === outcome);
}

function row(one, fresh) {
  const outcome = one._outcome ?? "recorded";
  const part = (name, value) => (value ? el("span.part", {}, el("span.dim", {}, `${name} `), level(value)) : null);
  const summary = el("summary", { "data-key": `row ${one._id}` },
    el("time", { dateTime: one._ts }, when(one._ts, now())),
    el(`span.badge.o-${/^[a-z]+$/.test(outcome) ? outcome : "other"}`, {}, named(outcome)),
    el("b.engine", {}, one.engine || "–"),
    el("span.signal", {}, el(one.signal === "BUY" ? "span.buy" : one.signal === "SELL" ? "span.sell" : "b", {}, one.signal), " ", el("b", {}, one.symbol), " ", el("span.dim", {}, one.tf)),
    el("span.levels", {}, part(t("price"), one.price), part("SL", one.sl), part("TP", one.tp), part(t("qty"), one.qty)),
    el("span.reason", {}, one._why ? el("span.why", {}, one._why) : one.reason));
  return el(`li${isRefused(one) ? ".refused" : ""}${fresh ? ".fresh" : ""}`, { "data-id": one._id },
    el("details", { "data-key": `details ${one._id}` }, summary, details(one)));
}

const guards = (one) => (one._guards ?? []).map((each) => `${each.guard}: ${each.text}${each.mode === "warn" ? ` (${t("warns")})` : ""}`).join("; ");

function details(one) {
  const pairs = [["#", one._id], [t("reason"), one.reason], [t("why"), one._why], [t("risk"), one.risk_real_usd ? gain(-one.risk_real_usd) : null], ["IP", one._ip], [t("guards"), guards(one)]];
  const extra = Object.fromEntries(Object.entries(one).filter(([name]) => !KNOWN.has(name) && !name.startsWith("_")));
  return el("dl.pairs", {}, ...pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
    ...(Object.keys(extra).length ? [el("dt", {}, t("details")), el("dd", {}, el("code", {}, JSON.stringify(extra, null, 1)))] : []));
}
