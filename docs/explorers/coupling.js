import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./coupling.functions.js";

const EDGE = 4, REACH = 2.5, CELLS = 24, LEVELS = 6, STRONGEST = 2.4;

// The scale and the shift of a layer, of which a share is done so far.
const layer = (amount, shift, share) => ({
  s: x_1 => compiled.s({ amount: share * amount, x_1 }),
  t: x_1 => compiled.t({ amount: share * shift, x_1 }),
});

function layers(state) {
  const share = n => clamp(state.depth - n, 0, 1);
  return [layer(state.s_1, state.t_1, share(0)), layer(state.s_2, state.t_2, share(1))];
}

// The first layer keeps what lies across, the second what the first has made of the height.
function carry([one, two], [x, y]) {
  const z_2 = compiled.mapped({ ...one, x_1: x, x_2: y }), z_1 = compiled.mapped({ ...two, x_1: z_2, x_2: x });
  return { z: [z_1, z_2], first: compiled.log_det({ ...one, x_1: x }), second: compiled.log_det({ ...two, x_1: z_2 }) };
}

function back([one, two], [z_1, z_2]) {
  const x = compiled.back({ ...two, x_1: z_2, z_2: z_1 });
  return [x, compiled.back({ ...one, x_1: x, z_2 })];
}

function layout(width) {
  const side = Math.min(width, 560), left = (width - side) / 2;
  return { plane: panel([left, 6, left + side, 6 + side], [-EDGE, EDGE], [-EDGE, EDGE]), side, left };
}

export const figure = {
  picture(state, width) {
    const { plane, side, left } = layout(width), flow = layers(state), start = [state.x, state.y];
    const knots = Array.from({ length: (CELLS + 1) ** 2 }, (_, k) => {
      const place = [k % (CELLS + 1), Math.floor(k / (CELLS + 1))].map(i => REACH * (2 * i / CELLS - 1)), { z, first, second } = carry(flow, place);
      const shown = `${clamp(plane.X(z[0]), left - 99, left + side + 99).toFixed(1)} ${clamp(plane.Y(z[1]), 0, side + 12).toFixed(1)}`;
      return { shown, level: first + second };
    });
    const at = (i, j) => knots[i + j * (CELLS + 1)], cells = new Map();
    for (let j = 0; j < CELLS; j++)
      for (let i = 0; i < CELLS; i++) {
        const four = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)], mean = four.reduce((sum, k) => sum + k.level, 0) / 4;
        const level = Math.round(clamp(mean / STRONGEST, -1, 1) * LEVELS);
        cells.set(level, `${cells.get(level) ?? ""}M${four.map(k => k.shown).join("L")}Z`);
      }
    const paint = [...cells].sort(([a], [b]) => a - b).map(([level, d]) =>
      `<path class="cell ${level < 0 ? "blue" : "orange"}" fill-opacity="${(0.9 * Math.abs(level) / LEVELS).toFixed(2)}" d="${d}"/>`).join("");
    let lines = "";
    for (let i = 0; i <= CELLS; i += 2)
      for (const pick of [j => at(i, j), j => at(j, i)])
        lines += `M${Array.from({ length: CELLS + 1 }, (_, j) => pick(j).shown).join("L")}`;
    const circles = [1, 2].map(r => `<circle class="curve thin grey" fill="none" cx="${plane.X(0).toFixed(1)}" cy="${plane.Y(0).toFixed(1)}" r="${(r * side / (2 * EDGE)).toFixed(1)}"/>`).join("");
    const { z, first, second } = carry(flow, start), noise = compiled.log_noise({ z_1: z[0], z_2: z[1] }), home = back(flow, z);
    const numbers = {
      first: text(first), second: text(second), both: text(first + second), noise: text(noise),
      density: text(first + second + noise), back: home.map(v => text(v, 3)).join(", "),
    };
    const svg = `<clipPath id="coupling-clip"><rect x="${left}" y="6" width="${side}" height="${side}"/></clipPath><rect class="frame" x="${left}" y="6" width="${side}" height="${side}"/>` +
      `<g clip-path="url(#coupling-clip)">${paint}<path class="curve thin grey" d="${lines}"/>${circles}</g>` + plane.curve([start, z], "green") +
      `<path class="dots data green" d="M${clamp(plane.X(z[0]), left, left + side).toFixed(1)} ${clamp(plane.Y(z[1]), 6, 6 + side).toFixed(1)}h0"/>` +
      plane.handle("start", state.x, state.y, "green");
    const said = `After ${state.depth.toFixed(2)} layers the point is at ${z.map(v => text(v, 3)).join(", ")}; log-determinants ${numbers.first} and ${numbers.second}; log-density of the data there ${numbers.density}.`;
    return { svg, height: side + 12, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { plane } = layout(width);
    return { x: clamp(plane.x(u), -2.4, 2.4), y: clamp(plane.y(v), -2.4, 2.4) };
  },

  actions: {
    *play() {
      for (let frame = 0; frame <= 160; frame++) yield { depth: frame / 80 };
    },
  },
};

explorer("coupling", figure);
