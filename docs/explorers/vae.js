import { along, clamp, descend, explorer, fitting, grid, panel, text } from "./explorer.js";
import * as compiled from "./vae.functions.js";

const line = grid(-9, 9, 1200), ticks = [-2, 0, 2];

function panels(width) {
  const box = (top, bottom) => [8, top, width - 8, bottom];
  return { map: panel(box(24, 124), [-3.2, 3.2], [-3.6, 4.6]), middle: panel(box(160, 300), [-3.2, 3.2], [0, 1.6]) };
}

// The tempered posterior at a place, its normaliser computed once. For a price of 1 it is the posterior.
function curve(whole) {
  return along(compiled.tempered, { ...whole, Z_beta: compiled.normaliser(whole) }, "z");
}

export const figure = {
  picture(state, width) {
    const { map, middle } = panels(width), whole = { ...state, z: line };
    const numbers = Object.fromEntries(["evidence", "bound", "gap", "objective", "most"].map(k => [k, text(compiled[k](whole))]));
    const at = f => along(compiled[f], state, "z");
    const q = at("encoder"), prior = at("prior");
    const posterior = curve({ ...whole, beta: 1 }), warm = curve(whole);
    const inside = z => q(z) * (Math.log(q(z) || 1e-300) - Math.log(posterior(z) || 1e-300));
    const below = fitting([8, 340, width - 8, 440], [-3.2, 3.2], inside);
    const level = map.Y(state.x);
    const svg = map.line(at("decode"), "ink") + map.curve([[-3.2, state.x], [3.2, state.x]], "dashed thin purple") +
      map.label(-3.1, state.x + 0.25, "observed x", "purple") + map.label(3.1, 3.6, "decoder's mean of x, by z", "grey", "end") +
      map.handle("x", 2.4, state.x, "purple") +
      middle.line(prior, "grey thin") + middle.area(posterior, "blue") + middle.line(posterior, "blue") +
      (state.beta !== 1 ? middle.line(warm, "green dashed") : "") + middle.line(q, "orange") + middle.axis(ticks, 0, "") +
      `<text x="8" y="176" class="name blue">posterior</text><text x="8" y="194" class="name orange">encoder q</text>` +
      (state.beta !== 1 ? `<text x="8" y="212" class="name green">tempered posterior</text>` : "") + `<text x="${width - 8}" y="176" text-anchor="end">prior in grey</text>` +
      middle.handle("q", state.m, q(state.m), "orange") +
      `<text class="name" x="8" y="334">Gap: the area under q log(q / posterior)</text>` +
      below.area(z => Math.max(0, inside(z)), "green") + below.area(z => Math.min(0, inside(z)), "purple") + below.line(inside, "ink thin") + below.axis(ticks, 0);
    const said = `Log-evidence ${numbers.evidence}, bound ${numbers.bound}, gap ${numbers.gap}. Objective ${numbers.objective}, at most ${numbers.most}.`;
    return { svg, height: 446, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { map, middle } = panels(width);
    if (handle === "x") return { x: clamp(map.y(v), -2, 4) };
    return { m: clamp(middle.x(u), -3, 3), s: clamp(1 / (Math.max(0.05, middle.y(v)) * Math.sqrt(2 * Math.PI)), 0.05, 2) };
  },

  actions: {
    *fit(state) {
      const cost = ([m, l]) => -compiled.objective({ ...state, m, s: Math.exp(l), z: line });
      for (const [m, l] of descend(cost, [state.m, Math.log(state.s)], [[-3, 3], [Math.log(0.05), Math.log(2)]])) yield { m, s: Math.exp(l) };
    },
  },
};

explorer("vae", figure);
