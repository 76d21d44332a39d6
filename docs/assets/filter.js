// A search box above a table: rows that do not contain what is typed are hidden.
import { say } from "./words.js";

for (const box of document.querySelectorAll("input[data-filter]")) {
  const rows = [...document.querySelectorAll(`#${box.dataset.filter} tbody tr`)];
  const said = box.closest(".filter").querySelector("output");
  const show = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
    }
    said.textContent = words.length ? say("<x1/> of <x2/>", rows.filter(row => !row.hidden).length, rows.length) : "";
  };
  box.closest(".filter").hidden = false;
  box.addEventListener("input", show);
  show();
}
