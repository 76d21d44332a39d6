import { calm, explorer, guesser, normals, panel, read, text, written } from "./explorer.js";
import * as compiled from "./path.functions.js";

const COUNT = 500, SHOWN = 60, ASKED = 48, EDGE = 2.6, inPage = !!globalThis.document;

// --- points and schedules

const ring = (n, f) => Array.from({ length: n }, (_, i) => f(i / n));
const SETS = {
  moons: () => [
    ...ring(24, u => [-0.55 + 1.1 * Math.cos(Math.PI * u), -0.25 + 1.1 * Math.sin(Math.PI * u)]),
    ...ring(24, u => [0.55 - 1.1 * Math.cos(Math.PI * u), 0.25 - 1.1 * Math.sin(Math.PI * u)]),
  ],
  ring: () => ring(36, u => [1.5 * Math.cos(2 * Math.PI * u), 1.5 * Math.sin(2 * Math.PI * u)]),
  three: () => [[-1.5, -0.8], [1.4, -0.9], [0.2, 1.5]],
  one: () => [[0.8, 0.6]],
  mine: state => read(state.points),
};
const SCHEDULES = {
  linear: t => [1 - t, t],
  cosine: t => [Math.cos(Math.PI * t / 2), Math.sin(Math.PI * t / 2)],
  vp: t => {
    const log = -(0.1 * t + 9.95 * t * t) / 2;
    return [Math.exp(log), Math.sqrt(-Math.expm1(2 * log))];
  },
};

// --- the exact fields

function fields(points, schedule) {
  const at = t => {
    const [alpha, sigma] = schedule(t), h = 1e-5, low = Math.max(0, t - h), [a, s] = schedule(t + h), [b, r] = schedule(low);
    return { alpha, sigma, alpha_prime: (a - b) / (t + h - low), sigma_prime: (s - r) / (t + h - low) };
  };
  return { at, guess: guesser(points, compiled) };
}

const buffer = [0, 0];
function velocity(field, x, now, into) {
  field.guess(x, now, buffer);
  for (let c = 0; c < 2; c++) into[c] = compiled.velocity({ ...now, x_t: x[c], x_0: buffer[c] });
  return into;
}

// --- samplers: from x at t to s < t, in place

const first = [0, 0], second = [0, 0], ahead = [0, 0];
const STEPS = {
  euler(field, x, t, s, now) {
    velocity(field, x, now, first);
    for (let c = 0; c < 2; c++) x[c] += (s - t) * first[c];
  },
  heun(field, x, t, s, now, then) {
    velocity(field, x, now, first);
    for (let c = 0; c < 2; c++) ahead[c] = x[c] + (s - t) * first[c];
    if (s > 0) velocity(field, ahead, then, second);
    for (let c = 0; c < 2; c++) x[c] += (s - t) * (s > 0 ? (first[c] + second[c]) / 2 : first[c]);
  },
  // Any path is a variance preserving one in other units.
  ddim(field, x, t, s, now, then, eta, noise) {
    field.guess(x, now, buffer);
    const m = Math.hypot(now.alpha, now.sigma), n = Math.hypot(then.alpha, then.sigma);
    const bar_t = (now.alpha / m) ** 2, bar_s = (then.alpha / n) ** 2;
    const v = compiled.fresh({ eta, alpha_bar_s: bar_s, alpha_bar_t: bar_t });
    for (let c = 0; c < 2; c++)
      x[c] = n * (compiled.ddim_step({ x_hat_0: buffer[c], x_t: x[c] / m, v, alpha_s: then.alpha / n, sigma_s: then.sigma / n,
        alpha_t: now.alpha / m, sigma_t: now.sigma / m }) + Math.sqrt(v) * noise());
  },
  sde(field, x, t, s, now, then, lambda, noise) {
    if (now.alpha < 1e-3) now = field.at(t - 1e-3);  // at pure noise the drift is infinite
    velocity(field, x, now, first);
    const constant = value => () => value;
    const g2 = compiled.g2({ alpha: constant(now.alpha), sigma: constant(now.sigma), alpha_prime: constant(now.alpha_prime),
      sigma_prime: constant(now.sigma_prime), t });
    for (let c = 0; c < 2; c++) {
      const score = compiled.score({ ...now, x_t: x[c], U: first[c] });
      const drift = compiled.reverse_drift({ b: now.alpha_prime / now.alpha * x[c], g2, s: score, lambda });
      x[c] += (s - t) * drift + (s > 0 ? lambda * Math.sqrt(g2 * (t - s)) * noise() : 0);
    }
  },
};

