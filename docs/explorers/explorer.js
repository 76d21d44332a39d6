// What explorers have in common: controls, the link, handles, numbers; and a few words to draw with.
//
// An explorer is `figure.picture(state, width)`, from the values of its controls to
// {svg, height, numbers, said}, and `unfinished` if the next frame is to go on; in a page,
// `figure.drag(handle, at, state, width)` says what a handle that was moved to a place changes, and
// `figure.actions` what a button does: each yields a change of the state a frame.

export function explorer(name, figure) {
  const root = globalThis.document?.querySelector(`[data-explorer="${name}"]`);
  if (!root) return;
  const svg = root.querySelector("svg.picture"), form = root.querySelector("form"), said = root.querySelector(".said");
  const inputs = [...form.elements].filter(input => input.name);
  const value = input => input.type === "range" ? Number(input.value) : input.value;
  const state = () => Object.fromEntries(inputs.map(input => [input.name, value(input)]));
  const first = state();
  let running = 0, waiting = 0, quiet = 0, wide = 0, moved = false;

  function put(change) {
    for (const input of inputs) if (input.name in change) input.value = change[input.name];
    moved = true;
    draw();
  }

  function draw() {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      wide = svg.clientWidth;
      const width = Math.max(280, wide || 680), drawn = figure.picture(state(), width);
      svg.setAttribute("viewBox", `0 0 ${width} ${drawn.height}`);
      svg.innerHTML = drawn.svg;
      for (const [key, shown] of Object.entries(drawn.numbers)) root.querySelector(`[data-number="${key}"]`).textContent = shown;
      for (const input of inputs)
        if (input.type === "range") input.nextElementSibling.value = short(Number(input.value));
      clearTimeout(quiet);
      if (moved && drawn.said) quiet = setTimeout(() => { said.textContent = drawn.said; }, 600);
      if (drawn.unfinished) draw();
    });
  }

  // The link of what is seen: what differs from the beginning.
  function link() {
    const now = state();
    const changed = Object.keys(now).filter(key => String(now[key]) !== String(first[key]));
    const query = new URLSearchParams(changed.map(key => [key, now[key]]));
    const hash = changed.length ? `#explorer=${name}&${query}` : location.pathname + location.search;
    history.replaceState(null, "", hash);
  }

  function stop() {
    cancelAnimationFrame(running);
    running = 0;
  }

  function run(steps) {
    stop();
    if (calm()) {
      let last = {};
      for (const change of steps) last = { ...last, ...change };
      put(last);
      return link();
    }
    const frame = () => {
      const { value: change, done } = steps.next();
      if (done) return link();
      put(change);
      running = requestAnimationFrame(frame);
    };
    frame();
  }

  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("input", () => { stop(); put({}); });
  form.addEventListener("change", link);
  form.addEventListener("click", event => {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (action === "reset") {
      stop();
      put(first);
      link();
    } else if (action) run(figure.actions[action](state()));
  });

  let held = null;
  const place = event => {
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  svg.addEventListener("pointerdown", event => {
    held = event.target.closest("[data-handle]")?.dataset.handle ?? null;
    if (held === null) return;
    stop();
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", event => {
    if (held === null) return;
    const change = figure.drag(held, place(event), state(), svg.viewBox.baseVal.width);
    if (change) put(change);
  });
  for (const end of ["pointerup", "pointercancel"])
    svg.addEventListener(end, () => { if (held !== null) { held = null; link(); } });

  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.get("explorer") === name) {
    put(Object.fromEntries(asked));
    root.scrollIntoView({ block: "center" });
  }
  form.hidden = false;
  root.classList.add("moves");
  // The page has the first picture already: it is drawn anew when the reader comes near.
  const near = new IntersectionObserver(found => {
    if (!found.some(entry => entry.isIntersecting)) return;
    near.disconnect();
    new ResizeObserver(() => { if (svg.clientWidth !== wide) draw(); }).observe(svg.parentElement);
  }, { rootMargin: "50%" });
  near.observe(root);
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// A number as it is read: four figures, a true minus.
export function text(v, digits = 4) {
  if (Number.isNaN(v)) return "–";
  if (!Number.isFinite(v)) return v > 0 ? "∞" : "−∞";
  const size = Math.abs(v), before = Math.max(1, Math.floor(Math.log10(size || 1)) + 1);
  const shown = size >= 1e6 ? v.toExponential(2) : v.toFixed(Math.max(0, digits - before));
  return shown.replace(/^-(?=[0.]*$)/, "").replace("-", "−");
}

