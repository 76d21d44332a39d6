import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./codebook.functions.js";

const EDGE = 3, KINDS = ["blue", "orange", "green", "purple", "grey", "ink"];
const read = words => { const v = words.split("_").map(p => Number(p) / 100); return Array.from({ length: v.length / 2 }, (_, i) => [v[2 * i], v[2 * i + 1]]); };
const write = places => places.flat().map(p => Math.round(100 * p)).join("_");
const distance = ([x, y], [a, b]) => compiled.distance({ x, y, a, b });
const nearest = (codes, at) => codes.reduce((best, code, k) => distance(at, code) < distance(at, codes[best]) ? k : best, 0);
const mean = places => [0, 1].map(i => places.reduce((sum, p) => sum + p[i], 0) / places.length);

function layout(width) {
  const side = Math.min(width, 460), left = (width - side) / 2;
  return { plane: panel([left, 6, left + side, 6 + side], [-EDGE, EDGE], [-EDGE, EDGE]), side, left };
}

// What the codes mean for the points: who chose which, and the error.
function look(codes, points) {
  const chosen = points.map(p => nearest(codes, p)), own = codes.map((_, k) => points.filter((_, i) => chosen[i] === k));
  const away = points.map((p, i) => distance(p, codes[chosen[i]]));
  return { codes, chosen, own, away, error: away.reduce((a, b) => a + b, 0) / points.length };
}

// After each batch, which is all points; before the first, a code counts as the even share.
function run(state) {
  const points = read(state.points), starts = read(state.starts).slice(0, state.codes), even = points.length / starts.length;
  let here = look(starts, points), counts = starts.map(() => even);
  const found = [here];
  for (let t = 0; t < state.steps; t++) {
    const { own, away } = here, far = points.map((_, i) => i).sort((i, j) => away[j] - away[i]);
    const codes = here.codes.map((code, k) => {
      const n = own[k].length, N_0 = counts[k];
      if (n === 0 && state.restart === "yes") {
        counts[k] = even;
        return points[far.shift()];
      }
      counts[k] = compiled.count({ N_0, n, gamma: state.gamma });
      if (n === 0) return code;
      const to = mean(own[k]);
      return code.map((e_0, i) => compiled.code({ N_0, n, gamma: state.gamma, e_0, m: to[i] }));
    });
    here = look(codes, points);
    found.push(here);
  }
  return { points, starts, found };
}

// The parts of the lines between two codes that no third one is nearer to.
function borders(codes, plane) {
  let d = "";
  for (let j = 1; j < codes.length; j++)
    for (let i = 0; i < j; i++) {
      const [a, b] = [codes[i], codes[j]], [u, v] = [a[1] - b[1], b[0] - a[0]], size = Math.hypot(u, v);
      if (size < 1e-9) continue;
      const at = s => [(a[0] + b[0]) / 2 + s * u / size, (a[1] + b[1]) / 2 + s * v / size];
      let open = null;
      for (let s = -9; s <= 9.001; s += 0.03) {
        const p = at(s), inside = Math.abs(p[0]) <= EDGE && Math.abs(p[1]) <= EDGE, own = distance(p, a);
        const ours = inside && codes.every((c, k) => k === i || k === j || distance(p, c) >= own);
        if (ours && !open) open = p;
        if (open && (!ours || s > 8.97)) {
          d += `M${plane.X(open[0]).toFixed(1)} ${plane.Y(open[1]).toFixed(1)}L${plane.X(p[0]).toFixed(1)} ${plane.Y(p[1]).toFixed(1)}`;
          open = null;
        }
      }
    }
  return `<path class="axis" d="${d}"/>`;
}

export const figure = {
  picture(state, width) {
    const { plane, side, left } = layout(width), { points, starts, found } = run(state), { codes, chosen, own, error } = found.at(-1);
    const errors = found.map(each => each.error), used = own.filter(each => each.length), K = codes.length;
    const below = panel([8, side + 44, width - 8, side + 124], [0, Math.max(state.steps, 5)], [0, 1.08 * Math.max(...errors)]);
    const dot = ([x, y], kind, r) => `<circle class="dot ${kind}" cx="${plane.X(x).toFixed(1)}" cy="${plane.Y(y).toFixed(1)}" r="${r}"/>`;
    const paths = codes.map((_, k) => plane.curve(found.map(each => each.codes[k]), `thin ${KINDS[k]}`)).join("");
    const svg = `<rect class="frame" x="${left}" y="6" width="${side}" height="${side}"/>` + borders(codes, plane) + points.map((p, i) => dot(p, KINDS[chosen[i]], 3)).join("") + paths +
      codes.map((code, k) => `<path class="dots data ${KINDS[k]}" style="stroke-width:15" d="M${plane.X(code[0]).toFixed(1)} ${plane.Y(code[1]).toFixed(1)}h0"/>`).join("") +
      starts.map((at, k) => plane.handle(`c${k}`, at[0], at[1], KINDS[k], "where this code starts")).join("") +
      `<text class="name" x="8" y="${side + 34}">mean squared error after each batch</text>` + below.axis([], 0) + below.curve(errors.map((e, t) => [t, e]), "ink") +
      `<circle class="dot ink" cx="${below.X(errors.length - 1).toFixed(1)}" cy="${below.Y(error).toFixed(1)}" r="4"/>`;
    const gap = Math.max(...codes.map((code, k) => own[k].length ? Math.sqrt(distance(code, mean(own[k]))) : 0));
    const entropy = used.reduce((sum, each) => sum + compiled.entropy({ p: each.length / points.length }), 0);
    const numbers = { error: text(error), gap: text(gap, 3), perplexity: text(Math.exp(entropy), 3), unused: String(K - used.length) };
    const said = `After ${state.steps} batches the mean squared error is ${numbers.error}, the perplexity ${numbers.perplexity} of ${K}; ${numbers.unused} codes are chosen by no point.`;
    return { svg, height: side + 132, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { plane } = layout(width), starts = read(state.starts);
    starts[Number(handle.slice(1))] = [clamp(plane.x(u), -2.9, 2.9), clamp(plane.y(v), -2.9, 2.9)];
    return { starts: write(starts) };
  },

  actions: {
    *play() {
      for (let steps = 0; steps <= 60; steps++) for (let wait = 0; wait < 4; wait++) yield { steps };
    },
    *crowd() {
      yield { starts: "240_240_260_280_280_250_220_280_280_220_250_200", steps: 0 };
    },
  },
};

explorer("codebook", figure);
