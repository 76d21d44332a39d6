import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./game.functions.js";

const EDGE = 3;

const RULES = {
  both: s => [compiled.x_both(s), compiled.y_both(s)],
  turn: s => [compiled.x_turn({ ...s, eta_x: s.eta }), compiled.y_turn({ ...s, eta_x: s.eta, eta_y: s.eta })],
  ahead: s => [compiled.x_ahead(s), compiled.y_ahead(s)],
  penalty: s => [compiled.x_both(s), compiled.y_penalty(s)],
};

function orbit(state) {
  const found = [[state.x, state.y]];
  for (let k = 0; k < state.count; k++) {
    const [x, y] = found[k];
    found.push(RULES[state.rule]({ ...state, x, y }));
  }
  return found;
}

function layout(width) {
  const wide = width > 560, side = wide ? Math.round(width * 0.5) : width;
  const right = wide ? [side + 46, 16, width - 14, side - 14] : [36, side + 26, width - 14, side + 180];
  return { plane: panel([0, 6, side, 6 + side], [-EDGE, EDGE], [-EDGE, EDGE]), right, side, height: wide ? side + 12 : side + 206 };
}

function says(state) {
  const factor = square => `distance × ${text(Math.sqrt(square({ eta: state.eta, x: 1, y: 0 })))}`;
  switch (state.rule) {
    case "both": return factor(compiled.square_both);
    case "ahead": return factor(compiled.square_ahead);
    case "turn": return state.eta < 2 ? "stays on an ellipse" : state.eta > 2 ? "leaves" : "drifts away";
    case "penalty": return `area × ${text(compiled.determinant(state))}`;
  }
}

export const figure = {
  picture(state, width) {
    const { plane, right, side, height } = layout(width), places = orbit(state), far = places.map(([x, y]) => Math.hypot(x, y));
    const form = ([x, y]) => compiled.form({ x, y, eta_x: state.eta, eta_y: state.eta });
    let arrows = "";
    for (let i = -5; i <= 5; i++)
      for (let j = -5; j <= 5; j++) {
        const x = i * 0.52, y = j * 0.52, [u, v] = [-y, x].map(c => 0.09 * c), back = Math.atan2(v, -u);
        const [p, q] = [plane.X(x + u), plane.Y(y + v)];
        if (i || j) arrows += `M${plane.X(x).toFixed(1)} ${plane.Y(y).toFixed(1)}L${p.toFixed(1)} ${q.toFixed(1)}` +
          [0.5, -0.5].map(turn => `M${p.toFixed(1)} ${q.toFixed(1)}l${(4 * Math.cos(back + turn)).toFixed(1)} ${(4 * Math.sin(back + turn)).toFixed(1)}`).join("");
      }
    const dots = places.filter(place => Math.max(...place.map(Math.abs)) < EDGE).map(([x, y]) => `M${plane.X(x).toFixed(1)} ${plane.Y(y).toFixed(1)}h0`).join("");
    const low = Math.log10(Math.max(1e-4, Math.min(...far, 0.5))), high = Math.log10(Math.min(1e4, Math.max(...far, 2)));
    const past = panel(right, [0, state.count], [low, high]);
    const curve = far.map((r, k) => [k, clamp(Math.log10(r || 1e-9), low, high)]);
    const powers = Array.from({ length: 9 }, (_, i) => i - 4).filter(p => p >= low && p <= high);
    const marks = powers.map(p => `<text x="${right[0] - 5}" y="${past.Y(p) + 4}" text-anchor="end">${p === 0 ? "1" : p > 0 ? 10 ** p : (10 ** p).toFixed(-p)}</text>`);
    const svg = `<clipPath id="game-clip"><rect x="0" y="6" width="${side}" height="${side}"/></clipPath><rect class="frame" x="0" y="6" width="${side}" height="${side}"/>` +
      `<g clip-path="url(#game-clip)"><path class="curve thin grey" d="${arrows}"/>${plane.curve(places, "blue thin")}<path class="dots blue" d="${dots}"/>` +
      `<path class="dots data orange" d="M${plane.X(0)} ${plane.Y(0)}h0"/></g>${plane.handle("start", state.x, state.y, "blue")}` +
      plane.label(2.85, -2.8, "x", "grey", "end") + plane.label(-2.85, 2.65, "y", "grey") +
      past.curve(curve, "blue") + past.axis([0, state.count], low, "steps") + marks.join("") +
      `<text class="name" x="${right[0]}" y="${right[1] - 4}">distance from the equilibrium</text>`;
    const numbers = { start: text(far[0]), end: text(far.at(-1)), says: says(state), form: `${text(form(places[0]))}, ${text(form(places.at(-1)))}` };
    const said = `After ${state.count} steps the distance is ${numbers.end}, from ${numbers.start}. The result: ${numbers.says}.`;
    return { svg, height, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { plane } = layout(width);
    return { x: clamp(plane.x(u), -2, 2), y: clamp(plane.y(v), -2, 2) };
  },

  actions: {
    *play(state) {
      for (let count = 1; count <= 120; count++) yield { count };
    },
  },
};

explorer("game", figure);
