// Where the editors of a page go.
import { build, open } from "../folds.js";
import { wake } from "./checker.js";
import { Copies, fromLink } from "./copies.js";
import { editor } from "./editor.js";
import { element } from "./outcome.js";

const typed = (source) => source.querySelector("pre code").textContent.trimEnd() + "\n";

export function furnish(place) {
  const { check: name, exercise } = place.dataset;
  const source = place.querySelector(name ? "details.source" : ".highlight");
  if (!name) return source.replaceWith(editor(typed(source), name, exercise));
  const fold = element("details", { className: "try" },
    element("summary", { textContent: "Check it yourself: change a sign, and see", onclick: wake }));
  fold.addEventListener("toggle", () => {
    build(source);
    fold.append(editor(typed(source), name));
  }, { once: true });
  source.after(fold);
  if (fromLink(name) !== null) {
    open(fold);
    place.scrollIntoView();
  } else fold.open = new Copies(name).known !== null;
}
