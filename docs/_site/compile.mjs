// Compiles Python packages by the very Python that will load them in the browser, and zips the result:
// node compile.mjs OUT.zip FOLDER..., where a folder is a package such as .../site-packages/sympy.
// From source the reader would wait for the compiler: sympy alone takes it five seconds. Docstrings are left out,
// which are a fifth of all; assertions stay.
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { loadPyodide } from "pyodide";

const [out, ...folders] = process.argv.slice(2);
const python = await loadPyodide({ args: ["-X", "no_debug_ranges"] });
for (const folder of folders) python.mountNodeFS(`/packages/${basename(folder)}`, folder);
python.runPython(`
import ast
from importlib._bootstrap_external import _code_to_timestamp_pyc
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

LEFT_OUT = {"tests", "benchmarks", "physics", "stats"}  # what no derivation can reach

def bare(source):
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body[0].value.value = ""
    return tree

with ZipFile("/out.zip", "w", ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(Path("/packages").rglob("*.py")):
        name = str(path.relative_to("/packages"))
        if not LEFT_OUT & set(path.parts):
            code = compile(bare(path.read_bytes()), name, "exec", dont_inherit=True)
            archive.writestr(name + "c", _code_to_timestamp_pyc(code))
`);
writeFileSync(out, python.FS.readFile("/out.zip"));
