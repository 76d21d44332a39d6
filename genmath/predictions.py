"""What a network may predict about x_t = alpha x0 + sigma eps, and the conversions among them.

"x0" the data, "eps" the noise, "v" = alpha eps - sigma x0, "score" = -eps / sigma, the score of the
noised density once eps is its mean given x_t. "v" is not the velocity d x_t / dt.
"""

from __future__ import annotations

from collections.abc import Callable

from genmath._batch import per_sample, work_dtype
from genmath._checks import batched, one_of, refuse, same_shape
from genmath._shapes import Coefficient, Data
from genmath._torch import Tensor

__all__ = ["PREDICTIONS", "coefficients", "convert"]

PREDICTIONS = ("x0", "eps", "v", "score")

# target = first * prediction + second * x_t, with n = alpha² + sigma² (1 if variance-preserving).
# Ready-made products, rather than a detour through eps and x0, stay finite wherever the answer is.
_Pair = tuple[Coefficient, Coefficient]
_CONVERSIONS: dict[tuple[str, str], Callable[[Coefficient, Coefficient, Coefficient], _Pair]] = {
    ("x0", "eps"): lambda a, s, n: (-a / s, 1 / s),
    ("x0", "v"): lambda a, s, n: (-n / s, a / s),
    ("x0", "score"): lambda a, s, n: (a / s**2, -1 / s**2),
    ("eps", "x0"): lambda a, s, n: (-s / a, 1 / a),
    ("eps", "v"): lambda a, s, n: (n / a, -s / a),
    ("eps", "score"): lambda a, s, n: (-1 / s, 0.0),
    ("v", "x0"): lambda a, s, n: (-s / n, a / n),
    ("v", "eps"): lambda a, s, n: (a / n, s / n),
    ("v", "score"): lambda a, s, n: (-a / (n * s), -1 / n),
    ("score", "x0"): lambda a, s, n: (s**2 / a, 1 / a),
    ("score", "eps"): lambda a, s, n: (-s, 0.0),
    ("score", "v"): lambda a, s, n: (-n * s / a, -s / a),
}


def coefficients(alpha: Coefficient, sigma: Coefficient, *, source: str, target: str) -> _Pair:
    """(first, second) with target = first * source + second * x_t.

    Errors: ValueError for an unknown name, or where numbers alpha and sigma leave the target
        undetermined: at sigma = 0 x_t holds no noise, at alpha = 0 it holds no data. Tensors are
        not read: there the coefficient is infinite or NaN.
    """
    one_of("source", source, PREDICTIONS)
    one_of("target", target, PREDICTIONS)
    if source == target:
        return 1.0, 0.0
    try:
        return _CONVERSIONS[source, target](alpha, sigma, alpha**2 + sigma**2)
    except ZeroDivisionError:
        name, lost = ("sigma", "noise") if sigma**2 == 0 else ("alpha", "data")
        refuse(name, 0.0, f"a positive number: here x_t holds no {lost}, so {source!r} does not "
                          f"determine {target!r}")  # fmt: skip


def convert(
    prediction: Data,
    x_t: Data,
    alpha: Coefficient,
    sigma: Coefficient,
    *,
    source: str,
    target: str,
) -> Data:
    """The same statement about x_t, said in another of the names "x0", "eps", "v", "score".

    Shapes: prediction and x_t alike; alpha and sigma numbers or one value a sample, as
        ``schedule.coefficients(t, x_t)`` returns them. The dtype follows x_t.
    Errors: ValueError for an unknown name, shapes that differ, or numbers alpha, sigma that leave
        the target undetermined (sigma = 0 or alpha = 0, see `coefficients`); with tensor
        coefficients such samples come out infinite or NaN.
    Source: "eps" Ho, Jain, Abbeel 2020, equation 15; "v" Salimans, Ho 2022, appendix D.
    """
    batched("x_t", x_t)
    same_shape("prediction", prediction, "x_t", x_t)
    alpha = per_sample("alpha", alpha, x_t)
    sigma = per_sample("sigma", sigma, x_t)
    of_prediction, of_x_t = coefficients(alpha, sigma, source=source, target=target)
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
