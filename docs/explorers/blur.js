import { along, clamp, explorer, grid, panel, text } from "./explorer.js";
import * as compiled from "./blur.functions.js";

const EDGE = 3, ticks = [-2, -1, 0, 1, 2], CELLS = 60;

// Sums over data and codes: grids as wide as their densities, and as fine as the narrower of both.
function measures({ s, tau }) {
  const fine = wide => grid(-wide, wide, Math.ceil(2 * wide / (0.45 * Math.min(s, tau))));
  const line = fine(1 + 5 * s);
  return { x: line, x_1: line, z: fine(1 + 5 * Math.hypot(s, tau)) };
}

// The numbers do not depend on the code that is dragged.
let known = {};
function variances({ s, tau, share }) {
  const key = [s, tau, share].join();
  if (known.key !== key) {
    const whole = { s, tau, share, ...measures({ s, tau }) };
    known = { key, decoded: compiled.decoded(whole), whole: compiled.whole(whole), drawn: compiled.drawn(whole) };
  }
  return { whole: known.whole, decoded: known.decoded, lost: known.drawn / 2, drawn: known.drawn };
}

function panels(width) {
  const box = (top, bottom) => [8, top, width - 8, bottom];
  return { above: panel(box(30, 180), [-EDGE, EDGE], [0, 1.6]), below: panel(box(236, 376), [-EDGE, EDGE], [0, 1.6]) };
}

// How the conditional means of all codes are spread: a histogram of steps.
function histogram(state, mean) {
  const codes = grid(-1 - 5 * Math.hypot(state.s, state.tau), 1 + 5 * Math.hypot(state.s, state.tau), 1200);
  const mass = new Float64Array(CELLS), cell = 2 * EDGE / CELLS;
  for (const z of codes.at) {
    const at = Math.floor((mean(z) + EDGE) / cell);
    if (at >= 0 && at < CELLS) mass[at] += compiled.of_code({ ...state, z }) * codes.weight[0] / cell;
  }
  return Array.from(mass).flatMap((height, i) => [[-EDGE + i * cell, height], [-EDGE + (i + 1) * cell, height]]);
}

export const figure = {
  picture(state, width) {
    const { above, below } = panels(width), sums = measures(state);
    const mean = along(compiled.mean, { ...state, x_1: sums.x_1 }, "z"), m = mean(state.z);
    const numbers = Object.fromEntries(Object.entries({ ...variances(state), mean: m }).map(([k, v]) => [k, text(v)]));
    const data = along(compiled.density, state, "x"), sharing = along(compiled.sharing, state, "x");
    const svg = above.area(data, "blue") + above.line(data, "blue") + above.curve(histogram(state, mean), "orange") + above.axis(ticks) +
      `<text class="name" x="8" y="20"><tspan class="blue">data</tspan> and <tspan class="orange">what is decoded</tspan>${width > 400 ? ", the conditional means" : ""}</text>` +
      below.line(data, "grey thin") + below.area(sharing, "green") + below.line(sharing, "green") + below.axis(ticks) +
      below.curve([[m, 0], [m, 1.35]], "orange dashed") + below.label(m, 1.42, "m(z)", "orange", "middle") +
      `<text class="name" x="8" y="226"><tspan class="green">data with the code z</tspan>, and their mean</text>` +
      below.handle("z", clamp(state.z, -EDGE, EDGE), 0, "purple");
    const said = `Variance of the data ${numbers.whole}, of what is decoded ${numbers.decoded}; least squared error ${numbers.lost}, of a draw ${numbers.drawn}. The code ${text(state.z)} is decoded to ${numbers.mean}.`;
    return { svg, height: 402, numbers, said };
  },

  drag(handle, [u], state, width) {
    return { z: clamp(panels(width).below.x(u), -2.5, 2.5) };
  },

  actions: {
    *spread(state) {
      for (let tau = Math.max(0.2, state.tau); tau < 2.5; tau += 0.03) yield { tau: Math.min(2.5, tau + 0.03) };
    },
  },
};

explorer("blur", figure);
