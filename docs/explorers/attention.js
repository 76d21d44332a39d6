import { clamp, explorer, panel, read, text, written } from "./explorer.js";
import * as compiled from "./attention.functions.js";

const N = [0, 1, 2, 3], COLORS = ["blue", "orange", "green", "purple"], EDGE = 2.4;
const SEES = { all: () => true, causal: (i, j) => j <= i, near: (i, j) => Math.abs(i - j) <= 1 };

// The scores of those that may be looked at, by their places; turned, they depend on the difference.
function row(state, i) {
  const points = read(state.points), q = points[i], seen = N.filter(j => SEES[state.mask](i, j));
  const scores = seen.map(j => {
    const k = points[4 + j];
    return compiled.turned({ q_1: q[0], q_2: q[1], k_1: k[0], k_2: k[1], psi: state.omega * (i - j) });
  });
  const at = { s: [0, ...scores], n: seen.length, tau: state.tau };
  // The weight of a place is what is taken where its value is 1 and the others are 0.
  const weights = N.map(j => seen.includes(j) ? compiled.taken({ ...at, v: [0, ...seen.map(k => k === j ? 1 : 0)] }) : 0);
  return { seen, scores, weights, at };
}

function layout(width) {
  const wide = width > 520, side = wide ? Math.round(0.46 * width) : Math.min(width - 16, 300), left = wide ? width - side - 8 : 40, top = wide ? 24 : side + 60;
  const plane = panel([8, 24, 8 + side, 24 + side], [-EDGE, EDGE], [-EDGE, EDGE]);
  const grid = panel([left + (wide ? 30 : 0), top, left + (wide ? side : side - 40), top + (wide ? side - 30 : side - 40)], [0, 4], [-4, 0]);
  return { plane, grid, height: wide ? side + 40 : top + side - 16 };
}

// Beyond its end of the line, where neither the line nor another handle is soon met.
function name(plane, [x, y], said, color) {
  const beyond = 0.32 / (Math.hypot(x, y) || 1);
  return plane.label(x + beyond * x, y + beyond * y - 0.07, said, color, "middle");
}

export const figure = {
  picture(state, width) {
    const { plane, grid, height } = layout(width), points = read(state.points), rows = N.map(i => row(state, i)), mine = Math.round(state.row) - 1;
    const square = (i, j, weight) => `<rect class="dot ${COLORS[j]}" fill-opacity="${(0.6 * weight).toFixed(3)}" x="${(grid.X(j) + 1).toFixed(1)}" y="${(grid.Y(-i) + 1).toFixed(1)}" width="${(grid.X(1) - grid.X(0) - 2).toFixed(1)}" height="${(grid.Y(-1) - grid.Y(0) - 2).toFixed(1)}"/>`;
    const cells = N.flatMap(i => N.map(j => (rows[i].seen.includes(j) ? square(i, j, rows[i].weights[j]) : "") +
      `<text x="${grid.X(j + 0.5).toFixed(1)}" y="${(grid.Y(-i - 0.5) + 5).toFixed(1)}" text-anchor="middle">${rows[i].seen.includes(j) ? rows[i].weights[j].toFixed(2) : "–"}</text>`)).join("");
    const frame = [0, 1, 2, 3, 4].map(i => grid.curve([[i, 0], [i, -4]], "thin grey") + grid.curve([[0, -i], [4, -i]], "thin grey")).join("");
    const marked = grid.curve([[0, -mine], [4, -mine], [4, -mine - 1], [0, -mine - 1], [0, -mine]], "ink");
    const arrows = N.map(i => plane.curve([[0, 0], points[i]], `thin ${COLORS[i]}`) + plane.curve([[0, 0], points[4 + i]], `thin dashed ${COLORS[i]}`)).join("");
    const named = N.map(i => name(plane, points[i], `q${i + 1}`, COLORS[i]) + name(plane, points[4 + i], `k${i + 1}`, COLORS[i])).join("");
    const handles = N.map(i => plane.handle(`p${4 + i}`, ...points[4 + i], COLORS[i], "a key: drag it") + plane.handle(`p${i}`, ...points[i], COLORS[i], "a query: drag it")).join("");
    const heads = N.map(j => `<text class="name ${COLORS[j]}" x="${grid.X(j + 0.5).toFixed(1)}" y="${(grid.Y(0) - 6).toFixed(1)}" text-anchor="middle">${j + 1}</text>`).join("") +
      N.map(i => `<text class="name ${COLORS[i]}" x="${(grid.X(0) - 6).toFixed(1)}" y="${(grid.Y(-i - 0.5) + 5).toFixed(1)}" text-anchor="end">${i + 1}</text>`).join("");
    const svg = plane.axis([], 0) + plane.curve([[0, -EDGE], [0, EDGE]], "thin grey") + arrows + `<text class="name" x="8" y="16">queries: full lines, keys: dashed</text>` + cells + frame + marked + heads + handles + named;
    const { seen, scores, weights, at } = rows[mine], shown = seen.map(j => weights[j]);
    const entropy = -shown.reduce((sum, a) => sum + (a > 0 ? a * Math.log(a) : 0), 0), mean = shown.reduce((sum, a, k) => sum + a * scores[k], 0);
    const numbers = {
      weights: weights.map((a, j) => seen.includes(j) ? a.toFixed(2) : "–").join(", "),
      taken: text(compiled.taken({ ...at, v: [0, ...seen.map(j => state[`v_${j + 1}`])] })),
      seen: text(Math.exp(entropy)),
      objective: text(mean + state.tau * entropy),
      most: text(compiled.most(at)),
    };
    const said = `Token ${mine + 1} takes ${numbers.taken}, with the weights ${numbers.weights}.`;
    return { svg, height, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { plane } = layout(width), points = read(state.points);
    points[Number(handle.slice(1))] = [clamp(plane.x(u), -EDGE, EDGE), clamp(plane.y(v), -EDGE, EDGE)];
    return { points: written(points) };
  },

  actions: {
    *cold(state) {
      for (let k = 1; k <= 60; k++) yield { tau: Math.max(0.1, state.tau + (0.1 - state.tau) * k / 60) };
    },
    *shift(state) {
      const points = read(state.points), start = points.slice(4), to = [1.2, 0.8];
      for (let k = 1; k <= 40; k++) yield { points: written([...points.slice(0, 4), ...start.map(p => p.map((c, i) => c + (to[i] - c) * k / 40))]) };
    },
  },
};

explorer("attention", figure);
