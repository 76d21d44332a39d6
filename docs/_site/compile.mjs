// Compiles Python packages by the very Python that will load them in the browser, and zips the result:
// node compile.mjs OUT.zip FOLDER..., where a folder is a package such as .../site-packages/sympy.
// From source the reader would wait for the compiler: sympy alone takes it five seconds.
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { loadPyodide } from "pyodide";

const [out, ...folders] = process.argv.slice(2);
const python = await loadPyodide();
for (const folder of folders) python.mountNodeFS(`/packages/${basename(folder)}`, folder);
python.runPython(`
from importlib._bootstrap_external import _code_to_timestamp_pyc
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

LEFT_OUT = {"tests", "benchmarks", "physics", "stats"}  # what no derivation can reach
with ZipFile("/out.zip", "w", ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(Path("/packages").rglob("*.py")):
        name = str(path.relative_to("/packages"))
        if not LEFT_OUT & set(path.parts):
            code = compile(path.read_bytes(), name, "exec", dont_inherit=True)
            archive.writestr(name + "c", _code_to_timestamp_pyc(code))
`);
writeFileSync(out, python.FS.readFile("/out.zip"));
