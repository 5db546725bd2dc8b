// The log book's page: entries by day, found by words, kinds and days; open points; a link to each entry.

import { $, el, fill, say } from "./dom.js";
import { lang, plainLocale, whole } from "./format.js";
import { begin, soon } from "./shell.js";
import { node, todo } from "./tree.js";
import { named, t } from "./words.js";

const KINDS = ["session", "alert", "note", "text"];
const PAGE = 20;
const AGAIN = 1500; // while the index is being made

let next = null; // the key of the oldest entry that is shown
let asked = 0; // only the answer to the newest question is shown
let timer = null;

const days = new Intl.DateTimeFormat(plainLocale, { timeZone: "UTC", weekday: "long", day: "numeric", month: "long", year: "numeric" });
const dayName = (day) => (day ? days.format(new Date(`${day}T00:00:00Z`)) : t("no_day"));

/** The page's address says what is shown: `#KEY` an entry, `#q=words` a search, `#todo` the open points. */
const address = () => decodeURIComponent(location.hash.slice(1));
const isKey = (text) => /^[0-9A-Za-z]{4,16}-[0-9a-f]{8}$/.test(text);
const chosen = () => KINDS.filter((kind) => $(`kind-${kind}`).getAttribute("aria-pressed") === "true");

function wanted(more) {
  const query = new URLSearchParams({ limit: PAGE, ...more });
  if (chosen().length < KINDS.length) for (const kind of chosen()) query.append("kind", kind);
  for (const name of ["since", "until"]) if ($(name).value) query.set(name, $(name).value);
  return query;
}

/** The answer to a question, or null: then the page says why. */
async function get(path) {
  const mine = (asked += 1);
  clearTimeout(timer);
  const key = $("key").value;
  const headers = key ? { "X-Ops-Key": String.fromCharCode(...new TextEncoder().encode(key)) } : {};
  try {
    const answer = await fetch(`/api/journal${path}`, { headers, cache: "no-store", signal: AbortSignal.timeout(12_000) });
    const body = await answer.json();
    if (mine !== asked) return null;
    $("key-form").hidden = answer.status !== 401;
    if (answer.ok) return took(body);
    failed(answer.status, body.error);
  } catch {
    if (mine === asked) say($("said"), t("book_failed", { why: t("no_answer") }));
  }
  return null;
}

function failed(status, why) {
  if (status === 401) { say($("key-note"), t($("key").value ? "wrong_key" : "book_key")); fill($("book")); $("more").hidden = true; }
  say($("said"), status === 401 ? "" : t(status === 404 ? "gone" : "book_failed", { why }));
}

function took(body) {
  say($("said"), body.indexing ? t("indexing") : "");
  if (body.indexing) timer = setTimeout(show, AGAIN);
  for (const kind of KINDS) say($(`count-${kind}`), whole(body.counts[kind]));
  return body;
}

/** What the address and the tools ask for. */
function show() {
  const place = address();
  const words = place.startsWith("q=") ? place.slice(2) : "";
  if (document.activeElement !== $("q")) $("q").value = words;
  $("todo").setAttribute("aria-pressed", String(place === "todo"));
  $("sort-label").hidden = !words;
  if (words) return search(words);
  if (place === "todo") return points();
  return entries(isKey(place) ? { entry: place } : {}, place);
}

async function entries(from, key) {
  const found = await get(`?${from.entry ? new URLSearchParams({ limit: PAGE, ...from }) : wanted(from)}`);
  if (!found) return;
  fill($("book"), ...(found.entries.length ? byDay(found.entries) : [el("p.none", {}, t("no_entries"))]));
  older(found);
  if (isKey(key)) arrive($(`e-${found.entries[0]?.key}`));
}

/** Where a link leads: the entry is marked and has the focus. */
function arrive(entry) {
  if (!entry) return;
  entry.classList.add("here");
  entry.scrollIntoView({ block: "start" });
  entry.focus({ preventScroll: true });
}

function older(found) {
  next = found.next;
  $("more").hidden = !next;
}

async function more() {
  const found = await get(`?${wanted({ before: next })}`);
  if (!found) return;
  const first = found.entries[0];
  const last = $("book").lastElementChild;
  const sections = byDay(found.entries);
  if (last?.dataset.day === (first?.day ?? "")) last.append(...[...(sections.shift()?.children ?? [])].slice(1));
  $("book").append(...sections);
  older(found);
  if (first) $(`e-${first.key}`)?.focus({ preventScroll: true });
}

/** One section for each day, in the order given. */
function byDay(found) {
  const sections = [];
  for (const one of found) {
    const day = one.day ?? "";
    if (sections.at(-1)?.dataset.day !== day) sections.push(el("section.panel.day-of", { "data-day": day, "aria-label": dayName(day) }, el("h2", {}, dayName(day))));
    sections.at(-1).append(one.kind === "alert" ? alert(one) : entry(one));
  }
  return sections;
}

const time = (one) => (one.timestamp ? el("time", { dateTime: one.timestamp.replace(" ", "T") }, one.timestamp.slice(11) || "–") : el("span.dim", {}, "–"));
const link = (one) => el("a.anchor", { href: `#${one.key}`, "aria-label": t("link_to", { title: one.title || one.timestamp || "" }) }, "#");

