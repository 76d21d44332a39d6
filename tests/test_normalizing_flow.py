"""Flows against autograd's Jacobians, quadrature, torch.distributions and the checked chapter."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributions, nn

from genmath import book
from genmath.normalizing_flow import (
    IAF,
    MAF,
    NSF,
    ActNorm,
    Affine,
    Autoregressive,
    Chain,
    Coupling,
    Flow,
    Glow,
    Inverse,
    Layer,
    Mapping,
    Mixing,
    Moved,
    Planar,
    RealNVP,
    Residual,
    Reverse,
    Shift,
    Spline,
    Squeezed,
    log_det_series,
)
from genmath.proof.language.claims import Claim
from genmath.toys import GaussianMixture
from tests.checked import value

F64 = torch.float64
seeds = st.integers(0, 99)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=F64)


def close(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


def shaken(layer: Layer, seed: int = 1, by: float = 0.1) -> Layer:
    """The layer in float64, away from the identity at which it starts."""
    layer.double()
    generator = rng(seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += by * torch.randn(parameter.shape, generator=generator, dtype=F64)
    return layer


SMALL = {"hidden": 8, "layers": 1}
MADE: dict[str, Callable[[], Layer]] = {
    "Coupling": lambda: Coupling(5, generator=rng()),
    "Coupling(2)": lambda: Coupling(2, generator=rng()),
    "Coupling(Shift)": lambda: Coupling(3, Shift(), generator=rng()),
    "Coupling(Spline)": lambda: Coupling(3, Spline(4), generator=rng()),
    "Autoregressive": lambda: Autoregressive(4, generator=rng()),
    "Autoregressive(1)": lambda: Autoregressive(1, generator=rng()),
    "Autoregressive(Spline)": lambda: Autoregressive(3, Spline(4), generator=rng()),
    "Inverse": lambda: Inverse(Autoregressive(3, generator=rng())),
    "Reverse": lambda: Reverse(3),
    "ActNorm": lambda: ActNorm(3),
    "Mixing": lambda: Mixing(4, generator=rng()),
    "Planar": lambda: Planar(3, generator=rng()),
    "Residual": lambda: Residual(3, generator=rng()),
    "ActNorm(images)": lambda: ActNorm(2, (3, 2)),
    "Mixing(images)": lambda: Mixing(3, (2, 2), generator=rng()),
    "Coupling(images)": lambda: Coupling(3, Spline(4), (2, 2), hidden=4, generator=rng()),
    "Glow": lambda: Glow(1, 4, 2, 1, hidden=4, generator=rng()),
    "Chain": lambda: Chain([Mixing(3, generator=rng()), Planar(3, generator=rng()), ActNorm(3)]),
    "RealNVP": lambda: RealNVP(4, 3, **SMALL, generator=rng()),
    "NSF": lambda: NSF(2, 2, **SMALL, generator=rng()),
    "RealNVP of one layer": lambda: RealNVP(3, 1, **SMALL, generator=rng()),
    "MAF of one layer": lambda: MAF(3, 1, **SMALL, generator=rng()),
    "MAF": lambda: MAF(3, 3, **SMALL, generator=rng()),
    "IAF": lambda: IAF(3, 3, **SMALL, generator=rng()),
}


@pytest.fixture(params=MADE)
def made(request: pytest.FixtureRequest) -> Layer:
    return shaken(MADE[request.param]())


# Every map: its Jacobian, its way back, its precision


def test_the_log_determinant_is_that_of_the_jacobian(made: Layer) -> None:
    x = 2 * normal(20, *made.shape)
    z, log_det = made(x)
    d = math.prod(made.shape)
    rows = torch.func.vmap(torch.func.jacrev(lambda v: made._forward(v[None], None).to[0]))(x)
    close(log_det, torch.linalg.slogdet(rows.reshape(20, d, d)).logabsdet, 1e-9)
    back = torch.func.vmap(torch.func.jacrev(lambda v: made._inverse(v[None], None).to[0]))(z)
    close(made.inverse(z).log_det, torch.linalg.slogdet(back.reshape(20, d, d)).logabsdet, 1e-9)


def test_the_way_back(made: Layer) -> None:
    """At eight standard deviations, too."""
    x = 2 * normal(200, *made.shape)
    x[0], x[1] = 8.0, -8.0
    with torch.no_grad():
        z, log_det = made(x)
        back, opposite = made.inverse(z)
        close(back, x)
        close(opposite, -log_det)
        there, _ = made(made.inverse(x).to)
        close(there, x)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.1)])
def test_in_lower_precision(made: Layer, dtype: torch.dtype, tolerance: float) -> None:
    x = normal(50, *made.shape).to(dtype)
    low = copy.deepcopy(made).to(dtype)
    wide = copy.deepcopy(low).double()
    with torch.no_grad():
        got, expected = low(x), wide(x.double())
        for a, b in zip(got, expected, strict=True):
            assert a.dtype == dtype
            close(a.double(), b, tolerance)
        back = low.inverse(got.to).to
        assert back.dtype == dtype
        close(back.double(), x.double(), 2 * tolerance)
        density = Flow(low).log_prob(x)
        assert density.dtype == dtype
        close(density.double(), Flow(wide).log_prob(x.double()), 3 * tolerance)


@pytest.mark.parametrize("name", ["Coupling(2)", "NSF", "Autoregressive(1)"])
def test_the_density_integrates_to_one(name: str) -> None:
    layer = shaken(MADE[name]())
    side = torch.linspace(-12, 12, 601, dtype=F64)
    d = layer.shape[0]
    places = torch.cartesian_prod(*[side] * d).reshape(-1, d)
    with torch.no_grad():
        mass = Flow(layer).log_prob(places).exp().sum() * (side[1] - side[0]) ** d
    assert mass.item() == pytest.approx(1, abs=1e-6)


@given(seed=seeds, bins=st.integers(2, 12), size=st.floats(0.1, 6))
@settings(max_examples=30)
def test_a_spline_with_any_parameters(seed: int, bins: int, size: float) -> None:
    """As near back as its slopes allow, rising, joined smoothly, and straight outside."""
    spline = Spline(bins, 3.0)
    parameters = (size * normal(1, spline.count, seed=seed)).expand(400, -1)
    x = torch.linspace(-4, 4, 400, dtype=F64).unsqueeze(1)
    z, log_slope = spline._forward(x, parameters)
    back, opposite = spline._inverse(z, parameters)
    close(spline._forward(back, parameters)[0], z, 1e-11)
    assert ((back - x).abs() * log_slope.exp() < 1e-11).all()
    assert ((log_slope + opposite).abs() < 1e-6).all()
    assert (z.diff(dim=0) > 0).all()
    outside = x.abs() > 3
    assert torch.equal(z[outside], x[outside])
    assert (log_slope[outside] == 0).all()


def test_a_spline_of_zeros_is_the_identity() -> None:
    x = torch.linspace(-6, 6, 50, dtype=F64).unsqueeze(1)
    z, log_slope = Spline()._forward(x, torch.zeros(50, Spline().count, dtype=F64))
    close(z, x)
    close(log_slope, torch.zeros_like(x))


# Who sees whom


@pytest.mark.parametrize("context", [0, 2])
@pytest.mark.parametrize("kind", [Shift(), Affine(), Spline(3)], ids=str)
@pytest.mark.parametrize(("dim", "hidden"), [(1, 4), (2, 2), (4, 4), (5, 32)])
def test_no_output_sees_its_own_input_or_a_later_one(kind, dim, hidden, context) -> None:
    layer = Autoregressive(dim, kind, hidden=hidden, context=context, generator=rng())
    shaken(layer, by=1.0)
    told = normal(1, context) if context else None
    slopes = torch.func.jacrev(lambda x: layer.net(x, told)[0])(normal(1, dim))[:, 0]
    sees = slopes != 0
    allowed = kind._owners(dim).unsqueeze(1) > torch.arange(dim)
    assert torch.equal(sees, allowed)
    if told is not None:
        by_context = torch.func.jacrev(lambda c: layer.net(normal(1, dim), c)[0])(told)
        assert (by_context != 0).any(-1).all()


def test_the_way_back_of_maf_takes_one_pass_a_coordinate() -> None:
    layer = shaken(Autoregressive(6, generator=rng()))
    passes: list[torch.Tensor] = []
    layer.net.register_forward_hook(lambda net, given, out: passes.append(given[0]))
    x = normal(10, 6)
    z = layer(x).to
    assert len(passes) == 1
    passes.clear()
    close(layer.inverse(z).to, x)
    assert len(passes) == 6
    for i, seen in enumerate(passes):  # before pass i the first i coordinates are known, no more
        close(seen[:, :i], x[:, :i])
        assert (seen[:, i:] == 0).all()


def test_iaf_is_maf_read_the_other_way() -> None:
    layer = Autoregressive(4, generator=rng())
    shaken(layer)
    z = normal(10, 4)
    passes: list[int] = []
    layer.net.register_forward_hook(lambda *_: passes.append(1))
    close(Inverse(layer).inverse(z).to, layer(z).to)
    assert len(passes) == 2


def test_couplings_change_every_coordinate() -> None:
    for dim in (2, 3, 5):
        x = normal(3, dim)
        one = shaken(Coupling(dim, generator=rng()))
        z = one(x).to
        close(z[:, -(dim // 2) :], x[:, : dim // 2])
        through = shaken(RealNVP(dim, 2 * dim, **SMALL, generator=rng()))
        rows = torch.func.jacrev(lambda v, f=through: f._forward(v[None], None).to[0])(x[0])
        assert (rows != 0).all()


# As torch.distributions


def test_a_flow_is_a_transformed_distribution() -> None:
    layer = shaken(NSF(2, 2, **SMALL, generator=rng()))
    flow = Flow(layer)
    assert isinstance(flow, distributions.TransformedDistribution)
    assert flow.event_shape == (2,)
    assert flow.batch_shape == ()
    x = normal(7, 3, 2)
    inherited = distributions.TransformedDistribution.log_prob(flow, x)
    assert flow.log_prob(x).shape == (7, 3)
    close(flow.log_prob(x), inherited)
    close(flow.log_prob(x[0, 0]), inherited[0, 0])
    (back,) = flow.transforms
    z = back.inv(x)
    close(back(z), x)
    close(back.log_abs_det_jacobian(z, x), layer.inverse(z.reshape(-1, 2)).log_det.reshape(7, 3))
    longer = distributions.TransformedDistribution(flow, [distributions.ExpTransform()])
    close(longer.log_prob(x.exp()), flow.log_prob(x) - x.sum(-1), 1e-9)


def test_a_mapping_computes_once_and_never_answers_for_another_place() -> None:
    layer = shaken(RealNVP(2, 2, **SMALL, generator=rng()))
    calls: list[int] = []
    layer.parts[0].net[0].register_forward_hook(lambda *_: calls.append(1))  # type: ignore[union-attr, operator]
    mapping, x, other = Mapping(layer), normal(5, 2), normal(5, 2, seed=1)
    z = mapping(x)
    log_det = mapping.log_abs_det_jacobian(x, z)
    assert len(calls) == 1
    close(log_det, layer(x).log_det)
    close(mapping.log_abs_det_jacobian(other, mapping(other)), layer(other).log_det)
    mapping(x)
    close(mapping.log_abs_det_jacobian(other, z), layer(other).log_det)
    drawn = mapping.inv(z)
    calls.clear()
    close(mapping.inv.log_abs_det_jacobian(z, drawn), -log_det)
    assert not calls


def test_samples_come_from_the_density() -> None:
    flow = Flow(shaken(NSF(2, 2, **SMALL, generator=rng()), by=0.4))
    x, log_p = flow.rsample_and_log_prob((20_000,), generator=rng(3))
    close(log_p, flow.log_prob(x), 1e-9)
    side = torch.linspace(-10, 10, 401, dtype=F64)
    places = torch.cartesian_prod(side, side)
    with torch.no_grad():
        p = flow.log_prob(places).exp() * 0.05**2
    mean = (p.unsqueeze(1) * places).sum(0)
    second = (p.unsqueeze(1) * places**2).sum(0)
    close(x.mean(0), mean, 0.05)
    close((x**2).mean(0), second, 0.1)


def test_only_the_generator_is_used() -> None:
    layer = RealNVP(2, generator=rng())
    state = torch.random.get_rng_state()
    flow = Flow(RealNVP(2, generator=rng()))
    Flow(MAF(2, generator=rng())).sample((2,), generator=rng())
    Planar(2, generator=rng()), Mixing(2, generator=rng())
    first, again, other = (flow.sample((3,), generator=rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    weights = zip(layer.parameters(), flow.mapping.layer.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)
    torch.manual_seed(0)
    drawn = flow.sample((3,))
    torch.manual_seed(0)
    assert torch.equal(flow.sample((3,)), drawn)


@pytest.mark.parametrize("make", [RealNVP, NSF, MAF, IAF, Planar, Residual, Mixing, Glow])
def test_a_flow_lives_where_its_generator_is(device: str, make: type[Layer]) -> None:
    generator = torch.Generator(device).manual_seed(0)
    size = (1, 4) if make is Glow else (2,)
    layer = make(*size, generator=generator)  # type: ignore[arg-type, call-arg]
    flow = Flow(layer)
    x, log_p = flow.rsample_and_log_prob((50,), generator=generator)
    assert x.device.type == log_p.device.type == device
    assert {p.device.type for p in layer.parameters()} == {device}
    close(flow.log_prob(x), log_p, 1e-3)
    (-flow.log_prob(x.detach()).mean()).backward()
    there = copy.deepcopy(layer).to("cpu")
    close(Flow(there).log_prob(x.cpu()), log_p.cpu(), 1e-3)


@pytest.mark.parametrize("make", [RealNVP, NSF, MAF, IAF])
def test_a_context_makes_one_density_for_each(make: type[Chain]) -> None:
    layer = shaken(make(2, 2, context=3, **SMALL, generator=rng()))  # type: ignore[call-arg]
    told = normal(5, 3)
    flow = Flow(layer, told)
    assert flow.batch_shape == (5,)
    x = flow.sample((4,), generator=rng())
    assert x.shape == (4, 5, 2)
    log_p = flow.log_prob(x)
    for i in range(5):
        close(log_p[:, i], Flow(layer, told[i]).log_prob(x[:, i]))
    one_place = flow.log_prob(normal(2))
    assert one_place.shape == (5,)
    assert one_place.unique().numel() == 5
    with pytest.raises(ValueError, match=r"^context: got None, expected a floating"):
        Flow(layer)
    with pytest.raises(ValueError, match=r"^context: .* expected a context of 3 numbers"):
        Flow(layer, normal(5, 2))
    with pytest.raises(ValueError, match=r"^context: .*expected None"):
        Flow(RealNVP(2), told)
    with pytest.raises(ValueError, match=r"^value: .*broadcasts with \(5,\)"):
        flow.log_prob(normal(4, 2))
    with pytest.raises(ValueError, match=r"^context: .*shape \(4, 3\)"):
        layer(normal(4, 2), told)


def test_expand_and_independent() -> None:
    flow = Flow(shaken(RealNVP(2, 2, **SMALL, generator=rng())))
    many = flow.expand((3,))
    x = normal(3, 2)
    assert many.sample((5,), generator=rng()).shape == (5, 3, 2)
    close(many.log_prob(x), flow.log_prob(x))
    close(distributions.Independent(many, 1).log_prob(x), flow.log_prob(x).sum())


def test_no_samples_and_copies() -> None:
    flow = Flow(shaken(NSF(2, 2, **SMALL, generator=rng())))
    assert flow.log_prob(normal(0, 2)).shape == (0,)
    assert flow.sample((0,), generator=rng()).shape == (0, 2)
    x = normal(3, 2)
    log_p = flow.log_prob(x)  # its graph is not copied
    for twin in (copy.deepcopy(flow), pickle.loads(pickle.dumps(flow))):
        assert torch.equal(twin.log_prob(x), log_p)
        assert twin.mapping.layer is not flow.mapping.layer
    model = Mixing(3, generator=rng(1))
    other = Mixing(3, generator=rng(2))
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(x.new_ones(1, 3).float()).to, model(x.new_ones(1, 3).float()).to)


def test_gradients_reach_every_parameter_both_ways(made: Layer) -> None:
    if not list(made.parameters()):
        return
    for run in (
        lambda flow: flow.log_prob(normal(9, *made.shape)).sum(),
        lambda flow: (flow.rsample((9,), generator=rng()) ** 3).sum(),
    ):
        made.zero_grad()
        run(Flow(made)).backward()
        for name, parameter in made.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


def test_the_gradient_of_a_planar_inverse() -> None:
    """It is found by bisection, and yet knows how it depends on everything."""
    layer = shaken(Planar(2, generator=rng()))

    class Back(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return self.layer.inverse(z).to

    def solved(z, u, w, b):
        given_ = {"layer.u": u, "layer.w": w, "layer.b": b}
        return torch.func.functional_call(Back(), given_, (z,))

    inputs = [normal(3, 2), *(p.detach() for p in (layer.u, layer.w, layer.b))]
    assert torch.autograd.gradcheck(solved, [x.requires_grad_() for x in inputs])


# Parts


def test_actnorm_is_set_by_data() -> None:
    layer = ActNorm(3).double()
    x = 3 * normal(500, 3) + torch.tensor([1.0, -2.0, 5.0], dtype=F64)
    layer.calibrate(x)
    z = layer(x).to
    close(z.mean(0), torch.zeros(3, dtype=F64))
    close(z.var(0, correction=0), torch.ones(3, dtype=F64), 1e-9)
    with pytest.raises(ValueError, match=r"^x: .*at least two samples"):
        layer.calibrate(x[:1])


def test_mixing_starts_as_a_rotation() -> None:
    layer = Mixing(5, generator=rng()).double()
    rows = layer(torch.eye(5, dtype=F64)).to
    close(rows @ rows.T, torch.eye(5, dtype=F64), 1e-5)
    assert layer(normal(2, 5)).log_det.abs().max() < 1e-5


@given(seed=seeds, size=st.floats(0.1, 20))
@settings(max_examples=30)
def test_a_planar_map_never_folds(seed: int, size: float) -> None:
    layer = Planar(2, generator=rng(seed)).double()
    with torch.no_grad():
        layer.u.copy_(-size * layer.w)  # against w, where an unguarded map folds
        _, w, along = layer._vectors()
        u = layer._vectors()[0]
        close(u @ w, along, 1e-9)
        assert along >= -1  # -1 itself where the softplus is rounded
        assert layer(3 * normal(50, 2)).log_det.isfinite().all()


@given(seed=seeds, bound=st.floats(0.1, 0.97))
@settings(max_examples=20)
def test_a_residual_layer_contracts_and_its_series_converges(seed: int, bound: float) -> None:
    layer = Residual(3, bound, generator=rng(seed))
    shaken(layer, seed=seed, by=2.0)  # weights that are far too large, before they are divided
    x, y = 2 * normal(20, 3, seed=seed), normal(20, 3, seed=seed + 1)
    (a, jacobian), (b, _) = layer._contract(x), layer._contract(y)
    assert ((a - b).norm(dim=1) <= bound * (x - y).norm(dim=1) + 1e-12).all()
    size = torch.linalg.matrix_norm(jacobian, 2).max().item()
    assert size <= bound + 1e-12
    exact = layer(x).log_det
    for terms in (1, 4, 20):
        error = (log_det_series(jacobian, terms) - exact).abs().max().item()
        assert error <= 3 * size ** (terms + 1) / ((terms + 1) * (1 - size)) + 1e-12
    close(log_det_series(jacobian / 2, 60), torch.linalg.slogdet(torch.eye(3) + jacobian / 2)[1])


def test_images_keep_their_shape_and_a_context_reaches_them() -> None:
    layer = shaken(Glow(1, 8, 2, 2, hidden=8, context=3, generator=rng()))
    x, told = normal(5, 1, 8, 8), normal(5, 3)
    flow = Flow(layer, told)
    drawn, log_p = flow.rsample_and_log_prob((2,), generator=rng())
    assert drawn.shape == (2, 5, 1, 8, 8)
    close(flow.log_prob(drawn), log_p, 1e-9)
    other = Flow(layer, told + 1).log_prob(x)
    assert (flow.log_prob(x) - other).abs().min() > 1e-3
    with pytest.raises(ValueError, match=r"^size: got 6, expected a multiple of 2\^levels, 4"):
        Glow(1, 6, 2)
    with pytest.raises(ValueError, match=r"^layer: .*a multiple of 4 channels"):
        Squeezed(ActNorm(3, (2, 2)))
    with pytest.raises(ValueError, match=r"^sites: .*height, width"):
        Coupling(4, Affine(), (3,))


def test_chains_of_what_does_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^parts: .*events of \(2,\)"):
        Chain([ActNorm(2), ActNorm(3)])
    with pytest.raises(ValueError, match=r"^parts: .*a context of 3"):
        Chain([Coupling(2, context=3), Coupling(2, context=2)])
    with pytest.raises(ValueError, match=r"^parts: .*at least one layer"):
        Chain([])
    with pytest.raises(ValueError, match=r"^parts: .*layers only"):
        Chain([nn.Identity()])  # type: ignore[list-item]
    assert Chain([ActNorm(2), Coupling(2, context=3)]).context == 3


def test_a_flow_learns_a_mixture() -> None:
    data = GaussianMixture([0.4, 0.6], [[-1.5, 0.0], [1.5, 0.5]], std=0.4)
    layer = NSF(2, 2, hidden=32, generator=rng())
    optimizer = torch.optim.Adam(layer.parameters(), lr=5e-3)
    generator = rng(1)
    for _ in range(250):
        optimizer.zero_grad()
        (-Flow(layer).log_prob(data.sample(256, generator=generator)).mean()).backward()
        optimizer.step()
    x = data.sample(5000, generator=generator, stratified=True)
    gap = (data.log_prob(x) - Flow(layer).log_prob(x)).mean().item()
    assert -0.02 < gap < 0.08


# Ties to the chapter


def result(name: str, part: str | None = None, n: int | None = None) -> Claim:
    chapter = book.chapter("normalizing_flow")
    derivation = next(d for d in chapter.derivations if d.name == f"normalizing_flow.{name}")
    chain = next(
        c for c in derivation.chains
        if (part is None or c.name == part) and (n is None or dict(c.case) == {"n": n})
    )  # fmt: skip
    return derivation.result(chain)


def wide(number: float) -> torch.Tensor:
    return torch.tensor(number, dtype=F64)


def entries(name: str, matrix: torch.Tensor) -> dict[str, torch.Tensor]:
    n = range(len(matrix))
    return {f"{name}_{i + 1}{j + 1}": matrix[i, j] for i in n for j in n}


def standard(z: torch.Tensor) -> torch.Tensor:
    return torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)


@given(seed=seeds)
@settings(max_examples=10)
def test_tie_change_of_variables(seed: int) -> None:
    """A flow of one coordinate, and the chapter's formula with its map and its slope."""
    layer = shaken(Autoregressive(1, Spline(4), generator=rng()), seed=seed)
    x = 2 * normal(6, 1, seed=seed)
    z, log_det = layer(x)
    claim = result("change_of_variables", "log")
    # The chapter's f is any map of the line; here its value and slope at x are given.
    letters = {"p": standard, "f": lambda _: z[:, 0], "f_prime": lambda _: log_det.exp()}
    close(Flow(layer).log_prob(x), value(claim.rhs, **letters, x=x[:, 0]), 1e-9)
    other = result("change_of_variables", "other")
    back, opposite = Inverse(layer)(z)
    close(back, x, 1e-9)
    letters = {"p": standard, "f_inverse_prime": lambda _: opposite.exp()}
    close(Flow(layer).log_prob(x), value(other.rhs, **letters, z=z[:, 0]), 1e-9)


