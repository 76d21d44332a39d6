"""Losses of pairs against exact worlds, checked formulas and loops written out."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book
from genmath.contrastive import (
    MemoryQueue,
    MomentumEncoder,
    align_uniform,
    augment,
    clip_loss,
    dino_loss,
    info_nce,
    linear_probe,
    mutual_information_bound,
    nt_xent,
    similarities,
    vicreg_loss,
)
from genmath.proof.language.tree import Named
from genmath.toys import digits
from tests.checked import value

CHAPTER = book.chapter("contrastive")
F64 = torch.float64


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=F64)


def number(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=F64)


def chain(result: str, name: str):
    return next(c for c in getattr(CHAPTER, result).chains if c.name == name)


# Contrast


def test_tie_info_nce() -> None:
    """A batch as a world: row w has its partner at place w, all rows equally often."""
    scores = normal(4, 4)
    loss = chain("classification", "loss").start
    got = value(loss, p=torch.eye(4, dtype=F64) / 4, s=scores.softmax(1))
    torch.testing.assert_close(info_nce(scores), got)


def test_tie_ceiling() -> None:
    scores, tau = normal(1, 6), 0.3
    others = (scores[0, 1:] / tau).exp().sum()
    exact = value(CHAPTER.ceiling.steps[0].rhs, a=scores[0, 0], tau=number(tau), S=others)
    torch.testing.assert_close(info_nce(scores / tau), exact)
    assert info_nce(normal(3, 3) * 1e6) >= 0


def test_tie_slopes() -> None:
    cosines, tau = normal(1, 5).requires_grad_(), 0.4
    (slope,) = torch.autograd.grad(info_nce(cosines / tau), cosines)
    e = (cosines.detach()[0] / tau).exp()
    partner = value(
        CHAPTER.slopes["partner"].claim.rhs, a=cosines[0, 0], tau=number(tau), S=e[1:].sum()
    )
    torch.testing.assert_close(slope[0, 0], partner)
    for k in range(1, 5):
        letters = {"s": cosines[0, k], "R": e.sum() - e[k]}
        other = value(CHAPTER.slopes["other"].claim.rhs, tau=number(tau), **letters)
        torch.testing.assert_close(slope[0, k], other)
    letters = {"s": cosines[0, 1], "t": cosines[0, 2], "tau": number(tau)}
    ratio = value(CHAPTER.slopes["ratio"].claim.rhs, **letters)
    torch.testing.assert_close(slope[0, 1] / slope[0, 2], ratio)


def world(n: int, critic: torch.Tensor, table: torch.Tensor):
    """The exact mean of the bound over all draws of n candidates, and p(w, k) of its game."""
    marginal_x, marginal_y = table.sum(1), table.sum(0)
    mean, joint = number(0.0), []
    for x in range(len(table)):
        for ys in itertools.product(range(table.shape[1]), repeat=n):
            alone = marginal_x[x] * math.prod(marginal_y[y] for y in ys)
            ratios = torch.stack([table[x, y] / (marginal_x[x] * marginal_y[y]) for y in ys])
            joint.append(alone * ratios / n)
            scores = torch.stack([critic[x, y] for y in ys])[None]
            mean = mean + alone * ratios[0] * mutual_information_bound(scores)
    return mean, torch.stack(joint)


@pytest.mark.parametrize("n", [2, 3])
def test_tie_mutual_information_bound(n) -> None:
    """Exactly, in a world of 3 × 4 states: with the best critic it is what the place is told."""
    table = normal(3, 4).flatten().softmax(0).reshape(3, 4)
    information = value(chain("positions", "two").steps[0].rhs, r=table)
    ratio = (table / (table.sum(1, keepdim=True) * table.sum(0))).log()
    best, joint = world(n, ratio + normal(3, 1, seed=4), table)
    torch.testing.assert_close(joint.sum(), number(1.0))
    bound = chain("classification", "bound")
    place = value(bound.steps[0].rhs, p=joint)
    torch.testing.assert_close(best, place)
    assert place < information
    critic = normal(3, 4, seed=2)
    mean, _ = world(n, critic, table)
    told = [
        [critic[x, y] for y in ys] for x in range(3) for ys in itertools.product(range(4), repeat=n)
    ]
    answers = torch.tensor(told, dtype=F64).softmax(1)
    torch.testing.assert_close(mean, value(bound.start, p=joint, s=answers))
    assert mean < best


def by_hand(x: torch.Tensor, y: torch.Tensor, tau: float) -> torch.Tensor:
    """NT-Xent by the checked formula of one anchor and that of the mean, in loops."""
    views = torch.cat([x, y])
    views = views / views.norm(dim=1, keepdim=True)
    n = len(x)
    losses = [number(0.0)]
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        others = [views[i] @ views[j] for j in range(2 * n) if j not in (i, partner)]
        s = torch.stack([number(0.0), *others])
        letters = {"a": views[i] @ views[partner], "tau": number(tau), "s": s, "M": 2 * n - 2}
        losses.append(value(chain("nt_xent", "anchor").steps[0].rhs, **letters))
    there = torch.stack(losses[: n + 1])
    back = torch.stack([losses[0], *losses[n + 1 :]])
    return value(chain("nt_xent", "batch").steps[0].rhs, ell=there, h=back, N=n)


@given(st.integers(2, 5), st.integers(1, 4), st.floats(0.05, 2), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_tie_nt_xent(n, d, tau, seed) -> None:
    x, y = normal(n, d, seed=seed), normal(n, d, seed=seed + 1000)
    torch.testing.assert_close(nt_xent(x, y, temperature=tau), by_hand(x, y, tau))


def test_nt_xent_of_directions_in_the_plane() -> None:
    """The example of the chapter, 0 and 30 degrees against 90 and 120, with its numbers."""
    angle = torch.tensor([0.0, 90.0, 30.0, 120.0], dtype=F64).deg2rad()
    views = torch.stack([angle.cos(), angle.sin()], 1)
    first = math.log(1 + (1 + math.exp(-1)) / math.exp(math.sqrt(3)))
    second = math.log(1 + (1 + math.e) / math.exp(math.sqrt(3)))
    got = nt_xent(views[:2], views[2:], temperature=0.5)
    assert float(got) == pytest.approx((first + second) / 2)
    assert float(got) == pytest.approx(0.361, abs=5e-4)


def test_tie_clip_loss() -> None:
    """The mean of both games, each anchor by the checked formula."""
    x, y, tau = normal(4, 3), normal(4, 3, seed=1), 0.2
    cosines = similarities(x, y)
    torch.testing.assert_close(cosines[1, 2], torch.cosine_similarity(x[1], y[2], dim=0))
    games = []
    for table in (cosines, cosines.mT):
        losses = [number(0.0)]
        for i in range(4):
            s = torch.cat([torch.zeros(1, dtype=F64), table[i, torch.arange(4) != i]])
            letters = {"a": table[i, i], "tau": number(tau), "s": s, "M": 3}
            losses.append(value(chain("nt_xent", "anchor").steps[0].rhs, **letters))
        games.append(torch.stack(losses))
    exact = value(chain("nt_xent", "batch").start, ell=games[0], h=games[1], N=4)
    torch.testing.assert_close(clip_loss(x, y, temperature=tau), exact)
    torch.testing.assert_close(clip_loss(y, x, temperature=tau), exact)


@pytest.mark.parametrize("size", [1e-30, 1e25])
def test_rows_without_a_square_have_their_cosines(size: float) -> None:
    x, y = normal(4, 3).float(), normal(5, 3, seed=1).float()
    torch.testing.assert_close(similarities(size * x, y), similarities(x, y))
    assert (similarities(0 * x, y) == 0).all()


def test_half_precision_is_computed_in_full() -> None:
    x, y = (30 * normal(6, 4, seed=seed).half() for seed in (0, 1))
    wide, centre = (x.float(), y.float()), torch.zeros(4)
    assert torch.equal(info_nce(x.mT), info_nce(wide[0].mT))
    assert torch.equal(nt_xent(x, y), nt_xent(*wide))
    assert vicreg_loss(x, y) == vicreg_loss(*wide)
    assert torch.equal(dino_loss(x, y, centre.half()), dino_loss(*wide, centre))


def test_the_temperature_of_clip_may_be_trained() -> None:
    log_temperature = torch.tensor(-1.0, dtype=F64, requires_grad=True)
    x = normal(5, 3)
    loss = clip_loss(x, normal(5, 3, seed=1), temperature=log_temperature.exp())
    (slope,) = torch.autograd.grad(loss, log_temperature)
    assert slope != 0
    loss = clip_loss(x, normal(5, 3, seed=1), temperature=math.exp(-1.0))
    torch.testing.assert_close(
        loss, clip_loss(x, normal(5, 3, seed=1), temperature=torch.tensor([math.exp(-1.0)]))
    )


@given(st.integers(2, 6), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_lengths_and_order_do_not_matter(n, seed) -> None:
    x, y = normal(n, 3, seed=seed), normal(n, 3, seed=seed + 500)
    longer = x * torch.rand(n, 1, generator=rng(seed), dtype=F64).add(0.1)
    order = torch.randperm(n, generator=rng(seed))
    for loss in (nt_xent, clip_loss):
        torch.testing.assert_close(loss(longer, y), loss(x, y))
        torch.testing.assert_close(loss(x[order], y[order]), loss(x, y))


def test_tie_align_uniform() -> None:
    """With the checked split: the loss less log M, up to the partner's share in the mean."""
    tau, n = 0.5, 7
    x, y = normal(n, 3), normal(n, 3, seed=1)
    scores = similarities(x, y, temperature=tau)
    parts = align_uniform(x, y, temperature=tau)
    exact = []
    for i in range(n):
        s = torch.cat([torch.zeros(1, dtype=F64), tau * scores[i, torch.arange(n) != i]])
        letters = {"a": tau * scores[i, i], "tau": number(tau), "s": s, "M": n - 1}
        exact.append(value(chain("limit_of_many", "split").steps[0].rhs, **letters))
    gap = torch.stack(exact).mean() - parts.alignment - parts.uniformity
    torch.testing.assert_close(info_nce(scores) - math.log(n - 1), torch.stack(exact).mean())
    assert 0 < gap < math.exp(2 / tau) / (n - 1)
    torch.testing.assert_close(parts.alignment, -scores.diagonal().mean())
    one = align_uniform(x[:1].expand(4, 3), x[:1].expand(4, 3), temperature=tau)
    assert one.alignment == pytest.approx(-1 / tau)
    assert one.uniformity == pytest.approx(1 / tau)


