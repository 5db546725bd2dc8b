// Guards, pauses and checklists: what would hold an opening back now, and why.

import { $, asTable, el, fill, table } from "./dom.js";
import { gain, multiple, percent, sign, when, whole } from "./format.js";
import * as ops from "./ops.js";
import { ask, now, soon } from "./shell.js";
import { t } from "./words.js";

let found = null;

/** Ask for them anew, soon. */
export const refresh = soon(async () => { found = (await ask("/api/guards")) ?? found; if (found) show(); }, 250);

/** What a resume may be for: what is paused, the whole first. */
export const paused = () => (found?.pauses ?? []).map((one) => [one.scope, scope(one.scope)]);

const scope = (name) => (name === "*" ? t("everything") : name);

function show() {
  fill($("guards"), ...pauses(), verdicts(), checklist(), standings(), rules());
}

function pauses() {
  if (!found.pauses.length) return [el("p.none", {}, t("not_paused"))];
  return found.pauses.map((one) => el("p.paused", {}, el("b", {}, `${t("paused_scope")} : ${scope(one.scope)}`),
    ` ${t("since")} ${when(one.since, now())}, ${one.until ? `${t("until")} ${when(one.until, now())}` : t("until_resumed")} (${one.by})`, one.reason ? ` · ${one.reason}` : ""));
}

/** Each engine that may open, and what speaks against it now. */
function verdicts() {
  const rows = Object.entries(found.engines);
  const told = (one) => one.findings.map((each) => el(`div.${each.mode === "enforce" ? "bad" : "warn"}`, {}, el("b", {}, `${each.guard} `), `${each.said}${each.mode === "warn" ? ` (${t("warns")})` : ""}`));
  return table(t("guards"), [
    [t("engine"), ([name]) => el("b", {}, name)],
    [t("state"), ([, one]) => el(`span.state.s-${one.opens ? (one.findings.length ? "quiet" : "fresh") : "silent"}`, {}, one.opens ? (one.risk_factor < 1 ? `${t("risk")} × ${one.risk_factor}` : t("allows")) : t("blocks"))],
    [t("why"), ([, one]) => el("div", {}, ...told(one))],
  ], rows, t("guards_absent"));
}

function checklist() {
  const items = Object.entries(found.rules).flatMap(([name, one]) => (one.checklist ?? []).map((item) => ({ name, item })));
  if (!items.length) return null;
  const held = (one) => found.confirmations.find((each) => each.item === one.item && (each.scope === one.name || each.scope === "*"));
  return table(t("checklist"), [
    [t("checklist"), (one) => el("b", {}, one.item)], [t("scope"), (one) => scope(one.name)],
    [t("state"), (one) => (held(one) ? el("span.state.s-fresh", {}, `${t("confirmed")}, ${t("until")} ${when(held(one).until, now())}`)
      : el("button", { type: "button", "data-key": `confirm ${one.name} ${one.item}`, onclick: () => ops.confirm(one.name, one.item), "aria-label": `${t("confirm")} ${one.item}` }, t("confirm")))],
  ], items, "–");
}

function standings() {
  const rows = Object.entries(found.standings);
  if (!rows.length) return null;
  return table(t("today"), [
    [t("today"), ([name]) => (name === "*" ? t("account") : el("b", {}, name))], [t("trades"), ([, one]) => whole(one.trades_today), "num"],
    [t("live_r"), ([, one]) => el(`span.${sign(one.r_today) || "dim"}`, {}, multiple(one.r_today)), "num"], [t("pnl"), ([, one]) => gain(one.usd_today), "num"],
    [t("losses_in_row"), ([, one]) => whole(one.losing_streak), "num"], [t("drawdown"), ([, one]) => percent(one.drawdown_pct), "num"],
  ], rows, "–");
}

function rules() {
  const rows = Object.entries(found.rules).flatMap(([name, one]) => Object.entries(one).map(([rule, value]) => ({ name, rule, value })));
  if (!rows.length) return null;
  return asTable(t("rules"), t("rules"), [[t("scope"), (one) => scope(one.name)], [t("guard"), (one) => one.rule], ["=", (one) => (typeof one.value === "object" ? JSON.stringify(one.value) : one.value)]], rows);
}