class Linear(Layer):
    """z = A x, by a matrix that is given."""

    def __init__(self, matrix: torch.Tensor) -> None:
        super().__init__()
        self.shape, self.matrix = (len(matrix),), matrix

    def _forward(self, x: torch.Tensor, context: torch.Tensor | None) -> Moved:
        return Moved(x @ self.matrix.T, torch.linalg.slogdet(self.matrix)[1].expand(len(x)))

    def _inverse(self, z: torch.Tensor, context: torch.Tensor | None) -> Moved:
        raise NotImplementedError


@pytest.mark.parametrize("n", [1, 2, 3])
@given(seed=seeds)
@settings(max_examples=10)
def test_tie_composition(n: int, seed: int) -> None:
    A, B = normal(n, n, seed=seed), normal(n, n, seed=seed + 1)
    x = normal(4, n)
    chain = Chain([Linear(B), Linear(A)])
    claim = result("composition", "determinants")
    close(chain(x).log_det, value(claim.rhs, A=A, B=B).expand(4), 1e-9)
    close(value(claim.lhs, A=A, B=B), value(claim.rhs, A=A, B=B), 1e-9)
    S = B @ B.T + torch.eye(n, dtype=F64)
    root = torch.linalg.inv(torch.linalg.cholesky(S))
    mean = -torch.linalg.solve(root, torch.zeros(n, dtype=F64))
    whole = value(result("linear").lhs, x=x[0], mu=mean, Sigma=S)
    close(Flow(Linear(root)).log_prob(x)[0], whole, 1e-9)


