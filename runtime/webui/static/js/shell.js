// What both pages have around their panels: the state of the line, the clock, the theme, and asking the server.

import { $, say } from "./dom.js";
import { clock, full, span } from "./format.js";
import { Line } from "./stream.js";
import { t, translate } from "./words.js";

let skew = 0; // the server's clock less ours, in milliseconds
let lostAt = null;
const ticks = [];

/** This moment by the server's clock. */
export const now = () => new Date(Date.now() + skew);
/** Seconds since an ISO moment. */
export const age = (ts) => (now() - new Date(ts)) / 1000;
/** Called each second, for what grows old by itself. */
export const eachSecond = (work) => ticks.push(work);

/** Start the page: `on` is told of each frame, of coming back, and of a refusal. */
export function begin(path, on, headers) {
  translate();
  $("theme").addEventListener("click", () => window.toggleTheme());
  const line = new Line(path, {
    frame: (kind, data) => frame(kind, data, on),
    up: () => { lostAt = null; show("up"); on.up?.(); },
    down: (since) => { lostAt = since; show("down"); },
    denied: () => { show("wait"); on.denied?.(); },
  }, headers);
  show("wait");
  setInterval(tick, 1000);
  line.start();
  return line;
}

function frame(kind, data, on) {
  if (data.now) skew = new Date(data.now) - Date.now();
  if (kind === "hello" && data.version !== document.documentElement.dataset.version) { reload(); return; }
  trouble(kind === "trouble" ? t("no_store") : kind === "beat" ? null : "");
  if (kind !== "beat" && kind !== "trouble") on.frame(kind, data);
}

/** Another release runs now: its page goes with it. Not while somebody types a key. */
function reload() {
  const dialog = document.querySelector("dialog");
  if (dialog?.open) setTimeout(reload, 1000);
  else location.reload();
}

function trouble(text) {
  if (text === null) return;
  $("trouble").hidden = !text;
  say($("trouble"), text);
}

function show(state) {
  const down = state === "down";
  document.body.dataset.line = state;
  $("main").classList.toggle("stale", down);
  for (const heading of document.querySelectorAll("main .panel h2")) old(heading, "line", down);
  $("alarm").hidden = !down;
  say($("alarm-text"), down ? t("disconnected_text") : "");
  say($("line-text"), t({ up: "connected", down: "disconnected", wait: "connecting" }[state]));
  document.title = document.title.replace(/^⚠ \S+ · /, "");
  if (down) document.title = `⚠ ${t("disconnected")} · ${document.title}`;
  tick();
}

const reasons = new WeakMap();

/** Mark a panel's figures as stale for a reason, or no longer for that one. */
export function old(heading, reason, isOld) {
  const held = reasons.get(heading) ?? new Set();
  reasons.set(heading, held);
  if (isOld) held.add(reason);
  else held.delete(reason);
  heading.dataset.old = held.size ? t("stale") : "";
}

function tick() {
  say($("clock"), clock(now()));
  if (lostAt) say($("alarm-since"), `${t("since")} ${full(lostAt)} (${span((Date.now() - lostAt) / 1000)})`);
  for (const work of ticks) work();
}

/** The JSON at a path, or null with `failed` told why: "denied" or "silent". */
export async function ask(path, { headers = {}, failed = () => {}, seconds = 4 } = {}) {
  try {
    const answer = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(seconds * 1000) });
    if (answer.ok) return await answer.json();
    failed(answer.status === 401 ? "denied" : "silent");
  } catch {
    failed("silent");
  }
  return null;
}

/** Post JSON; returns [status, body]. Status 0: no answer. */
export async function post(path, body, headers = {}) {
  const sent = { "Content-Type": "application/json", ...headers };
  try {
    const answer = await fetch(path, { method: "POST", headers: sent, body: JSON.stringify(body), signal: AbortSignal.timeout(5000) });
    return [answer.status, await answer.json().catch(() => ({}))];
  } catch {
    return [0, {}];
  }
}

/** The same for a GET. */
export async function get(path, headers) {
  try {
    return [(await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(5000) })).status, {}];
  } catch {
    return [0, {}];
  }
}

/** Runs `work` soon, once, however often it is asked for meanwhile. */
export function soon(work, wait = 300) {
  let timer = null;
  return () => { timer ??= setTimeout(() => { timer = null; work(); }, wait); };
}
