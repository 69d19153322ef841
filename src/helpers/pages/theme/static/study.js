/* What plain HTML lacks: tables that fit a phone, are sorted and filtered; the evidence browser;
   'change one choice'.
   Text is only ever set as text, so that nothing in the data becomes markup. */
"use strict";

const make = (name, attributes = {}, text = "") => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
};

/* Tables that can be sorted and filtered. */

const number = (text) => {
  const plain = text.replace(/,/g, "").replace(/^\u2212/, "-");
  return /^-?[\d.]/.test(plain) ? parseFloat(plain) : NaN;
};

const compare = (a, b) => {
  const [x, y] = [number(a), number(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
};

const makeSortable = (table) => {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = make("button", { type: "button", class: "sort" }, header.textContent);
    header.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = header.getAttribute("aria-sort") === "ascending";
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].textContent.trim();
      const rows = [...table.tBodies[0].rows].sort((a, b) => compare(key(a), key(b)));
      table.tBodies[0].append(...(down ? rows.reverse() : rows));
    });
  });
};

const makeFilterable = (table, column) => {
  const rows = [...table.tBodies[0].rows];
  const form = make("form", { class: "filter", role: "search" });
  form.setAttribute("aria-label", `Filter: ${table.caption.textContent}`);
  const words = make("label", {}, "Words ");
  const input = make("input", { type: "search" });
  words.append(input);
  form.append(words);
  let select = null;
  if (column !== null) {
    const label = make("label", {}, `${table.tHead.rows[0].cells[column].textContent} `);
    select = make("select");
    select.append(make("option", { value: "" }, "any"));
    const values = new Set(rows.map((row) => row.cells[column].textContent.trim()));
    [...values].sort().forEach((value) => select.append(make("option", {}, value)));
    label.append(select);
    form.append(label);
  }
  const said = make("output", { "aria-live": "polite" });
  form.append(said);
  const update = () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    rows.forEach((row) => {
      const text = row.textContent.toLowerCase();
      const chosen = !select || !select.value || row.cells[column].textContent.trim() === select.value;
      row.hidden = !(chosen && wanted.every((word) => text.includes(word)));
      found += row.hidden ? 0 : 1;
    });
    said.textContent = `${found} of ${rows.length} rows`;
  };
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  table.parentElement.before(form);
  update();
};

document.querySelectorAll("table[data-tools]").forEach((table) => {
  const tools = table.dataset.tools.split(" ");
  if (tools.includes("filter")) {
    const chosen = tools.find((tool) => tool.startsWith("choose-"));
    makeFilterable(table, chosen ? Number(chosen.slice("choose-".length)) : null);
  }
  makeSortable(table);
});

/* A table that is too wide for a phone, or has a row that columns squeeze to a tower, is read as cards,
   one a row, each cell under its column's name. The roles say that it is still a table, which a browser
   may forget of one drawn otherwise. */

const NARROW = window.matchMedia("(max-width: 600px)");
const TOWER = 300;
const ROLES = {
  "thead, tbody": "rowgroup", tr: "row", "th[scope=col]": "columnheader",
  "th[scope=row]": "rowheader", td: "cell",
};

const stack = (box) => {
  const table = box.querySelector("table");
  const columns = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  for (const row of table.tBodies[0].rows) {
    if (row.cells.length !== columns.length) return;
    [...row.cells].forEach((cell, column) => { cell.dataset.column = columns[column]; });
  }
  for (const [kind, role] of Object.entries(ROLES)) {
    table.querySelectorAll(kind).forEach((element) => element.setAttribute("role", role));
  }
  table.setAttribute("role", "table");
  table.classList.add("cards");
};

const fit = (box) => {
  const width = String(box.clientWidth);
  if (box.dataset.width === width) return;
  box.dataset.width = width;
  const table = box.querySelector("table");
  table.classList.remove("cards");
  const wide = NARROW.matches && box.scrollWidth > box.clientWidth;
  if (wide || [...table.tBodies[0].rows].some((row) => row.offsetHeight > TOWER)) stack(box);
};

const resized = new ResizeObserver((entries) => entries.forEach((entry) => fit(entry.target)));
document.querySelectorAll(".scroll:has(thead)").forEach((box) => resized.observe(box));

/* The evidence browser. A row of the data: id, address, topic, value, definition, place, period,
   publisher. */

const STEP = 25;

