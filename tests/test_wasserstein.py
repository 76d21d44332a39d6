"""Wasserstein distances against exact linear programs, closed forms, and the checked chapter."""

from __future__ import annotations

import itertools
import math
import random
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy.solvers.simplex import lpmax, lpmin
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from genmath import book
from genmath.proof.language.tree import Named
from genmath.wasserstein import (
    assignment,
    clip_weights,
    critic_loss,
    gaussian_w2_squared,
    generator_loss,
    gradient_penalty,
    lipschitz_bound,
    pairwise_costs,
    potential_1d,
    sinkhorn,
    sinkhorn_divergence,
    sliced_wasserstein,
    transport_plan,
    wasserstein,
    wasserstein_1d,
)
from tests.checked import checked, value

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
EVENTS = [(), (3,), (2, 4, 4)]

seeds = st.integers(0, 999)
sizes = st.integers(1, 7)
powers = st.sampled_from([1.0, 1.5, 2.0, 3.0])


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64).to(dtype)


def weights(n: int, seed: int) -> torch.Tensor:
    return 0.1 + torch.rand(n, generator=rng(seed=seed), dtype=torch.float64)


def wide(value: object) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def close(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


GRID = {
    "x": [[0, 0], [1, 0], [0, 1], [1, 1], [2, 2]],
    "y": [[3, 0], [0, 3], [2, 1], [1, 2], [4, 4]],
    "a": [0.1, 0.2, 0.3, 0.25, 0.15],
    "b": [0.3, 0.1, 0.2, 0.2, 0.2],
}


def grid(*names: str) -> list[torch.Tensor]:
    return [wide(GRID[name]) for name in names]


# On the line


@given(n=sizes, m=sizes, p=powers, seed=seeds, weighted=st.booleans())
def test_the_line_agrees_with_the_exact_plan(n, m, p, seed, weighted) -> None:
    x, y = normal(n, seed=seed), 2 * normal(m, seed=seed + 1) + 0.3
    a, b = (weights(n, seed), weights(m, seed + 1)) if weighted else (None, None)
    on_the_line = wasserstein_1d(x, y, p, x_weights=a, y_weights=b)
    close(on_the_line, wasserstein(x, y, p, x_weights=a, y_weights=b), 1e-9)
    back = wasserstein_1d(y, x, p, x_weights=b, y_weights=a)
    close(back, on_the_line, 1e-9)
    shift = wasserstein_1d(3 * x + 7, 3 * y + 7, p, x_weights=a, y_weights=b)
    close(shift, 3 * on_the_line, 1e-9)
    z = normal(n + 1, seed=seed + 2)
    way_round = wasserstein_1d(x, z, p, x_weights=a) + wasserstein_1d(z, y, p, y_weights=b)
    assert on_the_line <= way_round + 1e-9


@given(n=sizes, seed=seeds, p=powers)
def test_weights_are_multiplicities(n, seed, p) -> None:
    x, y = normal(n, seed=seed), normal(6, seed=seed + 1)
    counts = torch.randint(1, 4, (n,), generator=rng(seed=seed))
    repeated = x.repeat_interleave(counts)
    close(wasserstein_1d(x, y, p, x_weights=counts.double()), wasserstein_1d(repeated, y, p), 1e-9)
    assert wasserstein_1d(x, x.flip(0), p).item() == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_dtype_follows_the_points(device, dtype) -> None:
    x, y = (normal(6, seed=i, dtype=dtype).to(device) for i in range(2))
    exact = wasserstein_1d(x.double(), y.double(), 1)
    for got in (wasserstein_1d(x, y, 1), wasserstein_1d(x, y, 1, x_weights=torch.ones_like(x))):
        assert got.dtype == dtype
        assert got.device == x.device
        torch.testing.assert_close(got.double(), exact, rtol=1e-2, atol=1e-3)
    places = torch.linspace(-3, 3, 12, dtype=dtype, device=device).reshape(3, 4)
    potential = potential_1d(x, y, places)
    assert (potential.shape, potential.dtype, potential.device) == (
        places.shape, dtype, places.device,
    )  # fmt: skip


def test_sums_are_in_float64() -> None:
    """A hundred thousand float32 terms, and points a thousand times as far away as apart."""
    x, y = (normal(100_000, seed=i).float() + 1e3 for i in range(2))
    first, second = (v.sort().values.double() for v in (x, y))
    exact = math.fsum((first - second).abs().tolist()) / len(x)
    assert wasserstein_1d(x, y, 1).item() == pytest.approx(exact, rel=1e-7)
    uneven = wasserstein_1d(x, y[:99_999], 1).item()
    ours = wasserstein_1d(x.double(), y[:99_999].double(), 1).item()
    assert uneven == pytest.approx(ours, rel=1e-6)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("m", [6, 4])
def test_gradients_on_the_line(p, m) -> None:
    x, y, a = normal(6).requires_grad_(), normal(m, seed=1).requires_grad_(), weights(6, 3)
    assert torch.autograd.gradcheck(lambda u, v: wasserstein_1d(u, v, p), (x, y))
    a.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda u, w: wasserstein_1d(u, y.detach(), p, x_weights=w), (x, a)
    )
    same = normal(6).requires_grad_()
    (slope,) = torch.autograd.grad(wasserstein_1d(same, normal(6), p), same)
    assert torch.isfinite(slope).all()


@given(n=sizes, m=sizes, seed=seeds, weighted=st.booleans())
def test_the_potential_sees_the_distance_and_has_slope_at_most_one(n, m, seed, weighted) -> None:
    x, y = normal(n, seed=seed), normal(m, seed=seed + 1)
    a, b = (weights(n, seed), weights(m, seed + 1)) if weighted else (None, None)
    f = [potential_1d(x, y, at, x_weights=a, y_weights=b) for at in (x, y)]
    means = [
        (v * (torch.ones_like(v) if w is None else w)).sum() / (len(v) if w is None else w.sum())
        for v, w in zip(f, (a, b), strict=True)
    ]
    close(means[0] - means[1], wasserstein_1d(x, y, 1, x_weights=a, y_weights=b), 1e-9)
    places = torch.linspace(-5, 5, 401, dtype=torch.float64)
    heights = potential_1d(x, y, places, x_weights=a, y_weights=b)
    assert (heights.diff().abs() <= places.diff() + 1e-12).all()
    assert heights[0] == 0


# Exact plans


@given(n=sizes, m=sizes, seed=seeds, event=st.sampled_from(EVENTS))
@settings(max_examples=50)
def test_a_plan_and_its_potentials_prove_each_other(n, m, seed, event) -> None:
    x, y, a, b = normal(n, *event, seed=seed), normal(m, *event, seed=seed + 1), None, None
    if seed % 2:
        a, b = weights(n, seed), weights(m, seed + 1)
    costs = pairwise_costs(x, y)
    best = transport_plan(costs, a, b)
    assert (best.plan >= 0).all()
    rows = torch.full((n,), 1 / n) if a is None else a / a.sum()
    columns = torch.full((m,), 1 / m) if b is None else b / b.sum()
    close(best.plan.sum(1), rows.double(), 1e-7)
    close(best.plan.sum(0), columns.double(), 1e-7)
    gain = best.f.unsqueeze(1) - best.g
    assert (gain <= costs + 1e-9).all()
    close(best.plan * (costs - gain), torch.zeros_like(costs), 1e-9)
    close((best.plan.sum(1) * best.f).sum() - (best.plan.sum(0) * best.g).sum(), best.cost, 1e-9)


@given(n=st.integers(1, 5), seed=seeds)
@settings(max_examples=40)
def test_the_assignment_is_the_best_of_all(n, seed) -> None:
    costs = normal(n, n, seed=seed)
    best = min(
        sum(costs[i, s[i]].item() for i in range(n)) for s in itertools.permutations(range(n))
    )
    got = assignment(costs)
    assert sorted(got.tolist()) == list(range(n))
    assert costs[torch.arange(n), got].sum().item() == pytest.approx(best, abs=1e-12)


def rational_metric(n: int, seed: int) -> tuple[list[list[Fraction]], ...]:
    """Random fractions: distances (the shortest ways through a random graph) and two densities."""
    r = random.Random(seed)
    d = [[Fraction(r.randint(1, 12), r.randint(1, 4)) for _ in range(n)] for _ in range(n)]
    d = [[Fraction(0) if i == j else d[min(i, j)][max(i, j)] for j in range(n)] for i in range(n)]
    for k, i, j in itertools.product(range(n), repeat=3):
        d[i][j] = min(d[i][j], d[i][k] + d[k][j])
    masses = [[Fraction(r.randint(0, 5)) for _ in range(n)] for _ in range(2)]
    for mass in masses:
        mass[r.randrange(n)] += 1
    p, q = ([m / sum(mass) for m in mass] for mass in masses)
    return d, [p, q]


