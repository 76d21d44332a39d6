// Where the editors of a page go.
import { build, open } from "../folds.js";
import { rehearse, wakeWhenIdle } from "./checker.js";
import { Copies, fromLink } from "./copies.js";
import { element } from "./outcome.js";
import { say } from "../words.js";

const typed = (source) => source.querySelector("pre code").textContent.trimEnd() + "\n";
// The editor comes when one is wanted: a chapter is read without.
async function put(where, source, name, exercise) {
  try {
    const { editor } = await import("./editor.js");
    const made = editor(typed(source), name, exercise);
    if (where === source) source.replaceWith(made);
    else where.append(made);
  } catch (error) {
    where.append(element("p", { className: "said", role: "status", textContent: say("The editor could not be loaded: <x1/>", error.message) }));
  }
}

let first = true;

export function furnish(place) {
  const { check: name, exercise } = place.dataset;
  if (first) wakeWhenIdle({ name, exercise });
  first = false;
  const source = place.querySelector(name ? "details.source" : ".highlight");
  if (!name) return put(source, source, name, exercise);
  const fold = element("details", { className: "try" },
    element("summary", { textContent: say("Check it yourself: change a sign, and see"), onclick: () => rehearse({ name }) }));
  fold.addEventListener("toggle", () => {
    build(source);
    put(fold, source, name);
  }, { once: true });
  source.after(fold);
  if (fromLink(name) !== null) {
    open(fold);
    place.scrollIntoView();
  } else fold.open = new Copies(name).known !== null;
}
