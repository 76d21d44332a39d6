import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./contrastive.functions.js";

const COLORS = ["orange", "green", "purple"], EDGE = 1.6;
const read = words => words.split(".").map(Number);
const write = angles => angles.map(a => Math.round(turn(a))).join(".");
const turn = a => ((a + 180) % 360 + 360) % 360 - 180;
const place = a => [Math.cos(a * Math.PI / 180), Math.sin(a * Math.PI / 180)];

// The anchor stands at the angle 0, so the cosine of each is that of its own angle.
function forces(tau, at, others) {
  const a = place(at)[0], s = others.map(o => place(o)[0]);
  const e = s.map(x => Math.exp(x / tau)), rest = e.reduce((sum, x) => sum + x, 0), own = Math.exp(a / tau);
  const push = s.map((x, j) => compiled.push({ s: x, tau, R: own + rest - e[j] }));
  return { push, pull: -compiled.pull({ a, tau, S: rest }), loss: compiled.loss({ a, tau, s: [0, ...s], M: s.length }) };
}

function layout(width) {
  const side = Math.min(width - 16, 320), left = width > 520 ? side + 60 : 40, top = width > 520 ? 40 : side + 60;
  return {
    plane: panel([8, 8, 8 + side, 8 + side], [-EDGE, EDGE], [-EDGE, EDGE]),
    bars: panel([left, top, Math.min(width - 20, left + 260), top + 190], [0, 3], [0, 1]),
    height: width > 520 ? side + 24 : top + 230,
  };
}

export const figure = {
  picture(state, width) {
    const { plane, bars, height } = layout(width), others = read(state.others), { push, pull, loss } = forces(state.tau, state.at, others);
    const weights = push.map(x => x * state.tau), all = push.reduce((sum, x) => sum + x, 0);
    const circle = plane.curve(Array.from({ length: 121 }, (_, i) => place(3 * i)), "thin grey");
    const anchor = [1, 0], partner = place(state.at);
    const lines = others.map((o, j) => {
      const [x, y] = place(o);
      return `<line class="curve ${COLORS[j]}" style="stroke-width:${(0.4 + 8 * weights[j]).toFixed(2)}" x1="${plane.X(1).toFixed(1)}" y1="${plane.Y(0).toFixed(1)}" x2="${plane.X(x).toFixed(1)}" y2="${plane.Y(y).toFixed(1)}"/>`;
    }).join("") + plane.curve([anchor, partner], "thin dashed blue");
    const names = plane.label(1.1, 0, "anchor", "", "start") + plane.label(1.36 * partner[0], 1.36 * partner[1], "partner", "blue", "middle") +
      others.map((o, j) => plane.label(1.36 * place(o)[0], 1.36 * place(o)[1], `${j + 1}`, COLORS[j], "middle")).join("");
    const handles = plane.handle("partner", ...partner, "blue", "the partner: drag it") +
      others.map((o, j) => plane.handle(`other${j}`, ...place(o), COLORS[j], `other ${j + 1}: drag it`)).join("");
    const tall = weights.map((w, j) => `<rect class="dot ${COLORS[j]}" x="${(bars.X(j) + 10).toFixed(1)}" y="${bars.Y(w).toFixed(1)}" width="${(bars.X(1) - bars.X(0) - 20).toFixed(1)}" height="${(bars.Y(0) - bars.Y(w)).toFixed(1)}"/>` +
      `<text x="${bars.X(j + 0.5).toFixed(1)}" y="${(bars.Y(w) - 6).toFixed(1)}" text-anchor="middle">${w.toFixed(2)}</text>`).join("");
    const svg = circle + lines + names + handles + bars.curve([[0, 0], [3, 0]], "thin grey") + tall +
      `<text class="name" x="${bars.X(0).toFixed(1)}" y="${(bars.Y(1) - 20).toFixed(1)}">softmax weights of the others</text>`;
    const numbers = {
      loss: text(loss), chance: text(Math.log(4)), pull: text(pull),
      push: push.map(x => x.toFixed(2)).join(", "),
      shares: push.map(x => `${Math.round(100 * x / all)} %`).join(", "),
    };
    return { svg, height, numbers, said: `The loss is ${numbers.loss}, the pull ${numbers.pull}, the pushes ${numbers.push}.` };
  },

  drag(handle, [u, v], state, width) {
    const { plane } = layout(width), angle = Math.round(Math.atan2(clamp(plane.y(v), -EDGE, EDGE), clamp(plane.x(u), -EDGE, EDGE)) * 180 / Math.PI);
    if (handle === "partner") return { at: angle };
    const others = read(state.others);
    others[Number(handle.slice(5))] = angle;
    return { others: write(others) };
  },

  actions: {
    *cold(state) {
      for (let k = 1; k <= 60; k++) yield { tau: state.tau + (0.05 - state.tau) * k / 60 };
    },
    *step(state) {
      let { at } = state, angles = read(state.others);
      for (let k = 0; k < 120; k++) {
        const { pull, push } = forces(state.tau, at, angles);
        // Along the circle the cosine falls by the sine of the angle.
        at -= 4 * pull * place(at)[1];
        angles = angles.map((o, j) => turn(o + 4 * push[j] * place(o)[1]));
        yield { at: Math.round(turn(at)), others: write(angles) };
      }
    },
  },
};

explorer("contrastive", figure);
