import { along, clamp, descend, explorer, grid, panel, text } from "./explorer.js";
import * as compiled from "./discriminator.functions.js";

const line = grid(-24, 24, 1440), ticks = [-6, -4, -2, 0, 2, 4, 6], EDGE = 7;
const logit = ({ slope, centre }) => x => slope * (x - centre);
const played = state => compiled.played({ ...state, x: line, g: logit(state) });

// The generator's loss as its samples move, before a discriminator that stays.
const loss = (kind, state, k, l) => compiled[kind]({ ...state, k, l, x: line });
const slopes = (kind, state, h = 1e-4) => [
  (loss(kind, state, state.m + h, state.t) - loss(kind, state, state.m - h, state.t)) / (2 * h),
  (loss(kind, state, state.m, state.t + h) - loss(kind, state, state.m, state.t - h)) / (2 * h),
];

function panels(width) {
  const box = (top, bottom) => [8, top, width - 8, bottom];
  return { above: panel(box(10, 170), [-EDGE, EDGE], [0, 0.85]), below: panel(box(216, 336), [-EDGE, EDGE], [0, 1]) };
}

export const figure = {
  picture(state, width) {
    const { above, below } = panels(width), at = f => along(compiled[f], state, "x"), p = at("p"), q = at("q");
    const own = x => 1 / (1 + Math.exp(-logit(state)(x))), value = compiled.value({ ...state, x: line }), mine = played(state);
    const numbers = { value: text(value), played: text(mine), short: text(value - mine),
      minimax: text(slopes("minimax", state)[0]), non_saturating: text(slopes("non_saturating", state)[0]) };
    const svg = above.area(p, "blue") + above.line(p, "blue") + above.line(q, "orange") + above.axis(ticks) +
      above.label(-state.far, p(-state.far) + 0.06, "data", "blue", "middle") + above.label(state.m, q(state.m) + 0.1, "generator", "orange", "middle") +
      above.handle("m", state.m, q(state.m), "orange") +
      below.line(at("best"), "green") + below.line(own, "purple dashed") + below.axis(ticks) +
      `<text class="name" x="8" y="208">probability of being data: <tspan class="green">D*</tspan>, <tspan class="purple">your D</tspan></text>` +
      `<text x="${width - 8}" y="212" text-anchor="end">1</text>` + below.handle("centre", clamp(state.centre, -EDGE, EDGE), 0.5, "purple");
    const said = `Value of the best discriminator ${numbers.value}, of yours ${numbers.played}. Slope of the minimax loss ${numbers.minimax}, of the non-saturating ${numbers.non_saturating}.`;
    return { svg, height: 360, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { above, below } = panels(width);
    if (handle === "centre") return { centre: clamp(below.x(u), -6, 6) };
    return { m: clamp(above.x(u), -6, 6), t: clamp(1 / (Math.max(0.05, above.y(v)) * Math.sqrt(2 * Math.PI)), 0.2, 3) };
  },

  actions: {
    *fit(state) {
      const cost = ([slope, centre]) => -played({ ...state, slope, centre });
      for (const [slope, centre] of descend(cost, [state.slope, state.centre], [[-4, 4], [-6, 6]])) yield { slope, centre };
    },
    // Each step meets the best discriminator of the place where it begins.
    *learn(state) {
      let { m, t } = state;
      for (let step = 0; step < 200; step++) {
        const [dm, dt] = slopes(state.loss, { ...state, m, t });
        [m, t] = [clamp(m - 0.12 * dm, -6, 6), clamp(t - 0.12 * dt, 0.2, 3)];
        yield { m, t };
      }
    },
  },
};

explorer("discriminator", figure);
