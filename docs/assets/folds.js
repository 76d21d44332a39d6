// What is folded is built when it is opened. Until then it is the text of a <noscript> in its <details>, and within a
// fold that was built, a <template>: either is one node. What paper shows is built for paper, all for who looks for a
// word with Ctrl+F, and what holds a place for a link to it.
import { say } from "./words.js";

const callbacks = [];
let boxes = 0;

// Calls back with the document now, and with each fold when what is in it is built.
export function onBuilt(callback) {
  callbacks.push(callback);
  callback(document);
}

const kept = (fold) => fold.querySelector(":scope > :is(noscript, template)");
const folds = (there = document) => [...there.querySelectorAll("details")].filter(kept);

function unpacked(text) {
  const made = document.createElement("template");
  made.innerHTML = text;
  return made.content;
}

export function build(fold) {
  const holder = kept(fold);
  if (!holder) return;
  const piece = holder.content ?? unpacked(holder.textContent);
  for (const inner of piece.querySelectorAll("details")) {
    if (inner.parentElement?.closest("details")) continue;
    const later = document.createElement("template");
    later.content.append(...[...inner.childNodes].filter((node) => node.nodeName !== "SUMMARY"));
    inner.append(later);
  }
  piece.querySelectorAll("pre > code").forEach(copied);
  holder.replaceWith(piece);
  callbacks.forEach((callback) => callback(fold));
}

// The theme gives a button to the code that stands on the page when it is loaded.
function copied(code) {
  const pre = code.parentElement, bar = document.createElement("nav");
  pre.id ||= `__folded_${++boxes}`;
  bar.className = "md-code__nav";
  bar.innerHTML = `<button class="md-code__button" title="${say("Copy to clipboard")}" data-clipboard-target="#${pre.id} > code" data-md-type="copy"></button>`;
  pre.prepend(bar);
}

function holds(fold, id) {
  const holder = kept(fold);
  return holder.content ? holder.content.querySelector(`[id="${CSS.escape(id)}"]`) : holder.textContent.includes(`id="${id}"`);
}

// The element of that name, built where it was folded away.
export function find(id) {
  for (;;) {
    const there = document.getElementById(id);
    const fold = there ? null : folds().find((each) => holds(each, id));
    if (!fold) return there;
    build(fold);
  }
}

export function open(there) {
  for (let fold = there.closest("details"); fold; fold = fold.parentElement.closest("details")) {
    build(fold);
    fold.open = true;
  }
}

function reveal() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id || document.getElementById(id)?.checkVisibility()) return; // the browser has found it
  const there = find(id);
  if (!there) return;
  open(there);
  there.scrollIntoView();
}

function all(wanted) {
  for (let more = folds().filter(wanted); more.length; more = folds().filter(wanted)) more.forEach(build);
}

// Of what paper does not show, site.css has the list.
const shown = (fold) => !fold.matches(".code, .source, .verdicts, .cases, .slips, .try, .mkdocstrings-source");
let opened = [];

addEventListener("beforeprint", () => {
  all(shown);
  opened = [...document.querySelectorAll(".md-content details:not([open])")].filter(shown);
  for (const fold of opened) fold.open = true;
});
addEventListener("afterprint", () => opened.forEach((fold) => (fold.open = false)));
addEventListener("keydown", (event) => {
  if (event.key === "F3" || (event.key.toLowerCase() === "f" && (event.ctrlKey || event.metaKey))) all(() => true);
});
addEventListener("toggle", (event) => event.target.open && build(event.target), true); // it does not bubble
addEventListener("hashchange", reveal);
addEventListener("DOMContentLoaded", () => { // when all who want to be called back have said so
  document.querySelectorAll("details[open]").forEach(build);
  reveal();
});
