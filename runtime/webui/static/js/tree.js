// An entry's text, from the tree that the server made of its Markdown. A tag that is not known here is its text alone.

import { el } from "./dom.js";
import { t } from "./words.js";

const PLAIN = new Set(["p", "ul", "li", "h4", "strong", "em", "s", "code", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "hr", "br", "pre"]);
const HEADINGS = new Set(["h1", "h2", "h3", "h5", "h6"]); // the entry's own heading is of level 3

const all = (children) => children.map(node);

/** A text, or [tag, what it needs, ...children]; see runtime/journal/markdown.py. */
export function node(made) {
  if (!Array.isArray(made)) return document.createTextNode(String(made));
  const [tag, ...rest] = made;
  const special = SPECIAL[tag];
  if (special) return special(...rest);
  if (HEADINGS.has(tag)) return el("p.head", {}, el("b", {}, ...all(rest)));
  return PLAIN.has(tag) ? el(tag, {}, ...all(rest)) : el("span", {}, ...all(rest));
}

const SPECIAL = {
  a: (address, ...children) => (/^(https?:\/\/|mailto:)/i.test(address) ? el("a", { href: address, rel: "noreferrer noopener", target: "_blank" }, ...all(children)) : el("span", {}, ...all(children))),
  pre: (language, text) => el("pre", { tabIndex: 0, "data-language": language || null }, el("code", {}, text)),
  ol: (first, ...children) => el("ol", { start: first }, ...all(children)),
  table: (...children) => el("div.scroll", {}, el("table", {}, ...all(children))),
  todos: (...children) => el("ul.todos", {}, ...all(children)),
  todo: (done, line, ...children) => todo(done, all(children)),
};

/** A point with its box, which shows and cannot be ticked here. */
export const todo = (done, children) => el(`li${done ? ".done" : ""}`, {}, el("span.box", { role: "img", "aria-label": t(done ? "is_done" : "is_open") }), el("div", {}, ...children));
