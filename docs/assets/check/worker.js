// Checks cells with genmath.proof, away from the page, which may end this worker at any time.
// All of it comes from this site.
import "../katex/katex.min.js"; // sets self.katex
import { loadPyodide } from "../pyodide/pyodide.js";

const PYODIDE = new URL("../pyodide/", import.meta.url);

async function archive(name) {
  const answer = await fetch(new URL(name, PYODIDE), { cache: "no-cache" }); // asks if it has changed
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function start() {
  const [python, libraries, ours] = await Promise.all([
    loadPyodide({ indexURL: PYODIDE.href }),
    archive("libraries.zip"),
    archive("genmath.zip"),
  ]);
  python.FS.writeFile("/libraries.zip", libraries);
  python.unpackArchive(ours, "zip", { extractDir: "/genmath" });
  python.runPython(`import sys; sys.path += ["/libraries.zip", "/genmath"]`);
  return python.pyimport("in_page").check;
}

function typeset(tex, text) {
  try {
    return self.katex.renderToString(`\\displaystyle ${tex}`, { output: "htmlAndMathml" });
  } catch {
    return self.katex.renderToString(`\\texttt{${text.replace(/[\\{}$&#^_%~]/g, "\\$&")}}`, { throwOnError: false });
  }
}

const started = start();
started.then(() => postMessage({ ready: true }), (error) => postMessage({ dead: String(error) }));

onmessage = async ({ data: { id, cell, name } }) => {
  const check = await started;
  try {
    const said = JSON.parse(check(cell, name));
    for (const step of (said.reports ?? []).flatMap((report) => report.steps)) {
      step.left = typeset(step.lhs, step.lhs_text);
      step.right = typeset(step.rhs === "..." ? "\\dots" : step.rhs, step.rhs_text);
    }
    postMessage({ id, said });
  } catch (error) {
    postMessage({ dead: String(error) }); // Python's own errors are in what it said; this is the end of it
  }
};