const browse = (form, facts) => {
  const body = form.querySelector("tbody");
  const more = form.querySelector("button");
  const said = form.querySelector("output");
  let shown = STEP;
  const update = () => {
    const { topic, place, year, words } = Object.fromEntries(new FormData(form));
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const found = facts.filter((fact) => {
      const text = fact.join(" ").toLowerCase();
      return (!topic || fact[2] === topic) && (!place || fact[5] === place) &&
        (!year || fact[6].startsWith(year)) && wanted.every((word) => text.includes(word));
    });
    body.replaceChildren(...found.slice(0, shown).map((fact) => {
      const [id, address, , value, definition, where, when, publisher] = fact;
      const row = make("tr");
      const head = make("th", { scope: "row" });
      head.append(make("a", { href: address }, id));
      row.append(head);
      [value, definition, where, when, publisher].forEach((text) => row.append(make("td", {}, text)));
      return row;
    }));
    const box = form.querySelector(".scroll");
    if (box.querySelector(".cards")) stack(box);
    more.hidden = found.length <= shown;
    const count = (number) => number.toLocaleString("en-US");
    said.textContent = `${count(found.length)} of ${count(facts.length)} figures found, ` +
      `${count(Math.min(shown, found.length))} shown`;
  };
  form.addEventListener("input", () => { shown = STEP; update(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { shown += STEP; update(); });
  form.hidden = false;
  update();
};

const factsForm = document.querySelector("form.facts");
if (factsForm && window.studyFacts) browse(factsForm, window.studyFacts);

/* Change one choice: all combinations on one logarithmic axis; the chosen one is a full diamond, the
   one that the page rests on a hollow one. */

const SVG = "http://www.w3.org/2000/svg";
const ROW = 16, EDGE = 24, AXIS = 26;

const diamond = (x, y, size) =>
  [[x - size, y], [x, y - size], [x + size, y], [x, y + size]].join(" ");

const draw = (data, chosen, width) => {
  const ordered = [...data.states].sort((a, b) => a.value - b.value);
  const low = Math.min(1, ...ordered.map((item) => item.low)) / 1.15;
  const high = Math.max(1, ...ordered.map((item) => item.high)) * 1.15;
  const x = (value) => EDGE + (width - 2 * EDGE) * Math.log(value / low) / Math.log(high / low);
  const height = ROW * ordered.length + AXIS;
  const svg = document.createElementNS(SVG, "svg");
  const add = (name, attributes, text = "") => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    svg.append(element);
  };
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${ordered.length} results in order, ${data.axis}; the chosen one ` +
    `is number ${ordered.indexOf(chosen) + 1} from the lowest, at ${chosen.value.toFixed(2)}.`);
  const floor = height - AXIS + 4;
  add("line", { x1: EDGE, x2: width - EDGE, y1: floor, y2: floor, class: "axis" });
  [0.1, 0.2, 0.5, 1, 2, 5, 10].filter((tick) => low <= tick && tick <= high).forEach((tick) => {
    add("line", { x1: x(tick), x2: x(tick), y1: 0, y2: floor, class: tick === 1 ? "one" : "grid" });
    add("text", { x: x(tick), y: floor + 16, "text-anchor": "middle" }, String(tick));
  });
  ordered.forEach((item, place) => {
    const y = ROW * (place + 0.6), kind = item === chosen ? "chosen" : "other";
    add("line", { x1: x(item.low), x2: x(item.high), y1: y, y2: y, class: kind });
    if (item === chosen || item.chosen) {
      add("polygon", { points: diamond(x(item.value), y, 7), class: item === chosen ? kind : "used" });
    } else {
      add("circle", { cx: x(item.value), cy: y, r: 3.5, class: kind });
    }
  });
  return svg;
};

document.querySelectorAll("form.choices").forEach((form) => {
  const data = JSON.parse(document.querySelector("script.choices-data").textContent);
  const [said, chart, command] = ["output", ".chart", ".command"].map((name) => form.querySelector(name));
  const update = () => {
    const values = new FormData(form);
    const chosen = data.states.find((item) =>
      Object.entries(item.choices).every(([name, value]) => value === values.get(name)));
    said.replaceChildren(...(chosen ? [make("span", {}, chosen.text), make("strong", {}, chosen.compared)]
      : ["These two are not joined in the study."]));
    command.textContent = chosen ? chosen.command : "";
    chart.replaceChildren(...(chosen ? [
      draw(data, chosen, chart.clientWidth),
      make("p", {}, `${data.axis}; line: ${data.interval}`),
      make("p", {}, `\u25c6 your choice, \u25c7 ${data.whose}, \u25cf every other`),
    ] : []));
  };
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  update();
  window.addEventListener("resize", update);
});

/* Paper is light. */

const root = document.documentElement;
let theme = root.dataset.theme;
window.addEventListener("beforeprint", () => { theme = root.dataset.theme; root.dataset.theme = "light"; });
window.addEventListener("afterprint", () => { root.dataset.theme = theme; });
