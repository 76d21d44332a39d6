import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./clip.functions.js";

const LAST = 7; // doublings of the frames
const KINDS = { whole: "blue", alternating: "green", both: "orange" };

// FLOPs of a block: for the whole, and less what is saved, in two blocks or in one.
function costs(n, m, d) {
  const at = { n, m, d }, whole = compiled.whole(at);
  return { whole, alternating: whole - compiled.alternating(at) / 2, both: whole - compiled.both(at) };
}

function layout(state, width) {
  const m = state.side ** 2, low = costs(1, m, state.width), high = costs(2 ** LAST, m, state.width);
  const least = Math.min(...Object.values(low)), most = Math.max(...Object.values(high));
  return panel([36, 24, width - 96, 300], [0, LAST], [Math.log2(least) - 0.5, Math.log2(most) + 0.5]);
}

// The number of frames where both in a block begin to save; none if a frame is one token. The saving a frame is linear.
function crossing(m, d) {
  const [one, two] = [1, 2].map(n => compiled.both({ n, m, d }) / n);
  return two > one ? 1 - one / (two - one) : Infinity;
}

export const figure = {
  picture(state, width) {
    const plane = layout(state, width), { frames: n, width: d } = state, m = state.side ** 2;
    const at = l => costs(2 ** l, m, d), now = costs(n, m, d), place = Math.log2(n), cross = crossing(m, d);
    const lines = Object.entries(KINDS).map(([kind, color]) => plane.line(l => Math.log2(at(l)[kind]), color)).join("");
    const ends = Object.entries(KINDS).map(([kind, color]) => [kind, color, plane.Y(Math.log2(at(LAST)[kind]))]).sort((a, b) => a[2] - b[2]);
    let above = -Infinity;
    const names = ends.map(([kind, color, y]) => {
      above = Math.max(y, above + 18);
      return `<text class="name ${color}" x="${width - 90}" y="${(above + 5).toFixed(1)}">${kind}</text>`;
    }).join("");
    const mark = cross <= 2 ** LAST ? plane.curve([[Math.log2(cross), -99], [Math.log2(cross), 99]], "thin dashed grey") : "";
    const ticks = [0, 1, 2, 3, 4, 5, 6, 7].map(l => `<text x="${plane.X(l).toFixed(1)}" y="318" text-anchor="middle">${2 ** l}</text>`).join("");
    const dots = ["alternating", "both"].map(kind => `<circle class="dot ${KINDS[kind]}" cx="${plane.X(place).toFixed(1)}" cy="${plane.Y(Math.log2(now[kind])).toFixed(1)}" r="5"/>`).join("");
    const svg = `<text class="name" x="8" y="16">FLOPs of a block, doubling upwards</text>` + `<path class="axis" d="M36 300H${width - 96}"/>` + ticks + `<text class="name" x="${width - 96}" y="338" text-anchor="end">frames</text>` +
      mark + lines + names + dots + plane.handle("n", place, Math.log2(now.whole), "blue", "the number of frames");
    const each = kind => String(Math.round(now[kind] / (n * m))), share = 100 * compiled.both({ n, m, d }) / now.whole;
    const numbers = {
      tokens: String(n * m), whole: each("whole"), alternating: each("alternating"), both: each("both"),
      saves: `${text(share, 3)} %`, from: Number.isFinite(cross) ? String(Math.floor(cross) + 1) : "–",
    };
    const said = `${n} frames, ${numbers.tokens} tokens: a token costs ${numbers.whole} FLOPs with attention over the whole, ${numbers.alternating} alternating, ${numbers.both} with both in a block.`;
    return { svg, height: 346, numbers, said };
  },

  drag(handle, [u], state, width) {
    return { frames: clamp(Math.round(2 ** layout(state, width).x(u)), 1, 2 ** LAST) };
  },

  actions: {
    *long() {
      for (let k = 0; k <= 56; k++) yield { frames: Math.round(2 ** (k / 8)) };
    },
  },
};

explorer("clip", figure);