@pytest.mark.parametrize(("n", "seed"), [(3, 0), (3, 1), (3, 2), (4, 3)])
def test_strong_duality_by_an_exact_simplex_method(n, seed) -> None:
    """The least cost of a plan and the most that a potential of slope one sees, in fractions."""
    d, (p, q) = rational_metric(n, seed)
    points = range(n)
    length = [[sympy.Rational(v.numerator, v.denominator) for v in row] for row in d]
    p_s, q_s = ([sympy.Rational(v.numerator, v.denominator) for v in w] for w in (p, q))
    moved = {(i, j): sympy.Symbol(f"m_{i}_{j}") for i in points for j in points}
    rules = [m >= 0 for m in moved.values()]
    rules += [sympy.Eq(sum(moved[i, j] for j in points), p_s[i]) for i in points]
    rules += [sympy.Eq(sum(moved[i, j] for i in points), q_s[j]) for j in points]
    least, _ = lpmin(sum(m * length[i][j] for (i, j), m in moved.items()), rules)
    f = sympy.symbols(f"f:{n}")
    slopes = [f[i] - f[j] <= length[i][j] for i in points for j in points if i != j]
    most, _ = lpmax(sum(f[i] * (p_s[i] - q_s[i]) for i in points), [*slopes, sympy.Eq(f[0], 0)])
    assert least == most  # equal as fractions
    costs, a, b = (wide([[float(v) for v in row] for row in m]) for m in (d, [p], [q]))
    got = transport_plan(costs, a[0], b[0])
    assert got.cost.item() == pytest.approx(float(least), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_points_far_from_the_origin(offset) -> None:
    """By the expanded square in float32 a plan costs 19 to 29 times too much at 1e4."""
    x, y = ((normal(100, 2, seed=i) + offset).float() for i in range(2))
    near = wasserstein(x.double() - offset, y.double() - offset)
    assert wasserstein(x, y).item() == pytest.approx(near.item(), rel=1e-6)
    assert pairwise_costs(x, x).diagonal().abs().max().item() == 0.0


def test_witness_values() -> None:
    """Of another solver; one of them is Sinkhorn's plan at epsilon = 1 with equal weights."""
    x, y, a, b = grid("x", "y", "a", "b")
    assert wasserstein(x, y, 1).item() == pytest.approx(2.012899020449196, rel=1e-13)
    assert wasserstein(x, y).item() ** 2 == pytest.approx(4.4, rel=1e-13)
    assert wasserstein(x, y, 1, x_weights=a, y_weights=b).item() == pytest.approx(
        2.019238815542512, rel=1e-13
    )
    assert wasserstein(x, y, x_weights=a, y_weights=b).item() ** 2 == pytest.approx(4.8, rel=1e-13)
    row, other = wide([0, 1, 3, 7, 8]), wide([5, 6, 8, 9, 12])
    assert wasserstein_1d(row, other, 1).item() == pytest.approx(4.2, rel=1e-14)
    assert wasserstein_1d(row, other, 2).item() ** 2 == pytest.approx(19.0, rel=1e-14)
    smooth = sinkhorn(pairwise_costs(x, y), 1.0, tolerance=1e-10)
    assert smooth.cost.item() == pytest.approx(4.669616332343439, abs=1e-8)
    assert smooth.plan[4, 4].item() == pytest.approx(0.19865909763333023, abs=1e-8)
    assert smooth.plan[0, 4].item() == pytest.approx(6.107331955819193e-08, rel=1e-6)


@given(seed=seeds, p=st.sampled_from([1.0, 2.0, 3.0]), event=st.sampled_from(EVENTS))
@settings(max_examples=25)
def test_the_gradient_of_the_distance(seed, p, event) -> None:
    x, y = normal(4, *event, seed=seed).requires_grad_(), normal(5, *event, seed=seed + 1)
    distance = wasserstein(x, y, p)
    (slope,) = torch.autograd.grad(distance, x)
    step = 1e-6 * normal(4, *event, seed=seed + 2)
    moved = wasserstein(x.detach() + step, y, p) - wasserstein(x.detach() - step, y, p)
    assert (slope * step).sum().item() * 2 == pytest.approx(moved.item(), rel=1e-4, abs=1e-12)
    at_itself = torch.autograd.grad(wasserstein(x, x.detach(), p), x)[0]
    assert torch.isfinite(at_itself).all()


def test_without_pot_the_error_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ot.lp", None)
    with pytest.raises(ImportError, match="pip install POT"):
        wasserstein(normal(3, 2), normal(3, 2))


def test_the_solver_giving_up_is_an_error(monkeypatch) -> None:
    import ot.lp

    solve = ot.lp.emd
    monkeypatch.setattr(ot.lp, "emd", lambda *a, **k: solve(*a, **{**k, "numItermax": 1}))
    with (
        pytest.warns(UserWarning, match="numItermax"),
        pytest.raises(RuntimeError, match="transport_plan"),
    ):
        wasserstein(normal(50, 2), normal(50, 2, seed=1))


# Entropic transport


def entropic_objective(plan: torch.Tensor, costs: torch.Tensor, epsilon: float) -> torch.Tensor:
    apart = plan.sum(1, keepdim=True) * plan.sum(0)
    return (plan * costs).sum() + epsilon * torch.special.xlogy(plan, plan / apart).sum()


def plain_log_sinkhorn(costs, epsilon, a, b, steps):
    f, g = torch.zeros_like(a), torch.zeros_like(b)
    for _ in range(steps):
        f = -epsilon * torch.logsumexp((g - costs) / epsilon + b.log(), 1)
        g = -epsilon * torch.logsumexp((f.unsqueeze(1) - costs) / epsilon + a.log().unsqueeze(1), 0)
    return torch.exp((f.unsqueeze(1) + g - costs) / epsilon) * a.unsqueeze(1) * b


@given(n=sizes, m=sizes, epsilon=st.sampled_from([0.05, 0.3, 2.0]), seed=seeds)
@settings(max_examples=40)
def test_sinkhorn_is_a_fixed_point_with_no_gap(n, m, epsilon, seed) -> None:
    costs = pairwise_costs(normal(n, 2, seed=seed), normal(m, 2, seed=seed + 1))
    a, b = weights(n, seed), weights(m, seed + 1)
    a, b = a / a.sum(), b / b.sum()
    got = sinkhorn(costs, epsilon, a, b, tolerance=1e-11, steps=10**6)
    close(got.plan.sum(1), a, 1e-9)
    close(got.plan.sum(0), b, 1e-9)
    assert got.error < 1e-10
    close(entropic_objective(got.plan, costs, epsilon), got.value, 1e-8)
    close((a * got.f).sum() + (b * got.g).sum(), got.value, 1e-9)
    close(got.f, -epsilon * torch.logsumexp((got.g - costs) / epsilon + b.log(), 1), 1e-8)
    exact = transport_plan(costs, a, b).cost
    assert exact - 1e-9 <= got.cost <= got.value + 1e-9
    for seed_2 in range(3):  # no other coupling is better
        other = torch.outer(a, b)
        i, j = (
            torch.randint(n, (2,), generator=rng(seed=seed_2)),
            torch.randint(m, (2,), generator=rng(seed=seed_2 + 9)),
        )
        room = min(other[i[0], j[0]], other[i[1], j[1]]) / 2
        for sign, (r, c) in zip((-1, 1, 1, -1), itertools.product(i, j), strict=True):
            other[r, c] += sign * room
        mixed = 0.7 * got.plan + 0.3 * other
        assert entropic_objective(mixed, costs, epsilon) >= got.value - 1e-9


@pytest.mark.parametrize("scale", [1.0, 30.0, 3000.0])
def test_sinkhorn_where_every_kernel_underflows(scale) -> None:
    """exp(-3000 · 20) is 0 in float64; the steps are those of the plain log-domain loop."""
    x, y = normal(12, 2), normal(9, 2, seed=1) + 2
    costs, a, b = scale * pairwise_costs(x, y), weights(12, 1), weights(9, 2)
    a, b = a / a.sum(), b / b.sum()
    for steps in (1, 2, 7, 60):
        got = sinkhorn(costs, 1.0, a, b, tolerance=None, steps=steps)
        assert got.steps == steps
        g = (costs - costs.amin(1, keepdim=True)).amin(0)
        for _ in range(steps):
            f = -torch.logsumexp(g - costs + b.log(), 1)
            g = -torch.logsumexp(f.unsqueeze(1) - costs + a.log().unsqueeze(1), 0)
        plan = torch.exp(f.unsqueeze(1) + g - costs) * a.unsqueeze(1) * b
        close(got.plan, plan, 1e-9)
        assert got.error == pytest.approx((plan.sum(1) - a).abs().sum().item(), abs=1e-9)


def test_a_start_from_afar_is_taken_up_by_logarithms() -> None:
    """Its potentials lead to a kernel that is 0 in all columns but one."""
    costs = pairwise_costs(normal(12, 2), normal(9, 2, seed=1) + 2)
    far = costs + 5000 * torch.eye(1, 9, dtype=torch.float64)
    expected = sinkhorn(costs, 1.0, tolerance=1e-12)
    for block in (None, 4):
        got = sinkhorn(costs, 1.0, tolerance=1e-12, start=sinkhorn(far, 1.0), block=block)
        close(got.plan, expected.plan, 1e-10)


def test_what_has_not_converged_is_an_error_or_reported() -> None:
    """A peer returns 12.5 for 19.2 without a word."""
    costs = pairwise_costs(*grid("x", "y"))
    a, b = grid("a", "b")
    with pytest.raises(RuntimeError, match=r"after 20 steps the marginals are wrong by 0\.\d+"):
        sinkhorn(costs, 0.1, a, b, steps=20)
    reported = sinkhorn(costs, 0.1, a, b, steps=20, tolerance=None)
    assert reported.error > 0.01
    done = sinkhorn(costs, 0.1, a, b, steps=10**5)
    assert done.error < 2e-6
    assert done.cost.item() == pytest.approx(4.8, abs=0.3)
    assert reported.value < done.value


def test_what_the_steps_have_reached_is_kept_and_taken_up_again() -> None:
    costs = pairwise_costs(*grid("x", "y"))
    a, b = grid("a", "b")
    early = sinkhorn(costs, 0.1, a, b, steps=20, strict=False)
    assert not early.converged
    assert early.error > 0.01
    assert early.error == pytest.approx((early.plan.sum(1) - a).abs().sum().item(), rel=1e-6)
    assert not sinkhorn(costs, 0.1, a, b, steps=20, tolerance=None).converged
    later = sinkhorn(costs, 0.1, a, b, steps=30, tolerance=None, start=early)
    at_once = sinkhorn(costs, 0.1, a, b, steps=50, tolerance=None)
    close(later.plan, at_once.plan, 1e-10)
    close(later.value, at_once.value, 1e-10)
    done = sinkhorn(costs, 0.1, a, b, steps=10**5)
    assert done.converged
    again = sinkhorn(costs, 0.1, a, b, start=done)
    assert (again.steps, again.converged) == (1, True)
    close(again.plan, done.plan, 1e-6)
    near = sinkhorn(costs * 1.001, 0.1, a, b, steps=10**5, start=done)
    assert near.steps < 0.9 * sinkhorn(costs * 1.001, 0.1, a, b, steps=10**5).steps
    narrow = sinkhorn(costs.float(), 0.1, a, b, steps=10**5)
    assert sinkhorn(costs.float(), 0.1, a, b, start=narrow).plan.dtype == torch.float32
    with pytest.raises(ValueError, match=r"^start: got one for \d+ and \d+ points, expected "):
        sinkhorn(costs[:-1], 0.1, start=done)


@pytest.mark.parametrize("epsilon", [0.1, 0.01])
@pytest.mark.parametrize("steps", [100, 1000])
def test_annealing_leads_to_the_same_plan_in_fewer_steps(epsilon, steps) -> None:
    costs = pairwise_costs(*grid("x", "y"))
    a, b = grid("a", "b")
    largest = costs.max().item()

    def after(steps: int, anneal_from: float | None):
        return sinkhorn(costs, epsilon, a, b, tolerance=None, steps=steps, anneal_from=anneal_from)

    plain, annealed = after(steps, None), after(steps, largest)
    assert annealed.steps == steps
    assert annealed.error < plain.error / 2
    # At 0.01 the plain steps are wrong by 4e-7 after a million.
    ours, theirs = (
        sinkhorn(costs, 0.3, a, b, tolerance=1e-9, steps=10**5, anneal_from=begin)
        for begin in (largest, None)
    )
    close(ours.plan, theirs.plan, 1e-8)
    # Steps that run out before epsilon is reached leave one for it.
    short = after(7, largest)
    assert short.steps == 7
    close(short.plan.sum(0), b / b.sum(), 1e-9)


@given(seed=seeds)
@settings(max_examples=20)
def test_the_dual_rises_with_every_step(seed) -> None:
    costs = pairwise_costs(normal(6, 2, seed=seed), normal(5, 2, seed=seed + 1))
    values = [sinkhorn(costs, 0.1, tolerance=None, steps=k).value.item() for k in range(1, 12)]
    assert all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(values))
    assert values[-1] <= sinkhorn(costs, 0.1, steps=10**5).value.item() + 1e-6


