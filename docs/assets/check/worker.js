// Checks cells with genmath.proof, away from the page, which may end this worker at any time.
// All of it comes from this site.
import "../katex/katex.min.js"; // sets self.katex
import { loadPyodide } from "../pyodide/pyodide.js";

const PYODIDE = new URL("../pyodide/", import.meta.url);

const unpacked = (answer) => answer.body.pipeThrough(new DecompressionStream("gzip"));

// Pyodide would wait for ever for a file that does not come; and its two largest are served compressed.
const PACKED = { "pyodide.asm.js": "text/javascript", "pyodide.asm.wasm": "application/wasm" };
const { fetch } = self;
self.fetch = async (what, ...how) => {
  try {
    const type = PACKED[String(what).split("/").at(-1)];
    const answer = await fetch(type ? `${what}.bin` : what, ...how);
    if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${answer.statusText}`);
    return type ? new Response(unpacked(answer), { headers: { "content-type": type } }) : answer;
  } catch (error) {
    postMessage({ dead: String(error) });
    throw error;
  }
};

// What Pyodide would import itself, if it were not compressed.
async function script() {
  const answer = await self.fetch(new URL("pyodide.asm.js", PYODIDE));
  await import(URL.createObjectURL(await answer.blob()));
}

// The memory that docs/_site/memory.mjs wrote, and the files that stood beside it.
async function memory() {
  const answer = await self.fetch(new URL("memory.bin", PYODIDE), { cache: "no-cache" }); // asks if it has changed
  const whole = new Uint8Array(await new Response(unpacked(answer)).arrayBuffer());
  const end = 4 + new DataView(whole.buffer).getUint32(0, true);
  return { files: JSON.parse(new TextDecoder().decode(whole.subarray(4, end))), bytes: whole.subarray(end) };
}

async function start() {
  const made = memory();
  await script();
  const python = await loadPyodide({ indexURL: PYODIDE.href, _loadSnapshot: made.then(({ bytes }) => bytes) });
  for (const [path, text] of Object.entries((await made).files)) {
    python.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    python.FS.writeFile(path, text);
  }
  self.fetch = fetch;
  return python.pyimport("in_page").check;
}

const maths = (tex) => self.katex.renderToString(tex, { output: "htmlAndMathml" });

function typeset(tex, text) {
  try {
    return maths(`\\displaystyle ${tex}`);
  } catch {
    return self.katex.renderToString(`\\texttt{${text.replace(/[\\{}$&#^_%~]/g, "\\$&")}}`, { throwOnError: false });
  }
}

// Reasons and problems, as the pages show them (docs/_site/rendering.py): text with `names` and $formulas$.
const SIGNS = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const safe = (text) => text.replace(/[&<>]/g, (sign) => SIGNS[sign]);

function sentence(text) {
  const shown = text.split(/(\$[^$]+\$)/).map((piece, at) => {
    if (at % 2 === 0) return safe(piece);
    try {
      return `<span class="math">${maths(piece.slice(1, -1))}</span>`;
    } catch {
      return safe(piece); // of the reader's own making
    }
  });
  return shown.join("").replace(/`([^`]+)`/g, "<code>$1</code>");
}

// What the checker is made of, with the rest of the libraries, which a cell may want later.
const parts = () => [
  import.meta.url, new URL("libraries.zip", PYODIDE).href, new URL("../katex/katex.min.js", import.meta.url).href,
  ...performance.getEntriesByType("resource").map(({ name }) => name),
];
const started = start();
started.then(() => postMessage({ parts: parts() }), (error) => postMessage({ dead: String(error) }));

onmessage = async ({ data: { id, cell, name, exercise } }) => {
  const check = await started;
  try {
    const said = JSON.parse(check(cell, name, exercise));
    for (const report of said.reports ?? []) {
      report.problems = [...report.problems, ...report.remarks].map(sentence);
      for (const step of report.steps) {
        step.by = sentence(step.by);
        step.left = typeset(step.lhs, step.lhs_text);
        step.right = typeset(step.rhs === "..." ? "\\dots" : step.rhs, step.rhs_text);
      }
    }
    postMessage({ id, said });
  } catch (error) {
    postMessage({ dead: String(error) }); // Python's own errors are in what it said; this is the end of it
  }
};