@given(seed=seeds)
@settings(max_examples=10)
def test_tie_coupling(seed: int) -> None:
    """The layer's own s and t, in the chapter's determinant and in its way back."""
    layer = shaken(Coupling(2, generator=rng()), seed=seed)
    x = normal(5, 2, seed=seed)
    z, log_det = layer(x)
    shift, log_scale = layer.kind._read(layer._given(x[:, :1], None))
    letters = {"s": lambda _: log_scale[:, 0], "t": lambda _: shift[:, 0]}
    letters |= {"x_1": x[:, 0], "x_2": x[:, 1]}
    close(log_det.exp(), value(result("coupling", "determinant").rhs, **letters), 1e-10)
    undone = value(result("coupling", "inverse").lhs, "z_2", **letters, z_2=z[:, 0])
    close(layer.inverse(z).to[:, 1], undone, 1e-10)
    kept = shaken(Coupling(2, Shift(), generator=rng()), seed=seed)
    assert value(result("coupling", "volume").rhs) == 1
    assert (kept(x).log_det == 0).all()


@given(seed=seeds)
@settings(max_examples=20)
def test_tie_spline(seed: int) -> None:
    """Each place of a spline, in the chapter's letters for its bin."""
    spline = Spline(5, 3.0)
    parameters = normal(1, spline.count, seed=seed).expand(40, -1)
    x = torch.linspace(-2.9, 2.9, 40, dtype=F64).unsqueeze(1)
    z, log_slope = spline._forward(x, parameters)
    _, at, (left, low), (width, height), (d_0, d_1) = spline._bin(x, parameters, 0)
    letters = {"h": height, "w": width, "d_0": d_0, "d_1": d_1, "u": (at - left) / width}
    close(log_slope.exp(), value(result("spline", "slope").rhs, **letters), 1e-10)
    equation = value(result("spline", "quadratic").rhs, **letters, y=z - low)
    close(equation, torch.zeros_like(equation), 1e-10)
    for end, knot in (("left", 0.0), ("right", 1.0)):
        slope = value(result("spline", end).rhs, **letters)
        there = left + knot * width
        inside = (there.abs() < 3 - 1e-9).squeeze(1)
        close(spline._forward(there, parameters)[1].exp()[inside], slope[inside], 1e-8)


