// The memory of a Python that has the checker and the book loaded, which the browser goes on from:
// node memory.mjs OUT LIBRARIES.zip GENMATH.zip
// OUT is compressed: the length of a JSON object, the object, which holds the text files of /genmath, and the memory.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { loadPyodide } from "pyodide";

const [out, libraries, ours] = process.argv.slice(2);
const python = await loadPyodide({ args: ["-X", "no_debug_ranges"], _makeSnapshot: true });
const bytes = (file) => new Uint8Array(readFileSync(file)); // Pyodide knows no Buffer
python.FS.writeFile("/libraries.zip", bytes(libraries));
python.unpackArchive(bytes(ours), "zip", { extractDir: "/genmath" });
const texts = python.runPython(`
import json, sys
from pathlib import Path
sys.dont_write_bytecode = True
sys.path += ["/libraries.zip", "/genmath"]
import in_page
in_page.prepare()
json.dumps({str(path): path.read_text("utf-8") for path in Path("/genmath").rglob("*.py")})
`);
python.FS.unlink("/libraries.zip");

const text = new TextEncoder().encode(texts);
const head = new Uint8Array(Math.ceil((4 + text.length) / 16) * 16).fill(0x20); // spaces; the memory begins at a whole word
new DataView(head.buffer).setUint32(0, head.length - 4, true);
head.set(text, 4);
writeFileSync(out, gzipSync(Buffer.concat([head, python.makeMemorySnapshot()])));