# Without others


def test_tie_dino_loss() -> None:
    student, teacher, centre = normal(1, 5), normal(1, 5, seed=1), normal(5, seed=2)
    P, Q = ((teacher - centre) / 0.3).softmax(1)[0], (student / 0.7).softmax(1)[0]
    split = chain("dino", "split")
    got = dino_loss(student, teacher, centre, student_temperature=0.7, teacher_temperature=0.3)
    torch.testing.assert_close(got, value(split.start, P=P, Q=Q))
    torch.testing.assert_close(got, value(split.steps[0].rhs, P=P, Q=Q))
    agrees = 0.7 / 0.3 * (teacher - centre)
    got = dino_loss(agrees, teacher, centre, student_temperature=0.7, teacher_temperature=0.3)
    torch.testing.assert_close(got, value(split.steps[1].rhs, P=P))


def test_the_teacher_of_dino_gets_no_gradient() -> None:
    student, teacher = normal(4, 3).requires_grad_(), normal(4, 3, seed=1).requires_grad_()
    dino_loss(student, teacher, torch.zeros(3, dtype=F64)).backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


def test_one_output_for_all_centred_is_uniform() -> None:
    teacher = normal(1, 6).expand(8, 6)
    student = normal(8, 6, seed=1)
    got = dino_loss(student, teacher, teacher.mean(0), student_temperature=1.0)
    torch.testing.assert_close(got, -student.log_softmax(1).mean(1).mean())