// --- a run: all places at all times, made little by little

function begin(state) {
  const points = SETS[state.data](state), field = fields(points, SCHEDULES[state.schedule]), noise = normals(state.seed);
  const start = Float64Array.from({ length: 2 * COUNT }, noise), sigma = field.at(1).sigma;
  for (let i = 0; i < start.length; i++) start[i] *= sigma;
  return { points, field, noise, state, times: [1], places: [start], done: !points.length, error: NaN, w1: NaN };
}

function* advance(run) {
  const { field, state: { steps, sampler, eta } } = run, x = [0, 0];
  for (let k = 1; k <= steps; k++) {
    const t = 1 - (k - 1) / steps, s = k === steps ? 0 : 1 - k / steps, now = field.at(t), then = field.at(s);
    const from = run.places[k - 1], to = new Float64Array(from.length);
    for (let i = 0; i < COUNT; i++) {
      x[0] = from[2 * i];
      x[1] = from[2 * i + 1];
      STEPS[sampler](field, x, t, s, now, then, eta, run.noise);
      to[2 * i] = x[0];
      to[2 * i + 1] = x[1];
      if (i % 100 === 99) yield;
    }
    run.times.push(s);
    run.places.push(to);
  }
  const end = run.places[steps];
  run.w1 = transport(Array.from({ length: COUNT }, (_, i) => end[2 * i]), run.points.map(p => p[0]));
  if (eta === 0 || sampler === "euler" || sampler === "heun") yield* against(run, end);
  run.done = true;
}

// The exact flow by many small steps of Heun's method, finer towards the data.
function* against(run, end) {
  let total = 0;
  const fine = 160, x = [0, 0], times = Array.from({ length: fine + 1 }, (_, k) => (1 - k / fine) ** 2), there = times.map(run.field.at);
  for (let i = 0; i < ASKED; i++) {
    x[0] = run.places[0][2 * i];
    x[1] = run.places[0][2 * i + 1];
    for (let k = 0; k < fine; k++) STEPS.heun(run.field, x, times[k], times[k + 1], there[k], there[k + 1]);
    total += Math.hypot(x[0] - end[2 * i], x[1] - end[2 * i + 1]);
    if (i % 4 === 3) yield;
  }
  run.error = total / ASKED;
}

// W1 on the line: the gap between the sorted.
function transport(ours, theirs) {
  const a = ours.sort((p, q) => p - q), b = theirs.sort((p, q) => p - q), pieces = a.length * b.length;
  let total = 0;
  for (let i = 0; i < pieces; i += 1) total += Math.abs(a[Math.floor(i / b.length)] - b[Math.floor(i / a.length)]);
  return total / pieces;
}

let last = null;
function runOf(state) {
  const { time, arrows, ...matters } = state, key = JSON.stringify(matters);
  if (last?.key !== key) {
    const run = begin(state);
    last = { key, run, more: run.done ? null : advance(run) };
  }
  if (last.more) {
    const until = inPage && !calm() ? performance.now() + 9 : Infinity;
    while (!last.more.next().done) if (performance.now() > until) return last.run;
    last.more = null;
  }
  return last.run;
}

// --- the picture

const round = v => v.toFixed(1);

function layout(width) {
  const wide = width > 560, side = wide ? Math.round(width * 0.56) : width, top = 12;
  const plane = panel([0, top, side, top + side], [-EDGE, EDGE], [-EDGE, EDGE]);
  const past = wide ? panel([side + 26, top, width - 12, top + side], [1, 0], [-EDGE, EDGE])
    : panel([12, top + side + 124, width - 12, top + side + 274], [1, 0], [-EDGE, EDGE]);
  const density = panel([0, top + side + 8, side, top + side + 92], [-EDGE, EDGE], [0, 1]);
  return { plane, past, density, side, height: wide ? side + 128 : side + 310 };
}

