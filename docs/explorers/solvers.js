import { explorer, panel } from "./explorer.js";
import * as compiled from "./solvers.functions.js";

const HIGH = 10, LOW = 0.02, SHOWN = 9, ASKED = 24, COUNTS = [3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 28, 34, 40];
const COLORS = { ddim: "grey", heun: "purple", two: "orange", unipc: "green" };
const NAMES = { ddim: "DDIM", heun: "Heun", two: "2M", unipc: "UniPC" };

// --- data of two equal peaks, and what is known of them at each level

const peaks = state => [-state.gap / 2, state.gap / 2];
const at = (state, sigma) => ({ alpha: 1, sigma, sigma_d: state.width });

function guess(state, x, sigma) {
  const level = at(state, sigma), logs = peaks(state).map(m => compiled.log_part({ ...level, x, m })), top = Math.max(...logs);
  const skip = compiled.skip(level);
  let all = 0, sum = 0;
  peaks(state).forEach((m, i) => {
    const weight = Math.exp(logs[i] - top);
    all += weight;
    sum += weight * (m + skip * (x - m));
  });
  return sum / all + state.wave * Math.sin(3 * x);
}

const share = (state, x, sigma) => peaks(state).reduce((sum, m) => sum + compiled.share({ ...at(state, sigma), x, m }) / 2, 0);

// The exact flow on the line keeps every quantile.
function quantile(state, wanted, sigma) {
  let low = -60, high = 60;
  for (let i = 0; i < 46; i++) {
    const middle = (low + high) / 2;
    if (share(state, middle, sigma) > wanted) high = middle; else low = middle;
  }
  return (low + high) / 2;
}

// --- solvers: the places of one sample at all levels

function levels(n, rho) {
  const A = HIGH ** (1 / rho), B = LOW ** (1 / rho);
  return [...Array.from({ length: n }, (_, i) => n < 2 ? HIGH : compiled.level({ u: i / (n - 1), A, B, rho })), 0];
}

function run(state, solver, n, x) {
  const heun = solver === "heun", steps = heun ? Math.max(1, Math.floor((n + 1) / 2)) : n, sigmas = levels(steps, state.rho), places = [x];
  const ask = (place, i) => guess(state, place, sigmas[i]), span = i => Math.log(sigmas[i] / sigmas[i + 1]);
  let before = 0, older = 0, corrected = x;
  for (let i = 0; i < steps; i++) {
    const now = ask(x, i), last = i === steps - 1;
    if (solver === "unipc" && i > 0) {
      const h = span(i - 1), scale = sigmas[i] / sigmas[i - 1];
      if (i === 1) corrected = scale * corrected - Math.expm1(-h) * (before + now) / 2;
      else {
        const r = span(i - 2) / h, w = ["w_s", "w_t", "w_u"].map(name => compiled[name]({ h, r }));
        corrected = scale * corrected + w[0] * now + w[1] * before + w[2] * older;
      }
    }
    const from = solver === "unipc" ? corrected : x;
    if (last) x = now;
    else if (heun) {
      const first = (x - now) / sigmas[i], trial = x + (sigmas[i + 1] - sigmas[i]) * first;
      const second = (trial - ask(trial, i + 1)) / sigmas[i + 1];
      x += (sigmas[i + 1] - sigmas[i]) * (first + second) / 2;
    } else {
      const line = solver !== "ddim" && i > 0;
      x = compiled.step({ x_t: from, D_t: now, D_u: line ? before : now, r: line ? span(i - 1) / span(i) : 1, alpha_s: 1, alpha_t: 1,
        sigma_s: sigmas[i + 1], sigma_t: sigmas[i] });
    }
    older = before;
    before = now;
    places.push(x);
  }
  return { sigmas, places };
}

// --- the error of each solver for each number of calls, kept while only the choice of curves changes

let kept = null;
function measured(state) {
  const { gap, width, wave, rho } = state, key = JSON.stringify([gap, width, wave, rho]);
  if (kept?.key === key) return kept;
  const shares = Array.from({ length: ASKED }, (_, i) => (i + 0.5) / ASKED);
  const starts = shares.map(u => quantile(state, u, HIGH)), ends = shares.map(u => quantile(state, u, 0));
  const error = (solver, n) => starts.reduce((sum, x, i) => sum + Math.abs(run(state, solver, n, x).places.at(-1) - ends[i]), 0) / ASKED;
  const curves = Object.fromEntries(Object.keys(NAMES).map(s => [s, COUNTS.map(n => [n, error(s, n)])]));
  kept = { key, starts, ends, shares, error, curves };
  return kept;
}