@pytest.mark.parametrize("n", [2, 3])
@given(seed=seeds)
@settings(max_examples=10)
def test_tie_autoregressive(n: int, seed: int) -> None:
    """A layer of MAF is the autoregressive model with normal conditionals."""
    layer = shaken(Autoregressive(n, generator=rng()), seed=seed)
    x = normal(5, n, seed=seed)
    shift, log_scale = layer.kind._read(layer.net(x, None))
    means, logs = -shift * torch.exp(-log_scale), -log_scale
    letters = {f"x_{i + 1}": x[:, i] for i in range(n)} | {"m_1": means[:, 0], "a_1": logs[:, 0]}
    for i in range(1, n):
        letters |= {
            f"m_{i + 1}": lambda *_, i=i: means[:, i],
            f"a_{i + 1}": lambda *_, i=i: logs[:, i],
        }
    close(
        Flow(layer).log_prob(x), value(result("autoregressive", "normal", n).lhs, **letters), 1e-9
    )
    close(
        Flow(layer).log_prob(x), value(result("autoregressive", "normal", n).rhs, **letters), 1e-9
    )
    z = layer(x).to
    back = layer.inverse(z)
    slope = value(result("autoregressive", "inverse", 2).rhs, a=logs.sum(1))
    close(back.log_det, slope, 1e-10)


