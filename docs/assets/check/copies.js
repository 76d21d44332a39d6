// What the reader made of a text, kept in this browser. Two tabs that show one copy follow each other; where they went
// different ways, each goes on in a copy of its own, and none is lost.

export const storage = (() => { try { return localStorage; } catch { return null; } })(); // it may be forbidden

export class Copies {
  // `brought` is a text from elsewhere, which becomes a copy of its own when it is changed.
  constructor(name, exercise, brought = null) {
    this.key = `genmath:${exercise ?? location.pathname}${name ? `#${name}` : ""}`;
    this.place = brought === null ? this.all()[0] ?? this.key : this.free();
    this.known = this.stored(); // what this tab last wrote or showed
  }

  stored() {
    return storage?.getItem(this.place) ?? null;
  }

  // Tells `changed(text)` when another tab went on from this copy, `parted()` when it went another way.
  watch(changed, parted) {
    this.parted = parted;
    addEventListener("storage", ({ key, oldValue, newValue }) => {
      if (key !== this.place || newValue === this.known || newValue === null) return;
      if (oldValue !== this.known) return this.keep(this.known);
      this.known = newValue;
      changed(newValue);
    });
  }

  keep(text) {
    const there = this.stored();
    if (there !== null && there !== this.known) {
      this.place = this.free();
      this.parted();
    }
    this.known = text;
    try { storage?.setItem(this.place, text); } catch { /* it is full */ }
  }

  forget() {
    this.known = null;
    storage?.removeItem(this.place);
  }

  // The next copy, which is shown from now on; this one stays.
  next() {
    const all = this.all();
    this.place = all[(all.indexOf(this.place) + 1) % all.length];
    return (this.known = this.stored());
  }

  others() {
    return this.all().filter((place) => place !== this.place).length;
  }

  all() {
    return Object.keys(storage ?? {}).filter((key) => key === this.key || key.startsWith(`${this.key}~`)).sort();
  }

  free() {
    return `${this.key}~${Math.random().toString(36).slice(2)}`; // two tabs may look at once
  }
}

// The text that the address of the page brings for this editor, or null.
export function fromLink(name) {
  const brought = new URLSearchParams(location.hash.slice(1));
  return brought.get("edit") === name ? brought.get("text") : null;
}
