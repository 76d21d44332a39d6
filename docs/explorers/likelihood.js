import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./likelihood.functions.js";

const read = words => words.split("_").filter(Boolean).map(p => Number(p) / 100);
const write = points => points.map(p => Math.round(100 * p)).join("_");

// The sequence x[1], …, x[n] of the chapter.
function letters(state) {
  const points = read(state.points);
  return { ...state, x: [0, ...points], n: points.length, v: state.sigma ** 2 };
}

function panels(width) {
  const box = (top, bottom) => [8, top, width - 8, bottom];
  return { above: panel(box(24, 210), [-5, 5], [0, 1.05]), below: panel(box(270, 380), [-5, 5], [0, 1]) };
}

// From a place, as long as the slope is steep, up to a limit.
function arrow([x, y], [dx, dy], kind) {
  const long = Math.hypot(dx, dy);
  if (long < 2) return "";
  const u = dx / long, w = dy / long, head = [[-7, 4], [-7, -4]].map(([a, b]) => `L${x + dx + a * u - b * w} ${y + dy + a * w + b * u}M${x + dx} ${y + dy}`);
  return `<path class="curve ${kind}" d="M${x} ${y}L${x + dx} ${y + dy}${head.join("")}"/>`;
}

export const figure = {
  picture(state, width) {
    const { above } = panels(width), at = letters(state), points = read(state.points);
    const density = x => Math.exp(compiled.whole({ ...at, x: [0, x], n: 1 }));
    const peak = density(state.mu), spread = points.some(p => p !== points[0]);
    const whole = compiled.whole(at), best = spread ? compiled.best(at) : Infinity;
    const slope = { mean: compiled.by_mean(at), width: compiled.by_width(at) };
    const profile = mu => compiled.whole({ ...at, mu }), top = Math.max(...above.xs.map(profile));
    const below = panel([8, 270, width - 8, 380], [-5, 5], [top - 12, top + 1.5]);
    const size = v => 70 * Math.tanh(v / 12), place = [above.X(state.mu), above.Y(Math.min(peak, 1.05))];
    const svg = above.area(density, "blue") + above.line(density, "blue") + above.axis([-4, -2, 0, 2, 4], 0) +
      points.map(p => above.curve([[p, 0], [p, Math.min(density(p), 1.05)]], "thin ink")).join("") +
      arrow(place, [size(slope.mean), 0], "orange") + arrow(place, [0, size(slope.width)], "purple") +
      above.handle("top", state.mu, peak, "blue", "the density: across its mean, up and down its width") +
      points.map((p, i) => above.handle(`p${i}`, p, 0, "green")).join("") +
      `<text class="name orange" x="8" y="16">by the mean</text><text class="name purple" x="110" y="16">by the width (↓ wider)</text>` +
      `<text class="name" x="8" y="258">log-likelihood by the mean, at this width</text>` +
      below.line(profile, "ink") + below.curve([[state.mu, top - 12], [state.mu, profile(state.mu)]], "dashed thin blue") + below.axis([-4, -2, 0, 2, 4], top - 12);
    const numbers = { whole: text(whole), best: text(best), gap: text(best - whole), by_mean: text(slope.mean), by_width: text(slope.width) };
    const said = `Log-likelihood ${numbers.whole}, ${numbers.gap} below the largest. Slope by the mean ${numbers.by_mean}, by the width ${numbers.by_width}.`;
    return { svg, height: 400, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { above } = panels(width), x = clamp(above.x(u), -5, 5);
    if (handle === "top") return { mu: clamp(x, -4, 4), sigma: clamp(1 / (Math.max(0.05, above.y(v)) * Math.sqrt(2 * Math.PI)), 0.1, 4) };
    const points = read(state.points);
    points[Number(handle.slice(1))] = x;
    return { points: write(points) };
  },

  actions: {
    *climb(state) {
      let { mu, sigma } = state;
      for (let k = 0; k < 120; k++) {
        const at = letters({ ...state, mu, sigma }), pace = 0.1 * sigma ** 2 / at.n;
        mu = clamp(mu + pace * compiled.by_mean(at), -4, 4);
        sigma = clamp(sigma + clamp(pace * compiled.by_width(at), -0.1, 0.1), 0.1, 4);
        yield { mu, sigma };
      }
    },
    *add(state) {
      const points = read(state.points);
      if (points.length < 12) yield { points: write([...points, -4 + 8 * ((0.618 * points.length) % 1)]) };
    },
  },
};

explorer("likelihood", figure);
