// What the checker said, as elements of the page. Its verdicts and reasons are the program's own words, in any language.
import { say } from "../words.js";

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const SIGN = { "=": "=", ">=": "≥", "<=": "≤", ">": ">", "<": "<" };

export function summary({ reports, exercise, solved }, seconds) {
  const steps = reports.flatMap((report) => report.steps);
  const counts = ["proved", "refuted", "open", "missing", "timeout"].map((verdict) => [steps.filter((s) => s.verdict === verdict).length, verdict]);
  const counted = counts.filter(([count]) => count).map(([count, verdict]) => `${count} ${verdict}`).join(", ");
  const labels = [...new Set(reports.map((report) => report.label))].join("; ");
  const word = exercise ? solved ? say("<x1/>: solved", exercise) : say("<x1/>: not solved yet", exercise)
    : reports.every((report) => report.ok) ? say("As claimed: <x1/>", labels) : say("Not as claimed");
  const number = steps.length === 1 ? say("1 step") : say("<x1/> steps", steps.length);
  return `${word}. ${number}: ${counted || say("none")}. ${say("<x1/> s", seconds)}.`;
}

const colour = (step) => ({ proved: "right", open: "open" })[step.verdict] ?? "wrong";

// The lines of the cell at which something is not right: [number, colour].
export function faults({ reports = [], error }) {
  const at = error?.match(/^line (\d+)/);
  const steps = reports.flatMap((report) => report.steps).filter((step) => step.verdict !== "proved");
  return [...(at ? [[Number(at[1]), "wrong"]] : []), ...steps.map((step) => [step.line, colour(step)])];
}

export function outcome({ reports = [], error, printed }) {
  const shown = reports.flatMap((report) => [
    ...(reports.length > 1 ? [element("p", { className: "part", textContent: report.title })] : []),
    element("div", { className: "lines" }, ...lines(report.steps)),
    ...report.problems.map((problem) => element("p", { className: "problem", innerHTML: problem })),
    ...(report.assumed.length ? [element("p", { className: "assumed", textContent: say("Assuming: <x1/>.", report.assumed.join("; ")) })] : []),
  ]);
  if (error) shown.push(scrolling(error, "trouble"));
  if (printed) shown.push(element("p", { className: "part", textContent: say("It printed") }), scrolling(printed, "printed"));
  return shown;
}

function lines(steps) {
  return steps.flatMap((step, at) => {
    const goesOn = at && steps[at - 1].rhs === step.lhs;
    const which = Object.entries(step.case).map(([letter, value]) => `${letter} = ${value}`).join(", ");
    const where = step.verdict === "proved" || !step.line ? "" : say("line <x1/>:", step.line);
    const why = step.why.length ? [element("div", { className: "verdict" }, scrolling(step.why.join("\n"), "why"))] : [];
    return [
      ...(goesOn ? [] : [element("div", { className: "line start" }, formula(step.left))]),
      element("div", { className: "line" },
        element("span", { className: "sign", textContent: SIGN[step.relation] }), formula(step.right),
        element("span", { className: "by" }, element("span", { className: `tag ${colour(step)}`, textContent: step.verdict }),
          ` ${where} `, element("span", { innerHTML: step.by }), which && ` (${which})`), ...why),
    ];
  });
}

const formula = (html) => element("div", { className: "formula", tabIndex: 0, innerHTML: html });
const scrolling = (text, className) => element("pre", { className, tabIndex: 0 }, element("code", { textContent: text }));