def test_tie_vicreg() -> None:
    """One feature of a finite world, each state a row: the distance in variances and means."""
    x, y = normal(6, 1), normal(6, 1, seed=1)
    law = torch.eye(6, dtype=F64) / 6
    exact = value(CHAPTER.vicreg.steps[0].rhs, x=x[:, 0], y=y[:, 0], r=law)
    torch.testing.assert_close(vicreg_loss(x, y).invariance, exact)


def test_vicreg_by_its_definition() -> None:
    x, y = 0.7 * normal(9, 4), 0.2 * normal(9, 4, seed=1)
    parts = vicreg_loss(x, y, invariance=2.0, variance=3.0, covariance=5.0, epsilon=0.01)
    spread = alike = 0.0
    for z in (x, y):
        table = torch.cov(z.T)
        spread += (1 - (table.diagonal() + 0.01).sqrt()).clamp(min=0).mean()
        alike += (table - table.diagonal().diag()).square().sum() / 4
    torch.testing.assert_close(parts.variance, spread)
    torch.testing.assert_close(parts.covariance, alike)
    total = 2 * (x - y).square().sum(1).mean() + 3 * spread + 5 * alike
    torch.testing.assert_close(parts.total, total)
    collapsed = vicreg_loss(torch.ones(4, 3), torch.ones(4, 3))
    assert collapsed.invariance == 0
    assert collapsed.variance == pytest.approx(2 * (1 - 0.01))


