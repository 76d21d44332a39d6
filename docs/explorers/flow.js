import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./flow.functions.js";

const EDGE = 3.2, REACH = 2.6, CELLS = 26, LEVELS = 10, FINE = 200;

// The field and its Jacobian, as functions of the place alone.
function fieldOf(state) {
  const at = { ...state }, A = { h: 0, A_11: 0, A_12: 0, A_21: 0, A_22: 0 };
  return {
    field(x, y) {
      [at.x, at.y] = [x, y];
      return [compiled.f_1(at), compiled.f_2(at)];
    },
    jacobian(x, y) {
      [at.x, at.y] = [x, y];
      A.A_11 = compiled.A_11(at);
      A.A_12 = compiled.A_12(at);
      A.A_21 = compiled.A_21(at);
      A.A_22 = compiled.A_22(at);
      return A;
    },
  };
}

// Euler's steps up to the time, the last one cut; with what the steps do to a small area.
function carry({ field, jacobian }, state, start) {
  let [x, y] = start, traces = 0, determinants = 0;
  const path = [[x, y]], h = 1 / state.steps;
  for (let done = 0; done < state.time - 1e-9; done += h) {
    const step = Math.min(h, state.time - done), A = jacobian(x, y), [u, v] = field(x, y);
    traces += step * (A.A_11 + A.A_22);
    A.h = step;
    determinants += Math.log(compiled.small_step(A));
    [x, y] = [x + step * u, y + step * v];
    path.push([x, y]);
  }
  return { x, y, path, traces, determinants };
}

// The exact flow, by many steps of the classical method of fourth order, for place and divergence.
function exact({ field, jacobian }, state, start) {
  const rate = ([x, y]) => {
    const A = jacobian(x, y);
    return [...field(x, y), A.A_11 + A.A_22];
  };
  let here = [...start, 0];
  const h = state.time / FINE, moved = (k, share) => here.map((v, i) => v + share * k[i]);
  for (let n = 0; n < FINE; n++) {
    const a = rate(here), b = rate(moved(a, h / 2)), c = rate(moved(b, h / 2)), d = rate(moved(c, h));
    here = here.map((v, i) => v + h / 6 * (a[i] + 2 * b[i] + 2 * c[i] + d[i]));
  }
  return here;
}

function layout(width) {
  const side = Math.min(width, 560), left = (width - side) / 2;
  return { plane: panel([left, 6, left + side, 6 + side], [-EDGE, EDGE], [-EDGE, EDGE]), side, left };
}

export const figure = {
  picture(state, width) {
    const { plane, side, left } = layout(width), start = [state.x, state.y], place = fieldOf(state);
    const knots = Array.from({ length: (CELLS + 1) ** 2 }, (_, k) => {
      const z = [k % (CELLS + 1), Math.floor(k / (CELLS + 1))].map(i => REACH * (2 * i / CELLS - 1)), { x, y, traces } = carry(place, state, z);
      const shown = `${clamp(plane.X(x), left - 99, left + side + 99).toFixed(1)} ${clamp(plane.Y(y), -99, side + 99).toFixed(1)}`;
      return { shown, level: compiled.log_start({ x: z[0], y: z[1] }) - traces };
    });
    const cells = Array.from({ length: LEVELS }, () => ""), at = (i, j) => knots[i + j * (CELLS + 1)];
    for (let j = 0; j < CELLS; j++)
      for (let i = 0; i < CELLS; i++) {
        const four = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)], mean = four.reduce((sum, k) => sum + k.level, 0) / 4;
        const level = Math.floor(clamp((mean + 7.5) / 7 * LEVELS, 0, LEVELS - 1));
        cells[level] += `M${four.map(k => k.shown).join("L")}Z`;
      }
    const paint = cells.map((d, level) => `<path class="cell blue" fill-opacity="${(0.05 + 0.9 * level / LEVELS).toFixed(2)}" d="${d}"/>`).join("");
    let arrows = "";
    for (let i = -4; i <= 4; i++)
      for (let j = -4; j <= 4; j++) {
        const x = 0.72 * i, y = 0.72 * j, [u, v] = place.field(x, y), size = Math.hypot(u, v) || 1, scale = 0.3 / Math.sqrt(size) / Math.max(1, Math.sqrt(size));
        const [p, q] = [plane.X(x + scale * u), plane.Y(y + scale * v)], back = Math.atan2(v, -u);
        arrows += `M${plane.X(x).toFixed(1)} ${plane.Y(y).toFixed(1)}L${p.toFixed(1)} ${q.toFixed(1)}` +
          [0.5, -0.5].map(turn => `M${p.toFixed(1)} ${q.toFixed(1)}l${(4 * Math.cos(back + turn)).toFixed(1)} ${(4 * Math.sin(back + turn)).toFixed(1)}`).join("");
      }
    const own = carry(place, state, start), [, , divergence] = exact(place, state, start), first = compiled.log_start({ x: state.x, y: state.y });
    const alone = !state.turn && !state.bend && !state.pull, growth = rate => t => rate * t;
    // `closed` is the density at the place where the exact flow is.
    const closed = () => compiled.closed({ t: state.time, B_1: growth(state.grow), B_2: growth(state.stretch), x_1: state.x, x_2: state.y, m_1: 0, m_2: 0, c_1: 1, c_2: 1 });
    const numbers = {
      traces: text(own.traces), determinants: Number.isNaN(own.determinants) ? "the grid folds" : text(own.determinants),
      divergence: text(divergence), density: text(first - divergence), closed: alone ? text(closed()) : "not here",
    };
    const svg = `<clipPath id="flow-clip"><rect x="${left}" y="6" width="${side}" height="${side}"/></clipPath><rect class="frame" x="${left}" y="6" width="${side}" height="${side}"/>` +
      `<g clip-path="url(#flow-clip)">${paint}<path class="curve thin grey" d="${arrows}"/></g>` + plane.curve(own.path, "orange") +
      `<path class="dots data orange" d="M${clamp(plane.X(own.x), left, left + side).toFixed(1)} ${clamp(plane.Y(own.y), 6, 6 + side).toFixed(1)}h0"/>` +
      plane.handle("start", state.x, state.y, "orange");
    const said = `At time ${state.time.toFixed(2)} the log-density at the point is ${numbers.density}; traces ${numbers.traces}, log-determinants ${numbers.determinants}, exact ${numbers.divergence}.`;
    return { svg, height: side + 12, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { plane } = layout(width);
    return { x: clamp(plane.x(u), -2.4, 2.4), y: clamp(plane.y(v), -2.4, 2.4) };
  },

  actions: {
    *play() {
      for (let frame = 0; frame <= 120; frame++) yield { time: frame / 120 };
    },
  },
};

explorer("flow", figure);
