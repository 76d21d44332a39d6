// The map, drawn from the table under it: the chapters; the results of one, with what they rest on elsewhere; or all
// that a result rests on, in order. An arrow bends between columns alone, and passes a column in a lane of its own.
import { say } from "./words.js";

const BOX = { wide: 180, high: 66 }, GAP = { wide: 64, high: 14 }, LANE = 16;
const WORDS = { used: say("uses"), named: say("a reason names"), told: say("the text before it names") };
const table = document.getElementById("results"), figure = document.querySelector("[data-map]");
const form = figure.querySelector("form"), view = figure.querySelector(".map-view");
const list = figure.querySelector(".map-list"), said = figure.querySelector(".map-said");
const words = (text) => (text ? text.split(" ") : []);
const rests = (data) => Object.keys(WORDS).flatMap((kind) => words(data[kind]).map((lemma) => ({ lemma, kind })));

const chapters = new Map(), results = new Map();
for (const body of table.tBodies) {
  const { topic } = body.dataset, title = form.querySelector(`option[value=${topic}]`).textContent;
  chapters.set(topic, { name: topic, title, href: `../derivations/${topic}/`, rests: rests(body.dataset), kind: "" });
  for (const row of body.rows) {
    const [number, name] = row.cells;
    results.set(row.dataset.name, {
      name: row.dataset.name, topic, number: number.textContent, title: name.querySelector("span").textContent,
      href: name.querySelector("a").getAttribute("href"), kind: row.dataset.label, rests: rests(row.dataset),
    });
  }
}

// What something rests on, each before what rests on it, and itself at the end.
function path(all, name, found = new Set()) {
  if (found.has(name)) return found;
  const above = new Set(found).add(name);
  for (const { lemma } of all.get(name).rests) if (!above.has(lemma)) path(all, lemma, above).forEach((n) => n !== name && found.add(n));
  return found.add(name);
}

// ---- where boxes stand ----

function columns(nodes) {
  const at = new Map(nodes.map((node, i) => [node.name, i])), depth = new Map();
  const edges = nodes.flatMap((node) => node.rests.filter(({ lemma }) => at.has(lemma) && at.get(lemma) < at.get(node.name))
    .map(({ lemma, kind }) => ({ from: lemma, to: node.name, kind, via: [] })));
  for (const { name } of nodes) depth.set(name, Math.max(0, ...edges.filter((e) => e.to === name).map((e) => depth.get(e.from) + 1)));
  for (const { name } of [...nodes].reverse()) { // no farther from what rests on it than it must be
    const next = edges.filter((e) => e.from === name).map((e) => depth.get(e.to));
    if (next.length) depth.set(name, Math.min(...next) - 1);
  }
  const made = Array.from({ length: Math.max(...depth.values()) + 1 }, () => []);
  for (const node of nodes) made[depth.get(node.name)].push({ node, high: BOX.high, near: [] });
  const item = (name) => made[depth.get(name)].find((each) => each.node?.name === name);
  for (const edge of edges) {
    let last = item(edge.from);
    edge.via = [last];
    for (let d = depth.get(edge.from) + 1; d <= depth.get(edge.to); d++) {
      const next = d < depth.get(edge.to) ? { high: LANE, near: [] } : item(edge.to);
      if (!next.node) made[d].push(next);
      last.near.push(next);
      next.near.push(last);
      edge.via.push((last = next));
    }
  }
  return { made, edges };
}

function place({ made }) {
  const tall = (column) => column.reduce((sum, each) => sum + each.high + GAP.high, -GAP.high);
  const height = Math.max(...made.map(tall));
  const stack = () => made.forEach((column, c) => {
    let y = (height - tall(column)) / 2;
    for (const each of column) {
      Object.assign(each, { x: c * (BOX.wide + GAP.wide), y, middle: y + each.high / 2 });
      y += each.high + GAP.high;
    }
  });
  stack();
  for (let sweep = 0; sweep < 8; sweep++) { // to the height of its neighbours
    for (const column of made) {
      for (const each of column) each.wish = each.near.reduce((sum, { middle }) => sum + middle / each.near.length, 0);
      column.sort((a, b) => a.wish - b.wish);
    }
    stack();
  }
  return { width: made.length * (BOX.wide + GAP.wide) - GAP.wide, height };
}

// ---- what is drawn ----

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

function box({ node, x = 0, y = 0 }, chosen) {
  const style = `left:${x}px;top:${y}px;width:${BOX.wide}px;height:${BOX.high}px`;
  const inner = `<span>${escaped(`${node.number ?? ""} ${node.title}`)}</span>`;
  const from = node.number && node.topic !== form.chapter.value ? `<small>${escaped(chapters.get(node.topic).title)}</small>` : "";
  const more = `class="box ${node.kind}${node.name === chosen ? " chosen" : ""}" style="${style}" data-name="${node.name}"`;
  return node.number ? `<a href="${node.href}" ${more}>${inner}${from}</a>` : `<button type="button" ${more}>${inner}</button>`;
}