# A slow teacher, and a memory


def test_tie_ema() -> None:
    """Three updates are the checked weighted mean of the first teacher and three students."""
    network = nn.Linear(1, 1, bias=False).double()
    slow = MomentumEncoder(network, decay=0.7)
    start = network.weight.detach().clone()
    students = [normal(1, 1, seed=k) for k in range(3)]
    for student in students:
        with torch.no_grad():
            network.weight.copy_(student)
        slow.update(network)
    w = torch.cat([number(0.0).reshape(1), *[s.flatten() for s in students]])
    step = chain("ema", "step")
    exact = value(step.steps[0].rhs, m=number(0.7), t=2, theta_0=start[0, 0], w=w)
    torch.testing.assert_close(slow(torch.ones(1, 1, dtype=F64))[0, 0], exact)


def test_the_slow_network_is_a_copy_without_gradient() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    slow = MomentumEncoder(network, decay=0.5)
    network(torch.randn(8, 2, generator=rng()))
    with torch.no_grad():
        network[0].weight.add_(1.0)
    before = slow.model[0].weight.clone()
    slow.update(network)
    torch.testing.assert_close(slow.model[0].weight, before + 0.5)
    assert slow.model[1].num_batches_tracked == 1
    torch.testing.assert_close(slow.model[1].running_mean, network[1].running_mean / 2)
    assert not any(p.requires_grad for p in slow.parameters())
    assert not slow(torch.ones(4, 2)).requires_grad
    with pytest.raises(ValueError, match=r"^model: got .* expected a network like"):
        slow.update(nn.Linear(2, 3))