const short = v => String(v).replace("-", "−");

// The base measure of an integral: the midpoint rule.
export function grid(low, high, cells) {
  const step = (high - low) / cells;
  return {
    at: Float64Array.from({ length: cells }, (_, i) => low + (i + 0.5) * step),
    weight: new Float64Array(cells).fill(step),
    log: new Float64Array(cells).fill(Math.log(step)),
  };
}

// A compiled function along one of its letters, the others as the state has them.
export function along(f, state, letter) {
  const at = { ...state };
  return v => {
    at[letter] = v;
    return f(at);
  };
}

export const clamp = (v, low, high) => Math.max(low, Math.min(high, v));

// Down the slope of a function of a few numbers, each between two ends.
export function* descend(cost, start, ends) {
  let here = start, now = cost(start), pace = 0.3;
  for (let step = 0; step < 300 && pace > 1e-4; step++) {
    const slope = here.map((_, i) => {
      const moved = by => cost(here.map((v, j) => v + (i === j ? by : 0)));
      return (moved(1e-4) - moved(-1e-4)) / 2e-4;
    });
    const size = Math.hypot(...slope);
    if (size < 1e-6) return;
    const next = here.map((v, i) => clamp(v - Math.min(pace, size) / size * slope[i], ...ends[i])), then = cost(next);
    if (then < now) {
      [here, now, pace] = [next, then, Math.min(0.3, pace * 1.1)];
      yield here;
    } else pace /= 2;
  }
}

// A panel whose axis doubles until the curve fits, a third of it below zero.
export function fitting(box, [low, high], f) {
  let top = 0.5;
  for (let i = 0; i <= 400; i++) {
    const y = f(low + (high - low) * i / 400);
    while (Math.max(y, -2 * y) > top && top < 1e3) top *= 2;
  }
  return panel(box, [low, high], [-top / 2, top]);
}