// Where all particles are at a time, between two steps on the straight line that a step is.
function placesAt(run, t) {
  const { times, places } = run;
  let k = times.findIndex(s => s <= t + 1e-9);
  if (k < 0) k = times.length - 1;
  if (k === 0 || times[k] > t) return { k, at: places[k], t: times[k] };
  const share = (times[k - 1] - t) / (times[k - 1] - times[k]), a = places[k - 1], b = places[k];
  return { k, at: a.map((v, i) => v + share * (b[i] - v)), t };
}

export const figure = {
  picture(state, width) {
    const run = runOf(state), { plane, past, density, side, height } = layout(width);
    const { k, at, t } = placesAt(run, state.time), now = run.field.at(t);
    let dots = "", trails = "", curves = "", arrows = "";
    for (let i = 0; i < COUNT; i++) dots += `M${round(plane.X(at[2 * i]))} ${round(plane.Y(at[2 * i + 1]))}h0`;
    const every = Math.max(1, Math.floor(k / 40)), kept = run.times.slice(0, k).map((_, j) => j).filter(j => j % every === 0);
    for (let i = 0; i < SHOWN; i++) {
      const way = [...kept.map(j => [run.times[j], run.places[j][2 * i], run.places[j][2 * i + 1]]), [t, at[2 * i], at[2 * i + 1]]];
      trails += "M" + way.map(([, u, v]) => `${round(plane.X(u))} ${round(plane.Y(v))}`).join("L");
      curves += "M" + way.map(([s, u]) => `${round(past.X(s))} ${round(past.Y(u))}`).join("L");
    }
    if (state.arrows !== "none" && run.points.length) arrows = this.field(run, state.arrows, now, plane);
    const data = run.points.map(([u, v]) => `M${round(plane.X(u))} ${round(plane.Y(v))}h0`).join("");
    const pens = state.data === "mine" ? `<rect class="paper" data-handle="paper" x="0" y="12" width="${side}" height="${side}"/>`
      : `<rect class="frame" x="0" y="12" width="${side}" height="${side}"/>`;
    const empty = run.points.length ? "" : plane.label(0, 0.2, "draw points here", "grey", "middle");
    const svg = `<clipPath id="path-clip"><rect x="0" y="12" width="${side}" height="${side}"/></clipPath><g clip-path="url(#path-clip)">` +
      `<path class="curve trail grey" d="${trails}"/><path class="dots ink" d="${dots}"/>${arrows}<path class="dots data orange" d="${data}"/></g>${pens}${empty}` +
      `<path class="curve trail blue" d="${curves}"/>${past.axis([1, 0.5, 0], -EDGE, "t")}` +
      past.curve([[t, -EDGE], [t, EDGE]], "dashed thin ink") +
      `<g class="handle ink" data-handle="time" transform="translate(${round(past.X(t))} ${round(past.Y(EDGE))})"><circle class="reach" r="20"/><circle r="7"/></g>` +
      this.marginal(run, at, now, density);
    const asked = run.field.at(state.time);  // also while the particles are still on their way there
    const numbers = { level: state.time === 0 ? "all data" : asked.alpha < 1e-9 ? "all noise" : text(Math.log(asked.alpha / asked.sigma)) };
    if (run.done) Object.assign(numbers, {
      calls: String(state.steps * (state.sampler === "heun" ? 2 : 1) - (state.sampler === "heun" ? 1 : 0)),
      error: Number.isNaN(run.error) ? "not asked" : text(run.error), w1: text(run.w1),
    });
    const said = run.done ? `At time ${t.toFixed(2)}. Mean distance from the exact flow ${numbers.error}; W1 to the data ${numbers.w1}.` : "";
    return { svg, height, numbers, said, unfinished: !!last.more };
  },

  marginal(run, at, now, density) {
    const bins = 52, counts = new Array(bins).fill(0);
    for (let i = 0; i < COUNT; i++) {
      const bin = Math.floor((at[2 * i] + EDGE) / (2 * EDGE) * bins);
      if (bin >= 0 && bin < bins) counts[bin]++;
    }
    const size = 2 * EDGE / bins, heights = counts.map(c => c / COUNT / size), n = run.points.length;
    const law = { at: run.points.map(p => p[0]), log: run.points.map(() => -Math.log(n)) };
    const smooth = now.sigma > 0.03 && n;
    const exact = x => smooth ? compiled.density({ x, x_0: law, alpha: now.alpha, sigma: now.sigma }) : 0;
    const curve = smooth ? density.xs.map(x => [x, exact(x)]) : [], high = Math.max(0.4, ...heights, ...curve.map(c => c[1]));
    const scaled = curve.map(([x, y]) => [x, y / high]);
    const bars = heights.map((h, i) => h ? `M${round(density.X(-EDGE + i * size))} ${round(density.Y(0))}V${round(density.Y(h / high))}H${round(density.X(-EDGE + (i + 1) * size))}V${round(density.Y(0))}Z` : "");
    return `<path class="area grey" d="${bars.join("")}"/>${smooth ? density.curve(scaled, "green") : ""}${density.axis([-2, 0, 2], 0)}`;
  },

  field(run, kind, now, plane) {
    const x = [0, 0], u = [0, 0], guess = [0, 0], found = [];
    for (let i = -5; i <= 5; i++)
      for (let j = -5; j <= 5; j++) {
        [x[0], x[1]] = [i * 0.47, j * 0.47];
        const sigma = Math.max(now.sigma, 0.02), there = { ...now, sigma };
        run.field.guess(x, there, guess);
        for (let c = 0; c < 2; c++) u[c] = compiled.velocity({ ...there, x_t: x[c], x_0: guess[c] });
        const f = c => kind === "x0" ? guess[c] - x[c] : kind === "velocity" ? -u[c]
          : kind === "score" ? compiled.score({ ...there, x_t: x[c], U: u[c] }) : -compiled.noise({ ...there, x_t: x[c], U: u[c] });
        found.push([x[0], x[1], f(0), f(1)]);
      }
    const most = Math.max(...found.map(a => Math.hypot(a[2], a[3]))) || 1;
    return `<path class="curve thin purple" d="${found.map(([a, b, c, d]) => {
      const scale = 0.42 / most * Math.sqrt(most / (Math.hypot(c, d) || 1)), p = plane.X(a), q = plane.Y(b);
      const r = plane.X(a + scale * c), s = plane.Y(b + scale * d), back = Math.atan2(q - s, p - r);
      const barb = turn => `M${round(r)} ${round(s)}l${round(4 * Math.cos(back + turn))} ${round(4 * Math.sin(back + turn))}`;
      return `M${round(p)} ${round(q)}L${round(r)} ${round(s)}${barb(0.5)}${barb(-0.5)}`;
    }).join("")}"/>`;
  },

  drag(handle, [u, v], state, width) {
    const { plane, past } = layout(width);
    if (handle === "time") return { time: Math.max(0, Math.min(1, past.x(u))) };
    const points = SETS.mine(state), x = plane.x(u), y = plane.y(v), most = 80;
    if (Math.max(Math.abs(x), Math.abs(y)) > EDGE || points.length >= most || points.some(p => Math.hypot(p[0] - x, p[1] - y) < 0.16)) return null;
    return { points: written([...points, [x, y]]) };
  },

  actions: {
    *play() {
      for (let frame = 0; frame <= 150; frame++) yield { time: 1 - frame / 150 };
    },
    *add(state) {  // for who does not draw: the next place of a spiral
      const points = SETS.mine(state), n = points.length, r = 0.5 + 1.6 * ((0.618 * n) % 1), angle = 2.4 * n;
      yield { data: "mine", points: written([...points, [r * Math.cos(angle), r * Math.sin(angle)]]) };
    },
    *clear() {
      yield { data: "mine", points: "" };
    },
  },
};

explorer("path", figure);