@pytest.mark.parametrize("n", [2, 3])
@given(seed=seeds)
@settings(max_examples=15)
def test_tie_planar(n: int, seed: int) -> None:
    layer = shaken(Planar(n, generator=rng(seed)), seed=seed, by=1.0)
    x = normal(5, n, seed=seed)
    u, w, along = layer._vectors()
    letters = {f"u_{i + 1}": u[i] for i in range(n)} | {f"w_{i + 1}": w[i] for i in range(n)}
    letters |= {f"x_{i + 1}": x[:, i] for i in range(n)} | {"b": layer.b}
    letters["h"] = torch.tanh
    letters["h_prime"] = lambda v: 1 - torch.tanh(v) ** 2
    close(layer(x).log_det.exp(), value(result("planar", "determinant", n).rhs, **letters), 1e-9)
    raw = {f"u_{i + 1}": layer.u[i] for i in range(n)} | {f"w_{i + 1}": w[i] for i in range(n)}
    close(value(result("planar", "moved", n).lhs, **raw, m=along), along, 1e-9)
    v = x @ w + layer.b
    positive = value(result("planar_positive").lhs, c=along, v=v)
    close(layer(x).log_det.exp(), positive, 1e-9)
    assert (positive > 0).all()


@pytest.mark.parametrize("n", [2, 3])
@given(seed=seeds)
@settings(max_examples=10)
def test_tie_mixing(n: int, seed: int) -> None:
    layer = shaken(Mixing(n, generator=rng(seed)), seed=seed)
    low, up = layer._factors()
    letters = {f"l_{i + 1}{j + 1}": low[i, j] for i in range(n) for j in range(i)}
    letters |= {f"u_{i + 1}{j + 1}": up[i, j] for i in range(n) for j in range(i, n)}
    log_det = layer(normal(2, n)).log_det
    close(log_det.exp(), value(result("triangular", n=n).rhs, **letters).abs().expand(2), 1e-10)
    rows = layer(torch.eye(n, dtype=F64)).to
    close(
        torch.linalg.det(rows).abs(), value(result("triangular", n=n).lhs, **letters).abs(), 1e-10
    )