def test_sinkhorn_with_points_of_no_weight_and_one_point() -> None:
    costs = pairwise_costs(normal(4, 2), normal(3, 2, seed=1))
    got = sinkhorn(costs, 0.2, wide([0.5, 0.0, 0.2, 0.3]), wide([0.0, 1.0, 1.0]), tolerance=1e-10)
    assert torch.isfinite(got.plan).all()
    assert got.plan[1].sum() == 0
    assert got.plan[:, 0].sum() == 0
    fewer = sinkhorn(costs[[0, 2, 3]][:, 1:], 0.2, wide([0.5, 0.2, 0.3]), tolerance=1e-10)
    close(got.plan[[0, 2, 3]][:, 1:], fewer.plan, 1e-8)
    assert sinkhorn(costs[:1, :1], 0.1).plan.item() == 1.0


def test_points_without_weight_far_from_all_others() -> None:
    """Between them the kernel is exp(f + g) with potentials of 10 000: their plan is 0, not NaN."""
    x, y = wide([[0.0], [1.0], [100.0]]), wide([[0.0], [2.0], [100.0]])
    costs = pairwise_costs(x, y).requires_grad_()
    a, b = wide([1.0, 2.0, 0.0]).requires_grad_(), wide([1.0, 1.0, 0.0]).requires_grad_()
    got = sinkhorn(costs, 1.0, a, b, tolerance=1e-11)
    fewer = sinkhorn(costs[:2, :2], 1.0, a[:2], b[:2], tolerance=1e-11)
    close(got.plan[:2, :2], fewer.plan, 1e-10)
    close(got.value, fewer.value, 1e-10)
    assert got.plan[2].sum() == got.plan[:, 2].sum() == 0
    assert all(torch.isfinite(tensor).all() for tensor in got[:5])
    slopes = torch.autograd.grad(got.value, [costs, a, b])
    close(slopes[0], got.plan, 1e-10)
    assert all(torch.isfinite(slope).all() for slope in slopes)
    moved = sinkhorn(costs, 1.0, a + wide([0, 0, 1e-7]), b, tolerance=1e-11).value
    close((moved - got.value) / 1e-7, slopes[1][2], 1e-2 * slopes[1][2].abs())