@given(st.integers(1, 7), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_the_queue_holds_the_last(size, batches) -> None:
    queue, pushed = MemoryQueue(size, 1), []
    for n in batches:
        keys = torch.arange(len(pushed), len(pushed) + n).float()[:, None]
        queue.push(keys)
        pushed += keys[:, 0].tolist()
        assert sorted(queue()[:, 0].tolist()) == pushed[-size:]


def test_a_queue_is_saved_and_passes_no_gradient() -> None:
    queue = MemoryQueue(4, 2)
    queue.push(torch.ones(2, 2, requires_grad=True))
    other = MemoryQueue(4, 2)
    other.load_state_dict(queue.state_dict())
    assert torch.equal(other(), torch.ones(2, 2))
    assert not queue().requires_grad


# Views


def ramps() -> torch.Tensor:
    rows = torch.linspace(-1, 1, 8, dtype=F64)
    return torch.stack([rows[:, None].expand(8, 8), rows.expand(8, 8)])[None].expand(64, 2, 8, 8)


def test_without_changes_an_image_stays() -> None:
    x = normal(3, 2, 5, 4)
    assert torch.equal(augment(x, generator=rng()), x)


def test_a_mirror_is_a_mirror() -> None:
    x = normal(40, 1, 4, 6)
    out = augment(x, flip=True, generator=rng())
    same = (out - x).abs().amax((1, 2, 3)) < 1e-9
    turned = (out - x.flip(3)).abs().amax((1, 2, 3)) < 1e-9
    assert (same ^ turned).all()
    assert 8 < same.sum() < 32


def test_a_part_lies_inside_and_has_its_size() -> None:
    out = augment(ramps(), crop=0.5, generator=rng())
    ends = out[:, 0, [0, -1], 0]
    side = (ends[:, 1] - ends[:, 0]) / 2  # of ramps from -1 to 1
    assert (side > 0.5 - 1e-9).all()
    assert (side < 1).all()
    assert side.std() > 0.05
    middle = out.mean((2, 3))
    assert middle.abs().amax() > 0.1  # it moves
    columns = out[:, 1, 0]
    torch.testing.assert_close(columns[:, -1] - columns[:, 0], ends[:, 1] - ends[:, 0])


def test_a_turn_keeps_angles_in_an_image_that_is_not_square() -> None:
    """A quarter of a turn of a wide image: what went right goes down, at the same rate."""
    wide = torch.linspace(-3, 3, 60, dtype=F64).expand(64, 1, 20, 60)
    out = augment(wide, rotate=90.0, generator=rng())[:, 0, 8:12, 28:32]
    right = (out[:, :, 1:] - out[:, :, :-1]).mean((1, 2))
    down = (out[:, 1:] - out[:, :-1]).mean((1, 2))
    torch.testing.assert_close((right**2 + down**2).sqrt(), torch.full((64,), 6 / 59, dtype=F64))
    assert down.abs().amax() > 0.08


def test_light_is_a_factor_about_the_mean_and_a_shift() -> None:
    x = normal(200, 1, 4, 4)
    out = augment(x, contrast=0.4, brightness=0.3, generator=rng())
    middle = x.mean((1, 2, 3))
    factor = out.flatten(1).std(1) / x.flatten(1).std(1)
    assert ((factor > 0.6) & (factor < 1.4)).all()
    shift = out.mean((1, 2, 3)) - middle
    assert (shift.abs() <= 0.3).all()
    made = middle + (x.flatten(1).mT - middle) * factor + shift
    torch.testing.assert_close(out.flatten(1).mT, made)
    assert factor.std() > 0.1
    assert shift.std() > 0.1


def test_mirrors_and_turns_are_drawn_apart() -> None:
    x = torch.linspace(-1, 1, 8, dtype=F64).expand(64, 1, 8, 8)
    out = augment(x, flip=True, rotate=40.0, generator=rng())[:, 0, 3:5, 3:5]
    right, down = out[:, 0, 1] - out[:, 0, 0], out[:, 1, 0] - out[:, 0, 0]
    told = {(bool(a), bool(b)) for a, b in zip(right > 0, down > 0, strict=True)}
    assert len(told) == 4
    assert augment(x[:0], crop=0.5, generator=rng()).shape == (0, 1, 8, 8)


def test_noise_has_its_deviation_and_the_generator_decides() -> None:
    x = torch.zeros(50, 1, 8, 8)
    out = augment(x, noise=0.3, generator=rng())
    assert float(out.std()) == pytest.approx(0.3, rel=0.05)
    everything = {"crop": 0.5, "rotate": 20.0, "flip": True, "noise": 0.1}
    x = normal(3, 1, 8, 8)
    again = augment(x, **everything, generator=rng(1))
    assert torch.equal(augment(x, **everything, generator=rng(1)), again)
    assert augment(x.bfloat16(), **everything, generator=rng()).dtype == torch.bfloat16


# The probe


def test_tie_linear_probe() -> None:
    """The weight of each class is the checked formula for centred features and answers."""
    x, y, ridge = normal(4, 4), torch.tensor([0, 1, 2, 1]), 0.7
    probe = linear_probe(x, y, ridge=ridge, kind="ridge")
    best = next(
        n for n in CHAPTER.probe.steps[0].rhs.walk() if isinstance(n, Named) and n.name == "w_star"
    )
    centred = x - x.mean(0)
    for k in range(3):
        answers = (y == k).double()
        exact = value(best, X=centred, y=answers - answers.mean(), **{"lambda": number(ridge)})
        torch.testing.assert_close(probe.weight[k], exact)
    torch.testing.assert_close(probe.scores(x).mean(0), torch.tensor([0.25, 0.5, 0.25], dtype=F64))


@pytest.mark.parametrize(("n", "d"), [(30, 4), (6, 40)])
def test_the_logistic_probe_is_at_its_minimum(n, d) -> None:
    x, y = normal(n, d), torch.arange(n) % 3
    probe = linear_probe(x, y, ridge=0.5)
    weight, bias = probe.weight.clone().requires_grad_(), probe.bias.clone().requires_grad_()
    scores = x @ weight.mT + bias
    loss = nn.functional.cross_entropy(scores, y, reduction="sum") + weight.square().sum() / 4
    for slope in torch.autograd.grad(loss, [weight, bias]):
        assert slope.abs().max() < 1e-8


def test_the_logistic_probe_halves_steps_that_go_too_far() -> None:
    """Nearly separable rows of very different lengths, where Newton's own steps run away."""
    x = torch.tensor(
        [
            [0.4, -0.2], [-40.8, 11.2], [-1.8, -1.9], [0.0, -0.1], [-0.3, -0.1],
            [11.6, -3.2], [-3.1, 3.0], [-0.2, 0.2], [-5.3, -4.4], [46.2, 68.8],
        ],
        dtype=F64,
    )  # fmt: skip
    y, ridge = torch.tensor([0, 1, 1, 1, 1, 0, 1, 1, 1, 0]), 1e-3
    probe = linear_probe(x, y, ridge=ridge)
    scores = x @ probe.weight.mT + probe.bias
    wrong = scores.softmax(1) - nn.functional.one_hot(y)
    assert (wrong.mT @ x + ridge * probe.weight).abs().max() < 1e-8
    assert wrong.sum(0).abs().max() < 1e-8


def test_the_logistic_probe_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    x, y = normal(60, 5), torch.arange(60) % 4
    theirs = LogisticRegression(C=2.0, tol=1e-10, max_iter=10_000).fit(x.numpy(), y.numpy())
    ours = linear_probe(x, y, ridge=0.5)
    torch.testing.assert_close(
        ours.scores(x).log_softmax(1),
        torch.from_numpy(theirs.predict_log_proba(x.numpy())),
        rtol=1e-5,
        atol=1e-5,
    )


def test_a_probe_reads_digits() -> None:
    data = digits()
    x, test = data.train.flatten(1), data.test.flatten(1)
    for kind in ("ridge", "logistic"):
        probe = linear_probe(x[:300], data.train_labels[:300], kind=kind)
        assert probe.accuracy(test, data.test_labels) > 0.85


def test_what_does_not_fit_is_refused() -> None:
    x = normal(4, 3)
    with pytest.raises(ValueError, match=r"^scores: got .* expected shape \(B, N\) with B <= N"):
        info_nce(normal(4, 3))
    with pytest.raises(ValueError, match=r"^y: got .* expected two rows or more"):
        align_uniform(x[:1], x[:1])
    for temperature in (torch.tensor(-1.0), torch.tensor([-1.0]), torch.ones(2)):
        with pytest.raises(ValueError, match=r"^temperature: got .* expected one number > 0"):
            clip_loss(x, x, temperature=temperature)
    for kind in ("logistic", "ridge"):
        with pytest.raises(ValueError, match=r"^x: got .* expected finite values"):
            linear_probe(x * math.nan, torch.tensor([0, 1, 1, 0]), kind=kind)
    with pytest.raises(ValueError, match=r"^y: got .* expected labels >= 0"):
        linear_probe(x, torch.tensor([0, -1, 1, 1]))
    with pytest.raises(ValueError, match=r"^keys: got .* expected shape \(B, 2\)"):
        MemoryQueue(3, 2).push(x)


TIES = {
    "info_nce": {
        "contrastive.classification": test_tie_info_nce,
        "contrastive.ceiling": test_tie_ceiling,
        "contrastive.slopes": test_tie_slopes,
    },
    "mutual_information_bound": {
        "contrastive.classification": test_tie_mutual_information_bound,
        "contrastive.positions": test_tie_mutual_information_bound,
    },
    "nt_xent": {"contrastive.nt_xent": test_tie_nt_xent},
    "clip_loss": {"contrastive.nt_xent": test_tie_clip_loss},
    "align_uniform": {"contrastive.limit_of_many": test_tie_align_uniform},
    "dino_loss": {"contrastive.dino": test_tie_dino_loss},
    "vicreg_loss": {"contrastive.vicreg": test_tie_vicreg},
    "MomentumEncoder": {"contrastive.ema": test_tie_ema},
    "linear_probe": {"contrastive.probe": test_tie_linear_probe},
}
