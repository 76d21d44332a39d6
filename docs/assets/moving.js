// A slider inside .moving plays by itself until the reader touches it; not for those who want no motion.
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
for (const range of still ? [] : document.querySelectorAll(".moving figure.slider input[type=range]")) {
  let rest = 0;
  const playing = setInterval(() => {
    if (document.hidden || rest-- > 0) return;
    const last = Number(range.max);
    range.value = Number(range.value) >= last ? 0 : Number(range.value) + 1;
    if (Number(range.value) === last) rest = 20;
    range.dispatchEvent(new Event("input", { bubbles: true }));
  }, 140);
  for (const touch of ["pointerdown", "keydown", "focus"]) range.addEventListener(touch, () => clearInterval(playing));
}
