// The LaTeX of a derivation, by a button under its source; what is selected and copied is LaTeX by KaTeX's own copy-tex.
import { build, onBuilt } from "./folds.js";
import { say } from "./words.js";

const tex = (place) => place.querySelector("annotation").textContent.replace(/^\\displaystyle /, "");
function source(chain) {
  const [start, ...lines] = chain.querySelectorAll(".line");
  const rows = lines.map((line) => `  & ${line.querySelector(".sign").dataset.tex} ${tex(line.querySelector(".formula"))}`);
  return ["\\begin{aligned}", [`  & ${tex(start)}`, ...rows].join(" \\\\\n"), "\\end{aligned}"].join("\n");
}
onBuilt((piece) => {
  if (!piece.matches?.("details.source")) return;
  const button = Object.assign(document.createElement("button"), { className: "md-button", type: "button", textContent: say("Copy as LaTeX") });
  button.addEventListener("click", async () => {
    const derivation = piece.closest("section.derivation");
    derivation.querySelectorAll("details.cases").forEach(build);
    await navigator.clipboard.writeText([...derivation.querySelectorAll(".chain")].map(source).join("\n\n"));
    button.textContent = say("Copied");
    setTimeout(() => (button.textContent = say("Copy as LaTeX")), 2000);
  });
  const bar = Object.assign(document.createElement("p"), { className: "buttons" });
  bar.append(button);
  piece.append(bar);
});