// A panel: a box in pixels and what its edges mean.
export function panel([left, top, right, bottom], [xLow, xHigh], [yLow, yHigh]) {
  const X = x => left + (x - xLow) / (xHigh - xLow) * (right - left);
  const Y = y => bottom - (y - yLow) / (yHigh - yLow) * (bottom - top);
  const at = ([x, y]) => `${X(x).toFixed(1)} ${Y(y).toFixed(1)}`;
  const xs = Array.from({ length: 241 }, (_, i) => xLow + (xHigh - xLow) * i / 240);
  // The part of a segment that lies in the box; the horizontal axis may run to the left.
  const [west, east] = [Math.min(xLow, xHigh), Math.max(xLow, xHigh)];
  function inside([a, b], [c, d]) {
    let from = 0, to = 1;
    for (const [run, gap] of [[a - c, a - west], [c - a, east - a], [b - d, b - yLow], [d - b, yHigh - b]]) {
      if (run === 0 && gap < 0) return null;
      if (run < 0) from = Math.max(from, gap / run);
      if (run > 0) to = Math.min(to, gap / run);
    }
    const place = u => [a + u * (c - a), b + u * (d - b)];
    return from <= to && [place(from), place(to)];
  }
  const kept = y => Math.max(yLow, Math.min(yHigh, y));
  return {
    X, Y, xs,
    x: u => xLow + (u - left) / (right - left) * (xHigh - xLow),
    y: v => yLow + (bottom - v) / (bottom - top) * (yHigh - yLow),
    curve(points, kind) {
      const d = points.slice(1).map((q, i) => inside(points[i], q)).filter(Boolean).map(([p, q]) => `M${at(p)}L${at(q)}`);
      return `<path class="curve ${kind}" d="${d.join("").replace(/L([^ML]+)M\1(?=L)/g, "L$1")}"/>`;
    },
    line(f, kind) { return this.curve(xs.map(x => [x, kept(f(x))]), kind); },
    area(f, kind, base = () => 0) {
      const over = xs.map(x => at([x, kept(f(x))])), under = xs.map(x => at([x, kept(base(x))])).reverse();
      return `<path class="area ${kind}" d="M${over.join("L")}L${under.join("L")}Z"/>`;
    },
    axis(ticks, y = Math.max(yLow, Math.min(yHigh, 0)), name = "") {
      const marks = ticks.map(t => `<path class="axis" d="M${at([t, y])}v4"/>` +
        `<text x="${X(t).toFixed(1)}" y="${(Y(y) + 17).toFixed(1)}" text-anchor="middle">${short(t)}</text>`);
      const label = name && `<text class="name" x="${right}" y="${(Y(y) - 6).toFixed(1)}" text-anchor="end">${name}</text>`;
      return `<path class="axis" d="M${left} ${Y(y).toFixed(1)}H${right}"/>${marks.join("")}${label}`;
    },
    handle: (name, x, y, kind, sign = "↔") =>
      `<g class="handle ${kind}" data-handle="${name}" transform="translate(${X(x).toFixed(1)} ${Y(kept(y)).toFixed(1)})">` +
      `<circle class="reach" r="20"/><circle r="8"/><title>${sign}</title></g>`,
    label: (x, y, words, kind = "", anchor = "start") =>
      `<text class="name ${kind}" x="${X(x).toFixed(1)}" y="${Y(kept(y)).toFixed(1)}" text-anchor="${anchor}">${words}</text>`,
  };
}

// Numbers between 0 and 1, neither of them, from a seed: Mulberry's generator.
export function uniforms(seed) {
  let word = seed * 0x9e3779b9 | 0;
  return () => {
    word = word + 0x6d2b79f5 | 0;
    let z = Math.imul(word ^ word >>> 15, 1 | word);
    z = z + Math.imul(z ^ z >>> 7, 61 | z) ^ z;
    return (((z ^ z >>> 14) >>> 0) + 0.5) / 4294967296;
  };
}

// Normal numbers from a seed, by Box and Muller's pairs.
export function normals(seed) {
  const unit = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit());
}

// Points of the plane as a word in a link, and back.
export const written = points => points.map(p => p.map(c => Math.round(100 * c)).join(".")).join("_");
export const read = words => words.split("_").filter(Boolean).map(p => p.split(".").map(c => c / 100));

// The mean of the points behind a noisy place, by what was proved of the line: given one coordinate of the place, the
// law of the other is again one of weighted points.
export function guesser(points, { log_kernel, denoise }) {
  const axis = [0, 1].map(c => ({ at: Float64Array.from(points, p => p[c]), log: new Float64Array(points.length) }));
  const other = { x: 0, x_0: 0, alpha: 0, sigma: 0 }, asked = { x: 0, x_0: null, alpha: 0, sigma: 0 };
  return (x, { alpha, sigma }, into) => {
    asked.alpha = other.alpha = alpha;
    asked.sigma = other.sigma = sigma;
    for (let c = 0; c < 2; c++) {
      const mine = axis[c], theirs = axis[1 - c];
      other.x = x[1 - c];
      for (let i = 0; i < points.length; i++) {
        other.x_0 = theirs.at[i];
        mine.log[i] = log_kernel(other);
      }
      asked.x = x[c];
      asked.x_0 = mine;
      into[c] = denoise(asked);
    }
    return into;
  };
}
