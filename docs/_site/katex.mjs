// Typesets a list of formulas: JSON [{tex, display}] on stdin, JSON [html] on stdout.
// An unknown command is an error, never red ink on the page.
import { readFileSync } from "node:fs";
import katex from "katex";

const formulas = JSON.parse(readFileSync(0, "utf8"));
const typeset = formulas.map(({ tex, display }) => {
  try {
    return katex.renderToString(tex, {
      displayMode: display,
      output: "htmlAndMathml",
      strict: "error",
      throwOnError: true,
    });
  } catch (error) {
    console.error(`${error.message}\nin: ${tex}`);
    process.exit(1);
  }
});
process.stdout.write(JSON.stringify(typeset));
