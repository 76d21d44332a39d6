// What scrolls sideways is a stop of the Tab key, and nothing else is: most formulas fit.
import { onBuilt } from "./folds.js";

const WIDE = ".formula, .math-display, .scrolls, details pre > code";
function mark(box) {
  if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
}
const watched = new ResizeObserver((entries) => entries.forEach((entry) => mark(entry.target)));
onBuilt((piece) => piece.querySelectorAll(WIDE).forEach((box) => watched.observe(box)));
document.fonts?.ready.then(() => document.querySelectorAll(WIDE).forEach(mark));