@given(n=sizes, m=sizes, seed=seeds)
@settings(max_examples=20)
def test_the_gradient_of_the_value_in_the_weights(n, m, seed) -> None:
    costs = pairwise_costs(normal(n, 2, seed=seed), normal(m, 2, seed=seed + 1))
    a, b = weights(n, seed).requires_grad_(), weights(m, seed + 1).requires_grad_()

    def of(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return sinkhorn(costs, 0.5, a, b, tolerance=1e-12, steps=10**5).value

    assert torch.autograd.gradcheck(of, (a, b), eps=1e-5, atol=1e-5)


def test_the_gradient_of_the_value_is_the_plan() -> None:
    costs = pairwise_costs(normal(5, 2), normal(4, 2, seed=1)).requires_grad_()
    got = sinkhorn(costs, 0.3, tolerance=1e-12, steps=10**5)
    (slope,) = torch.autograd.grad(got.value, costs)
    close(slope, got.plan, 1e-9)
    numeric = torch.zeros_like(slope)
    for i, j in itertools.product(range(5), range(4)):
        step = torch.zeros_like(slope)
        step[i, j] = 1e-5
        ends = [
            sinkhorn(costs.detach() + s * step, 0.3, tolerance=1e-12, steps=10**5).value
            for s in (1, -1)
        ]
        numeric[i, j] = (ends[0] - ends[1]) / 2e-5
    close(slope, numeric, 1e-5)


@given(n=sizes, m=sizes, p=st.sampled_from([1.0, 1.5, 2.0]), seed=seeds)
@settings(max_examples=20)
def test_the_divergence_of_sinkhorn_is_one(n, m, p, seed) -> None:
    """The value alone is none: it is positive between equal samples."""
    x, y = normal(n, 2, seed=seed), normal(m, 2, seed=seed + 1)
    a, b = weights(n, seed), weights(m, seed + 1)
    precise = {"tolerance": 1e-10, "steps": 10**5}
    got = sinkhorn_divergence(x, y, 2.0, p, x_weights=a, y_weights=b, **precise)
    close(got, sinkhorn_divergence(y, x, 2.0, p, x_weights=b, y_weights=a, **precise), 1e-9)
    assert got >= -1e-9
    assert sinkhorn_divergence(x, x, 2.0, p, x_weights=a, y_weights=a) == 0
    order = torch.randperm(n, generator=rng(seed=seed))
    close(
        sinkhorn_divergence(x, x[order], 2.0, p, x_weights=a, y_weights=a[order], **precise),
        wide(0.0),
        1e-9,
    )
    if n > 1:
        assert sinkhorn(pairwise_costs(x, x, p), 2.0, a, a, **precise).value > 1e-6
    values = [
        sinkhorn(pairwise_costs(*pair, p), 2.0, *mass, **precise).value
        for pair, mass in (((x, y), (a, b)), ((x, x), (a, a)), ((y, y), (b, b)))
    ]
    close(got, values[0] - values[1] / 2 - values[2] / 2, 1e-10)


def test_the_divergence_of_sinkhorn_between_two_points_and_at_both_ends_of_epsilon() -> None:
    x, y = normal(6, 2), normal(5, 2, seed=1) + 1
    close(sinkhorn_divergence(x[:1], y[:1], 0.3), (x[0] - y[0]).square().sum(), 1e-12)
    # For a large epsilon half an energy distance, which for p = 2 is that of the means.
    close(sinkhorn_divergence(x, y, 1e5), (x.mean(0) - y.mean(0)).square().sum(), 1e-3)
    small = sinkhorn_divergence(x, y, 1e-3, tolerance=1e-4, steps=10**5, anneal_from=10.0)
    close(small, wasserstein(x, y) ** 2, 1e-2)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_the_gradient_of_the_divergence_of_sinkhorn(p) -> None:
    x, y = normal(4, 2).requires_grad_(), normal(3, 2, seed=1).requires_grad_()
    a = weights(4, 1).requires_grad_()

    def of(x: torch.Tensor, y: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        return sinkhorn_divergence(x, y, 2.0, p, x_weights=a, tolerance=1e-11, steps=10**5)

    assert torch.autograd.gradcheck(of, (x, y, a), eps=1e-5, atol=1e-5)
    (slope,) = torch.autograd.grad(sinkhorn_divergence(x, x.detach(), 2.0, p), x)
    close(slope, torch.zeros_like(slope), 1e-5)  # least where both are equal


@settings(max_examples=30)
@given(
    n=st.integers(1, 7), m=st.integers(1, 7), block=st.integers(1, 9),
    epsilon=st.sampled_from([0.05, 0.5, 5.0]), anneal=st.booleans(), seed=st.integers(0, 9),
)  # fmt: skip
def test_sinkhorn_in_blocks_takes_the_same_steps(n, m, block, epsilon, anneal, seed) -> None:
    costs = pairwise_costs(normal(n, 2, seed=seed), normal(m, 2, seed=seed + 1))
    a, b = normal(n, seed=2).exp(), normal(m, seed=3).exp()
    a[n // 2 + 1 :] = 0.0
    options = {"anneal_from": 8.0 if anneal else None, "tolerance": 1e-8, "steps": 40}
    one, many = (
        sinkhorn(costs, epsilon, a, b, block=size, strict=False, **options)
        for size in (None, block)
    )
    assert one.converged == many.converged
    assert many.steps <= one.steps <= many.steps + 7  # it looks at every eighth step
    again = options | {"steps": one.steps, "tolerance": None}
    same = sinkhorn(costs, epsilon, a, b, block=block, strict=False, **again)
    for whole, parts in zip(one[:5], same[:5], strict=True):
        close(whole, parts, 1e-9)
    assert one.error == pytest.approx(same.error, abs=1e-9)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
def test_the_divergence_of_sinkhorn_in_blocks_and_its_gradients(p: float) -> None:
    x, y = normal(7, 3, seed=1), normal(5, 3, seed=2) + 1
    a, b = normal(7, seed=3).exp(), normal(5, seed=4).exp()
    found = []
    for block in (None, 2, 5, 100):
        given = [tensor.clone().requires_grad_() for tensor in (x, y, a, b)]
        value = sinkhorn_divergence(
            given[0], given[1], 4.0, p, x_weights=given[2], y_weights=given[3],
            tolerance=1e-10, block=block,
        )  # fmt: skip
        found.append([value.detach(), *torch.autograd.grad(value, given)])
    for other in found[1:]:
        for whole, parts in zip(found[0], other, strict=True):
            close(whole, parts, 1e-8)
    with pytest.raises(RuntimeError, match="sinkhorn: after 1 steps the marginals are wrong"):
        sinkhorn_divergence(x, y, 0.01, steps=1, block=2)


@pytest.mark.parametrize("epsilon", [2.0, 0.5, 0.05])
@pytest.mark.parametrize("block", [None, 3])
def test_a_set_with_itself_takes_few_steps_at_any_epsilon(epsilon: float, block) -> None:
    """Alternating steps would take thousands: it is the symmetric ones that end in 30."""
    x = normal(20, 2).requires_grad_()
    a = normal(20, seed=1).exp()
    y = x.detach()[torch.randperm(20, generator=rng())]  # a set by another name
    both = {"x_weights": a, "y_weights": a, "steps": 30, "block": block, "tolerance": 1e-8}
    assert sinkhorn_divergence(x, x.detach().clone(), epsilon, **both) == 0
    with pytest.raises(RuntimeError, match="marginals are wrong"):
        sinkhorn_divergence(x, y, 0.05, **both)
    slow = sinkhorn(pairwise_costs(x, x), 2.0, a, a, tolerance=1e-10, steps=10**5).value
    far = x.detach() + 100.0  # one plan, whose value is known
    total = sinkhorn_divergence(x, far[:1], 2.0, x_weights=a, steps=30, block=block)
    direct = (a / a.sum() * (x - far[0]).square().sum(1)).sum()
    close(total, direct - slow / 2, 1e-6)


def test_what_blocks_save_is_memory() -> None:
    """Nothing is as large as the costs."""

    class Largest(TorchDispatchMode):
        numbers = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                self.numbers = max(self.numbers, out.numel())
            return out

    x, y = normal(40, 2).requires_grad_(), normal(50, 2)
    with Largest() as watched:
        sinkhorn_divergence(x, y, 1.0, block=4).backward()
    assert watched.numbers <= 4 * 50 * 2  # the differences, in two dimensions
    with Largest() as watched:
        sinkhorn_divergence(x, y, 1.0)
    assert watched.numbers >= 50 * 50


@pytest.mark.parametrize("dtype", DTYPES)
def test_sinkhorn_keeps_dtype_and_device(device, dtype) -> None:
    costs = pairwise_costs(normal(5, 2), normal(4, 2, seed=1))
    got = sinkhorn(costs.to(device, dtype), 0.5)
    for tensor in got[:5]:
        assert (tensor.dtype, tensor.device.type) == (dtype, device)
    close(got.plan.cpu().double(), sinkhorn(costs, 0.5).plan, 0.05)


# Normal densities


def factor(d: int, seed: int) -> torch.Tensor:
    return torch.tril(normal(d, d, seed=seed)) + 2 * torch.eye(d, dtype=torch.float64)


def root(matrix: torch.Tensor) -> torch.Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


@given(d=st.integers(1, 5), seed=seeds)
def test_w2_of_normal_densities(d, seed) -> None:
    m_p, m_q = normal(d, seed=seed), normal(d, seed=seed + 1)
    l_p, l_q = factor(d, seed + 2), factor(d, seed + 3)
    s_p, s_q = l_p @ l_p.T, l_q @ l_q.T
    closed = ((m_p - m_q) ** 2).sum() + torch.trace(
        s_p + s_q - 2 * root(root(s_p) @ s_q @ root(s_p))
    )
    close(gaussian_w2_squared(m_p, l_p, m_q, l_q), closed, 1e-8)
    close(gaussian_w2_squared(m_q, l_q, m_p, l_p), closed, 1e-8)
    turned = torch.linalg.qr(normal(d, d, seed=seed + 4)).Q  # another factor of one covariance
    close(gaussian_w2_squared(m_p, l_p @ turned, m_q, l_q), closed, 1e-8)
    assert gaussian_w2_squared(m_p, l_p, m_p, l_p @ turned).item() < 1e-24


def test_w2_of_normal_densities_nearly_equal_singular_and_in_batches() -> None:
    l = factor(3, 0)
    zero = torch.zeros(3, dtype=torch.float64)
    small = 1e-9 * normal(3, 3, seed=1).tril()
    got = gaussian_w2_squared(zero, l, zero, l + small).item()
    assert 0 < got < 1e-16
    flat = torch.diag(wide([1.0, 0.0, 2.0]))
    assert gaussian_w2_squared(zero, flat, zero, 0 * flat).item() == pytest.approx(5.0)
    batch = torch.stack([l, 2 * l])
    both = gaussian_w2_squared(torch.zeros(2, 3, dtype=torch.float64), batch, zero, l)
    close(both, torch.stack([wide(0.0), l.square().sum()]), 1e-9)
    assert (
        gaussian_w2_squared(zero.float(), l.float(), zero.half(), l.half()).dtype == torch.float32
    )


def test_the_gradient_of_w2_of_normal_densities() -> None:
    m_p, m_q, l_p, l_q = normal(3), normal(3, seed=1), factor(3, 2), factor(3, 3)
    inputs = [v.requires_grad_() for v in (m_p, l_p, m_q, l_q)]
    assert torch.autograd.gradcheck(gaussian_w2_squared, inputs)


def test_any_coupling_of_samples_costs_at_least_that_of_normal_densities() -> None:
    """Gelbrich: with the means and covariances of the samples themselves."""
    for seed in range(5):
        x, y = normal(40, 2, seed=seed) ** 3, normal(40, 2, seed=seed + 9).exp()
        moments = []
        for z in (x, y):
            centred = z - z.mean(0)
            moments += [z.mean(0), torch.linalg.cholesky(centred.T @ centred / len(z))]
        bound = gaussian_w2_squared(*moments)
        assert wasserstein(x, y).item() ** 2 >= bound.item() - 1e-9


# Slices


@pytest.mark.parametrize("event", EVENTS)
def test_slices(event) -> None:
    x, y = normal(50, *event), 1.5 * normal(40, *event, seed=1) + 0.5
    d = math.prod(event)
    for p in (1.0, 2.0):
        sliced = sliced_wasserstein(x, y, p, directions=200, generator=rng())
        assert sliced <= wasserstein(x, y, p) + 1e-9
    shifted = sliced_wasserstein(x, x + 2.0, directions=4000, generator=rng())
    assert shifted.item() == pytest.approx(2.0, rel=0.05)  # |θ|/√d with |θ| = 2 √d
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, second = (sliced_wasserstein(x, y, generator=rng(seed=3)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
    if d == 1:
        flat = [z.reshape(-1) for z in (x, y)]
        close(first, wasserstein_1d(*flat, 2.0), 1e-9)
    z = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(sliced_wasserstein(z, y, generator=rng()), z)
    assert torch.isfinite(slope).all()
    assert slope.abs().sum() > 0


# WGAN


def test_losses() -> None:
    real, fake = normal(8, 1), normal(5, 1, seed=1)
    close(critic_loss(real, fake), fake.mean() - real.mean())
    close(generator_loss(fake), -fake.mean())


class Quadratic(nn.Module):
    """A critic whose gradient is known: w · x + ½ k ‖x‖²."""

    def __init__(self, size: int, k: float = 0.7) -> None:
        super().__init__()
        self.w = nn.Parameter(normal(size))
        self.k = nn.Parameter(wide(k))
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x)
        rows = x.reshape(len(x), -1)
        return rows @ self.w.to(x.dtype) + self.k.to(x.dtype) / 2 * rows.square().sum(1)


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("event", [*EVENTS, (3, 2, 2, 2)])
def test_the_penalty_by_hand(device, event, one_sided) -> None:
    real, fake = (normal(6, *event, seed=i).to(device) for i in range(2))
    critic = Quadratic(math.prod(event)).to(device)
    got = gradient_penalty(
        critic, real, fake, weight=1.0, generator=rng(device, 3), one_sided=one_sided
    )
    ((between,), size) = critic.seen, math.prod(event)
    lengths = (critic.w + critic.k * between.reshape(6, size)).norm(dim=1)
    excess = (lengths - 1).relu() if one_sided else lengths - 1
    close(got, excess.square().mean())
    # each point is on the segment of its pair, with one weight for all its coordinates
    parts = ((between - fake) / (real - fake)).reshape(6, size)
    assert (parts >= -1e-12).all()
    assert (parts <= 1 + 1e-12).all()
    close(parts, parts[:, :1].expand_as(parts), 1e-9)
    if size > 1:
        assert parts[:, 0].unique().numel() == 6
    slopes = torch.autograd.grad(got, list(critic.parameters()))
    assert all(torch.isfinite(s).all() for s in slopes)


def test_the_penalty_where_the_gradient_is_zero_is_not_nan() -> None:
    """`wgangp-sqrt-nan`: a critic that is flat somewhere turned every weight into NaN."""
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1)).double()
    with torch.no_grad():
        net[0].bias.fill_(-1e3)  # no unit is ever on
    real, fake = normal(5, 2), normal(5, 2, seed=1)
    penalty = gradient_penalty(net, real, fake, weight=1.0, generator=rng())
    assert penalty.item() == 1.0
    penalty.backward()
    for p in net.parameters():
        assert p.grad is None or torch.isfinite(p.grad).all()
    flat = Quadratic(2, 0.0)
    with torch.no_grad():
        flat.w.zero_()
    penalty = gradient_penalty(flat, real, fake, weight=1.0, generator=rng())
    slopes = torch.autograd.grad(penalty, list(flat.parameters()))
    assert all(torch.isfinite(s).all() for s in slopes)


def test_the_penalty_of_a_critic_with_slope_one_is_exactly_zero() -> None:
    """`wgangp-channel-norm`: over channels alone each pixel is pushed to slope one by itself; and
    no epsilon in the root moves the norm."""
    size = 2 * 4 * 4
    critic = Quadratic(size, 0.0)
    with torch.no_grad():
        critic.w.fill_(1 / math.sqrt(size))
    real, fake = normal(3, 2, 4, 4), normal(3, 2, 4, 4, seed=1)
    penalty = gradient_penalty(critic, real, fake, weight=1.0, generator=rng())
    assert penalty.item() < 1e-30


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_penalty_keeps_the_dtype_and_draws_from_its_generator(device, dtype) -> None:
    real, fake = (normal(4, 3, seed=i, dtype=dtype).to(device) for i in range(2))
    critic = Quadratic(3).to(device)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, second = (
        gradient_penalty(critic, real, fake, weight=1.0, generator=rng(device, 1)) for _ in range(2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, second)
    assert first.dtype == dtype
    with torch.no_grad():
        under = gradient_penalty(critic, real, fake, weight=1.0, generator=rng(device, 1))
    torch.testing.assert_close(under, first)


def test_clipping() -> None:
    net = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 1))
    signs = [p.sign() for p in net.parameters()]
    clip_weights(net, 0.05)
    for p, sign in zip(net.parameters(), signs, strict=True):
        assert p.abs().max() <= 0.05
        assert (p.sign() == sign).all()
        assert p.requires_grad


@pytest.mark.parametrize(
    "activation",
    [nn.ReLU(), nn.LeakyReLU(0.2), nn.Tanh(), nn.SELU(), nn.SiLU(), nn.GELU(), nn.Softplus()],
    ids=repr,
)
def test_the_bound_bounds_every_slope(activation) -> None:
    x = torch.linspace(-12, 12, 400_001, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(activation(x).sum(), x)
    bound = lipschitz_bound(activation)
    assert slopes.abs().max().item() <= bound + 1e-12
    assert slopes.abs().max().item() >= bound - 1e-4
    net = nn.Sequential(nn.Linear(3, 8), activation, nn.Linear(8, 8), activation, nn.Linear(8, 1))
    net = net.double()
    at = normal(500, 3).requires_grad_()
    (slopes,) = torch.autograd.grad(net(at).sum(), at)
    assert slopes.norm(dim=1).max().item() <= lipschitz_bound(net)


@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"padding": 1}, {"groups": 2}])
def test_the_bound_of_a_convolution(options) -> None:
    layer = nn.Conv2d(2, 4, 3, bias=False, **options).double()
    matrix = torch.autograd.functional.jacobian(lambda x: layer(x).flatten(), normal(1, 2, 7, 7))
    exact = torch.linalg.matrix_norm(matrix.reshape(len(matrix), -1), 2).item()
    assert exact <= lipschitz_bound(layer) <= 9 * exact