function entry(one) {
  const heading = el("h3", {}, time(one), " ", el("span", {}, one.title || "–"));
  return el(`article.k-${one.kind}`, { id: `e-${one.key}`, tabIndex: -1 },
    el("header", {}, heading, el("span.badge", {}, t(`one_${one.kind}`)), link(one)),
    el("div.text", {}, ...one.body.map(node)), one.is_cut && el("p.note", {}, t("cut_off", { line: one.line })));
}

const part = (name, value) => (value ? el("span.part", {}, el("span.dim", {}, `${name} `), value) : null);

/** An alert is a row; what was received is opened below it. */
function alert(one) {
  const said = one.alert;
  const signal = el(said.signal === "BUY" ? "span.buy" : said.signal === "SELL" ? "span.sell" : "b", {}, said.signal || "–");
  const row = said.payload ? "summary.row" : "div.row";
  const shown = el(row, {}, time(one), el("b.engine", {}, said.engine || "–"),
    el("span.signal", {}, signal, " ", el("b", {}, said.symbol || ""), " ", el("span.dim", {}, said.tf || "")),
    el("span.levels", {}, part(t("price"), said.price), part("SL", said.sl), part("TP", said.tp)), el("span.reason", {}, said.reason || ""));
  return el("article.k-alert", { id: `e-${one.key}`, tabIndex: -1 }, el("h3.sr", {}, one.title),
    said.payload ? el("details", {}, shown, el("pre", { tabIndex: 0, "aria-label": t("payload") }, el("code", {}, said.payload))) : shown, link(one));
}

async function search(words) {
  const found = await get(`/search?${wanted({ q: words, sort: $("sort").value })}`);
  if (!found) return;
  $("more").hidden = true;
  const shown = found.hits.length < found.total ? ` (${t("first_of", { n: whole(found.hits.length) })})` : "";
  if (!found.indexing) say($("said"), found.total ? t(found.is_more ? "hits_more" : "hits", { n: whole(found.total) }) + shown : t("no_hits"));
  fill($("book"), found.hits.length ? el("ol.hits.panel", {}, ...found.hits.map(hit)) : null);
}

const hit = (one) => el("li", {},
  el("a", { href: `#${one.key}` }, el("span.dim", {}, one.timestamp ?? t("no_day")), " ", el("b", {}, one.title || "–")), " ", el("span.badge", {}, t(`one_${one.kind}`)),
  el("p", {}, ...marked(one.match, one.marks)));

/** Offsets are of characters as the server counts them: code points, not UTF-16. */
function marked(text, marks) {
  const letters = [...text];
  const parts = [];
  let at = 0;
  for (const [start, end] of marks) {
    parts.push(letters.slice(at, start).join(""), el("mark", {}, letters.slice(start, end).join("")));
    at = end;
  }
  return [...parts, letters.slice(at).join("")];
}

async function points() {
  const found = await get("/todo");
  if (!found) return;
  $("more").hidden = true;
  if (!found.indexing) say($("said"), found.points.length ? t("points", { n: whole(found.points.length) + (found.is_more ? "+" : "") }) : t("no_points"));
  const groups = Map.groupBy ? Map.groupBy(found.points, (one) => one.key) : grouped(found.points);
  fill($("book"), ...[...groups.values()].map((all) => el("section.panel.day-of", { "aria-label": all[0].title },
    el("h2", {}, el("span.dim", {}, (all[0].timestamp ?? "").slice(0, 16)), " ", el("a", { href: `#${all[0].key}` }, all[0].title || "–")),
    el("ul.todos.text", {}, ...all.map((one) => todo(one.done, one.body.map(node)))))));
}

function grouped(found) {
  const groups = new Map();
  for (const one of found) groups.set(one.key, [...(groups.get(one.key) ?? []), one]);
  return groups;
}

/** Go to a place of this page; the same place again is asked again. */
function go(place) {
  const target = place ? `#${encodeURIComponent(place)}` : "";
  if (location.hash === target) show();
  else if (target) location.hash = target;
  else { history.pushState(null, "", location.pathname); show(); }
}

function tools() {
  fill($("kinds"), ...KINDS.map((kind) => el("button", { type: "button", id: `kind-${kind}`, "aria-pressed": "true" }, named(`kind_${kind}`), " ", el("span.count", { id: `count-${kind}` }, "–"))));
  $("kinds").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    if (!chosen().length) for (const kind of KINDS) $(`kind-${kind}`).setAttribute("aria-pressed", "true");
    again();
  });
  $("q").placeholder = t("search_words");
  $("find").addEventListener("submit", (event) => { event.preventDefault(); const words = $("q").value.trim(); go(words ? `q=${words}` : ""); });
  for (const name of ["since", "until", "sort"]) $(name).addEventListener("change", again);
  $("todo").addEventListener("click", () => go(address() === "todo" ? "" : "todo"));
  $("newest").addEventListener("click", () => { $("q").value = ""; go(""); });
  $("print").addEventListener("click", () => print());
  $("more").addEventListener("click", more);
  $("key-form").addEventListener("submit", (event) => { event.preventDefault(); show(); });
  addEventListener("hashchange", show);
  addEventListener("popstate", () => { if (!location.hash) show(); });
}

/** With another filter: an entry's own place is left. */
function again() {
  if (isKey(address()) || address() === "todo") go("");
  else show();
}

tools();
// An alert stands in the file a moment after it came. Who reads further down is not disturbed.
const fresh = soon(() => { if (!location.hash && scrollY < 200) show(); }, 1500);
document.documentElement.lang = lang;
begin("/api/stream", { frame: (kind) => { if (kind === "events") fresh(); }, up: () => show() });
