import { clamp, explorer, guesser, normals, panel, read, text, written } from "./explorer.js";
import * as compiled from "./guidance.functions.js";

const COUNT = 300, STEPS = 48, FIRST = 0.02, EDGE = 3;

// A law is bells of one width; all data are the bells of every class, unless the example says otherwise.
const bells = (points, width) => ({ points, width });
const SETS = {
  three: ({ width }) => ({ wish: bells([[0.9, -0.4]], width), all: bells([[0.9, -0.4], [-0.9, -0.4], [0, 0.9]], width), share: 1 / 3 }),
  modes: ({ width }) => ({ wish: bells([[-0.3, 1], [1.3, -0.3]], width), all: bells([[-0.3, 1], [1.3, -0.3], [-1.1, 0.3], [-1.1, 0.3]], width), share: 1 / 2 }),
  normal: () => ({ wish: bells([[0.8, 0]], 0.6), all: bells([[0, 0]], 1), share: null }),
  mine({ wish, others, width }) {
    const mine = read(wish), rest = read(others), all = [...mine, ...rest];
    return { wish: bells(mine, width), all: bells(all, width), share: mine.length / all.length };
  },
};

// The score of a law at a level: that of its centres, seen through noise and the width of a bell.
function field({ points, width }) {
  const guess = guesser(points, compiled);
  return (x, alpha, sigma, into) => {
    const spread = Math.hypot(alpha * width, sigma);
    guess(x, { alpha, sigma: spread }, into);
    for (let c = 0; c < 2; c++) into[c] = (alpha * into[c] - x[c]) / spread ** 2;
    return into;
  };
}

const angle = k => Math.acos(FIRST) * (1 - k / STEPS);

function run(state) {
  const set = SETS[state.data](state), eta = Number(state.sampler);
  if (!set.wish.points.length) return { ...set, ends: [], calls: 0 };
  const wish = field(set.wish), all = field(set.all), noise = normals(state.seed), told = [0, 0], untold = [0, 0];
  const ends = Array.from({ length: COUNT }, () => [noise(), noise()]);
  let calls = 0;
  for (let k = 0; k < STEPS; k++) {
    const [alpha, sigma] = [Math.cos(angle(k)), Math.sin(angle(k))], last = k === STEPS - 1;
    const [alpha_s, sigma_s] = last ? [1, 0] : [Math.cos(angle(k + 1)), Math.sin(angle(k + 1))];
    const inside = alpha >= state.low && alpha <= state.high, s = inside ? state.scale : 1;
    const v = last ? 0 : compiled.fresh({ eta, alpha_bar_s: alpha_s ** 2, alpha_bar_t: alpha ** 2 });
    calls += s === 0 || s === 1 ? 1 : 2;
    for (const x of ends) {
      wish(x, alpha, sigma, told);
      all(x, alpha, sigma, untold);
      for (let c = 0; c < 2; c++) {
        const guided = compiled.guide({ s, P_y: told[c], P_n: untold[c] }), x_hat_0 = (x[c] + sigma ** 2 * guided) / alpha;
        x[c] = last ? x_hat_0 : compiled.step({ x_hat_0, x_t: x[c], v, alpha_s, sigma_s, alpha_t: alpha, sigma_t: sigma }) + (v ? Math.sqrt(v) * noise() : 0);
      }
    }
  }
  return { ...set, ends, calls };
}

function layout(width) {
  const wide = width > 560, side = wide ? Math.round(width * 0.5) : width;
  const right = wide ? [side + 26, 26, width - 12, side - 70] : [26, side + 30, width - 12, side + 190];
  const rule = [right[0], right[3] + 54, right[2], right[3] + 68];
  return { plane: panel([0, 6, side, 6 + side], [-EDGE, EDGE], [-EDGE, EDGE]), right, rule: panel(rule, [0, 1], [0, 1]), side, height: Math.max(side + 12, rule[3] + 26) };
}

const mean = list => list.reduce((sum, v) => sum + v, 0) / list.length;
const spread = list => mean(list.map(v => (v - mean(list)) ** 2));
const law = ({ points }) => ({ at: points.map(p => p[0]), log: points.map(() => -Math.log(points.length)) });

function density({ points, width }, [x, y]) {
  return mean(points.map(([a, b]) => Math.exp(compiled.log_kernel({ x, x_0: a, alpha: 1, sigma: width }) + compiled.log_kernel({ x: y, x_0: b, alpha: 1, sigma: width }))));
}

// How sure an exact classifier of clean points is.
const sure = (set, places) => mean(places.map(p => set.share * density(set.wish, p) / density(set.all, p)));

function formula(state) {
  if (state.data !== "normal" || state.sampler !== "0") return "not here";
  const v = u => 1 - 0.64 * u ** 2, [low, high] = [state.low, Math.max(state.low, state.high)];
  return text(compiled.formula({ v_1: v(low), v_2: v(high), c: 0.36, s: state.scale }));
}