def test_a_shear_has_eigenvalues_one_and_lengthens() -> None:
    """`udl-lipschitz-eigenvalue`."""
    layer = nn.Linear(2, 2, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(wide([[1, 1], [0, 1]]))
    assert torch.linalg.eigvals(layer.weight).abs().max().item() == pytest.approx(1)
    assert lipschitz_bound(layer) == pytest.approx((1 + math.sqrt(5)) / 2)


# Bad input


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x", lambda x: wasserstein_1d(x, x[0], 1)),
        ("y", lambda x: wasserstein_1d(x[0], x, 1)),
        ("x", lambda x: wasserstein_1d(x[0][:0], x[0], 1)),
        ("y", lambda x: wasserstein_1d(x[0], x[0] / 0, 1)),
        ("p", lambda x: wasserstein_1d(x[0], x[0], 0.5)),
        ("x_weights", lambda x: wasserstein_1d(x[0], x[0], 1, x_weights=x[0][:2])),
        ("x_weights", lambda x: wasserstein_1d(x[0], x[0], 1, x_weights=-x[0])),
        ("y_weights", lambda x: wasserstein_1d(x[0], x[0], 1, y_weights=0 * x[0])),
        ("y_weights", lambda x: wasserstein_1d(x[0], x[0], 1, y_weights=x[0] / 0)),
        ("x", lambda x: potential_1d(x, x[0], x[0])),
        ("at", lambda x: potential_1d(x[0], x[0], 1.0)),
        ("y", lambda x: pairwise_costs(x, x[:, :2])),
        ("p", lambda x: pairwise_costs(x, x, 0.0)),
        ("p", lambda x: wasserstein(x, x, 0.5)),
        ("costs", lambda x: transport_plan(x[0])),
        ("costs", lambda x: transport_plan(x / 0)),
        ("x_weights", lambda x: transport_plan(x, x[0])),
        ("y_weights", lambda x: transport_plan(x, None, x[:, 0])),
        ("costs", lambda x: assignment(x)),
        ("costs", lambda x: assignment(x[:, :2] * math.nan)),
        ("epsilon", lambda x: sinkhorn(x, 0.0)),
        ("steps", lambda x: sinkhorn(x, 1.0, steps=0)),
        ("tolerance", lambda x: sinkhorn(x, 1.0, tolerance=0.0)),
        ("x_weights", lambda x: sinkhorn(x, 1.0, -x[:, 0])),
        ("start", lambda x: sinkhorn(x, 1.0, start=x)),
        ("start", lambda x: sinkhorn(x, 1.0, start=sinkhorn(x.T, 1.0))),
        ("start", lambda x: sinkhorn(x, 1.0, start=sinkhorn(x, 1.0)._replace(g=x[0] / 0))),
        ("p", lambda x: sinkhorn_divergence(x, x, 1.0, 3.0)),
        ("y", lambda x: sinkhorn_divergence(x, x[:, :2], 1.0)),
        ("anneal_from", lambda x: sinkhorn(x, 1.0, anneal_from=0.5)),
        ("strict", lambda x: sinkhorn(x, 1.0, strict=1)),
        ("mean_q", lambda x: gaussian_w2_squared(x[0], x, x[0, :2], x)),
        ("chol_p", lambda x: gaussian_w2_squared(x[0], x, x[0], x)),
        ("mean_p", lambda x: gaussian_w2_squared(1.0, x, x[0], x)),
        ("directions", lambda x: sliced_wasserstein(x, x, directions=0, generator=rng())),
        ("generator", lambda x: sliced_wasserstein(x, x, generator=None)),
        ("y", lambda x: sliced_wasserstein(x, x[:, :2], generator=rng())),
        ("real_scores", lambda x: critic_loss(x[:0], x)),
        ("fake_scores", lambda x: generator_loss(x[:0])),
        (
            "fake",
            lambda x: gradient_penalty(lambda z: z[:, 0], x, x[:1], weight=1.0, generator=rng()),
        ),
        (
            "real",
            lambda x: gradient_penalty(
                lambda z: z[:, 0], x[:0], x[:0], weight=1.0, generator=rng()
            ),
        ),
        (
            "generator",
            lambda x: gradient_penalty(lambda z: z[:, 0], x, x, weight=1.0, generator=None),
        ),
        (
            "critic output",
            lambda x: gradient_penalty(lambda z: z, x, x, weight=1.0, generator=rng()),
        ),
        (
            "critic output",
            lambda x: gradient_penalty(lambda z: z.sum(), x, x, weight=1.0, generator=rng()),
        ),
        ("bound", lambda x: clip_weights(nn.Linear(2, 2), 0.0)),
        ("module", lambda x: lipschitz_bound(nn.BatchNorm1d(2))),
        (
            "module",
            lambda x: lipschitz_bound(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")),
        ),
    ],
)
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(2, 3))


