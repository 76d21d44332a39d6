// What Math has not. Of these a module takes the ones that its formulas use; each is one function,
// which begins in the first column with `function` and ends in it with `}`.

function sigmoid(u) {
  const small = Math.exp(-Math.abs(u));
  return (u >= 0 ? 1 : small) / (1 + small);
}

function softplus(u) {
  return Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)));
}

function positive_part(u) {
  return u > 0 ? u : u * 0;
}

function indicator(u) {
  return u > 0 ? 1 : u * 0;
}

function log_gap(u) {
  return (u - 1) - (Math.abs(u - 1) < 0.5 ? Math.log1p(u - 1) : Math.log(u));
}

// The series without cancellation; where it would be long, erf is 1 but for a continued fraction.
function erf(u) {
  const x = Math.abs(u);
  if (!(x < 3)) return Math.sign(u) * (1 - erfc_far(x));
  let term = u, total = u;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) total += term *= (2 * u * u) / (2 * n + 1);
  return 2 / Math.sqrt(Math.PI) * Math.exp(-u * u) * total;
}

function erfc_far(x) {
  let below = x;
  for (let n = 60; n > 0; n--) below = x + n / 2 / below;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / below;
}

// Stirling's series at u + 10, and ten steps of the recurrence back.
function log_gamma(u) {
  if (!(u > 0)) return NaN;
  const x = u + 10, series = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];
  let tail = 0, product = 1;
  for (const c of series.reverse()) tail = tail / (x * x) + c;
  for (let k = 0; k < 10; k++) product *= u + k;
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + tail / x - Math.log(product);
}

function gamma(u) {
  return Math.exp(log_gamma(u));
}

function digamma(u) {
  if (!(u > 0)) return NaN;
  const x = u + 10, series = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160];
  let tail = 0, below = 0;
  for (const c of series.reverse()) tail = (tail + c) / (x * x);
  for (let k = 0; k < 10; k++) below += 1 / (u + k);
  return Math.log(x) - 0.5 / x - tail - below;
}

function trigamma(u) {
  if (!(u > 0)) return NaN;
  const x = u + 10, series = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];
  let tail = 0, above = 0;
  for (const c of series.reverse()) tail = (tail + c) / (x * x);
  for (let k = 0; k < 10; k++) above += 1 / (u + k) / (u + k);
  return above + 1 / x + 0.5 / (x * x) + tail / x;
}