function arrow({ from, to, kind, via }) {
  let d = "";
  via.slice(1).forEach((next, i) => {
    const last = via[i], x = last.x + BOX.wide, half = GAP.wide / 2;
    d += `M${x} ${last.middle}C${x + half} ${last.middle} ${next.x - half} ${next.middle} ${next.x - (next.node ? 3 : 0)} ${next.middle}`;
    if (!next.node) d += `H${next.x + BOX.wide}`;
  });
  return `<path class="arrow ${kind}" d="${d}" marker-end="url(#map-tip)" data-ends="${from} ${to}"/>`;
}

function draw(nodes, chosen) {
  const joined = new Set(nodes.flatMap((n) => n.rests.filter((r) => nodes.some((m) => m.name === r.lemma)).flatMap((r) => [n.name, r.lemma])));
  const alone = nodes.filter((node) => !joined.has(node.name) && node.name !== chosen);
  const shown = nodes.filter((node) => !alone.includes(node));
  view.innerHTML = "";
  if (shown.length) {
    const laid = columns(shown), { width, height } = place(laid);
    const drawn = laid.made.flat().filter((each) => each.node).map((each) => box(each, chosen)).join("");
    view.innerHTML = `<div class="canvas" style="width:${width}px;height:${height}px"><svg width="${width}" height="${height}" aria-hidden="true">
      <defs><marker id="map-tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>
      ${laid.edges.map(arrow).join("")}</svg>${drawn}</div>`;
    zoom(Math.max(0.75, Math.min(1, (view.clientWidth - 24) / width)));
  }
  if (alone.length) view.innerHTML += `<p>${say("Without an arrow:")}</p><div class="alone">${alone.map((node) => box({ node })).join("")}</div>`;
}

let scale = 1;
function zoom(to) {
  scale = Math.max(0.4, Math.min(2, to));
  const canvas = view.querySelector(".canvas");
  if (canvas) canvas.style.zoom = scale;
}

const link = (node) => `<a href="${node.href}">${escaped(`${node.number ?? ""} ${node.title}`)}</a>`;

function show() {
  const need = form.need.value, chapter = form.chapter.value;
  list.classList.toggle("narrow", !need);
  if (need) {
    const names = [...path(results, need)], topics = [...path(chapters, results.get(need).topic)];
    for (const name of names) if (!topics.includes(results.get(name).topic)) topics.push(results.get(name).topic);
    topics.sort((a, b) => [...chapters.keys()].indexOf(a) - [...chapters.keys()].indexOf(b));
    draw(names.map((name) => results.get(name)), need);
    said.textContent = say("In this order: chapters (<x1/>), and of their results <x2/> before this one.", topics.length, names.length - 1);
    list.innerHTML = `<ol>${topics.map((topic) => `<li>${link(chapters.get(topic))}<ol>${names.map((name) => results.get(name)).filter((r) => r.topic === topic)
      .map((r) => `<li>${link(r)}</li>`).join("")}</ol></li>`).join("")}</ol>`;
  } else if (chapter) {
    const own = [...results.values()].filter((r) => r.topic === chapter);
    const before = new Set(own.flatMap((r) => r.rests.map(({ lemma }) => lemma)));
    draw([...results.values()].filter((r) => r.topic === chapter || before.has(r.name)));
    said.textContent = say("The <x1/> results of <x2/>, and what they rest on in other chapters.", own.length, chapters.get(chapter).title);
    list.innerHTML = `<ul>${own.map((r) => `<li>${link(r)}${r.rests.length ? `<ul>${r.rests.map(({ lemma, kind }) => `<li>${WORDS[kind]} ${link(results.get(lemma))}</li>`).join("")}</ul>` : ""}</li>`).join("")}</ul>`;
  } else {
    draw([...chapters.values()]);
    said.textContent = say("<x1/> chapters with <x2/> results: an arrow leads to the chapter that builds on another.", chapters.size, results.size);
    list.innerHTML = `<ul>${[...chapters.values()].map((c) => `<li>${link(c)}</li>`).join("")}</ul>`;
  }
}

function light(name) {
  const near = path(results.has(name) ? results : chapters, name);
  for (const each of view.querySelectorAll("[data-name]")) each.classList.toggle("lit", near.has(each.dataset.name));
  for (const each of view.querySelectorAll("[data-ends]")) each.classList.toggle("lit", words(each.dataset.ends).every((end) => near.has(end)));
}

form.addEventListener("change", ({ target }) => {
  (target === form.need ? form.chapter : form.need).value = "";
  const query = new URLSearchParams([[target.name, target.value]]);
  history.replaceState(null, "", target.value ? `?${query}` : location.pathname);
  show();
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("click", ({ target }) => target.dataset.zoom && zoom(scale * target.dataset.zoom));
view.addEventListener("click", ({ target }) => {
  const chosen = target.closest("button.box");
  if (!chosen) return;
  form.chapter.value = chosen.dataset.name;
  form.chapter.dispatchEvent(new Event("change", { bubbles: true }));
  form.chapter.focus();
});
for (const begin of ["focusin", "pointerover"]) view.addEventListener(begin, ({ target }) => {
  const on = target.closest("[data-name]");
  if (on) light(on.dataset.name);
});

for (const [name, value] of new URLSearchParams(location.search)) if (form.elements[name]) form.elements[name].value = value;
figure.hidden = false;
show();
