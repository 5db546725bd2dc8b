// What both pages show of the ledger.

import { el, fill, table } from "./dom.js";
import { gain, level, multiple, sign, span } from "./format.js";
import { age } from "./shell.js";
import { t } from "./words.js";

/** Open trades with what they stand at; R comes from the last mark, and without one there is none. */
export function openTrades(node, trades) {
  const value = (given, format) => el(`span.${sign(given) || "dim"}`, {}, format(given));
  fill(node, table(t("open_trades"), [
    [t("symbol"), (one) => el("span", {}, el("b", {}, one.symbol), " ", el("span.dim", {}, one.engine))],
    [t("side"), (one) => one.side],
    [t("live_r"), (one) => (one.mark === null ? el("span.dim", {}, t("no_mark")) : value(one.open_r, multiple)), "num"],
    [t("pnl"), (one) => value(one.open_pnl, gain), "num"],
    [t("entry"), (one) => level(one.entry), "num"],
    [t("stop"), (one) => level(one.stop), "num"],
    [t("mark"), (one) => level(one.mark), "num"],
    [t("size"), (one) => level(one.qty - one.qty_closed), "num"],
    [t("age"), (one) => span(age(one.opened_ts)), "num"],
    [t("trade"), (one) => el("code", {}, one.trade_id)],
  ], trades, t("no_open")));
}

/** A figure with its name; `note` is what stands below it. */
export function tile(name, value, note = "", kind = "") {
  return el(`div.tile${kind ? `.${kind}` : ""}`, { "data-tile": name }, el("span.name", {}, name), el("span.value", {}, value), el("span.note", {}, note));
}

/** Sum of what the open trades stand at, in R; null when none has a mark. */
export function openR(trades) {
  const known = trades.map((one) => one.open_r).filter((one) => one !== null);
  return known.length ? known.reduce((sum, one) => sum + one, 0) : null;
}