// --- the picture

const clock = sigma => Math.log(HIGH) - Math.log(Math.max(sigma, LOW / 3));
const END = clock(0);

function layout(width) {
  const high = width > 560 ? 250 : 220;
  return { way: panel([30, 12, width - 8, high], [0, END], [-2.1, 2.1]), plot: panel([52, high + 46, width - 76, high + 216], [Math.log(3), Math.log(40)], [Math.log(3e-4), Math.log(1)]), height: high + 246 };
}

const scaled = (x, sigma) => x / Math.hypot(1, sigma);  // so that noise and data fit one picture

export const figure = {
  picture(state, width) {
    const { way, plot, height } = layout(width), found = measured(state), n = Math.round(state.calls);
    const fine = Array.from({ length: 40 }, (_, i) => HIGH * (LOW / 3 / HIGH) ** (i / 39)), every = Math.floor(ASKED / SHOWN);
    let exact = "", solved = "", dots = "";
    for (let i = 1; i < ASKED; i += every) {
      exact += way.curve(fine.map(s => [clock(s), scaled(quantile(state, found.shares[i], s), s)]), "thin grey");
      const { sigmas, places } = run(state, state.solver, n, found.starts[i]);
      const points = places.map((x, k) => [clock(sigmas[k]), scaled(x, sigmas[k])]);
      solved += way.curve(points, COLORS[state.solver] === "grey" ? "blue" : COLORS[state.solver]);
      dots += points.filter(([, v]) => Math.abs(v) < 2.1).map(([u, v]) => `M${way.X(u).toFixed(1)} ${way.Y(v).toFixed(1)}h0`).join("");
    }
    const lines = Object.entries(found.curves).map(([s, curve]) => plot.curve(curve.map(([k, e]) => [Math.log(k), Math.log(Math.max(e, 3e-4))]), `${COLORS[s]}${s === state.solver ? "" : " thin"}`));
    // Names at the right, apart from one another.
    const ends = Object.entries(found.curves).map(([s, curve]) => [s, plot.Y(Math.log(Math.max(curve.at(-1)[1], 3e-4)))]).sort((a, b) => a[1] - b[1]);
    let floor = -Infinity;
    const names = ends.map(([s, y]) => {
      floor = Math.max(floor + 15, y + 4);
      return `<text class="name ${COLORS[s]}" x="${width - 70}" y="${floor.toFixed(1)}">${NAMES[s]}</text>`;
    });
    const errors = Object.fromEntries(Object.keys(NAMES).map(s => [s, found.error(s, n)])), place = Math.log(n);
    const ticks = [3, 5, 10, 20, 40].map(k => `<text x="${plot.X(Math.log(k)).toFixed(1)}" y="${height - 8}" text-anchor="middle">${k}</text>`);
    const marks = [0.001, 0.01, 0.1, 1].map(e => `<text x="46" y="${(plot.Y(Math.log(e)) + 4).toFixed(1)}" text-anchor="end">${e}</text>` + plot.curve([[Math.log(3), Math.log(e)], [Math.log(40), Math.log(e)]], "thin grey dashed"));
    const svg = exact + solved + `<path class="dots ink" d="${dots}"/>` + marks.join("") + lines.join("") + names.join("") + ticks.join("") +
      plot.curve([[place, Math.log(3e-4)], [place, 0]], "dashed ink thin") +
      `<text class="name" x="8" y="${height - 208}">distance from the exact flow, by calls</text>` +
      `<g class="handle ink" data-handle="calls" transform="translate(${plot.X(place).toFixed(1)} ${plot.Y(Math.log(3e-4)).toFixed(1)})"><circle class="reach" r="20"/><circle r="7"/></g>`;
    const numbers = Object.fromEntries(Object.entries(errors).map(([s, e]) => [s, e < 1e-5 ? "0" : e.toPrecision(3)]));
    numbers.steps = String(Math.max(1, Math.floor((n + 1) / 2)));
    const said = `With ${n} calls the mean distance from the exact flow is ${numbers.ddim} for DDIM, ${numbers.heun} for Heun, ${numbers.two} for 2M and ${numbers.unipc} for UniPC.`;
    return { svg, height, numbers, said };
  },

  drag(handle, [u], state, width) {
    const n = Math.round(Math.exp(layout(width).plot.x(u)));
    return { calls: Math.max(3, Math.min(40, n)) };
  },

  actions: {
    *more() {
      for (let frame = 0; frame <= 74; frame++) yield { calls: 3 + Math.floor(frame / 2) };
    },
  },
};

explorer("solvers", figure);
