import { clamp, explorer, normals, panel, text } from "./explorer.js";
import * as compiled from "./translation.functions.js";

const EDGE = 3, COUNT = 140, draw = normals(4);
const cloud = Array.from({ length: COUNT }, () => [draw(), draw()]);

const turn = ([x, y], theta) => [compiled.turned_x({ x, y, theta }), compiled.turned_y({ x, y, theta })];

function panels(width) {
  const side = Math.min(320, Math.floor((width - 12) / 2));
  return { side, left: panel([0, 26, side, 26 + side], [-EDGE, EDGE], [-EDGE, EDGE]), right: panel([side + 12, 26, 2 * side + 12, 26 + side], [-EDGE, EDGE], [-EDGE, EDGE]) };
}

const dots = (place, points, kind) => {
  const seen = points.filter(p => Math.max(...p.map(Math.abs)) < EDGE);
  return `<path class="dots ${kind}" d="${seen.map(([x, y]) => `M${place.X(x).toFixed(1)} ${place.Y(y).toFixed(1)}h0`).join("")}"/>`;
};

export const figure = {
  picture({ theta, width: long }, width) {
    const { side, left, right } = panels(width), inB = cloud.map(([x, y]) => [x, long * y]);
    const translated = inB.map(p => turn(p, theta)), back = translated.map(p => turn(p, -theta));
    const error = Math.max(...back.map((p, i) => Math.hypot(p[0] - inB[i][0], p[1] - inB[i][1])));
    const law = { theta, alpha: 1, beta: long * long };
    const numbers = { critic: text(compiled.critic(law)), cycle: text(error), moved: text(compiled.moved(law)) };
    const ring = wide => Array.from({ length: 121 }, (_, i) => [2 * Math.cos(i * Math.PI / 60), 2 * wide * Math.sin(i * Math.PI / 60)]);
    const half = (points, sign) => points.filter((_, i) => sign * cloud[i][0] > 0);
    const [u, v] = turn([2, 0], theta);
    const svg = `<text class="name" x="4" y="16">domain A</text><text class="name" x="${side + 16}" y="16">translated to B</text>` +
      `<rect class="frame" x="0" y="26" width="${side}" height="${side}"/><rect class="frame" x="${side + 12}" y="26" width="${side}" height="${side}"/>` +
      left.curve(ring(1), "grey thin") + dots(left, half(cloud, 1), "blue") + dots(left, half(cloud, -1), "orange") +
      right.curve(ring(long), "grey thin") + dots(right, half(translated, 1), "blue") + dots(right, half(translated, -1), "orange") +
      right.handle("turn", u, v, "purple", "↻");
    const said = `Turned by ${text(theta)}: the critic could see ${numbers.critic}, the cycle errs by ${numbers.cycle}, and translations moved by a mean square of ${numbers.moved}.`;
    return { svg, height: side + 32, numbers, said };
  },

  drag(handle, [u, v], state, width) {
    const { right } = panels(width);
    return { theta: clamp(Math.atan2(-right.y(v), right.x(u)), -3.14, 3.14) };
  },

  actions: {
    *turn({ theta }) {
      const begin = theta;
      for (let k = 1; k <= 120; k++) {
        const next = begin + k * Math.PI / 60;
        yield { theta: next > Math.PI ? next - 2 * Math.PI : next };
      }
    },
  },
};

explorer("translation", figure);
