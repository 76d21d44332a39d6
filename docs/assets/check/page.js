// "Check it yourself": an editor for every element with data-check. Its value is the derivation that the cell
// stands in place of, vae.elbo; without one the cell is a file of its own, perhaps the answer to an exercise, which
// data-exercise names. The text to begin with is the code that the element shows, what the reader made of it before,
// or what a link brings. Nothing is loaded before the reader comes to an editor, and nothing else runs a cell than the
// reader's own key or click.

import { build, find, onBuilt, open } from "../folds.js";

// ---- the checker: a worker that starts when it is wanted, and can be ended at any time ----

const waiting = new Map(); // what is asked and not yet answered
let worker = null;
let ready = false; // it has loaded
let loaded = null; // a promise that it has
const LIMIT = 120; // seconds that a check may take, once the checker has loaded
let asked = 0;

function wake() {
  if (worker) return;
  worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  let arrived;
  loaded = new Promise((resolve) => (arrived = resolve));
  worker.onmessage = ({ data: { id, said, dead } }) => {
    ready = true;
    arrived();
    if (dead) return end(`The checker broke down: ${dead}`);
    waiting.get(id)?.resolve(said);
    waiting.delete(id);
  };
  worker.onerror = (event) => end(`The checker could not be started: ${event.message ?? "a file is missing"}`);
}

function end(why) {
  worker?.terminate();
  worker = null;
  ready = false;
  for (const { reject } of waiting.values()) reject(new Error(why));
  waiting.clear();
}

function ask(cell, name) {
  wake();
  const id = ++asked;
  const answered = new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, cell, name });
  });
  loaded.then(() => setTimeout(() => waiting.has(id) && end(`Stopped: no answer in ${LIMIT} seconds.`), LIMIT * 1000));
  return answered;
}

// ---- an editor ----

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function editor(original, name, exercise) {
  const key = keptAs(name, exercise);
  const kept = fromLink(name ?? "") ?? recall(key);
  const area = element("textarea", {
    id: `cell-${name || exercise || "yours"}`, value: kept ?? original, rows: Math.min(24, original.split("\n").length),
    wrap: "off", spellcheck: false, autocapitalize: "off", autocomplete: "off",
  });
  const label = element("label", { htmlFor: area.id, textContent: name ? `Your copy of ${name}` : exercise ? `Your answer to ${exercise}` : "Your derivation" });
  const check = element("button", { type: "button", className: "md-button md-button--primary", textContent: "Check" });
  const stop = element("button", { type: "button", className: "md-button", textContent: "Stop", disabled: true });
  const again = element("button", { type: "button", className: "md-button", textContent: "Start over" });
  const share = element("button", { type: "button", className: "md-button", textContent: "Copy link" });
  const status = element("p", {
    className: "said", role: "status",
    textContent: fromLink(name ?? "") === null ? "" : "From a link. Nothing of it has run: Check runs it.",
  });
  const verdict = element("div", { className: "found" });
  const keys = element("p", {
    className: "keys", id: `${area.id}-keys`,
    textContent: "Ctrl+Enter checks. Tab indents; to leave with it, press Esc first.",
  });
  area.setAttribute("aria-describedby", keys.id);

  async function run() {
    if (check.disabled) return;
    check.disabled = true;
    stop.disabled = false;
    verdict.replaceChildren();
    status.textContent = ready ? "Checking …" : "Loading the checker, about 20 MB the first time …";
    const began = performance.now();
    try {
      const said = await ask(area.value, name);
      const seconds = ((performance.now() - began) / 1000).toFixed(2);
      status.textContent = said.error ? `Not checked: ${said.error.split("\n")[0]}` : summary(said.reports, seconds);
      verdict.replaceChildren(...outcome(said));
    } catch (error) {
      status.textContent = error.message;
    }
    check.disabled = false;
    stop.disabled = true;
  }

  check.onclick = run;
  stop.onclick = () => {
    end("Stopped. The next check starts a fresh checker.");
    check.disabled = false; // or it cannot take the focus, and the keyboard is lost
    check.focus();
  };
  again.onclick = () => {
    if (!stop.disabled) end(""); // its verdicts would stand under another text
    area.value = original;
    status.textContent = "";
    verdict.replaceChildren();
    keep(key, null);
    area.focus();
  };
  share.onclick = async () => {
    const link = new URL(location.href);
    link.hash = new URLSearchParams({ edit: name ?? "", text: area.value });
    try {
      await navigator.clipboard.writeText(link.href);
      status.textContent = "The link is copied; it shows this text and runs nothing.";
    } catch {
      history.replaceState(null, "", link); // where the clipboard is forbidden
      status.textContent = "The address of this page is now the link.";
    }
  };
  area.oninput = () => keep(key, area.value);
  area.onkeydown = manners(run);
  const whole = element("div", { className: "editor" }, label, area, keys,
    element("div", { className: "buttons" }, check, stop, again, share), status, verdict);
  whole.addEventListener("focusin", wake);
  whole.addEventListener("pointerenter", wake);
  return whole;
}

