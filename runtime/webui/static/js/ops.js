// What an operator may do. The key is held by the field alone, until the page is left.

import { $, el, fill, say } from "./dom.js";
import { get, post } from "./shell.js";
import { t } from "./words.js";

let job = null;
let done = () => {};

export function begin(after) {
  done = after;
  $("ops-form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
  $("ops-cancel").addEventListener("click", () => $("ops").close());
}

/** Ask before doing: `wanted` has a title, what it does, the button's words, fields, and `send(values, key)`. */
export function open(wanted) {
  job = wanted;
  say($("ops-title"), wanted.title);
  say($("ops-what"), wanted.what);
  say($("ops-go"), wanted.action);
  say($("ops-error"), "");
  fill($("ops-fields"), ...(wanted.fields ?? []).map(field));
  $("ops").showModal();
  ($("ops-fields").querySelector("input, select") ?? $("ops-key")).focus();
}

function field(one) {
  const given = { name: one.name, autocomplete: "off", required: Boolean(one.required) };
  const input = one.choices
    ? el("select", given, ...one.choices.map(([value, label]) => el("option", { value }, label)))
    : el("input", { ...given, type: one.type ?? "text", min: one.min, max: one.max, maxLength: one.type ? undefined : 200, value: one.value ?? "" });
  return el("label", {}, el("span", {}, one.label), input);
}

async function send() {
  const inputs = [...$("ops-fields").querySelectorAll("input, select")];
  const values = Object.fromEntries(inputs.map((one) => [one.name, one.value]).filter(([, value]) => value !== ""));
  $("ops-go").disabled = true;
  const [status, body] = await job.send(values, $("ops-key").value);
  $("ops-go").disabled = false;
  const failure = told(status, body);
  say($("ops-error"), failure);
  if (failure) { $("ops-key").focus(); return; }
  $("ops").close();
  done();
}

function told(status, body) {
  if (status >= 200 && status < 300) return "";
  if (status === 401 || status === 403) return t("wrong_key");
  return t("failed", { why: status ? body.error ?? status : t("no_answer") });
}

/** Header values are bytes: a key with other letters goes as UTF-8. */
const headers = (given) => ({ "X-Ops-Key": String.fromCharCode(...new TextEncoder().encode(given)) });

/** What carries the key that was typed; nothing when none was. */
export const keyed = () => ($("ops-key").value ? headers($("ops-key").value) : {});

/** Only the key: from another machine the ledger's figures need it. */
export function give() {
  open({ title: t("ops_key"), what: t("give_what"), action: t("give_key"), send: (_, given) => get("/api/perf/summary", headers(given)) });
}

export function reset(holder) {
  open({
    title: t("lock"), what: t("reset_what", { who: holder ?? t("nobody") }), action: t("reset_do"),
    send: (_, given) => post("/api/reset_lock", { ops_key: given }),
  });
}

const scopes = (names) => [["*", t("everything")], ...names.map((name) => [name, name])];

export function pause(names) {
  open({
    title: t("pause"), what: t("pause_what"), action: t("pause_do"),
    fields: [{ name: "scope", label: t("scope"), choices: scopes(names) }, { name: "minutes", label: t("minutes"), type: "number", min: 1, max: 525600 }, { name: "reason", label: t("pause_reason") }],
    send: (values, given) => post("/api/pause", { by: "page", ...values, ...(values.minutes ? { minutes: Number(values.minutes) } : {}) }, headers(given)),
  });
}

export function resume(names) {
  open({
    title: t("resume"), what: t("resume_what"), action: t("resume_do"), fields: [{ name: "scope", label: t("scope"), choices: names }],
    send: (values, given) => post("/api/resume", { by: "page", ...values }, headers(given)),
  });
}

export function confirm(scope, item) {
  open({
    title: t("checklist"), what: `${t("confirm_what")} ${item}`, action: t("confirm_do"),
    send: (_, given) => post("/api/confirm", { by: "page", scope, item }, headers(given)),
  });
}
