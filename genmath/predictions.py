"""What a network may predict about x_t = alpha x0 + sigma eps, and the conversions among them.

"x0" the data, "eps" the noise, "v" = alpha eps - sigma x0, "score" = -eps / sigma, the score of the
noised density once eps is its mean given x_t, and "velocity" = d x_t / dt, that is d_alpha x0 +
d_sigma eps, which a path in continuous time has. "v" is not the velocity.

Which to choose: an error of the prediction, as large as its share of what is predicted, is in x_0
multiplied by 1 for "x0", by sigma/alpha for "eps" and "score", and by sigma/(alpha² + sigma²)^½ for
"v" (and for "velocity" on the line). Where alpha is nearly 0, as at the end of a cosine schedule,
"eps" says nothing of x_0: a deterministic sampler that starts there keeps the error;
`genmath.samplers.steps_inside` starts a little nearer to the data.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from genmath._base.batch import per_sample, work_dtype
from genmath._base.checks import batched, between, floating, one_of, real, refuse, same_shape
from genmath._base.shapes import Coefficient, Data
from genmath._base.torch import Tensor

__all__ = ["PREDICTIONS", "coefficients", "convert"]

PREDICTIONS = ("x0", "eps", "v", "score", "velocity")


class _Path(NamedTuple):
    """alpha, sigma, alpha² + sigma² (1 if variance-preserving), d_alpha and d_sigma at one time."""

    a: Coefficient
    s: Coefficient
    n: Coefficient
    da: Coefficient = math.nan
    ds: Coefficient = math.nan

    @property
    def d(self) -> Coefficient:
        """The determinant by which x_t and the velocity give x0 and eps."""
        return self.a * self.ds - self.s * self.da

    @property
    def half_dn(self) -> Coefficient:
        """dn/dt / 2."""
        return self.a * self.da + self.s * self.ds


# target = first * prediction + second * x_t. Ready-made products, rather than a detour through eps
# and x0, stay finite wherever the answer is.
_Pair = tuple[Coefficient, Coefficient]
_CONVERSIONS: dict[tuple[str, str], Callable[[_Path], _Pair]] = {
    ("x0", "eps"): lambda p: (-p.a / p.s, 1 / p.s),
    ("x0", "v"): lambda p: (-p.n / p.s, p.a / p.s),
    ("x0", "score"): lambda p: (p.a / p.s**2, -1 / p.s**2),
    ("x0", "velocity"): lambda p: (-p.d / p.s, p.ds / p.s),
    ("eps", "x0"): lambda p: (-p.s / p.a, 1 / p.a),
    ("eps", "v"): lambda p: (p.n / p.a, -p.s / p.a),
    ("eps", "score"): lambda p: (-1 / p.s, 0.0),
    ("eps", "velocity"): lambda p: (p.d / p.a, p.da / p.a),
    ("v", "x0"): lambda p: (-p.s / p.n, p.a / p.n),
    ("v", "eps"): lambda p: (p.a / p.n, p.s / p.n),
    ("v", "score"): lambda p: (-p.a / (p.n * p.s), -1 / p.n),
    ("v", "velocity"): lambda p: (p.d / p.n, p.half_dn / p.n),
    ("score", "x0"): lambda p: (p.s**2 / p.a, 1 / p.a),
    ("score", "eps"): lambda p: (-p.s, 0.0),
    ("score", "v"): lambda p: (-p.n * p.s / p.a, -p.s / p.a),
    ("score", "velocity"): lambda p: (-p.s * p.d / p.a, p.da / p.a),
    ("velocity", "x0"): lambda p: (-p.s / p.d, p.ds / p.d),
    ("velocity", "eps"): lambda p: (p.a / p.d, -p.da / p.d),
    ("velocity", "v"): lambda p: (p.n / p.d, -p.half_dn / p.d),
    ("velocity", "score"): lambda p: (-p.a / (p.s * p.d), p.da / (p.s * p.d)),
}


def coefficients(
    alpha: Coefficient,
    sigma: Coefficient,
    *,
    source: str,
    target: str,
    d_alpha: Coefficient | None = None,
    d_sigma: Coefficient | None = None,
) -> _Pair:
    """(first, second) with target = first * source + second * x_t.

    Errors: ValueError for an unknown name, a "velocity" without d_alpha and d_sigma, or where
        numbers leave the target undetermined: at sigma = 0 x_t holds no noise, at alpha = 0 it
        holds no data, and where d_sigma is infinite there is no velocity. Tensors are not read:
        there floating-point arithmetic takes its course, mostly to infinity or NaN.
    """
    one_of("source", source, PREDICTIONS)
    one_of("target", target, PREDICTIONS)
    alpha, sigma = _number("alpha", alpha, 0.0), _number("sigma", sigma, 0.0)
    if source == target:
        return 1.0, 0.0
    path = _Path(alpha, sigma, alpha**2 + sigma**2)
    if "velocity" in (source, target):
        path = path._replace(da=_slope("d_alpha", d_alpha), ds=_slope("d_sigma", d_sigma))
    try:
        return _CONVERSIONS[source, target](path)
    except ZeroDivisionError:
        so = f"so {source!r} does not determine {target!r}"
        if source == "velocity" and path.d == 0:
            slopes = (d_alpha, d_sigma)
            refuse(
                "d_alpha, d_sigma", slopes, f"a path that moves: here alpha/sigma does not, {so}"
            )
        name, lost = ("sigma", "noise") if sigma**2 == 0 else ("alpha", "data")
        refuse(name, 0.0, f"a positive number: here x_t holds no {lost}, {so}")


SLOPE = "a finite number: a velocity involves the derivatives of the path"


def _slope(name: str, slope: Coefficient | None) -> Coefficient:
    if slope is None:
        refuse(name, slope, SLOPE)
    return _number(name, slope, -math.inf, SLOPE)


def _number(
    name: str, value: Coefficient, low: float, expected: str = "a number >= 0"
) -> Coefficient:
    if not isinstance(value, Tensor):
        return real(name, value, expected, low)
    between(name, floating(name, value), expected, low)
    return value


def convert(
    prediction: Data,
    x_t: Data,
    alpha: Coefficient,
    sigma: Coefficient,
    *,
    source: str,
    target: str,
    d_alpha: Coefficient | None = None,
    d_sigma: Coefficient | None = None,
) -> Data:
    """The same statement about x_t, said in another of the names in `PREDICTIONS`.

    Result: flow_matching.predictions, sde.velocity_score
    Shapes: prediction and x_t alike; alpha and sigma numbers or one value a sample, as
        ``path.coefficients(t, x_t)`` returns them; d_alpha and d_sigma, from
        ``path.derivatives(t, x_t)``, where "velocity" is one of the two. The dtype follows x_t.
    Errors: ValueError for an unknown name, shapes that differ, missing derivatives, or numbers that
        leave the target undetermined (sigma = 0 or alpha = 0, see `coefficients`).
    Source: "eps" Ho, Jain, Abbeel 2020, equation 15; "v" Salimans, Ho 2022, appendix D.
    """
    batched("x_t", x_t)
    same_shape("prediction", prediction, "x_t", x_t)
    alpha = per_sample("alpha", alpha, x_t)
    sigma = per_sample("sigma", sigma, x_t)
    if d_alpha is not None:
        d_alpha = per_sample("d_alpha", d_alpha, x_t, -math.inf)
    if d_sigma is not None:
        d_sigma = per_sample("d_sigma", d_sigma, x_t, -math.inf)
    of_prediction, of_x_t = coefficients(
        alpha, sigma, source=source, target=target, d_alpha=d_alpha, d_sigma=d_sigma
    )
    if source == target:
        return prediction.to(x_t.dtype)
    work = work_dtype(x_t)
    if isinstance(of_prediction, Tensor):
        of_prediction = of_prediction.to(work)
    if isinstance(of_x_t, Tensor):
        of_x_t = of_x_t.to(work)
    out = of_prediction * prediction.to(work)
    if not (isinstance(of_x_t, float) and of_x_t == 0.0):
        out = out + of_x_t * x_t.to(work)
    return out.to(x_t.dtype)
