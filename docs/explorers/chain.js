import { clamp, explorer, panel, text } from "./explorer.js";
import * as compiled from "./chain.functions.js";

const bits = { at: [0, 1], weight: [1, 1], log: [0, 0] };
const pictures = [0, 1].flatMap(x_1 => [0, 1].flatMap(x_2 => [0, 1].map(x_3 => ({ x_1, x_2, x_3 }))));
const names = ["x_1", "x_2", "x_3"], factor = ["first", "second", "third"];

// The boxes of a column, from below: their pixels and their ends.
function column(state, depth) {
  let low = 0;
  const starts = pictures.filter((_, i) => i % 2 ** (2 - depth) === 0);
  return starts.map(pixels => {
    const height = factor.slice(0, depth + 1).reduce((product, f) => product * compiled[f]({ ...state, ...pixels }), 1);
    const box = { pixels, low, high: low + height };
    low += height;
    return box;
  });
}

// The control that says how a box is divided.
const control = (pixels, depth) => depth === 0 ? "a" : depth === 1 ? `b_${pixels.x_1}` : `c_${pixels.x_1}${pixels.x_2}`;

const stage = width => panel([8, 34, width - 8, 344], [0, 4.2], [0, 1]);

// Where each division stands, and between which ends it moves.
function divisions(state) {
  return [0, 1, 2].flatMap(depth => {
    const boxes = column(state, depth);
    return boxes.filter((_, i) => i % 2 === 0).map((zero, i) => {
      const one = boxes[2 * i + 1];
      return { name: control(zero.pixels, depth), depth, at: zero.high, low: zero.low, high: one.high };
    });
  });
}

export const figure = {
  picture(state, width) {
    const view = stage(width);
    const box = (depth, { low, high }, kind, opacity) =>
      `<rect class="dot ${kind}" fill-opacity="${opacity}" x="${view.X(depth) + 2}" y="${view.Y(high).toFixed(1)}" width="${view.X(1) - view.X(0) - 4}" height="${Math.max(0.5, view.Y(low) - view.Y(high) - 1.5).toFixed(1)}"/>`;
    let svg = "", drawn;
    for (const depth of [0, 1, 2]) {
      for (const each of column(state, depth)) {
        const hit = state.u >= each.low && (state.u < each.high || each.high > 1 - 1e-9);
        if (hit && depth === 2) drawn = each.pixels;
        svg += box(depth, each, hit ? "orange" : "blue", each.pixels[names[depth]] ? 0.6 : 0.25);
        const middle = (view.Y(each.low) + view.Y(each.high)) / 2 + 4;
        if (view.Y(each.low) - view.Y(each.high) > 15)
          svg += `<text x="${view.X(depth) + 12}" y="${middle.toFixed(1)}">${each.pixels[names[depth]]}: ${text(compiled[factor[depth]]({ ...state, ...each.pixels }), 3)}</text>`;
      }
      svg += `<text class="name" x="${view.X(depth) + 4}" y="22">${["first", "second", "third"][depth]}${width < 400 ? "" : " pixel"}</text>`;
    }
    for (const each of column(state, 2)) {
      const middle = (view.Y(each.low) + view.Y(each.high)) / 2 + 4, on = each.pixels === drawn;
      if (on || view.Y(each.low) - view.Y(each.high) > 15)
        svg += `<text class="name ${on ? "orange" : ""}" x="${view.X(3) + 10}" y="${middle.toFixed(1)}">${names.map(n => each.pixels[n]).join("")}${width < 400 ? "" : `: ${text(compiled.joint({ ...state, ...each.pixels }), 3)}`}</text>`;
    }
    svg += `<text class="name" x="${view.X(3) + 4}" y="22">picture</text>` + view.curve([[0, state.u], [4.2, state.u]], "purple dashed thin") +
      divisions(state).map(({ name, depth, at }) => view.handle(name, depth + (depth === 2 ? 0.9 : 0.78), at, "blue", "↕")).join("") +
      view.handle("u", 4.05, state.u, "purple", "↕");
    const chance = compiled.joint({ ...state, ...drawn });
    const whole = pictures.reduce((sum, pixels) => sum + compiled.joint({ ...state, ...pixels }), 0);
    const numbers = { picture: names.map(n => drawn[n]).join(" "), chance: text(chance), bits: text(-Math.log2(chance)), whole: text(whole),
      entropy: text(compiled.entropy({ ...state, x_1: bits, x_2: bits, x_3: bits })), free: "7" };
    const said = `The picture ${numbers.picture} is drawn; its probability is ${numbers.chance}, that is ${numbers.bits} bits. The entropy is ${numbers.entropy} nats.`;
    return { svg, height: 356, numbers, said };
  },

  drag(handle, [, v], state, width) {
    const at = clamp(stage(width).y(v), 0, 1);
    if (handle === "u") return { u: at };
    const { low, high } = divisions(state).find(each => each.name === handle);
    return { [handle]: clamp((high - at) / (high - low), 0.02, 0.98) };
  },

  actions: {
    *fair(state) {
      const all = ["a", "b_0", "b_1", "c_00", "c_01", "c_10", "c_11"];
      for (let k = 1; k <= 30; k++)
        yield Object.fromEntries(all.map(name => [name, state[name] + (0.5 - state[name]) * k / 30]));
    },
  },
};

explorer("chain", figure);
