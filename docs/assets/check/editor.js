// An editor: a text, its buttons, and what the checker said of it.
import { Copies, fromLink } from "./copies.js";
import { ask, end, isReady, rehearse, wake } from "./checker.js";
import { field, mark } from "./field.js";
import { element, faults, outcome, summary } from "./outcome.js";
import { say } from "../words.js";

export function editor(original, name, exercise) {
  const which = name || exercise || "";
  const brought = fromLink(which);
  const copies = new Copies(name, exercise, brought);
  const written = field(brought ?? copies.known ?? original, Math.min(24, original.split("\n").length));
  const area = Object.assign(written.textarea, { id: `cell-${which || "yours"}` });
  const label = element("label", { htmlFor: area.id, textContent: name ? say("Your copy of <x1/>", name) : exercise ? say("Your answer to <x1/>", exercise) : say("Your derivation") });
  const button = (textContent, more) => element("button", { type: "button", className: "md-button", textContent, ...more });
  const check = button(say("Check"), { className: "md-button md-button--primary" });
  const stop = button(say("Stop"), { disabled: true });
  const again = button(say("Start over"));
  const share = button(say("Copy link"));
  const other = button(say("Other copy"));
  const status = element("p", {
    className: "said", role: "status",
    textContent: brought === null ? "" : say("From a link. Nothing of it has run: Check runs it."),
  });
  const verdict = element("div", { className: "found" });
  const keys = element("p", {
    className: "keys", id: `${area.id}-keys`,
    textContent: say("Ctrl+Enter checks. Tab indents; to leave with it, press Esc first."),
  });
  area.setAttribute("aria-describedby", keys.id);

  async function run() {
    if (check.disabled) return;
    check.disabled = true;
    stop.disabled = false;
    verdict.replaceChildren();
    mark(written, []);
    status.textContent = isReady() ? say("Checking …") : say("Loading the checker, about 22 MB the first time …");
    const began = performance.now();
    try {
      const said = await ask({ cell: area.value, name, exercise });
      const seconds = ((performance.now() - began) / 1000).toFixed(2);
      status.textContent = said.error ? say("Not checked: <x1/>", said.error.split("\n")[0]) : summary(said, seconds);
      verdict.replaceChildren(...outcome(said));
      mark(written, faults(said));
    } catch (error) {
      status.textContent = error.message;
    }
    check.disabled = false;
    stop.disabled = true;
  }

  // Another text, and nothing said of it.
  function show(text, words) {
    if (!stop.disabled) end(""); // its verdicts would stand under another text
    written.setOptions({ value: text });
    mark(written, []);
    status.textContent = words;
    verdict.replaceChildren();
    other.hidden = !copies.others();
  }

  check.onclick = run;
  stop.onclick = () => {
    end(say("Stopped. The next check starts a fresh checker."));
    check.disabled = false; // or it cannot take the focus, and the keyboard is lost
    check.focus();
  };
  again.onclick = () => {
    copies.forget();
    show(original, "");
    area.focus();
  };
  other.onclick = () => show(copies.next(), say("Another copy of yours; both are kept."));
  share.onclick = async () => {
    const link = new URL(location.href);
    link.hash = new URLSearchParams({ edit: which, text: area.value });
    try {
      await navigator.clipboard.writeText(link.href);
      status.textContent = say("The link is copied; it shows this text and runs nothing.");
    } catch {
      history.replaceState(null, "", link); // where the clipboard is forbidden
      status.textContent = say("The address of this page is now the link.");
    }
  };
  copies.watch(
    (text) => show(text, say("Changed in another tab, and here.")),
    () => {
      status.textContent = say("Another tab changed this text as well. Both are kept; here you go on with yours.");
      other.hidden = false;
    },
  );
  other.hidden = !copies.others();
  area.oninput = () => {
    mark(written, []); // they would stand at other lines
    copies.keep(area.value);
  };
  area.onfocus = () => rehearse({ name, exercise });
  area.onkeydown = manners(run);
  const whole = element("div", { className: "editor" }, label, written.container, keys,
    element("div", { className: "buttons" }, check, stop, again, share, other), status, verdict);
  whole.addEventListener("focusin", wake);
  whole.addEventListener("pointerenter", wake);
  return whole;
}

function manners(run) {
  let leaving = false;
  return (event) => {
    const area = event.target;
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    } else if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      document.execCommand("insertText", false, "    "); // unlike setting the value, this can be undone
    } else if (event.key === "Enter") {
      event.preventDefault();
      const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
      document.execCommand("insertText", false, "\n" + line.match(/^ */)[0]);
    }
    leaving = event.key === "Escape";
  };
}