@given(seed=seeds)
@settings(max_examples=15)
def test_tie_residual(seed: int) -> None:
    """One coordinate: what the series leaves out, and the step of the way back; two: a trace."""
    a = (0.9 * torch.tanh(normal(6, seed=seed))).requires_grad_()
    for n in (1, 2, 3):
        rest = torch.log1p(a) - log_det_series(a.reshape(6, 1, 1), n)
        (slope,) = torch.autograd.grad(rest.sum(), a)
        close(slope, value(result("residual", "cut", n).rhs, a=a.detach()), 1e-9)
    layer = shaken(Residual(1, 0.7, generator=rng(seed)), by=1.0)
    v, w = normal(6, 1, seed=seed), normal(6, 1, seed=seed + 1)
    letters = {"g": lambda x: layer._contract(x.reshape(-1, 1))[0][:, 0], "s": wide(0.3)}
    claim = result("residual", "contraction", 1)
    letters |= {"v": v[:, 0], "w": w[:, 0], "L": wide(0.7)}
    assert (value(claim.lhs, **letters) <= value(claim.rhs, **letters) + 1e-12).all()
    A = normal(2, 2, seed=seed) / 2
    second = log_det_series(A[None], 1) - log_det_series(A[None], 2)
    traced = value(result("residual", "powers", 2).rhs, **entries("A", A))
    close(2 * second[0], traced, 1e-10)


