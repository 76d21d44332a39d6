// The sliders of the laboratories: show one frame of a figure, and say which.
for (const figure of document.querySelectorAll("figure.slider")) {
  const range = figure.querySelector("input[type=range]");
  const output = figure.querySelector("output");
  const frames = [...figure.querySelectorAll("[data-frame]")];
  const show = () => {
    for (const frame of frames) frame.toggleAttribute("hidden", frame.dataset.frame !== range.value);
    const shown = frames.find((frame) => frame.dataset.frame === range.value);
    if (output && shown) output.textContent = shown.dataset.label;
  };
  range.addEventListener("input", show);
  show();
}
