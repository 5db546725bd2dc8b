// Everything shown is made here. Values become text nodes; nothing is ever parsed as markup.

export const $ = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

/** An element: `names` are its classes (`td.num`), `given` its properties (`aria-*`, `data-*`, `role`: attributes). */
export function el(names, given = {}, ...children) {
  const [tag, ...classes] = names.split(".");
  return filled(document.createElement(tag), classes, given, children);
}

/** The same in SVG, where everything is an attribute. */
export function svg(names, given = {}, ...children) {
  const [tag, ...classes] = names.split(".");
  return filled(document.createElementNS(SVG, tag), classes, given, children, true);
}

function filled(node, classes, given, children, attributes = false) {
  if (classes.length) node.classList.add(...classes);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (attributes || name.includes("-") || name === "role" || name === "scope" || name === "for") {
      node.setAttribute(name, value === true ? "" : String(value));
    } else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
  return node;
}

const asNode = (child) => (child instanceof Node ? child : document.createTextNode(String(child)));

/** Put children in place of what was there; by its `data-key` the focus stays where it was, and what was open is open. */
export function fill(node, ...children) {
  const keyed = () => [...node.querySelectorAll("[data-key]")];
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const opened = new Set(keyed().filter((one) => one.open).map((one) => one.dataset.key));
  node.replaceChildren(...children.filter(Boolean).map(asNode));
  for (const one of keyed()) {
    if (opened.has(one.dataset.key)) one.open = true;
    if (focused !== undefined && one.dataset.key === focused) one.focus({ preventScroll: true });
  }
}

/** Change a text only when it differs: a screen reader says a live text again each time it is set. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A table in a frame that scrolls by itself; `columns` are [heading, cell, class], `rows` what the cells are made of. */
export function table(caption, columns, rows, none) {
  if (!rows.length) return el("p.none", {}, none);
  const head = el("tr", {}, ...columns.map(([title, , kind]) => el(kind ? `th.${kind}` : "th", { scope: "col" }, title)));
  const body = rows.map((row) => el("tr", {}, ...columns.map(([title, cell, kind], at) => {
    const made = cell(row);
    return el((at ? "td" : "th") + (kind ? `.${kind}` : ""), { scope: at ? null : "row", "data-label": title }, made);
  })));
  return el("div.scroll", { role: "group", "aria-label": caption, tabIndex: 0 },
    el("table", {}, el("caption.sr", {}, caption), el("thead", {}, head), el("tbody", {}, ...body)));
}

/** A chart's figures as a table, for those who cannot see it or want to read it. */
export function asTable(title, caption, columns, rows) {
  return el("details.data", { "data-key": `table ${caption}` }, el("summary", { "data-key": `summary ${caption}` }, title), table(caption, columns, rows, "–"));
}

/** The choices of a filter, after the `fixed` ones that stand in the page. */
export function options(select, names, label = (name) => name, fixed = 1) {
  const held = [...select.options].slice(fixed).map((one) => one.value);
  if (held.join("\n") === names.join("\n")) return;
  const chosen = select.value;
  while (select.options.length > fixed) select.remove(fixed);
  for (const name of names) select.append(el("option", { value: name }, label(name)));
  select.value = [...select.options].some((one) => one.value === chosen) ? chosen : select.options[0]?.value ?? "";
}