def test_tie_posterior() -> None:
    """The bound by samples of the flow's posterior, against the chapter's integral over z."""
    layer = shaken(Inverse(Autoregressive(1, Spline(4), generator=rng())))
    flow = Flow(layer)
    z = torch.linspace(-8, 8, 4001, dtype=F64).unsqueeze(1)
    x, log_slope = layer.inverse(z)

    def w(x):
        return -0.5 * (x - 0.7) ** 2

    claim = result("posterior")
    letters = {"w": w, "g": lambda _: x[:, 0], "g_prime": lambda _: log_slope.exp()}
    # The integral as a sum: the weights hold the width of a cell, and so does their logarithm.
    exact = value(claim.rhs, **letters, q=standard(z[:, 0]) * 0.004, z=z[:, 0]) + math.log(0.004)
    drawn, log_q = flow.rsample_and_log_prob((100_000,), generator=rng())
    estimate = (w(drawn[:, 0]) - log_q).mean()
    close(estimate, exact, 0.02)


TIES = {
    "Shift": {"normalizing_flow.coupling": test_tie_coupling},
    "Affine": {"normalizing_flow.coupling": test_tie_coupling},
    "Coupling": {"normalizing_flow.coupling": test_tie_coupling},
    "Spline": {"normalizing_flow.spline": test_tie_spline},
    "Chain": {"normalizing_flow.composition": test_tie_composition},
    "Inverse": {"normalizing_flow.change_of_variables": test_tie_change_of_variables},
    "Flow.log_prob": {"normalizing_flow.change_of_variables": test_tie_change_of_variables},
    "Flow.rsample_and_log_prob": {"normalizing_flow.posterior": test_tie_posterior},
    "Autoregressive": {"normalizing_flow.autoregressive": test_tie_autoregressive},
    "Residual": {"normalizing_flow.residual": test_tie_residual},
    "log_det_series": {"normalizing_flow.residual": test_tie_residual},
    "Planar": {
        "normalizing_flow.planar": test_tie_planar,
        "normalizing_flow.planar_positive": test_tie_planar,
    },
    "Mixing": {"normalizing_flow.triangular": test_tie_mixing},
}
