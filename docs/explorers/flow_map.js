import { clamp, explorer, panel, text, uniforms } from "./explorer.js";
import * as compiled from "./flow_map.functions.js";

const EDGE = 2.6, SHOWN = 21, COUNT = 300, TIMES = 48;

// Weights, means and deviations of the data.
const SETS = {
  two: [[0.4, -1.5, 0.25], [0.6, 1, 0.25]],
  three: [[0.3, -1.7, 0.18], [0.4, 0, 0.18], [0.3, 1.7, 0.18]],
  normal: [[1, 0.4, 0.45]],
};
const slope = { alpha_prime: () => -1, sigma_prime: () => 1, alpha: t => 1 - t, sigma: t => t };

// --- the law at a time, its velocity, and the point with so much mass to its left

const parts = (data, t) => data.map(([w, m, d]) => ({ w, m, c: d * d, at: (1 - t) * m, spread: Math.hypot((1 - t) * d, t) }));

function velocity(data, x, t) {
  const all = parts(data, t), logs = all.map(p => Math.log(p.w) + compiled.log_density({ x, m: p.at, spread: p.spread })), top = Math.max(...logs);
  let sum = 0, whole = 0;
  all.forEach((p, k) => {
    const share = Math.exp(logs[k] - top);
    whole += share;
    sum += share * compiled.velocity({ x, t, m: p.m, c: p.c, ...slope });
  });
  return sum / whole;
}

const massOf = (all, x) => all.reduce((sum, p) => sum + p.w * compiled.mass({ x, m: p.at, spread: p.spread }), 0);

function quantile(data, mass, t) {
  const all = parts(data, t);
  let low = -9, high = 9;
  for (let k = 0; k < 44; k++) {
    const middle = (low + high) / 2;
    if (massOf(all, middle) < mass) low = middle; else high = middle;
  }
  return (low + high) / 2;
}

const normal = mass => quantile([[1, 0, 1]], mass, 1);
const level = x => compiled.mass({ x, m: 0, spread: 1 });

// A flow: where the path of a noise z is at a time; which noise a place has; the velocity there.
const FLOWS = {
  curved: data => ({
    place: (z, t) => t === 1 ? z : quantile(data, level(z), t),
    noise: (x, t) => normal(massOf(parts(data, t), x)),
    velocity: (x, t) => velocity(data, x, t),
  }),
  // Each noise is joined with its own end: a table, read between its entries.
  straight: data => {
    const fine = 0.01, most = 5, zs = Array.from({ length: 2 * most / fine + 1 }, (_, i) => i * fine - most);
    const ends = zs.map(z => quantile(data, level(z), 0)), way = (i, t) => (1 - t) * ends[i] + t * zs[i];
    const place = (z, t) => {
      const at = clamp((z + most) / fine, 0, zs.length - 1.001), i = Math.floor(at);
      return way(i, t) + (at - i) * (way(i + 1, t) - way(i, t));
    };
    const noise = (x, t) => {
      let low = 0, high = zs.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (way(middle, t) < x) low = middle; else high = middle;
      }
      return zs[low] + fine * clamp((x - way(low, t)) / (way(high, t) - way(low, t)), 0, 1);
    };
    return { place, noise, velocity: (x, t) => { const z = noise(x, t); return z - place(z, 0); } };
  },
};

// --- samplers: all places of one sample, from its noise

function way(flow, { steps, sampler }, z, draw) {
  const points = [[1, flow.place(z, 1)]];
  for (let k = 0; k < steps; k++) {
    const t = 1 - k / steps, s = k === steps - 1 ? 0 : 1 - (k + 1) / steps, x = points.at(-1)[1];
    let m;
    if (sampler === "fresh") {
      if (k) points.push([t, (1 - t) * x + t * normal(draw())]);
      points.push([0, flow.place(flow.noise(points.at(-1)[1], t), 0)]);
      continue;
    }
    if (sampler === "map") m = compiled.mean_velocity({ x, Phi: flow.place(z, s), t, s });
    else {
      m = flow.velocity(x, t);
      if (sampler === "heun" && s > 0) m = (m + flow.velocity(compiled.step({ x, t, s, m }), s)) / 2;
    }
    points.push([s, compiled.step({ x, t, s, m })]);
  }
  return points;
}