# Ties: every implementation against the function made from the checked result

CHAPTER = book.chapter("wasserstein")


def chain(derivation, n: int, name: str | None = None, position: int = 0):
    found = [c for c in derivation.chains if dict(c.case).get("n", n) == n and c.name == name]
    return found[position]


def staircases(n: int) -> list[list[tuple[int, int]]]:
    """The ways through an n × n table, row by row or column by column, in the chapter's order."""
    ways = [[(1, 1)]]
    for _ in range(2 * n - 2):
        steps = [
            (*way, (r + dr, c + dc))
            for way in ways
            for (r, c) in way[-1:]
            for dr, dc in ((1, 0), (0, 1))
        ]
        ways = [list(way) for way in steps if max(way[-1]) <= n]
    return ways


@given(n=st.integers(2, 3), seed=seeds)
@settings(max_examples=60)
def test_tie_wasserstein_1d(n, seed) -> None:
    """On points in a row: ∫ |F - G| of the chapter, and what its bound says of any plan."""
    gaps, p, q = weights(n - 1, seed), weights(n, seed + 1), weights(n, seed + 2)
    p, q = p / p.sum(), q / q.sum()
    places = torch.cat([wide([0.0]), gaps.cumsum(0)])
    got = wasserstein_1d(places, places, 1, x_weights=p, y_weights=q)
    letters = {f"h_{k + 1}": gaps[k] for k in range(n - 1)}
    cdf, cdg = p.cumsum(0), q.cumsum(0)
    for k in range(n - 1):
        letters |= {f"F_{k + 1}": cdf[k], f"G_{k + 1}": cdg[k]}
    potential = chain(CHAPTER.line, n, "potential")
    close(value(potential.last, **letters), got)
    seen = potential_1d(places, places, places, x_weights=p, y_weights=q)
    close(value(potential.start, **letters), got)
    close((seen * (p - q)).sum(), got)
    for k in range(n - 1):  # the chapter's slopes are those of the potential
        sign = next(
            s for s in potential.start.walk() if isinstance(s, Named) and s.name == f"s_{k + 1}"
        )
        close((seen[k + 1] - seen[k]) / gaps[k], value(sign.body, **letters))
    # the monotone plan is one of the staircases
    plan = transport_plan(pairwise_costs(places, places, 2.0), p, q).plan
    pieces = [c for c in CHAPTER.line.chains if dict(c.case)["n"] == n and c.name != "potential"]
    costs = []
    for way, piece in zip(staircases(n), pieces, strict=True):
        masses = {f"m_{i}": plan[r - 1, c - 1] for i, (r, c) in enumerate(way, 1)}
        if abs(sum(masses.values()) - 1) < 1e-9:
            costs += [value(side, **letters, **masses) for side in (piece.start, piece.last)]
    assert costs
    for cost in costs:
        close(cost, got, 1e-9)
    # any plan costs at least as much, for any slopes
    other = torch.outer(p, q)
    names = {f"pi_{{{i + 1}{j + 1}}}": other[i, j] for i in range(n) for j in range(n)}
    slopes = {f"s_{k + 1}": (cdf[k] - cdg[k]).sign() for k in range(n - 1)}
    bound = chain(CHAPTER.line_bound, n)
    gaps_only = {k: v for k, v in letters.items() if k.startswith("h_")}
    close(value(bound.last, **gaps_only, **names, **slopes), got)
    close(
        value(bound.start, **gaps_only, **names),
        (other * pairwise_costs(places, places, 1.0)).sum(),
    )


@given(seed=seeds)
@settings(max_examples=30)
def test_tie_transport_plan(seed) -> None:
    """The gap of weak duality vanishes for the plan and the potentials found; and three points."""
    costs = normal(4, 3, seed=seed)
    best = transport_plan(costs, weights(4, seed), weights(3, seed + 1))
    gap = CHAPTER.weak_duality["gap"].claim
    letters = {"pi": best.plan, "x": torch.arange(4), "y": torch.arange(3)}
    functions = {
        "c": lambda i, j: costs[i.long(), j.long()],
        "f": lambda i: best.f[i.long()],
        "g": lambda j: best.g[j.long()],
    }
    for side in (gap.lhs, gap.rhs):
        close(value(side, **letters, **functions), wide(0.0), 1e-9)
    order = assignment(costs[:3])
    square = transport_plan(costs[:3])
    close(costs[torch.arange(3), order].mean(), square.cost, 1e-9)
    # two surpluses, one lack
    corners = normal(3, 2, seed=seed)
    d = pairwise_costs(corners, corners, 1.0)
    rest, e = weights(3, seed + 2), weights(2, seed + 3)
    before = rest + torch.cat([e, wide([0.0])])
    after = rest + torch.cat([wide([0.0, 0.0]), e.sum().reshape(1)])
    expected = checked(CHAPTER.three_points["surplus"].claim.rhs)(
        e_1=e[0], e_2=e[1], d_13=d[0, 2], d_23=d[1, 2]
    )
    close(transport_plan(d, before, after).cost * before.sum(), expected, 1e-9)


@given(n=sizes, seed=seeds)
@settings(max_examples=25)
def test_tie_wasserstein(n, seed) -> None:
    """W1 ≤ W2 by the chapter's bound, at the plan that is best for the square."""
    x, y = normal(n, seed=seed), normal(n + 1, seed=seed + 1)
    plan = transport_plan(pairwise_costs(x, y)).plan
    claim = CHAPTER.w1_w2.conclusion
    letters = {"pi": plan, "x": x, "y": y}
    close(value(claim.lhs, **letters), wasserstein(x, y) ** 2, 1e-9)
    assert wasserstein(x, y, 1) <= value(claim.rhs, **letters).sqrt() + 1e-9
    assert wasserstein(x, y, 1) <= wasserstein(x, y) + 1e-12


