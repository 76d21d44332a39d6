import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./transport.functions.js";

const N = [0, 1, 2];

// What the controls say: masses that sum to one, places, distribution functions.
function read(state) {
  const shares = name => {
    const given = N.map(i => Math.max(state[`${name}_${i + 1}`], 1e-9)), whole = given.reduce((a, b) => a + b);
    return given.map(v => v / whole);
  };
  const p = shares("p"), q = shares("q"), at = [0, state.h_1, state.h_1 + state.h_2];
  return { p, q, at, F_1: p[0], F_2: p[0] + p[1], G_1: q[0], G_2: q[0] + q[1] };
}

// First come, first served: the plan that does not cross.
function monotone(p, q) {
  const plan = N.map(() => [0, 0, 0]), have = [...p], want = [...q];
  for (let i = 0, j = 0; i < 3 && j < 3;) {
    const mass = Math.min(have[i], want[j]);
    plan[i][j] += mass;
    have[i] -= mass;
    want[j] -= mass;
    if (have[i] <= want[j]) i++;
    else j++;
  }
  return plan;
}

// Sinkhorn's steps, rows and columns in turn, until both are right.
function sinkhorn({ p, q, at }, epsilon) {
  const K = (i, j) => Math.exp(-Math.abs(at[i] - at[j]) / epsilon), places = { at: N, weight: [1, 1, 1], log: [0, 0, 0] };
  let u = [1, 1, 1], v = [1, 1, 1];
  for (let k = 0; k < 4000; k++) {
    const before = u;
    u = N.map(i => 1 / compiled.mean({ q: j => q[j], K, v: j => v[j], x: i, y: places }));
    v = N.map(j => 1 / compiled.mean({ q: i => p[i], K: (j, i) => K(i, j), v: i => u[i], x: j, y: places }));
    if (Math.max(...N.map(i => Math.abs(Math.log(u[i] / before[i])))) < 1e-12) break;
  }
  const plan = N.map(i => N.map(j => p[i] * u[i] * K(i, j) * v[j] * q[j]));
  const soft = scale => i => epsilon * Math.log(scale[i]);
  const value = compiled.entropic({ P: i => p[i], Q: j => q[j], f: soft(u), g: soft(v), x: places, y: places });
  return { plan, value };
}

function solve(state) {
  const found = read(state), entropic = state.epsilon > 0 ? sinkhorn(found, state.epsilon) : null;
  const plan = entropic ? entropic.plan : monotone(found.p, found.q), letters = { ...state };
  for (const i of N) for (const j of N) letters[`pi_{${i + 1}${j + 1}}`] = plan[i][j];
  const cost = compiled.cost(letters), dual = compiled.dual(letters), w1 = compiled.w1({ ...state, ...found });
  return { ...found, plan, cost, dual, w1, entropic: entropic?.value };
}

function panels(width, span) {
  const box = (top, bottom) => [34, top, width - 34, bottom], ends = [-0.02 * span, 1.02 * span];
  return { bars: panel(box(10, 210), ends, [-1.15, 1.15]), between: panel(box(238, 318), ends, [0, 1]), slope: panel(box(352, 432), ends, [-span, span]) };
}