export const figure = {
  picture(state, width) {
    const { plane, right, rule, side, height } = layout(width), set = run(state), { ends, wish, all } = set, noise = normals(99);
    const round = v => v.toFixed(1), dots = ends.map(([x, y]) => `M${round(plane.X(x))} ${round(plane.Y(y))}h0`).join("");
    const ring = ([x, y], r, kind) => `<circle class="curve thin ${kind}" cx="${round(plane.X(x))}" cy="${round(plane.Y(y))}" r="${round(plane.X(1.5 * r) - plane.X(0))}"/>`;
    const own = all.points.filter(p => !wish.points.some(q => q[0] === p[0] && q[1] === p[1]));
    const rings = own.map(p => ring(p, all.width, "blue")).join("") + wish.points.map(p => ring(p, wish.width, "orange")).join("");
    const bins = 44, size = 2 * EDGE / bins, counts = new Array(bins).fill(0);
    for (const [x] of ends) if (Math.abs(x) < EDGE) counts[Math.floor((x + EDGE) / size)]++;
    const exact = set => x => set.points.length ? compiled.density({ x, x_0: law(set), alpha: 1, sigma: set.width }) : 0;
    const heights = counts.map(c => c / COUNT / size), high = 1.08 * Math.max(0.7, ...heights);
    const view = panel(right, [-EDGE, EDGE], [0, high]);
    const bars = heights.map((h, i) => h ? `M${round(view.X(-EDGE + i * size))} ${view.Y(0)}V${round(view.Y(h))}H${round(view.X(-EDGE + (i + 1) * size))}V${view.Y(0)}Z` : "").join("");
    const pen = state.data === "mine" ? `<rect class="paper" data-handle="paper" x="0" y="6" width="${side}" height="${side}"/>` : `<rect class="frame" x="0" y="6" width="${side}" height="${side}"/>`;
    const empty = wish.points.length ? "" : plane.label(0, 0.2, "draw bells here", "grey", "middle");
    const svg = `<clipPath id="guidance-clip"><rect x="0" y="6" width="${side}" height="${side}"/></clipPath><g clip-path="url(#guidance-clip)">${rings}<path class="dots ink" d="${dots}"/></g>` +
      `<path class="area orange" d="${bars}"/>${view.line(exact(all), "grey thin")}${view.line(exact(wish), "green")}${view.axis([-2, 0, 2], 0)}` +
      `<text class="name" x="${right[2]}" y="${right[1] - 8}" text-anchor="end"><tspan class="orange">samples</tspan>, <tspan class="green">right</tspan>, <tspan class="grey">all data</tspan></text>` +
      `<text class="name" x="${right[0]}" y="${round(rule.Y(1) - 14)}">guided levels, from noise to data</text>${rule.axis([0, 0.5, 1], 0)}` +
      rule.curve([[state.low, 1], [Math.max(state.low, state.high), 1]], "orange") + rule.handle("high", state.high, 1, "orange") + rule.handle("low", state.low, 1, "orange") + pen + empty;
    const numbers = { mean: "–", variance: "–", formula: formula(state), sure: "not here", calls: String(set.calls) };
    if (ends.length) {
      const across = ends.map(p => p[0]), centres = wish.points.map(p => p[0]);
      numbers.mean = `${text(mean(across))}, ${text(mean(centres))}`;
      numbers.variance = `${text(spread(across))}, ${text(spread(centres) + wish.width ** 2)}`;
      const drawn = Array.from({ length: 400 }, (_, i) => wish.points[i % wish.points.length].map(c => c + wish.width * noise()));
      if (set.share) numbers.sure = `${text(sure(set, ends))}, ${text(sure(set, drawn))}`;
    }
    const said = ends.length ? `At scale ${state.scale} the mean across is ${numbers.mean.split(", ")[0]} and the variance ${numbers.variance.split(", ")[0]}; right are ${numbers.mean.split(", ")[1]} and ${numbers.variance.split(", ")[1]}.` : "";
    return { svg, height, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { plane, rule } = layout(width), level = Math.round(50 * clamp(rule.x(u), 0, 1)) / 50;
    if (handle === "low") return { low: Math.min(level, state.high) };
    if (handle === "high") return { high: Math.max(level, state.low) };
    const points = read(state[state.pen]), x = plane.x(u), y = plane.y(v), most = 12;
    if (Math.max(Math.abs(x), Math.abs(y)) > EDGE || points.length >= most || points.some(p => Math.hypot(p[0] - x, p[1] - y) < 0.4)) return null;
    return { [state.pen]: written([...points, [x, y]]) };
  },

  actions: {
    *play(state) {
      for (let k = 0; k <= 60; k++) yield { scale: Math.round(k) / 10 };
    },
    *add(state) {  // for who does not draw: the next place of a spiral
      const points = read(state[state.pen]), n = points.length, r = 0.5 + 1.6 * ((0.618 * n) % 1), turn = 2.4 * n + (state.pen === "wish" ? 0 : 1.2);
      if (n < 12) yield { data: "mine", [state.pen]: written([...points, [r * Math.cos(turn), r * Math.sin(turn)]]) };
    },
    *clear() {
      yield { data: "mine", wish: "", others: "" };
    },
  },
};

explorer("guidance", figure);