@given(seed=seeds, epsilon=st.sampled_from([0.2, 1.0]))
@settings(max_examples=25)
def test_tie_sinkhorn(seed, epsilon) -> None:
    costs = pairwise_costs(normal(4, 2, seed=seed), normal(3, 2, seed=seed + 1))
    a, b = weights(4, seed), weights(3, seed + 1)
    got = sinkhorn(costs, epsilon, a, b, tolerance=1e-12, steps=10**6)
    claim = CHAPTER.entropic_dual["dual"].claim
    letters = {
        "pi": got.plan, "x": torch.arange(4), "y": torch.arange(3), "epsilon": wide(epsilon),
        "c": lambda i, j: costs[i.long(), j.long()],
        "f": lambda i: got.f[i.long()],
        "g": lambda j: got.g[j.long()],
    }  # fmt: skip
    for side in (claim.lhs, claim.rhs):
        close(value(side, **letters), got.value, 1e-8)
    # any coupling costs at least what any potentials of Sinkhorn's form see
    early = sinkhorn(costs, epsilon, a, b, tolerance=None, steps=1)
    apart = torch.outer(a / a.sum(), b / b.sum())
    letters |= {"pi": apart, "f": lambda i: early.f[i.long()], "g": lambda j: early.g[j.long()]}
    close(value(claim.rhs, **letters), early.value, 1e-8)
    assert value(claim.lhs, **letters) >= early.value - 1e-9
    # a step of the chapter, and by how much the dual rises
    step = CHAPTER.sinkhorn_step["row"].claim
    scales = {
        "p": a / a.sum(), "q": b / b.sum(), "x": torch.arange(4), "y": torch.arange(3),
        "K": lambda i, j: torch.exp(-costs[i.long(), j.long()] / epsilon),
        "u": lambda i: torch.exp(early.f[i.long()] / epsilon),
        "v": lambda j: torch.exp(early.g[j.long()] / epsilon),
        "epsilon": wide(epsilon),
    }  # fmt: skip
    close(value(step.lhs, **scales), a / a.sum(), 1e-9)
    rise = value(CHAPTER.sinkhorn_step["ascent"].claim.lhs, **scales)
    better = -epsilon * torch.logsumexp((early.g - costs) / epsilon + (b / b.sum()).log(), 1)
    plan = torch.exp((better.unsqueeze(1) + early.g - costs) / epsilon) * apart
    dual = ((a / a.sum()) * better).sum() + ((b / b.sum()) * early.g).sum()
    close(plan.sum(), wide(1.0), 1e-9)
    close(dual - early.value, rise, 1e-8)


@given(epsilon=st.floats(0.05, 5))
def test_tie_entropic_bias(epsilon) -> None:
    """Two points at distance 1, coupled with themselves."""
    points = wide([[0.0], [1.0]])
    got = sinkhorn(pairwise_costs(points, points, 1.0), epsilon, tolerance=1e-12)
    moved = checked(CHAPTER.entropic_bias["moved"].claim.rhs)(epsilon=wide(epsilon))
    close(got.cost, moved, 1e-10)
    stays = next(n for n in CHAPTER.entropic_bias["marginal"].claim.lhs.args)
    close(got.plan[0, 0], value(stays, epsilon=wide(epsilon)), 1e-10)
    n = 7
    log_n = checked(CHAPTER.entropic_bias["permutation"].claim.rhs)(n=n)
    x, y = normal(n, 2), normal(n, 2, seed=1)
    costs = pairwise_costs(x, y)
    smooth = sinkhorn(costs, epsilon, tolerance=1e-4, steps=10**5)
    assert smooth.cost <= transport_plan(costs).cost + epsilon * float(log_n) + 1e-3


@given(d=st.integers(1, 3), seed=seeds)
@settings(max_examples=30)
def test_tie_gaussian_w2(d, seed) -> None:
    m_1, m_2, l_1, s = (
        normal(d, seed=seed),
        normal(d, seed=seed + 1),
        factor(d, seed + 2),
        factor(d, seed + 3),
    )
    sigma, a = l_1 @ l_1.T, s @ s.T
    letters = {"m_1": m_1, "m_2": m_2, "Sigma_1": sigma, "A": a}
    expected = value(CHAPTER.w2_normal["reached"].claim.rhs, **letters)
    got = gaussian_w2_squared(m_1, l_1, m_2, a @ l_1)  # a factor of A Σ₁ A
    close(got, expected, 1e-8)
    r = root(sigma)
    claim = CHAPTER.w2_root.conclusion
    for side in (claim.lhs, claim.rhs):
        close(value(side, R=r, A=a), r @ (a @ sigma @ a) @ r, 1e-8)
    if d == 1:
        best = checked(CHAPTER.w2_line["reached"].claim.rhs)(
            mu_1=m_1[0], mu_2=m_2[0], sigma_1=l_1[0, 0], sigma_2=(a @ l_1)[0, 0]
        )
        close(got, best, 1e-9)


def test_tie_sliced_wasserstein() -> None:
    """The mean over directions of the projected square, the chapter's and ours."""
    w = normal(3)
    claim = CHAPTER.slices.conclusion
    whole = value(claim.rhs, w=w)
    x = normal(20, 3, seed=1)
    sliced = sliced_wasserstein(x, x + w, directions=20_000, generator=rng())
    assert sliced.item() ** 2 * 3 == pytest.approx(whole.item(), rel=0.03)
    assert wasserstein(x, x + w).item() ** 2 == pytest.approx(whole.item(), rel=1e-9)


@given(n=sizes, seed=seeds)
@settings(max_examples=25)
def test_tie_critic_loss(n, seed) -> None:
    """What a critic of slope one sees is the chapter's left side, and at most W1."""
    x, y = normal(n, seed=seed), normal(n, seed=seed + 1)
    plan = transport_plan(pairwise_costs(x, y, 1.0)).plan
    claim = CHAPTER.lipschitz.conclusion
    for critic in (torch.sin, torch.abs, lambda z: potential_1d(x, y, z)):
        seen = -critic_loss(critic(x), critic(y))
        close(seen, value(claim.lhs, pi=plan, x=x, y=y, f=critic), 1e-9)
        assert seen <= value(claim.rhs, pi=plan, x=x, y=y) + 1e-9
    close(seen, wasserstein_1d(x, y, 1), 1e-9)


@given(seed=seeds)
@settings(max_examples=25)
def test_tie_generator_loss(seed) -> None:
    """Its gradient, of the generator z ↦ sin(θ z), is the mean of the chapter's integrand."""
    z, theta = normal(6, seed=seed), wide(0.7).requires_grad_()
    loss = generator_loss(torch.cos(torch.sin(theta * z)))
    (slope,) = torch.autograd.grad(loss, theta)
    claim = CHAPTER.generator_gradient.conclusion
    table = torch.full((6,), 1 / 6, dtype=torch.float64)
    inside = value(
        claim.lhs.args[0], r=table, z=z, theta=theta, G=lambda u, t: torch.sin(t * u), f=torch.cos
    )
    close(loss, inside)
    close(slope, torch.autograd.grad(inside, theta)[0])
    held = theta.detach()
    chain_rule = torch.sin(torch.sin(held * z)) * torch.cos(held * z) * z  # -f'(G) dG/dθ
    close(slope, chain_rule.mean())


@given(theta=st.floats(0.1, 3), lam=st.floats(0.5, 20), s=st.floats(0.1, 3))
@settings(max_examples=30)
def test_tie_gradient_penalty(theta, lam, s) -> None:
    """A critic of constant slope between two points: what it sees less what it pays."""
    real, fake = wide([theta, theta]), wide([0.0, 0.0])
    critic = lambda x: s * x  # noqa: E731
    penalty = gradient_penalty(critic, real, fake, weight=1.0, generator=rng())
    score = -critic_loss(critic(real), critic(fake)) - lam * penalty
    claim = CHAPTER.penalty_bias.conclusion
    letters = {"theta": wide(theta), "lambda": wide(lam), "s": wide(s)}
    close(score, value(claim.lhs, **letters), 1e-9)
    assert score <= value(claim.rhs, **letters) + 1e-9
    # slope one over a whole image is free
    free = value(CHAPTER.penalty_points["free"].claim.lhs)
    image = gradient_penalty(
        lambda x: x.sum((1, 2, 3)) / 2, normal(3, 2, 2, 1), normal(3, 2, 2, 1, seed=1),
        weight=1.0, generator=rng(),
    )  # fmt: skip
    close(image, wide(float(free)))


