import { clamp, descend, explorer, panel, text } from "./explorer.js";
import * as compiled from "./evaluation.functions.js";

const EDGE = 5, DATA = { mu_1: 0, sigma_1: 1 };
const bell = (mu, sigma) => x => Math.exp(-((x - mu) ** 2) / (2 * sigma ** 2)) / (sigma * Math.sqrt(2 * Math.PI));

// The mean kernel of two normal laws, by mean and deviation; a deviation near 0 is a point.
const kernel = (h, [mu_1, sigma_1], [mu_2, sigma_2]) => compiled.kernel({ h, mu_1, sigma_1, mu_2, sigma_2 });

function read(state) {
  const data = [0, 1], samples = [state.mu_2, state.sigma_2], k = (a, b) => kernel(state.h, a, b);
  const bias = 2 / state.N + compiled.spread({ n: state.N - 1, m: state.N - 1, sigma: 1 });
  return { frechet: compiled.frechet({ ...state, ...DATA }), bias, mmd: k(data, data) + k(samples, samples) - 2 * k(data, samples),
    gap: x => k([x, 1e-9], data) - k([x, 1e-9], samples) };
}

function panels(width) {
  const box = (top, bottom) => [8, top, width - 8, bottom];
  return { above: panel(box(10, 180), [-EDGE, EDGE], [0, 1]), middle: panel(box(222, 302), [-EDGE, EDGE], [-0.8, 0.8]), below: panel(box(336, 366), [0, 3], [0, 1]) };
}

export const figure = {
  picture(state, width) {
    const { above, middle, below } = panels(width), got = read(state), samples = bell(state.mu_2, state.sigma_2);
    const numbers = { frechet: text(got.frechet), bias: text(got.bias), mmd: text(got.mmd) };
    const mark = (value, kind) => `<circle class="dot ${kind}" r="6" cx="${below.X(clamp(value, 0, 3)).toFixed(1)}" cy="${below.Y(0.5)}"/>`;
    const svg = above.area(bell(0, 1), "blue") + above.line(bell(0, 1), "blue") + above.line(samples, "orange") + above.axis([-4, -2, 0, 2, 4]) +
      above.label(-1.2, 0.36, "data", "blue", "end") + above.label(state.mu_2, Math.min(0.93, samples(state.mu_2) + 0.1), "samples", "orange", "middle") +
      above.handle("mu_2", state.mu_2, samples(state.mu_2), "orange") +
      `<text class="name" x="8" y="216">data less samples, as the kernel sees it</text>` + middle.area(got.gap, "purple") + middle.line(got.gap, "purple") + middle.axis([], 0) +
      `<text class="name" x="8" y="330">Fréchet: <tspan class="orange">of the laws</tspan>, <tspan class="grey">of a perfect model</tspan></text>` +
      below.axis([0, 1, 2, 3], 0.5) + mark(got.bias, "grey") + mark(got.frechet, "orange");
    const said = `Fréchet distance ${numbers.frechet}, of a perfect model with ${state.N} points ${numbers.bias}. Squared MMD ${numbers.mmd}.`;
    return { svg, height: 384, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { above } = panels(width);
    return { mu_2: clamp(above.x(u), -3, 3), sigma_2: clamp(1 / (Math.max(0.05, above.y(v)) * Math.sqrt(2 * Math.PI)), 0.2, 3) };
  },

  actions: {
    *fit(state) {
      const cost = ([mu_2, sigma_2]) => read({ ...state, mu_2, sigma_2 }).mmd;
      for (const [mu_2, sigma_2] of descend(cost, [state.mu_2, state.sigma_2], [[-3, 3], [0.2, 3]])) yield { mu_2, sigma_2 };
    },
  },
};

explorer("evaluation", figure);