function manners(run) {
  let leaving = false;
  return (event) => {
    const area = event.target;
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    } else if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      document.execCommand("insertText", false, "    "); // unlike setting the value, this can be undone
    } else if (event.key === "Enter") {
      event.preventDefault();
      const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
      document.execCommand("insertText", false, "\n" + line.match(/^ */)[0]);
    }
    leaving = event.key === "Escape";
  };
}

const keptAs = (name, exercise) => `genmath:${exercise ?? location.pathname}${name ? `#${name}` : ""}`;

// The text that the address of the page brings for this editor, or null.
function fromLink(name) {
  const brought = new URLSearchParams(location.hash.slice(1));
  return brought.get("edit") === name ? brought.get("text") : null;
}

function recall(key) {
  try { return localStorage.getItem(key); } catch { return null; } // storage may be forbidden
}

function keep(key, text) {
  try { text === null ? localStorage.removeItem(key) : localStorage.setItem(key, text); } catch { /* as above */ }
}

// ---- what the checker said ----

const SIGN = { "=": "=", ">=": "≥", "<=": "≤", ">": ">", "<": "<" };

function summary(reports, seconds) {
  const steps = reports.flatMap((report) => report.steps);
  const counts = ["proved", "refuted", "open", "missing", "timeout"].map((verdict) => [steps.filter((s) => s.verdict === verdict).length, verdict]);
  const counted = counts.filter(([count]) => count).map(([count, verdict]) => `${count} ${verdict}`).join(", ");
  const labels = [...new Set(reports.map((report) => report.label))].join("; ");
  const word = reports.every((report) => report.ok) ? `As claimed: ${labels}` : "Not as claimed";
  return `${word}. ${steps.length} step${steps.length === 1 ? "" : "s"}: ${counted}. ${seconds} s.`;
}

function outcome({ reports = [], error, printed }) {
  const shown = reports.flatMap((report) => [
    ...(reports.length > 1 ? [element("p", { className: "part", textContent: report.title })] : []),
    element("div", { className: "lines" }, ...lines(report.steps)),
    ...[...report.problems, ...report.remarks].map((problem) => element("p", { className: "problem", textContent: problem })),
    ...(report.assumed.length ? [element("p", { className: "assumed", textContent: `Assuming: ${report.assumed.join("; ")}.` })] : []),
  ]);
  if (error) shown.push(scrolling(error, "trouble"));
  if (printed) shown.push(element("p", { className: "part", textContent: "It printed" }), scrolling(printed, "printed"));
  return shown;
}

function lines(steps) {
  return steps.flatMap((step, at) => {
    const goesOn = at && steps[at - 1].rhs === step.lhs;
    const which = Object.entries(step.case).map(([letter, value]) => `${letter} = ${value}`).join(", ");
    const colour = { proved: "right", open: "open" }[step.verdict] ?? "wrong";
    const why = step.why.length ? [element("div", { className: "verdict" }, scrolling(step.why.join("\n"), "why"))] : [];
    return [
      ...(goesOn ? [] : [element("div", { className: "line start" }, formula(step.left))]),
      element("div", { className: "line" },
        element("span", { className: "sign", textContent: SIGN[step.relation] }), formula(step.right),
        element("span", { className: "by" }, element("span", { className: `tag ${colour}`, textContent: step.verdict }),
          ` ${step.by.replaceAll("`", "")}${which && ` (${which})`}`), ...why),
    ];
  });
}

const formula = (html) => element("div", { className: "formula", tabIndex: 0, innerHTML: html });
const scrolling = (text, className) => element("pre", { className, tabIndex: 0 }, element("code", { textContent: text }));

// ---- where they go ----

const typed = (source) => source.querySelector("pre code").textContent.trimEnd() + "\n";

function furnish(place) {
  const name = place.dataset.check;
  const source = place.querySelector(name ? "details.source" : ".highlight");
  if (!name) return source.replaceWith(editor(typed(source), name, place.dataset.exercise));
  const fold = element("details", { className: "try" },
    element("summary", { textContent: "Check it yourself: change a sign, and see" }));
  fold.addEventListener("toggle", () => {
    build(source);
    fold.append(editor(typed(source), name));
  }, { once: true });
  source.after(fold);
  if (fromLink(name) !== null) {
    open(fold);
    place.scrollIntoView();
  } else fold.open = recall(keptAs(name)) !== null;
}

onBuilt((piece) => piece.querySelectorAll("[data-check]").forEach(furnish));
const brought = new URLSearchParams(location.hash.slice(1)).get("edit");
if (brought) find(brought); // it may be folded away, and is furnished when it is built