const EVEN = Array.from({ length: COUNT }, (_, i) => normal((i + 0.5) / COUNT));
let last = null;
function runOf(state) {
  const key = [state.steps, state.sampler, state.flow, state.data].join();
  if (last?.key === key) return last;
  const data = SETS[state.data], flow = FLOWS[state.flow](data), draw = uniforms(7);
  const shown = Array.from({ length: SHOWN }, (_, i) => -2.3 + 4.6 * i / (SHOWN - 1));
  const exact = shown.map(z => Array.from({ length: TIMES + 1 }, (_, k) => [1 - k / TIMES, flow.place(z, 1 - k / TIMES)]));
  const ways = shown.map(z => way(flow, state, z, draw)), goals = EVEN.map(z => flow.place(z, 0));
  const ends = EVEN.map(z => way(flow, state, z, draw).at(-1)[1]);
  let error = 0, w1 = 0;
  ends.forEach((e, i) => { error += Math.abs(e - goals[i]) / COUNT; });
  ends.sort((a, b) => a - b).forEach((e, i) => { w1 += Math.abs(e - goals[i]) / COUNT; });
  last = { key, data, flow, exact, ways, error, w1 };
  return last;
}

// --- the picture

function layout(width) {
  const height = Math.round(clamp(width * 0.55, 240, 380)), side = Math.round(width * 0.09);
  return { paths: panel([side, 12, width - side, height], [1, 0], [-EDGE, EDGE]), side, height: height + 26 };
}

export const figure = {
  picture(state, width) {
    const { paths, side, height } = layout(width), run = runOf(state), { flow, data } = run;
    const lines = (list, kind) => list.map(points => paths.curve(points, kind)).join("");
    const density = (t, left, sign) => {
      const all = parts(data, t), at = Array.from({ length: 121 }, (_, i) => -EDGE + 2 * EDGE * i / 120);
      const heights = at.map(x => all.reduce((sum, p) => sum + p.w * Math.exp(compiled.log_density({ x, m: p.at, spread: p.spread })), 0)), top = Math.max(...heights);
      return `M${left} ${paths.Y(-EDGE).toFixed(1)}` + at.map((x, i) => `L${(left + sign * 0.85 * side * heights[i] / top).toFixed(1)} ${paths.Y(x).toFixed(1)}`).join("") + `L${left} ${paths.Y(EDGE).toFixed(1)}Z`;
    };
    const t = state.t, s = Math.min(state.s, t - 0.02), x = flow.place(state.start, t), end = flow.place(state.start, s);
    const v = flow.velocity(x, t), u = compiled.mean_velocity({ x, Phi: end, t, s });
    const own = Array.from({ length: TIMES + 1 }, (_, k) => [1 - k / TIMES, flow.place(state.start, 1 - k / TIMES)]);
    const speeds = own.slice(1).map(([, y], k) => (own[k][1] - y) * TIMES), mean = speeds.reduce((a, b) => a + b) / TIMES;
    const bent = speeds.reduce((sum, a) => sum + (a - mean) ** 2, 0) / TIMES, ahead = Math.max(0, t - 0.25);
    const svg = `<path class="area orange" d="${density(1, side, -1)}"/><path class="area blue" d="${density(0, width - side, 1)}"/>` +
      lines(run.exact, "trail grey") + lines(run.ways, state.sampler === "fresh" ? "trail blue" : "thin blue") + paths.curve(own, "ink") +
      paths.curve([[t, x], [s, end]], "orange") + paths.curve([[t, x], [ahead, compiled.step({ x, t, s: ahead, m: v })]], "dashed green") +
      paths.handle("from", t, x, "ink") + paths.handle("to", s, end, "orange") + paths.axis([1, 0.5, 0], -EDGE, "t");
    const calls = state.steps * (state.sampler === "heun" ? 2 : 1) - (state.sampler === "heun" ? 1 : 0);
    const numbers = {
      calls: String(calls), error: state.sampler === "fresh" && state.steps > 1 ? "not asked" : text(run.error), w1: text(run.w1),
      v: text(v), u: text(u), bent: text(bent),
    };
    const said = `${calls} calls: mean distance from the exact end ${numbers.error}, W1 ${numbers.w1}. At time ${t.toFixed(2)} the velocity is ${numbers.v}, the mean velocity ${numbers.u}.`;
    return { svg, height, numbers, said };
  },

  drag(handle, [a, b], state, width) {
    const { paths } = layout(width), at = paths.x(a), x = paths.y(b);
    if (handle === "to") return { s: clamp(at, 0, state.t - 0.02) };
    const flow = FLOWS[state.flow](SETS[state.data]), t = clamp(at, 0.05, 1);
    return { t, start: clamp(flow.noise(x, t), -2.4, 2.4) };
  },

  actions: {
    *play(state) {
      const length = clamp(state.t - state.s, 0.05, 0.5);
      for (let frame = 0; frame <= 120; frame++) {
        const t = 1 - (1 - length) * frame / 120;
        yield { t, s: Math.max(0, t - length) };
      }
    },
  },
};

explorer("flow_map", figure);
