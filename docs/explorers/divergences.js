import { along, clamp, descend, explorer, fitting, grid, panel, text } from "./explorer.js";
import * as compiled from "./divergences.functions.js";

const line = grid(-26, 26, 1560);
const names = { forward: "KL(p ‖ q)", reverse: "KL(q ‖ p)", js: "JS", tv: "TV", w1: "W₁" };
const formulas = { forward: "p log(p/q)", reverse: "q log(q/p)", js: "(p log(p/m) + q log(q/m))/2", tv: "|p − q|/2", w1: "|F − G|" };

const top = width => panel([8, 10, width - 8, 190], [-6, 6], [0, 0.85]);

export const figure = {
  picture(state, width) {
    const above = top(width), { kind } = state;
    const [p, q, inside] = [compiled.p, compiled.q, compiled[`${kind}_at`]].map(f => along(f, state, "x"));
    const below = fitting([8, 240, width - 8, 360], [-6, 6], inside);
    const numbers = Object.fromEntries(Object.keys(names).map(k => [k, compiled[k]({ ...state, x: line })]));
    const shown = Object.fromEntries(Object.entries(numbers).map(([k, v]) => [k, text(v)]));
    const ticks = [-4, -2, 0, 2, 4];
    const svg = above.area(p, "blue") + above.line(p, "blue") + above.line(q, "orange") + above.axis(ticks) +
      below.area(x => Math.max(0, inside(x)), "green") + below.area(x => Math.min(0, inside(x)), "purple") +
      below.line(inside, "ink thin") + below.axis(ticks, 0) +
      `<text class="name" x="8" y="232">${names[kind]} is the area under ${formulas[kind]}</text>` +
      above.handle("m_1", state.m_1, p(state.m_1), "blue") + above.handle("m_2", state.m_2, p(state.m_2), "blue") +
      above.handle("m", state.m, q(state.m), "orange", "q: across its mean, up and down its width") +
      above.label(state.m_1, p(state.m_1) + 0.09, "p", "blue", "middle") + above.label(state.m, q(state.m) + 0.09, "q", "orange", "middle");
    const said = `${names[kind]} is ${shown[kind]}. ` + Object.keys(names).map(k => `${names[k]} ${shown[k]}`).join(", ");
    return { svg, height: 366, numbers: shown, said };
  },

  drag(handle, [u, v], state, width) {
    const above = top(width), x = clamp(above.x(u), -5, 5), y = clamp(above.y(v), 0.05, 2);
    if (handle === "m") return { m: x, t: clamp(1 / (y * Math.sqrt(2 * Math.PI)), 0.2, 3) };
    const share = clamp(y * state.s * Math.sqrt(2 * Math.PI), 0, 1);
    return handle === "m_1" ? { m_1: x, w: share } : { m_2: x, w: 1 - share };
  },

  actions: {
    *fit(state) {
      const cost = ([m, l]) => compiled[state.kind]({ ...state, m, t: Math.exp(l), x: line });
      for (const [m, l] of descend(cost, [state.m, Math.log(state.t)], [[-5, 5], [Math.log(0.2), Math.log(3)]])) yield { m, t: Math.exp(l) };
    },
  },
};

explorer("divergences", figure);