def test_the_penalty_is_not_free_for_a_best_critic() -> None:
    """The chapter's example: data at ±a, samples at ±(a + h), and a critic that is flat between."""
    a, h, n = 1.0, 0.5, 40_000
    signs = [torch.randint(2, (n,), generator=rng(seed=i)).double() * 2 - 1 for i in range(2)]
    real, fake = a * signs[0], (a + h) * signs[1]
    critic = lambda x: -torch.relu(x.abs() - a)  # noqa: E731
    seen = -critic_loss(critic(real), critic(fake))
    assert seen.item() == pytest.approx(h, rel=1e-12)
    assert wasserstein_1d(wide([-a, a]), wide([-a - h, a + h]), 1).item() == pytest.approx(h)
    penalty = gradient_penalty(critic, real, fake, weight=1.0, generator=rng(seed=5))
    # half of the pairs are opposite, and of their way 2a + h the part 2a is flat
    assert penalty.item() == pytest.approx(a / (2 * a + h), rel=0.05)
    near = gradient_penalty(critic, a * signs[1], fake, weight=1.0, generator=rng(seed=5))
    assert near.item() < 1e-30


@given(t_1=st.floats(-2, 2), t_2=st.floats(-2, 2))
@settings(max_examples=25)
def test_tie_clip_weights(t_1, t_2) -> None:
    """A linear critic trained to the end under clipping sees the chapter's other distance."""
    assume(min(abs(t_1), abs(t_2)) > 1e-3)
    critic = nn.Linear(2, 1, bias=False).double()
    shift = wide([t_1, t_2])
    x = normal(8, 2)
    for _ in range(4):
        loss = critic_loss(critic(x + shift), critic(x))
        critic.zero_grad()
        loss.backward()
        with torch.no_grad():
            critic.weight -= 1e4 * critic.weight.grad
        clip_weights(critic, 0.1)
    expected = checked(CHAPTER.clipping["bound"].claim.rhs)(
        c=wide(0.1), theta_1=shift[0], theta_2=shift[1]
    )
    close(-critic_loss(critic(x + shift), critic(x)).detach(), expected, 1e-9)


@given(seed=seeds)
@settings(max_examples=25)
def test_tie_lipschitz_bound(seed) -> None:
    """Two layers multiply, and a layer is bounded by the root of its sum of squares."""
    first, second = nn.Linear(1, 1).double(), nn.Linear(1, 1).double()
    with torch.no_grad():
        first.weight.fill_(float(normal(1, seed=seed)))
        second.weight.fill_(float(normal(1, seed=seed + 1)))
    net = nn.Sequential(first, nn.ReLU(), second)
    u, v = normal(1, 1, seed=seed + 2), normal(1, 1, seed=seed + 3)
    k, m = lipschitz_bound(first), lipschitz_bound(second)
    bound = value(
        CHAPTER.layer_slopes["layers"].claim.rhs, K=wide(k), M=wide(m), u=u.squeeze(), v=v.squeeze()
    )
    close(bound, lipschitz_bound(net) * (u - v).abs().squeeze(), 1e-9)
    assert (net(u) - net(v)).abs().squeeze() <= bound + 1e-12
    layer = nn.Linear(2, 2, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(normal(2, 2, seed=seed))
    entries = {f"m_{i + 1}{j + 1}": layer.weight[i, j].detach() for i in range(2) for j in range(2)}
    square = value(CHAPTER.layer_slopes["frobenius"].claim.rhs, **entries, x_1=wide(1), x_2=wide(0))
    assert lipschitz_bound(layer) <= math.sqrt(float(square)) + 1e-12


TIES = {
    "wasserstein_1d": {
        "wasserstein.line_bound": test_tie_wasserstein_1d,
        "wasserstein.line": test_tie_wasserstein_1d,
    },
    "potential_1d": {"wasserstein.line": test_tie_wasserstein_1d},
    "assignment": {"wasserstein.weak_duality": test_tie_transport_plan},
    "transport_plan": {
        "wasserstein.weak_duality": test_tie_transport_plan,
        "wasserstein.three_points": test_tie_transport_plan,
    },
    "wasserstein": {"wasserstein.w1_w2": test_tie_wasserstein},
    "sinkhorn": {
        "wasserstein.entropic_dual": test_tie_sinkhorn,
        "wasserstein.sinkhorn_step": test_tie_sinkhorn,
        "wasserstein.entropic_bias": test_tie_entropic_bias,
    },
    "gaussian_w2_squared": {
        "wasserstein.w2_normal": test_tie_gaussian_w2,
        "wasserstein.w2_root": test_tie_gaussian_w2,
    },
    "sliced_wasserstein": {"wasserstein.slices": test_tie_sliced_wasserstein},
    "critic_loss": {"wasserstein.lipschitz": test_tie_critic_loss},
    "generator_loss": {"wasserstein.generator_gradient": test_tie_generator_loss},
    "gradient_penalty": {
        "wasserstein.penalty_points": test_tie_gradient_penalty,
        "wasserstein.penalty_bias": test_tie_gradient_penalty,
    },
    "clip_weights": {"wasserstein.clipping": test_tie_clip_weights},
    "lipschitz_bound": {"wasserstein.layer_slopes": test_tie_lipschitz_bound},
}


# A plan is proved or refused


def cheapest(costs: list[list[float]]) -> Fraction:
    n = len(costs)
    return min(
        sum(Fraction(costs[i][p[i]]) for i in range(n)) for p in itertools.permutations(range(n))
    )


@settings(max_examples=300)
@given(n=st.integers(2, 4), data=st.data())
def test_an_assignment_is_the_cheapest_in_exact_numbers_or_refused(n, data) -> None:
    entry = st.one_of(st.integers(0, 9).map(float), st.integers(-3, 18).map(lambda k: 10.0**k))
    costs = data.draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=n, max_size=n))
    table = torch.tensor(costs, dtype=torch.float64)
    try:
        chosen = assignment(table)
    except ValueError:
        assert table.max() > 1e6  # nobody is refused for ordinary costs
        return
    found = sum(Fraction(costs[i][int(chosen[i])]) for i in range(n))
    best = cheapest(costs)
    assert found - best <= Fraction(1, 10**6) * max(best, 1)


def test_costs_of_very_different_sizes() -> None:
    table = torch.tensor(
        [[3.0, 4.0, 1e17], [5.0, 2.0, 1e17], [2.0, 1e17, 5.0]], dtype=torch.float64
    )
    assert assignment(table).tolist() == [0, 1, 2]  # 3 + 2 + 5
    found = transport_plan(table)
    assert found.cost.item() * 3 == pytest.approx(10, rel=1e-12)
    assert (found.f.mean() - found.g.mean()).item() * 3 == pytest.approx(10, rel=1e-12)
    assert (table - (found.f.unsqueeze(1) - found.g)).amin() >= 0
    sums = torch.tensor([[1.0, 1e17], [1e17, 3e17]], dtype=torch.float64)
    assert assignment(sums).tolist() == [1, 0]
    # A common offset of a row or a column drowns nothing.
    table = table.clamp(max=1e6) + torch.tensor([0.0, 1e15, 0.0]).unsqueeze(1)
    assert assignment(table).tolist() == [0, 1, 2]


@pytest.mark.parametrize("scale", [1.0, 1e17])
def test_a_plan_that_is_not_proved_is_refused_by_name(scale: float, monkeypatch) -> None:
    import ot.lp

    def emd(a, b, costs, **options):  # type: ignore[no-untyped-def]
        return np.diag(a), {"warning": None, "u": 0 * a, "v": 0 * b}

    monkeypatch.setattr(ot.lp, "emd", emd)
    table = torch.tensor([[2.0, 1.0, 3.0], [1.0, 2.0, 3.0], [3.0, 3.0, scale]]).double()
    with pytest.raises(ValueError, match=r"^costs: got .* different sizes .*, expected "):
        transport_plan(table)


def test_many_equal_costs_are_no_reason_to_refuse() -> None:
    table = 1 - torch.eye(6, dtype=torch.float64)[torch.tensor([2, 0, 1, 5, 3, 4])]
    assert assignment(table).tolist() == [2, 0, 1, 5, 3, 4]
    assert transport_plan(torch.zeros(3, 4)).cost == 0


class Doubled(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


def test_no_bound_is_given_for_a_layer_that_may_do_more_than_its_name_says() -> None:
    hooked = nn.Linear(2, 2)
    hooked.register_forward_hook(lambda module, given, out: 3 * out)
    replaced = nn.Linear(2, 2)
    replaced.forward = lambda x: 5 * x  # type: ignore[method-assign]
    normed = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    circular = nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular")
    for module in (Doubled(2, 2), hooked, replaced, normed, circular, nn.Sequential(Doubled(2, 2))):
        with pytest.raises(ValueError, match=r"^module: got .*, expected "):
            lipschitz_bound(module)


def test_a_score_for_every_place_of_an_image_is_not_a_critics_output() -> None:
    critic, images = nn.Linear(8, 1), torch.zeros(3, 1, 8, 8)
    with pytest.raises(ValueError, match=r"^fake_scores: got .* expected one score a sample"):
        generator_loss(critic(images))
    with pytest.raises(ValueError, match=r"^real_scores: got .* expected one score a sample"):
        critic_loss(critic(images), torch.zeros(3))
    with pytest.raises(ValueError, match=r"^critic output: got .* expected one score a sample"):
        gradient_penalty(
            critic, images, images, weight=1.0, generator=torch.Generator().manual_seed(0)
        )
