"""Continuous flows against flows that are known exactly, and against the checked chapter."""

from __future__ import annotations

import itertools
import math
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath import book
from genmath.cnf import log_prob, sample, standard_normal
from genmath.nets import MLP
from genmath.paths import CosinePath, LinearPath, Path
from genmath.proof.language.claims import Claim
from genmath.solvers import (
    DOPRI5,
    EULER,
    MIDPOINT,
    RK4,
    Adaptive,
    FixedSteps,
    Solver,
    Tableau,
    carry,
    transport,
)
from genmath.toys import GaussianMixture
from tests.checked import value

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
EVENTS = [(), (3,), (2, 1, 2)]
TABLEAUS = {"euler": EULER, "midpoint": MIDPOINT, "rk4": RK4}
SOLVERS: list[Solver] = [*(FixedSteps(20, t) for t in TABLEAUS.values()), Adaptive()]
MIXTURE = GaussianMixture([0.3, 0.7], [[-1.0, 0.3], [0.8, -0.4]], std=[0.5, 0.7])

shapes = st.tuples(st.integers(0, 4), st.sampled_from(EVENTS)).map(lambda s: (s[0], *s[1]))
seeds = st.integers(0, 99)


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64).to(dtype)


def close(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


def linear(matrix: torch.Tensor):
    return lambda x, t: x @ matrix.T


def swirl(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """A field without symmetries that depends on time: no term of its Jacobian is zero."""
    u, v = x.unbind(1)
    s = t.to(x.dtype)
    first = torch.sin(v + s) - 0.4 * u * torch.cos(u * v)
    return torch.stack([first, torch.cos(u - 2 * s) + 0.3 * v * torch.sin(v * u)], 1)


def probability_flow(mixture: GaussianMixture, path: Path):
    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return mixture.velocity(x, *path.coefficients(t, x), *path.derivatives(t, x))

    return model


@cache
def swirled() -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    """Twenty points, and where `swirl` carries them, to ten digits."""
    x = normal(20, 2)
    with torch.no_grad():
        return x, transport(swirl, x, FixedSteps(300))


def all_signs(n: int, d: int) -> list[torch.Tensor]:
    """Every direction of random signs, as probes for n samples."""
    choices = itertools.product((1.0, -1.0), repeat=d)
    return [torch.tensor(c, dtype=torch.float64).expand(n, d) for c in choices]


# Shapes, dtypes, randomness


@pytest.mark.parametrize("solver", SOLVERS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=shapes)
@settings(max_examples=8)
def test_shapes_and_dtypes(device, dtype, solver, shape) -> None:
    x = normal(*shape, dtype=dtype).to(device)
    told: list[tuple[torch.Size, torch.dtype, torch.device]] = []

    def model(x, t):
        told.append((t.shape, x.dtype, t.device))
        return -0.5 * x

    if isinstance(solver, Adaptive) and dtype in DTYPES[2:]:
        solver = Adaptive(1e-2, 1e-2)  # rounding to half precision looks like a rough field
    moved, log_det = transport(model, x, solver, generator=rng(device))
    assert moved.shape == x.shape
    assert log_det.shape == x.shape[:1]
    assert moved.dtype == log_det.dtype == dtype
    assert moved.device == log_det.device == x.device
    if len(x):
        assert set(told) == {(x.shape[:1], dtype, x.device)}
    d = math.prod(x.shape[1:])
    tolerance = 0.03 if dtype in DTYPES[2:] else 0.01
    close(log_det.double(), torch.full_like(log_det, -0.5 * d, dtype=torch.float64), tolerance)
    close(moved.double(), math.exp(-0.5) * x.double(), tolerance)
    back = sample(model, x.shape, solver, start=moved, dtype=dtype)
    assert back.dtype == dtype
    close(back.double(), x.double(), 3 * tolerance)


def test_a_log_determinant_in_float64_has_its_digits(device) -> None:
    """A peer accumulates it in float32 whatever the model is in."""
    x = normal(3, 2).to(device)
    matrix = torch.tensor([[1 / 3, 0.1], [0.2, 1 / 7]], dtype=torch.float64, device=device)
    log_det = transport(linear(matrix), x, FixedSteps(3)).log_det
    close(log_det, matrix.trace().expand(3), 1e-15)


def test_only_the_generator_is_used(device) -> None:
    state = torch.random.get_rng_state()
    x = normal(4, 2).to(device)
    first, again, other = (
        log_prob(swirl, x, generator=rng(device, seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    drawn = [sample(swirl, (4, 2), generator=rng(device, seed=seed)) for seed in (1, 1, 2)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_probe_is_drawn_once_a_sample_and_of_signs() -> None:
    """A field whose w·Jw tells w: the estimate is the same at every time."""
    matrix = torch.tensor([[0.0, 1.0], [0.0, 0.0]], dtype=torch.float64)  # w·Jw = w_1 w_2
    log_det = transport(linear(matrix), normal(4000, 2), FixedSteps(3), generator=rng()).log_det
    close(log_det.abs(), torch.ones(4000, dtype=torch.float64))
    assert abs(log_det.mean().item()) < 0.06


# Exact flows


@given(entries=st.lists(st.floats(-1.5, 1.5), min_size=9, max_size=9), d=st.sampled_from([1, 2, 3]))
@settings(max_examples=12)
@torch.no_grad()
def test_a_linear_field_is_a_matrix_exponential(entries, d) -> None:
    matrix = torch.tensor(entries[: d * d], dtype=torch.float64).reshape(d, d)
    x = normal(5, d)
    for start, end in ((0.0, 1.0), (0.7, -0.4)):
        moved, log_det = transport(linear(matrix), x, FixedSteps(100), start=start, end=end)
        flow = torch.linalg.matrix_exp((end - start) * matrix)
        close(moved, x @ flow.T, 1e-6)
        close(log_det, torch.linalg.slogdet(flow).logabsdet.expand(5), 1e-11)


@pytest.mark.parametrize("path", [LinearPath(), CosinePath()], ids=str)
def test_the_likelihood_of_a_mixture_is_exact(device, path) -> None:
    x = MIXTURE.sample(50, generator=rng(device), dtype=torch.float64)
    field = probability_flow(MIXTURE, path)
    expected = MIXTURE.log_prob(x)
    for solver, tolerance in ((FixedSteps(100), 1e-7), (Adaptive(1e-9, 1e-9), 1e-7)):
        with torch.no_grad():
            close(log_prob(field, x, solver), expected, tolerance)
    close(log_prob(field, x.float(), FixedSteps(30)).double(), expected, 1e-3)


def test_a_model_that_was_told_another_base() -> None:
    """A flow of no length in the density: x = z/2, with a uniform base."""

    def uniform(z):
        inside = (z.abs() <= 1).all(1)
        return torch.full_like(z[:, 0], -math.inf).masked_fill(inside, -2 * math.log(2))

    x = torch.tensor([[0.1, -0.2], [0.4, 0.6]], dtype=torch.float64)
    got = log_prob(lambda x, t: math.log(2) * x, x, prior=uniform)
    close(got, torch.tensor([0.0, -math.inf], dtype=torch.float64))


@pytest.mark.parametrize("name", TABLEAUS)
def test_the_order_of_convergence(name) -> None:
    tableau = TABLEAUS[name]
    x, exact = swirled()
    errors = []
    for steps in (10, 20, 40):
        got = transport(swirl, x, FixedSteps(steps, tableau))
        errors.append([(a - b).abs().mean().item() for a, b in zip(got, exact, strict=True)])
    for coarse, fine in itertools.pairwise(errors):
        for a, b in zip(coarse, fine, strict=True):
            assert math.log2(a / b) == pytest.approx(tableau.order, abs=0.3)


def test_dormand_and_princes_steps_have_their_order() -> None:
    x, exact = swirled()
    errors = []
    for steps in (6, 12):
        got = transport(swirl, x, FixedSteps(steps, DOPRI5))
        errors.append([(a - b).abs().mean().item() for a, b in zip(got, exact, strict=True)])
    for a, b in zip(*errors, strict=True):
        assert math.log2(a / b) > 4.5
    assert DOPRI5.goes_on
    assert DOPRI5.nodes[-1] == 1.0
    # The embedded method is of order 4: it agrees with a polynomial of degree 4, and not of 5.
    lower = [b - e for b, e in zip(DOPRI5.weights, DOPRI5.errors, strict=True)]
    for k, exact_one in ((3, True), (4, False)):
        mean = sum(b * c**k for b, c in zip(lower, DOPRI5.nodes, strict=True))
        assert (abs(mean - 1 / (k + 1)) < 1e-12) == exact_one


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.9, 0.1), (-0.3, 1 / 3)])
def test_adaptive_steps_end_where_they_should_and_look_nowhere_else(start, end) -> None:
    asked = []

    def model(x, t):
        asked.append(t[0].item())
        return swirl(x, t)

    x = normal(3, 2)
    there = carry(model, x, Adaptive(1e-8, 1e-8), start=start, end=end)
    assert min(asked) == min(start, end)
    assert max(asked) == max(start, end)
    close(carry(swirl, there, Adaptive(1e-8, 1e-8), start=end, end=start), x, 1e-6)


def test_the_worst_sample_decides_the_steps_however_many_are_easy() -> None:
    hard = torch.full((1, 1), 3.0, dtype=torch.float64)
    easy = torch.zeros(1000, 1, dtype=torch.float64)

    def model(x, t):
        return torch.sin(5 * x) * x

    alone = carry(model, hard, Adaptive(1e-4, 1e-4))
    close(carry(model, torch.cat([hard, easy]), Adaptive(1e-4, 1e-4))[:1], alone, 1e-12)


def test_torchdiffeq_finds_the_same() -> None:
    odeint = pytest.importorskip("torchdiffeq").odeint
    x = normal(5, 2)
    times = torch.tensor([0.0, 1.0], dtype=torch.float64)
    theirs = odeint(lambda t, z: swirl(z, t.expand(len(z))), x, times, rtol=1e-9, atol=1e-9)[-1]
    close(carry(swirl, x, Adaptive(1e-9, 1e-9)), theirs, 1e-7)


def test_a_divergence_in_closed_form_is_taken_at_its_word() -> None:
    x = normal(4, 2)

    def trace(x, t):
        u, v = x.unbind(1)
        first = -0.4 * torch.cos(u * v) + 0.4 * u * v * torch.sin(u * v)
        return first + 0.3 * torch.sin(v * u) + 0.3 * v * u * torch.cos(v * u)

    for solver in (FixedSteps(5), Adaptive()):
        expected = transport(swirl, x, solver)
        got = transport(swirl, x, solver, trace=trace)
        close(got.x, expected.x)
        close(got.log_det, expected.log_det)
    close(log_prob(swirl, x, trace=trace), log_prob(swirl, x))
    with pytest.raises(ValueError, match=r"^trace output: got .*, expected one number a sample"):
        transport(swirl, x, trace=lambda x, t: x)
    with pytest.raises(ValueError, match=r"^trace: got one beside a probe"):
        transport(swirl, x, trace=trace, generator=rng())


class Cubed(torch.autograd.Function):
    """A backward of one's own, which cannot run for several at once."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * torch.from_numpy(x.numpy() ** 2)


@pytest.mark.parametrize("event", [(20,), (2, 3, 5)])
@pytest.mark.parametrize("cube", [lambda x: x**3, Cubed.apply])
def test_many_coordinates_side_by_side(event, cube) -> None:
    d = math.prod(event)
    mix = normal(d, d, seed=1) / 5

    def model(x, t):
        return (cube(x.reshape(len(x), d)) @ mix.T).reshape(x.shape)

    x = normal(3, *event)
    with torch.no_grad():
        _, log_det = transport(model, x, FixedSteps(1, EULER))
    close(log_det, (3 * x.reshape(3, d) ** 2 * mix.diagonal()).sum(1))
    for lost in (lambda x, t: x.detach() ** 3, lambda x, t: 0 * t.new_ones(x.shape)):
        with torch.no_grad(), pytest.raises(ValueError, match=r"^model output: .* autograd"):
            transport(lost, x)


def test_a_smaller_tolerance_is_a_smaller_error() -> None:
    x, exact = swirled()
    errors = []
    for tolerance in (1e-3, 1e-6, 1e-9):
        with torch.no_grad():
            got = transport(swirl, x, Adaptive(tolerance, tolerance))
        errors.append(max((a - b).abs().max().item() for a, b in zip(got, exact, strict=True)))
    assert errors[0] < 1e-1
    assert errors[1] < 1e-2 * errors[0]
    assert errors[2] < 1e-2 * errors[1]


@given(seed=seeds, start=st.floats(-1, 1), length=st.floats(0.1, 1))
@settings(max_examples=5)
@torch.no_grad()
def test_the_way_back_undoes_the_way_there(seed, start, length) -> None:
    x = normal(6, 2, seed=seed)
    end = start + length
    there = transport(swirl, x, FixedSteps(60), start=start, end=end)
    back = transport(swirl, there.x, FixedSteps(60), start=end, end=start)
    close(back.x, x, 1e-5)
    close(back.log_det, -there.log_det, 1e-5)
    assert torch.equal(carry(swirl, x, FixedSteps(60), start=start, end=end), there.x)
    half = transport(swirl, x, FixedSteps(30), start=start, end=start + length / 2)
    rest = transport(swirl, half.x, FixedSteps(30), start=start + length / 2, end=end)
    close(rest.x, there.x, 1e-6)
    close(half.log_det + rest.log_det, there.log_det, 1e-6)


def test_the_log_determinant_is_that_of_the_jacobian_of_the_map() -> None:
    x = normal(4, 2)
    _, log_det = transport(swirl, x, FixedSteps(60))

    def one(x):
        return transport(swirl, x.unsqueeze(0), FixedSteps(60)).x[0]

    for i in range(4):
        jacobian = torch.autograd.functional.jacobian(one, x[i])
        sign, expected = torch.linalg.slogdet(jacobian)
        assert sign == 1
        close(log_det[i], expected, 1e-6)


def test_samples_are_those_of_the_mixture_and_know_their_density() -> None:
    field = probability_flow(MIXTURE, LinearPath())
    with torch.no_grad():
        x = sample(field, (4000, 2), generator=rng(), dtype=torch.float64)
        close(x.mean(0), MIXTURE.mean, 0.05)
        close(x.T.cov(), MIXTURE.covariance, 0.08)
        z = normal(30, 2)
        x, log_det = transport(field, z, FixedSteps(100), start=1.0, end=0.0)
    close(standard_normal(z) - log_det, MIXTURE.log_prob(x), 1e-6)


@pytest.mark.parametrize(("start", "end"), [(0.2, 1.0), (0.0, 0.7), (0.6, 0.1)])
def test_the_density_at_one_time_from_that_at_another(start, end) -> None:
    path, x = LinearPath(), normal(10, 2)

    def marginal(t):
        return lambda z: MIXTURE.log_prob(z, path.alpha(t), path.sigma(t))

    got = log_prob(
        probability_flow(MIXTURE, path),
        x,
        FixedSteps(60),
        start=start,
        end=end,
        prior=marginal(end),
    )
    close(got, marginal(start)(x), 1e-6)


# Gradients


def small_field():
    """A smooth network, and its parameters."""
    net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    for i, parameter in enumerate(net.double().parameters()):
        parameter.data = normal(*parameter.shape, seed=10 + i) / 2
    return lambda x, t: net(torch.cat([x, t.unsqueeze(1)], 1)), list(net.parameters())


def test_the_slope_of_the_log_density_is_the_score() -> None:
    """`log_prob` with gradients by the place, where a peer's has none."""
    x = MIXTURE.sample(10, generator=rng(), dtype=torch.float64).requires_grad_()
    out = log_prob(probability_flow(MIXTURE, LinearPath()), x, FixedSteps(60))
    (slope,) = torch.autograd.grad(out.sum(), x)
    close(slope, MIXTURE.score(x.detach()), 1e-5)


@pytest.mark.parametrize("solver", [FixedSteps(4), FixedSteps(4, MIDPOINT)], ids=str)
@pytest.mark.parametrize("estimated", [False, True])
def test_gradients_by_the_parameters(solver, estimated) -> None:
    x = normal(3, 2)
    probe = normal(3, 2, seed=5) if estimated else None
    field, parameters = small_field()

    def loss() -> torch.Tensor:
        return -log_prob(field, x, solver, probe=probe).mean()

    gradients = torch.autograd.grad(loss(), parameters)
    h = 1e-4
    for parameter, gradient in zip(parameters, gradients, strict=True):
        direction = normal(*parameter.shape, seed=3)
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter += sign * h * direction
                ends.append(loss())
                parameter -= sign * h * direction
        slope = (ends[0] - ends[1]) / (2 * h)
        close((gradient * direction).sum(), slope, 1e-6)


def test_gradients_through_an_adaptive_solver_are_as_exact_as_its_values() -> None:
    """torchdiffeq's own choice of the first step leaks into them: they are then 1e-4 off."""
    field, parameters = small_field()
    x = normal(3, 2)
    both = []
    for solver in (FixedSteps(60), Adaptive(1e-9, 1e-9)):
        out = log_prob(field, x, solver)
        both.append((out, *torch.autograd.grad(out.sum(), parameters)))
    for exact, got in zip(*both, strict=True):
        close(got, exact, 1e-7)


def test_training_raises_the_likelihood() -> None:
    net = MLP(2, hidden=16, layers=2, generator=rng())
    x = MIXTURE.sample(128, generator=rng())
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = -log_prob(net, x, FixedSteps(4), generator=rng(seed=7)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.3


def test_without_gradients_there_is_no_graph() -> None:
    net = MLP(2, generator=rng())
    x = normal(3, 2, dtype=torch.float32)
    for solver in (FixedSteps(2), Adaptive()):
        with torch.no_grad():
            out = log_prob(net, x, solver)
        assert not out.requires_grad
        close(out, log_prob(net, x, solver).detach(), 1e-6)
    with torch.inference_mode(), pytest.raises(ValueError, match=r"no_grad"):
        log_prob(net, x)


# The estimated divergence


@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_all_signs_together_are_exact(device, dtype) -> None:
    """The path does not depend on the probe: the mean over all is exact, in float64 as in 32."""
    x = normal(4, 2).to(device, dtype)
    exact = transport(swirl, x)
    estimates = []
    for probe in all_signs(4, 2):
        moved, log_det = transport(swirl, x, probe=probe.to(device, dtype))
        assert torch.equal(moved, exact.x)
        estimates.append(log_det)
    close(torch.stack(estimates).mean(0), exact.log_det, 1e-12 if dtype == torch.float64 else 1e-5)
    assert torch.stack(estimates).std(0).min() > 1e-3


# What takes no time, and what would never end


def test_no_derivative_is_taken_in_vain() -> None:
    calls = {"all": 0, "differentiable": 0}

    def model(x, t):
        calls["all"] += 1
        calls["differentiable"] += x.requires_grad
        return -x

    x = normal(3, 2)
    with torch.no_grad():
        # By Simpson's rule, two divergences a step, and one of the two is the next step's first.
        for tableau, slopes, traces in ((EULER, 5, 5), (MIDPOINT, 10, 5), (RK4, 26, 11)):
            calls.update({"all": 0, "differentiable": 0})
            transport(model, x, FixedSteps(5, tableau))
            assert calls == {"all": slopes, "differentiable": traces}
        calls.update({"all": 0, "differentiable": 0})
        sample(model, (3, 2), FixedSteps(5), generator=rng())
        assert calls == {"all": 20, "differentiable": 0}


BAD_FIELDS = {
    "NaN": lambda x, t: x * math.nan,
    "NaN later": lambda x, t: torch.where((t > 0.5).unsqueeze(1), math.nan, x),
    "infinite": lambda x, t: x / 0.0,
    "blow-up": lambda x, t: 2 * x**2,
    "violent blow-up": lambda x, t: torch.exp(x**2),
    "one sample": lambda x, t: torch.where(x > 3.5, math.nan, -x),
}


@pytest.mark.parametrize("solver", [FixedSteps(30), FixedSteps(30, EULER), Adaptive()], ids=str)
@pytest.mark.parametrize("dtype", DTYPES[:2])
@pytest.mark.parametrize("name", BAD_FIELDS)
def test_a_field_without_a_flow_ends_with_an_error(name, dtype, solver) -> None:
    """A peer's solver never returns on a NaN field."""
    x, field = torch.tensor([[3.0], [4.0]], dtype=dtype), BAD_FIELDS[name]
    calls = 0

    def counted(x, t):
        nonlocal calls
        calls += 1
        return field(x, t)

    for run in (
        lambda: transport(counted, x, solver),
        lambda: log_prob(counted, x, solver, generator=rng()),
        lambda: sample(lambda x, t: -counted(x, 1 - t), (2, 1), solver, start=x, dtype=dtype),
    ):
        calls = 0
        with pytest.raises(ValueError, match=r"^model: got .* by t|^model: got .* near t"):
            run()
        assert calls <= 2000


def test_the_error_says_when_and_for_how_many() -> None:
    x = torch.tensor([[1.0], [4.0], [2.0]], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"not finite by t = 0\.1, in 1 of 3 samples"):
        transport(BAD_FIELDS["one sample"], x, FixedSteps(10))
    with pytest.raises(ValueError, match=r"near t = 0\.1\d* \(underflow"):
        transport(BAD_FIELDS["blow-up"], 4.0 + 0 * x, Adaptive())


def test_an_endless_field_ends_after_the_calls_allowed() -> None:
    def model(x, t):
        return 1e3 * torch.sign(torch.sin(1e4 * x))

    with pytest.raises(ValueError, match=r"solver: got 200 calls of the model by t = \d"):
        transport(model, normal(3, 2), Adaptive(1e-9, 1e-9, max_calls=200))


# What is refused


X = normal(3, 2)
BAD = {
    "steps": lambda: FixedSteps(0),
    "tableau": lambda: FixedSteps(3, "rk4"),  # type: ignore[arg-type]
    "stages": lambda: Tableau(((), (0.5, 0.5)), (0.0, 1.0), 2),
    "weights": lambda: Tableau(((), (0.5,)), (0.5, 1.0), 2),
    "order": lambda: Tableau(((),), (1.0,), 0),
    "errors": lambda: Tableau(((), (0.5,)), (0.0, 1.0), 2, (1.0, 1.0)),
    "errors: got": lambda: Tableau(((), (0.5,)), (0.0, 1.0), 2, (0.0,)),
    "rtol": lambda: Adaptive(0.0),
    "atol": lambda: Adaptive(1e-3, -1.0),
    "tableau: got one without": lambda: Adaptive(tableau=RK4),
    "max_calls": lambda: Adaptive(max_calls=0),
    "solver": lambda: transport(swirl, X, "rk4"),  # type: ignore[arg-type]
    "x": lambda: transport(swirl, X * math.nan),
    "x: got .*int64": lambda: transport(swirl, X.long()),
    "model output": lambda: transport(lambda x, t: x[:, :1], X),
    "end": lambda: transport(swirl, X, end=0.0),
    "start": lambda: transport(swirl, X, start=math.inf),
    "probe": lambda: transport(swirl, X, probe=X[:, :1]),
    "probe, generator": lambda: transport(swirl, X, probe=X, generator=rng()),
    "prior output": lambda: log_prob(swirl, X, prior=lambda z: z),
    "generator, start": lambda: sample(swirl, (3, 2)),
    "generator, start: got both": lambda: sample(swirl, (3, 2), generator=rng(), start=X),
    "start: got .*shape": lambda: sample(swirl, (4, 2), start=X, dtype=torch.float64),
    "generator": lambda: sample(swirl, (3, 2), generator=7),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}"):
        BAD[name]()


# Ties to the chapter


def result(name: str, part: str | None = None, n: int | None = None) -> Claim:
    """What a chain of the chapter claims; `n` picks the dimension."""
    derivation = getattr(book.chapter("cnf"), name)
    chains = [c for c in derivation.chains if c.name == part and dict(c.case).get("n") == n]
    assert len(chains) == 1, (name, part, n)
    return derivation.result(chains[0])


def wide(number: float) -> torch.Tensor:
    return torch.tensor(number, dtype=torch.float64)


def entries(name: str, matrix: torch.Tensor) -> dict[str, torch.Tensor]:
    n = range(len(matrix))
    return {f"{name}_{i + 1}{j + 1}": matrix[i, j] for i in n for j in n}


@pytest.mark.parametrize("name", TABLEAUS)
@given(a=st.floats(-3, 3), h=st.floats(0.01, 1))
def test_tie_tableau(name, a, h) -> None:
    claim = result("steps", name)
    x = normal(4, 1)
    moved, log_det = transport(lambda x, t: a * x, x, FixedSteps(1, TABLEAUS[name]), end=h)
    for side in (claim.lhs, claim.rhs):
        close(moved, value(side, x=x, h=wide(h), a=wide(a)), 1e-13)
    # The log-determinant is that of the flow, and not of the step.
    close(log_det, wide(a * h).expand(4), 1e-13)
    if name == "euler" and a > 0:
        gap = result("steps", "gap")
        stretched = (moved / x).log().reshape(-1)
        close(stretched, value(gap.lhs, u=wide(a * h)).expand(4), 1e-12)
        assert (stretched <= log_det + 1e-14).all()


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.floats(0.01, 1))
def test_tie_simpson(c, h) -> None:
    """A divergence that is a cubic in the time is integrated exactly in one step of RK4."""

    def field(x, t):
        return x * sum(c_k * t.unsqueeze(1) ** k for k, c_k in enumerate(c))

    log_det = transport(field, normal(4, 1), FixedSteps(1), end=h).log_det
    right = result("steps", "simpson").rhs
    expected = value(right, h=wide(h), **{f"c_{k}": wide(c_k) for k, c_k in enumerate(c)})
    close(log_det, expected.expand(4), 1e-13)


@pytest.mark.parametrize("n", [1, 2, 3])
@given(seed=seeds, t=st.floats(0.1, 1))
@settings(max_examples=15)
def test_tie_linear(n, seed, t) -> None:
    """Normal data that grow at a rate of their own in each coordinate, B_i(t) = c_i t + sin(t)."""
    c = normal(n, seed=seed)
    claim = result("linear", "density", n)
    x, m, variance = normal(5, n), normal(n, seed=seed + 1), normal(n, seed=seed + 2) ** 2 + 0.1

    def field(x, s):
        return (c + torch.cos(s).unsqueeze(1)) * x

    letters = {"t": wide(t)}
    for i in range(n):
        rate = c[i].item()
        letters |= {
            f"x_{i + 1}": x[:, i],
            f"m_{i + 1}": m[i],
            f"c_{i + 1}": variance[i],
            f"B_{i + 1}": lambda s, rate=rate: rate * s + torch.sin(torch.as_tensor(s)),
        }
    moved, log_det = transport(field, x, FixedSteps(100), end=t)
    first = (-0.5 * ((x - m) ** 2 / variance + (2 * math.pi * variance).log())).sum(1)
    close(first - log_det, value(claim.rhs, **letters), 1e-9)
    growth = torch.exp(c * t + math.sin(t))
    close(moved, growth * x, 1e-7)
    # `log_prob` with the density at t as its base: back to that at 0, by a field over [0, 1].
    spread = (growth**2 * variance, growth * m)

    def base(z):
        return (-0.5 * ((z - spread[1]) ** 2 / spread[0] + (2 * math.pi * spread[0]).log())).sum(1)

    got = log_prob(lambda x, s: t * field(x, t * s), x, FixedSteps(100), prior=base)
    close(base(moved), value(claim.lhs, **letters), 1e-7)
    close(got, first, 1e-7)


@pytest.mark.parametrize("n", [1, 2, 3])
@given(seed=seeds)
@settings(max_examples=15)
def test_tie_log_determinant(n, seed) -> None:
    """The determinant of a flow's Jacobian grows as the chapter says, and so does the result."""
    A, J = normal(n, n, seed=seed) / 2, torch.linalg.matrix_exp(normal(n, n, seed=seed + 1) / 2)
    claim = result("log_determinant", "trace", n)
    letters = entries("A", A) | entries("J", J)
    growth = value(claim.rhs, **letters)
    close(value(claim.lhs, **letters), growth, 1e-10)
    h = 1e-4
    columns, log_det = transport(linear(A), J.T.contiguous(), FixedSteps(1), end=h)
    back = transport(linear(A), J.T.contiguous(), FixedSteps(1), end=-h)
    after, before = (torch.linalg.det(c.T) for c in (columns, back.x))
    close((after - before) / (2 * h), growth, 1e-6)
    close(log_det / h * torch.linalg.det(J), growth.expand(n), 1e-9)


@pytest.mark.parametrize("n", [1, 2, 3])
@given(seed=seeds)
@settings(max_examples=15)
def test_tie_hutchinson(n, seed) -> None:
    A = normal(n, n, seed=seed)
    letters = entries("A", A)
    x = normal(1, n)
    estimates = torch.cat([transport(linear(A), x, FixedSteps(2), probe=w).log_det
                           for w in all_signs(1, n)])  # fmt: skip
    close(estimates.mean(), value(result("hutchinson", "signs", n).rhs, **letters), 1e-12)
    variance = value(result("hutchinson", "signs_variance", n).rhs, **letters)
    close(estimates.var(correction=0), variance, 1e-10)
    close(variance, value(result("hutchinson", "better", n).lhs, **letters))


def test_tie_hutchinson_for_normal_directions() -> None:
    n, count = 3, 200_000
    A = normal(n, n)
    many = transport(linear(A), normal(1, n).expand(count, n), FixedSteps(1),
                     probe=normal(count, n, seed=4)).log_det  # fmt: skip
    mean = value(result("hutchinson", "normal", n).rhs, **entries("A", A))
    variance = value(result("hutchinson", "normal_variance", n).rhs, **entries("A", A))
    close(many.mean(), mean, 0.03)
    assert many.var().item() == pytest.approx(variance.item(), rel=0.03)
    signs = value(result("hutchinson", "signs_variance", n).rhs, **entries("A", A))
    assert signs < variance


@given(seed=seeds, t=st.floats(0.1, 0.9))
@settings(max_examples=5)
def test_tie_instantaneous(seed, t) -> None:
    """The log-density of the exact mixture along its flow, against the chapter's rate."""
    path, h = LinearPath(), 1e-4
    field = probability_flow(MIXTURE, path)
    x = normal(4, 2, seed=seed)

    def log_density(x, s):
        return MIXTURE.log_prob(x, path.alpha(s), path.sigma(s))

    along, against = (result("instantaneous", part, 2) for part in ("along", "against"))
    later, gained = transport(field, x, FixedSteps(2), start=t, end=t + h)
    earlier, lost = transport(field, x, FixedSteps(2), start=t, end=t - h)
    divergence = (gained - lost) / (2 * h)
    rate = (log_density(later, t + h) - log_density(earlier, t - h)) / (2 * h)
    close(rate, value(along.rhs, "div", "R", "p", div=divergence, R=wide(0.0), p=wide(1.0)), 1e-5)
    backwards = value(against.rhs, "div", "R", "p", div=divergence, R=wide(0.0), p=wide(1.0))
    close(-rate, backwards, 1e-5)
    # `log_prob` adds up along this way, and `sample` walks the other.
    with torch.no_grad():
        z = transport(field, x, FixedSteps(60)).x
        close(log_prob(field, x, FixedSteps(60)), MIXTURE.log_prob(x), 1e-5)
        close(sample(field, (4, 2), FixedSteps(60), start=z, dtype=torch.float64), x, 1e-5)


@given(seed=seeds)
@settings(max_examples=10)
def test_tie_exponentiated(seed) -> None:
    """All sign probes, each as likely: the mean density is too large by the chapter's left side."""
    x = normal(1, 2, seed=seed)
    exact = log_prob(swirl, x)
    values = torch.cat([log_prob(swirl, x, probe=w) for w in all_signs(1, 2)])
    claim = result("exponentiated")
    letters = {"r": torch.full((4,), 0.25, dtype=torch.float64), "y": values - exact}
    factor = value(claim.lhs, **letters)
    close(values.exp().mean(), exact.exp()[0] * factor, 1e-10)
    close(value(claim.rhs, **letters), wide(1.0))
    assert factor >= 1


TIES = {
    "Tableau": {"cnf.steps": test_tie_tableau},
    "transport": {
        "cnf.log_determinant": test_tie_log_determinant,
        "cnf.hutchinson": test_tie_hutchinson,
        "cnf.steps": test_tie_simpson,
    },
    "log_prob": {
        "cnf.instantaneous": test_tie_instantaneous,
        "cnf.linear": test_tie_linear,
        "cnf.exponentiated": test_tie_exponentiated,
    },
    "sample": {"cnf.instantaneous": test_tie_instantaneous},
}