export const figure = {
  picture(state, width) {
    const got = solve(state), { p, q, at, plan } = got, { bars, between, slope } = panels(width, at[2]), low = bars.Y(0);
    const bar = (x, mass, kind) => `<rect class="dot ${kind}" fill-opacity=".75" x="${x}" width="14" y="${Math.min(low, bars.Y(mass))}" height="${Math.abs(bars.Y(mass) - low)}"/>`;
    let arcs = "";
    for (const i of N) for (const j of N)
      if (plan[i][j] > 2e-3 && i !== j) {
        const a = bars.X(at[i]), b = bars.X(at[j]), lift = (i < j ? -1 : 1) * (Math.abs(i - j) === 1 ? 26 : 54);
        arcs += `<path class="curve grey" stroke-opacity=".75" style="stroke-width:${(1 + 22 * plan[i][j]).toFixed(1)}px" ` +
          `d="M${a} ${low}C${a + (b - a) * 0.3} ${low + 2 * lift} ${b - (b - a) * 0.3} ${low + 2 * lift} ${b} ${low}"/>` +
          `<text x="${(a + b) / 2}" y="${low + 1.5 * lift + (i < j ? -6 : 14)}" text-anchor="middle">${text(plan[i][j], 3)}</text>`;
      }
    const stairs = (a, b) => [[at[0], a], [at[1], a], [at[1], b], [at[2], b]];
    const area = (x, y, f, g, kind) => `<path class="area ${kind}" d="M${between.X(x)} ${between.Y(f)}H${between.X(y)}V${between.Y(g)}H${between.X(x)}Z"/>`;
    const potential = [0, -state.s_1 * state.h_1, -state.s_1 * state.h_1 - state.s_2 * state.h_2];
    const svg = N.map(i => bar(bars.X(at[i]) - 7, p[i], "blue") + bar(bars.X(at[i]) - 7, -q[i], "orange")).join("") + arcs +
      `<path class="axis" d="M8 ${low}H${width - 8}"/>` +
      N.map(i => bars.handle(`p_${i + 1}`, at[i], p[i], "blue") + bars.handle(`q_${i + 1}`, at[i], -q[i], "orange")).join("") +
      `<text class="name blue" x="8" y="20">mass that is there</text><text class="name orange" x="8" y="208">mass that is wanted</text>` +
      `<text class="name" x="8" y="232">to the left: <tspan class="blue">F</tspan>, <tspan class="orange">G</tspan>; between them W₁</text>` +
      area(at[0], at[1], got.F_1, got.G_1, "green") + area(at[1], at[2], got.F_2, got.G_2, "green") +
      between.curve(stairs(got.F_1, got.F_2), "blue") + between.curve(stairs(got.G_1, got.G_2), "orange") + between.axis([], 0) +
      `<text class="name" x="8" y="346">your potential, never steeper than one</text>` + slope.axis([], 0) +
      slope.curve(at.map((x, i) => [x, potential[i]]), "purple") + N.slice(1).map(i => slope.handle(`s_${i}`, at[i], potential[i], "purple")).join("");
    const numbers = { w1: text(got.w1), cost: text(got.cost), dual: text(got.dual), gap: text(got.cost - got.dual), entropic: got.entropic === undefined ? "not asked" : text(got.entropic) };
    const said = `W1 is ${numbers.w1}, the plan costs ${numbers.cost}, your potential sees ${numbers.dual}: a gap of ${numbers.gap}.`;
    return { svg, height: 440, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { at } = read(state), { bars, slope } = panels(width, at[2]), [kind, i] = handle.split("_");
    if (kind === "s") {
      const above = i === "1" ? 0 : -state.s_1 * state.h_1, gap = state[`h_${i}`];
      return { [handle]: clamp((above - slope.y(v)) / gap, -1, 1) };
    }
    // Of this place the share is set; the others keep their proportion.
    const share = clamp(kind === "p" ? bars.y(v) : -bars.y(v), 0, 0.98), others = [1, 2, 3].filter(k => String(k) !== i);
    const rest = others.reduce((sum, k) => sum + state[`${kind}_${k}`], 0) || 1;
    return { [handle]: share, ...Object.fromEntries(others.map(k => [`${kind}_${k}`, (1 - share) * (state[`${kind}_${k}`] || 1e-6) / rest])) };
  },

  actions: {
    *fit(state) {
      const { F_1, F_2, G_1, G_2 } = read(state), goal = [Math.sign(F_1 - G_1), Math.sign(F_2 - G_2)];
      for (let k = 1; k <= 30; k++)
        yield { s_1: state.s_1 + (goal[0] - state.s_1) * k / 30, s_2: state.s_2 + (goal[1] - state.s_2) * k / 30 };
    },
  },
};

explorer("transport", figure);
