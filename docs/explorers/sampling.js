import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./sampling.functions.js";

const N = [0, 1, 2, 3, 4, 5, 6, 7];
const letters = { at: N, weight: N.map(() => 1), log: N.map(() => 0) };
const logits = state => N.map(i => state[`l_${i + 1}`]);

function softmax(scores) {
  const top = Math.max(...scores), weights = scores.map(s => Math.exp(s - top));
  const all = weights.reduce((sum, w) => sum + w, 0);
  return weights.map(w => w / all);
}

// First the temperature, then the k most probable, then the fewest of these that have the mass.
function drawn(state) {
  const warm = softmax(logits(state).map(l => l / state.tau));
  const order = N.slice().sort((i, j) => warm[j] - warm[i] || i - j).slice(0, Math.round(state.k));
  const few = order.reduce((sum, i) => sum + warm[i], 0), kept = [];
  let before = 0;
  for (const i of order) {
    if (before < state.m - 1e-12 || !kept.length) kept.push(i);
    before += warm[i] / few;
  }
  const mass = kept.reduce((sum, i) => sum + warm[i], 0);
  return { r: N.map(i => kept.includes(i) ? warm[i] / mass : 0), kept, mass };
}

const bars = width => panel([8, 20, width - 8, 250], [-0.6, 7.6], [0, 1]);
const dials = width => panel([8, 300, width - 8, 390], [-0.6, 7.6], [-4, 4]);

export const figure = {
  picture(state, width) {
    const view = bars(width), dial = dials(width), p = softmax(logits(state)), { r, kept, mass } = drawn(state);
    const all = { ...state, x: letters, p: i => p[i], r: i => r[i] };
    const half = (view.X(1) - view.X(0)) * 0.36;
    const filled = N.map(i => `<rect class="dot orange" fill-opacity=".6" x="${(view.X(i) - half).toFixed(1)}" width="${(2 * half).toFixed(1)}" y="${view.Y(r[i]).toFixed(1)}" height="${(view.Y(0) - view.Y(r[i])).toFixed(1)}"/>`);
    const outline = N.map(i => view.curve([[i - 0.42, 0], [i - 0.42, p[i]], [i + 0.42, p[i]], [i + 0.42, 0]], "blue thin"));
    const shown = N.map(i => `<text x="${view.X(i).toFixed(1)}" y="${(view.Y(Math.max(r[i], p[i])) - 6).toFixed(1)}" text-anchor="middle">${r[i] ? r[i].toFixed(2) : "–"}</text>`);
    const svg = filled.join("") + outline.join("") + shown.join("") + view.axis([], 0) +
      `<text class="name" x="${width - 8}" y="16" text-anchor="end"><tspan class="blue">model: outline</tspan>, <tspan class="orange">drawn: filled</tspan></text>` +
      `<text class="name" x="8" y="284">logits</text>` + dial.axis([], 0) +
      N.map(i => dial.curve([[i, 0], [i, state[`l_${i + 1}`]]], "blue thin") + dial.handle(`l_${i + 1}`, i, state[`l_${i + 1}`], "blue", "↕")).join("");
    const numbers = { kept: String(kept.length), mass: text(mass) };
    for (const name of ["entropy", "price", "shift", "objective", "most"]) numbers[name] = text(compiled[name](all));
    const said = `${numbers.kept} letters are kept, with a mass of ${numbers.mass}. The entropy of what is drawn is ${numbers.entropy}, its divergence from the model ${numbers.price}.`;
    return { svg, height: 404, numbers, said };
  },

  drag(handle, [, v], state, width) {
    return { [handle]: clamp(dials(width).y(v), -4, 4) };
  },

  actions: {
    *cold(state) {
      for (let k = 1; k <= 60; k++) yield { tau: Math.max(0.1, state.tau + (0.1 - state.tau) * k / 60) };
    },
  },
};

explorer("sampling", figure);
