import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./mixture.functions.js";

const read = words => words.split("_").filter(Boolean).map(p => Number(p) / 100);
const write = points => points.map(p => Math.round(100 * p)).join("_");
const NARROW = 1e-4;  // of a variance: here a bell has run into a point

function panels(width) {
  const box = (top, bottom) => [8, top, width - 8, bottom];
  return { above: panel(box(10, 200), [-5, 5], [0, 0.75]), box };
}

const height = points => bells => points.reduce((sum, x) => sum + Math.log(compiled.density({ ...bells, x })), 0);

// The bells after each step, until a bell has no points or no width left.
function run(state) {
  const points = read(state.points), n = points.length, x = [0, ...points], of = height(points);
  let bells = { w: 0.5, mu_1: state.a, mu_2: state.b, v_1: state.start ** 2, v_2: state.start ** 2 };
  const found = [{ bells, likelihood: of(bells) }];
  for (let k = 0; k < state.steps; k++) {
    const given = points.map(p => compiled.first({ ...bells, x: p })), R = given.reduce((a, b) => a + b, 0);
    if (!(R > 1e-9 && R < n - 1e-9)) break;
    const one = { n, x, r: [0, ...given] }, two = { n, x, r: [0, ...given.map(r => 1 - r)] };
    const next = { w: R / n, mu_1: compiled.mean(one), mu_2: compiled.mean(two), v_1: compiled.variance(one), v_2: compiled.variance(two) };
    if (!(next.v_1 > NARROW && next.v_2 > NARROW)) break;
    bells = next;
    found.push({ bells, likelihood: of(bells) });
  }
  return { points, found };
}

export const figure = {
  picture(state, width) {
    const { above, box } = panels(width), { points, found } = run(state), { bells, likelihood } = found.at(-1);
    const first = x => compiled.density({ ...bells, x }) * compiled.first({ ...bells, x }), whole = x => compiled.density({ ...bells, x });
    const heights = found.map(each => each.likelihood), low = Math.min(...heights), high = Math.max(...heights);
    const below = panel(box(250, 340), [0, Math.max(state.steps, 5)], [low - 0.1 - 0.1 * (high - low), high + 0.1 + 0.1 * (high - low)]);
    const dots = points.map(p => {
      const share = compiled.first({ ...bells, x: p }), u = above.X(p).toFixed(1), v = above.Y(0);
      return `<circle class="dot blue" cx="${u}" cy="${v}" r="8" fill-opacity="${share.toFixed(3)}"/><circle class="dot orange" cx="${u}" cy="${v}" r="8" fill-opacity="${(1 - share).toFixed(3)}"/>`;
    });
    const svg = above.area(whole, "grey") + above.line(first, "blue") + above.line(x => whole(x) - first(x), "orange") + above.axis([-4, -2, 0, 2, 4], 0) +
      points.map((p, i) => above.handle(`p${i}`, p, 0, "grey")).join("") + `<g pointer-events="none">${dots.join("")}</g>` +
      above.handle("a", state.a, 0.66, "blue", "where the first bell starts") + above.handle("b", state.b, 0.66, "orange", "where the second bell starts") +
      above.label(-4.9, 0.65, "starts", "grey") +
      `<text class="name" x="8" y="240">log-likelihood after each step</text>` +
      below.curve(heights.map((h, k) => [k, h]), "ink") + `<circle class="dot purple" cx="${below.X(heights.length - 1).toFixed(1)}" cy="${below.Y(likelihood).toFixed(1)}" r="5"/>`;
    const rise = heights.length > 1 ? heights.at(-1) - heights.at(-2) : NaN, bell = (m, v) => `${text(m, 3)}, ${text(Math.sqrt(v), 3)}`;
    const numbers = { likelihood: text(likelihood, 6), rise: text(rise), weight: text(bells.w, 3), first: bell(bells.mu_1, bells.v_1), second: bell(bells.mu_2, bells.v_2) };
    const said = `After ${heights.length - 1} steps the log-likelihood is ${numbers.likelihood}. First bell ${numbers.first}, second ${numbers.second}.`;
    return { svg, height: 350, numbers, said };
  },

  drag(handle, [u], state, width) {
    const x = clamp(panels(width).above.x(u), -4.9, 4.9);
    if (handle === "a" || handle === "b") return { [handle]: clamp(x, -4, 4) };
    const points = read(state.points);
    points[Number(handle.slice(1))] = x;
    return { points: write(points) };
  },

  actions: {
    *play(state) {
      for (let k = 0; k <= 40; k++) for (let wait = 0; wait < 6; wait++) yield { steps: k };
    },
    *add(state) {
      const points = read(state.points);
      if (points.length < 20) yield { points: write([...points, -4 + 8 * ((0.618 * points.length) % 1)]) };
    },
    *fewer(state) {
      const points = read(state.points);
      if (points.length > 3) yield { points: write(points.slice(0, -1)) };
    },
  },
};

explorer("mixture", figure);
