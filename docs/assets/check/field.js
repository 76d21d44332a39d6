// What the reader writes in: the browser's own text field, over its lines in colour. The field is what a screen reader
// reads and what is typed in, selected and copied; the lines are for the eye alone.
import { createEditor } from "../prism/index.js";
import "../prism/prism/languages/python.js";

const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("../prism/layout.css", import.meta.url) });
await new Promise((laid) => {
  style.onload = style.onerror = laid;
  document.head.append(style);
});

export function field(value, rows) {
  const made = createEditor(null, { language: "python", tabSize: 4, value });
  made.container.style.setProperty("--rows", rows);
  delete made.keyCommandMap.Escape; // it would take the focus away
  return made;
}

// Colours lines by their numbers, and no others.
export function mark({ container, lines }, marks) {
  container.querySelectorAll("[data-mark]").forEach((line) => delete line.dataset.mark);
  for (const [number, colour] of marks) if (lines[number]) lines[number].dataset.mark = colour;
}
