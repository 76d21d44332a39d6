"""Autoregressive networks: who sees whom, that they are laws, and that they draw from them."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath import book
from genmath.nets import (
    GPT,
    GRULM,
    MADE,
    Autoregressive,
    PixelCNN,
    WaveNet,
    autoregressive,
    causal_mask,
    made_degrees,
    made_masks,
    pixelcnn_mask,
)
from genmath.nets.positions import angles
from tests.checked import checked, value

CHAPTER = book.chapter("autoregressive")

Make = Callable[..., Autoregressive]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# What an output sees: larger nets, each of which can see all that came before it

WIDE: dict[str, Make] = {
    "MADE": partial(MADE, 7, 4, 16, 3),
    "MADE, another order": partial(MADE, 5, 4, 9, order=[3, 0, 4, 1, 2]),
    "MADE of one": partial(MADE, 1, 4, 2),
    "PixelCNN": partial(PixelCNN, (1, 5, 4), 4, 6, 3),
    "PixelCNN, wide kernel": partial(PixelCNN, (1, 4, 5), 4, 6, 2, 5),
    "PixelCNN, colours": partial(PixelCNN, (3, 3, 3), 4, 6, 2),
    "WaveNet": partial(WaveNet, 4, 9, 6, (1, 2, 4)),
    "WaveNet of threes": partial(WaveNet, 4, 9, 6, (1, 3), 3),
    "GRU": partial(GRULM, 4, 8, 6, 2),
    "GPT": partial(GPT, 4, 8, 8, 2, 2),
}


def entries(net: Autoregressive, batch: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(net.levels, (batch, *net.event), generator=rng(seed))


def seen(net: Autoregressive, x: torch.Tensor) -> torch.Tensor:
    """|d logits of the i-th entry / d features of the j-th|, summed, in the order of drawing."""
    entered: list[torch.Tensor] = []

    def leaf(module: torch.nn.Module, given: object, out: torch.Tensor) -> torch.Tensor:
        entered.append(out.detach().requires_grad_())
        return entered[-1]

    with net.embed.register_forward_hook(leaf):
        logits = net(x).flatten(0, -2)
    directions = torch.randn(logits.shape, generator=rng(5), dtype=logits.dtype)
    rows = []
    for i in net.order:
        along = (logits[i] * directions[i]).sum()
        (grad,) = torch.autograd.grad(
            along, entered, retain_graph=True, materialize_grads=True, allow_unused=True
        )
        rows.append(grad.reshape(len(logits), -1).abs().sum(1)[net.order])
    return torch.stack(rows)


@pytest.mark.parametrize("name", WIDE)
def test_no_output_sees_itself_or_what_comes_later_and_each_sees_all_before_it(name: str) -> None:
    net = WIDE[name](generator=rng()).double()
    jacobian = seen(net, entries(net, 1))
    before = torch.ones_like(jacobian).tril(-1).bool()
    assert (jacobian[~before] == 0).all()
    assert (jacobian[before] > 0).all()


@pytest.mark.parametrize("name", WIDE)
def test_another_entry_changes_no_logits_up_to_its_own(name: str) -> None:
    """The same through integers alone, exactly."""
    net = WIDE[name](generator=rng()).double()
    x, order = entries(net, 1), net.order
    logits = net(x).flatten(1, -2)[:, order]
    for i, place in enumerate(order):
        other = x.clone()
        other.view(1, -1)[:, place] = (other.view(1, -1)[:, place] + 1) % net.levels
        changed = (net(other).flatten(1, -2)[:, order] != logits).any(-1)[0]
        assert not changed[: i + 1].any()
        assert changed[i + 1 :].all()


@pytest.mark.parametrize(("dilations", "k"), [((1, 2), 2), ((1, 1), 3), ((3,), 2), ((1, 2, 4), 1)])
def test_a_wavenet_sees_its_receptive_field_and_no_more(dilations, k: int) -> None:
    net = WaveNet(3, 12, 5, dilations, k, generator=rng()).double()
    assert net.receptive_field == 1 + (k - 1) * sum(dilations)
    sight = seen(net, entries(net, 1)) > 0
    back = torch.arange(12)[:, None] - torch.arange(12)
    field = (1 <= back) & (back <= net.receptive_field)
    if dilations == (3,):  # it skips what lies between
        field &= (back == 1) | (back == 4)
    assert torch.equal(sight, field)


def test_tie_receptive_field() -> None:
    exact = checked(CHAPTER.receptive_field.conclusion.rhs)
    for k, layers in ((2, 4), (3, 2), (1, 2)):
        net = WaveNet(2, 20, 3, [2**i for i in range(layers)], k, generator=rng()).double()
        assert net.receptive_field == exact(k=k, L=layers)
        assert int((seen(net, entries(net, 1)) > 0)[-1].sum()) == net.receptive_field


def test_a_pixel_sees_as_far_as_is_said() -> None:
    """Reach r: r + 1 rows up, there r columns to the right and more to the left, r back beside."""
    net = PixelCNN((1, 7, 9), 3, 4, 2, generator=rng()).double()
    reach, (row, column) = 2, (5, 4)
    sight = (seen(net, entries(net, 1))[row * 9 + column] > 0).reshape(7, 9)
    assert torch.equal(sight[row].nonzero()[:, 0], torch.tensor([2, 3]))
    for above in range(row - reach - 1, row):
        assert sight[above, column - reach : column + reach + 1].all()
        assert not sight[above, column + reach + 1 :].any()
    assert not sight[: row - reach - 1].any()


# Masks


@settings(max_examples=40)
@given(data=st.data(), dim=st.integers(1, 7), layers=st.integers(1, 4), more=st.integers(0, 9))
def test_the_product_of_mades_masks_is_strictly_triangular(data, dim, layers, more) -> None:
    order = data.draw(st.permutations(range(dim)))
    hidden = max(1, dim - 1) + more
    masks = made_masks(dim, hidden, layers, order=order)
    shapes = [(hidden, dim), *[(hidden, hidden)] * (layers - 1), (dim, hidden)]
    assert [m.shape for m in masks] == shapes
    product = torch.eye(dim)
    for mask in masks:
        product = (mask.float() @ product).clamp(max=1)
    assert torch.equal(product[order][:, order], torch.ones(dim, dim).tril(-1))
    ends = made_degrees(dim, hidden, layers, order=order)
    assert ends[0][order].tolist() == list(range(1, dim + 1)) == ends[-1][order].tolist()


def test_tie_made_masks() -> None:
    """Every path that the masks leave fits the hypotheses, so it goes from earlier to later."""
    order = [2, 0, 3, 1]
    into, between, out = made_masks(4, 5, 2, order=order)
    degrees = made_degrees(4, 5, 2, order=order)
    later, earlier = CHAPTER.masks.conclusion.lhs, CHAPTER.masks.conclusion.rhs
    paths = 0
    for i, a, b, o in itertools.product(range(4), range(5), range(5), range(4)):
        if into[a, i] and between[b, a] and out[o, b]:
            own = [d[unit] for d, unit in zip(degrees, (i, a, b, o), strict=True)]
            letters = dict(zip(("i", "h_1", "h_2", "o"), (x.double() for x in own), strict=True))
            assert own[0] <= own[1] <= own[2] < own[3]
            assert value(later, **letters) > value(earlier, **letters)
            assert order.index(i) < order.index(o)
            paths += 1
    assert paths > 20


def test_pixelcnns_masks_order_the_channels() -> None:
    a, b = (pixelcnn_mask(kind, 3, channels=3, into=3, out=6) for kind in "AB")
    owners = torch.tensor([0, 0, 1, 1, 2, 2])
    assert torch.equal(a[:, :, 1, 1], torch.arange(3) < owners[:, None])
    assert torch.equal(b[:, :, 1, 1], torch.arange(3) <= owners[:, None])
    for mask in (a, b):
        assert mask[:, :, 0].all()
        assert mask[:, :, 1, 0].all()
        assert not mask[:, :, 1, 2].any()
        assert not mask[:, :, 2].any()
    assert not pixelcnn_mask("A", 1).any()
    assert pixelcnn_mask("B", 1).all()


def test_masked_squares_alone_leave_a_blind_spot() -> None:
    """Why there are two stacks: three masked 3 × 3 layers miss what stands to the right above."""
    x = torch.zeros(1, 1, 5, 5, requires_grad=True)
    h: torch.Tensor = x
    for kind in "ABB":
        h = torch.nn.functional.conv2d(h, pixelcnn_mask(kind, 3).float(), padding=1)
    (grad,) = torch.autograd.grad(h[0, 0, 3, 2], x)
    blind = grad[0, 0] == 0
    assert blind[2, 4]
    assert not blind[2, :4].any()
    net = PixelCNN((1, 5, 5), 2, 4, 3, generator=rng()).double()
    assert seen(net, entries(net, 1))[3 * 5 + 2, 2 * 5 + 4] > 0


def test_a_causal_mask_is_a_band_of_places_before() -> None:
    assert causal_mask(2).tolist() == [[True, False], [True, True]]
    assert causal_mask(2, 1).tolist() == [[True, True, False], [True, True, True]]
    assert causal_mask(0).shape == (0, 0)


# Laws: small enough to be counted

TINY: dict[str, Make] = {
    "MADE": partial(MADE, 3, 3, 16, order=[1, 2, 0]),
    "PixelCNN": partial(PixelCNN, (1, 2, 2), 2, 12, 2),
    "PixelCNN, colours": partial(PixelCNN, (2, 2, 1), 2, 12, 2),
    "WaveNet": partial(WaveNet, 3, 3, 12, (1, 2)),
    "GRU": partial(GRULM, 3, 3, 12),
    "GPT": partial(GPT, 3, 3, 8, 2, 2),
}
LABELS = torch.tensor([0, 2])


def sharp(name: str, **options: object) -> Autoregressive:
    """A network whose law is far from uniform, and gives every event a chance."""
    net = TINY[name](generator=rng(3), **options).double()
    x, generator = everything(net), rng(4)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn(p.shape, generator=generator, dtype=p.dtype) / 3)
        *_, last = (m for m in net.modules() if isinstance(m, torch.nn.Linear | torch.nn.Conv2d))
        logits = net(x, told(net, len(x)))
        factor = 0.8 / (logits - logits.mean(-1, keepdim=True)).std()
        for p in last.parameters():
            p.mul_(factor)
    return net


def everything(net: Autoregressive) -> torch.Tensor:
    size = math.prod(net.event)
    rows = torch.tensor(list(itertools.product(range(net.levels), repeat=size)))
    return rows.reshape(-1, *net.event)


def told(net: Autoregressive, n: int, other: bool = False) -> torch.Tensor | None:
    if net.told.classes:
        return torch.full((n,), 0 if other else net.told.classes - 1)
    return torch.full((n, net.told.cond_dim), -3.0 if other else 3.0) if net.told.cond_dim else None


OPTIONS: list[dict[str, object]] = [{}, {"classes": 3}, {"cond_dim": 2}]


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "classes", "vectors"])
@pytest.mark.parametrize("name", TINY)
def test_the_mass_of_all_is_one(name: str, options) -> None:
    net = sharp(name, **options)
    x = everything(net)
    nats = net.log_prob(x, told(net, len(x)))
    assert nats.shape == (len(x),)
    assert nats.logsumexp(0).item() == pytest.approx(0, abs=1e-12)
    assert nats.exp().std() * len(x) > 0.4


@pytest.mark.parametrize("name", TINY)
def test_log_prob_is_the_sum_of_the_factors(name: str) -> None:
    net = sharp(name)
    x = entries(net, 5)
    by_hand = torch.zeros(5, dtype=torch.float64)
    for row, logits in enumerate(net(x)):
        for entry, own in zip(x[row].flatten(), logits.flatten(0, -2), strict=True):
            by_hand[row] += own[entry] - own.exp().sum().log()
    torch.testing.assert_close(net.log_prob(x), by_hand, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["MADE", "WaveNet", "GRU", "GPT"])
def test_tie_log_prob(name: str) -> None:
    """The checked loss of an observation takes its factors from a table of all observations."""
    net = sharp(name)
    x = everything(net)
    own = net(x).softmax(-1).gather(2, x.unsqueeze(2)).squeeze(2)
    joint = own.prod(1).reshape(3, 3, 3).permute(net.order)
    loss = value(CHAPTER.sums["loss"].claim.rhs, q=joint)
    of_each = loss.permute(torch.tensor(net.order).argsort().tolist()).flatten()
    torch.testing.assert_close(-net.log_prob(x), of_each)


def chi_square(counts: torch.Tensor, law: torch.Tensor) -> float:
    """The statistic less its mean, in standard deviations of its law; rare cells are one cell."""
    expected = law * counts.sum()
    rare = expected < 5
    got, expected = (
        torch.cat([x[~rare], x[rare].sum(0, keepdim=True)]) for x in (counts, expected)
    )
    got, expected = got[expected > 0], expected[expected > 0]
    freedom = len(got) - 1
    statistic = ((got - expected) ** 2 / expected).sum().item()
    return (statistic - freedom) / math.sqrt(2 * freedom)


def counted(drawn: torch.Tensor, events: torch.Tensor) -> torch.Tensor:
    counts = (drawn.flatten(1)[:, None] == events.flatten(1)).all(2).sum(0)
    assert counts.sum() == len(drawn)
    return counts


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "classes", "vectors"])
@pytest.mark.parametrize("name", TINY)
def test_what_is_drawn_follows_the_law(name: str, options) -> None:
    net, n = sharp(name, **options), 4000
    law = net.log_prob(x := everything(net), told(net, len(x))).exp()
    drawn = net.sample(n, cond=told(net, n), generator=rng(7))
    assert (drawn.shape, drawn.dtype) == ((n, *net.event), torch.int64)
    assert abs(chi_square(counted(drawn, x), law)) < 4
    cooled = net.sample(n, temperature=0.5, cond=told(net, n), generator=rng(7))
    assert chi_square(counted(cooled, x), law) > 8
    if options:
        other = net.sample(n, cond=told(net, n, other=True), generator=rng(7))
        assert chi_square(counted(other, x), law) > 8


@pytest.mark.parametrize("name", TINY)
def test_what_follows_a_prefix_follows_the_law_given_it(name: str) -> None:
    net, n = sharp(name), 3000
    x, begun = everything(net), torch.tensor([1, 0])
    follows = (x.flatten(1)[:, net.order[:2]] == begun).all(1)
    law = net.log_prob(x[follows]).softmax(0)
    drawn = net.sample(n, prefix=begun.expand(n, 2), generator=rng(8))
    assert abs(chi_square(counted(drawn, x[follows]), law)) < 4


@pytest.mark.parametrize("name", TINY)
def test_a_prefix_of_all_is_the_sample(name: str) -> None:
    net = sharp(name)
    x = entries(net, 3)
    flat = x.flatten(1)[:, net.order]
    assert torch.equal(net.sample(3, prefix=flat, generator=rng()), x)
    assert torch.equal(
        net.sample(3, prefix=flat[:, :0], generator=rng()), net.sample(3, generator=rng())
    )


@pytest.mark.parametrize("name", TINY)
def test_cold_samples_take_the_most_probable_entry_each_time(name: str) -> None:
    net = sharp(name)
    cold = net.sample(2, temperature=1e-9, generator=rng())
    assert torch.equal(cold, net.sample(2, top_k=1, generator=rng(1)))
    assert torch.equal(cold, net.sample(2, top_p=1e-6, generator=rng(2)))
    assert torch.equal(net(cold).argmax(-1), cold)


@pytest.mark.parametrize("name", TINY)
def test_a_sample_with_a_generator_of_its_own_is_the_same_in_any_batch(name: str) -> None:
    net = sharp(name)
    together = net.sample(4, generator=[rng(i) for i in range(4)])
    alone = [net.sample(1, generator=[rng(i)]) for i in range(4)]
    assert torch.equal(together, torch.cat(alone))
    assert net.sample(0, generator=rng()).shape == (0, *net.event)
    assert net.log_prob(together[:0]).shape == (0,)


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("options", OPTIONS[1:], ids=["classes", "vectors"])
def test_what_is_told_reaches_every_factor(name: str, options) -> None:
    net = sharp(name, **options)
    x = entries(net, 1)
    changed = (net(x, told(net, 1)) != net(x, told(net, 1, other=True))).any(-1)
    assert changed.all()


# Memory

RECALL = {name: WIDE[name] for name in ("WaveNet", "WaveNet of threes", "GRU", "GPT")}


def logits_of(
    net: Autoregressive, monkeypatch: pytest.MonkeyPatch, **given: object
) -> torch.Tensor:
    """The logits that samples were drawn from, and the samples."""
    kept: list[torch.Tensor] = []
    draw = autoregressive.draw

    def keeping(logits: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        kept.append(logits)
        return draw(logits, generator)

    with monkeypatch.context() as m:
        m.setattr(autoregressive, "draw", keeping)
        net.sample(3, generator=rng(9), **given)
    return torch.stack(kept, 1)


@pytest.mark.parametrize("begun", [0, 1, 5])
@pytest.mark.parametrize("options", OPTIONS[:2], ids=["plain", "classes"])
@pytest.mark.parametrize("name", RECALL)
def test_what_is_remembered_gives_the_same_numbers(name, options, begun, monkeypatch) -> None:
    net = RECALL[name](generator=rng(), **options).double()
    net.length = 20
    prefix = torch.randint(4, (3, begun), generator=rng(2))
    given = {"prefix": prefix, "cond": told(net, 3)}
    cached = logits_of(net, monkeypatch, **given)
    anew = logits_of(net, monkeypatch, **given, cached=False)
    assert cached.shape == (3, 20 - begun, 4)
    torch.testing.assert_close(cached, anew, rtol=1e-11, atol=1e-11)
    # and those of one pass over the whole sample, up to what a softmax does not see
    x = net.sample(3, generator=rng(9), **given)
    whole = net(x, told(net, 3))[:, begun:].log_softmax(-1)
    torch.testing.assert_close(cached.log_softmax(-1), whole, rtol=1e-11, atol=1e-11)


def test_a_memory_is_asked_about_one_token_at_a_time() -> None:
    net = GPT(5, 12, 8, generator=rng())
    lengths: list[int] = []
    with net.blocks[0].register_forward_hook(
        lambda m, given, out: lengths.append(given[0].shape[1])
    ):
        net.sample(2, prefix=torch.zeros(2, 4).long(), generator=rng())
        net.sample(2, generator=rng(), cached=False)
    assert lengths == [5, *[1] * 7, *range(1, 13)]


@pytest.mark.parametrize("name", RECALL)
def test_read_in_pieces_a_sequence_says_the_same(name: str) -> None:
    net = RECALL[name](generator=rng()).double()
    h = torch.randn(2, 9, net.embed.embedding_dim, generator=rng(1), dtype=torch.float64)
    memory, said = None, []
    for piece in h.split((2, 1, 4, 2), 1):
        out, memory = net._run(piece, memory)
        said.append(out)
    torch.testing.assert_close(torch.cat(said, 1), net._run(h, None)[0], rtol=1e-11, atol=1e-11)


def test_only_distances_are_told_to_a_gpt() -> None:
    """Attention by rotated queries and keys: shifted by any number of places, the same."""
    net = GPT(4, 6, 8, 1, 2, generator=rng()).double()
    x = torch.randn(1, 6, 8, generator=rng(1), dtype=torch.float64)
    block = net.blocks[0]
    here, there = (block(x, angles(start, 6, 4, x), None)[0] for start in (0, 1000))
    torch.testing.assert_close(here, there, rtol=1e-9, atol=1e-9)
    assert not torch.allclose(block(x.flip(1), angles(0, 6, 4, x), None)[0][:, -1], here[:, -1])


# Dtypes, weights, learning


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "classes", "vectors"])
@pytest.mark.parametrize("name", TINY)
def test_the_dtype_follows_the_parameters(name: str, dtype, options) -> None:
    net = sharp(name, **options)
    x = entries(net, 6)
    exact = net.log_prob(x, told(net, 6))
    net = net.to(dtype)
    nats = net.log_prob(x.int(), told(net, 6))
    assert nats.dtype == dtype == net(x, told(net, 6)).dtype
    error = torch.finfo(dtype).eps * 100
    torch.testing.assert_close(nats.double(), exact, rtol=error, atol=error)
    assert net.sample(2, cond=told(net, 2), generator=rng()).dtype == torch.int64


def test_half_precision_is_summed_in_float32() -> None:
    net = MADE(200, 2, 200, 1, generator=rng()).bfloat16()
    x = entries(net, 2)
    logits = net(x).float().log_softmax(-1)
    by_hand = logits.gather(-1, x.unsqueeze(-1)).sum((1, 2)).bfloat16()
    assert torch.equal(net.log_prob(x), by_hand)


@pytest.mark.parametrize("name", WIDE)
def test_weights_come_from_the_generator_alone(name: str) -> None:
    make = partial(WIDE[name], classes=3)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a, b, c = (make(generator=rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, a.parameters(), b.parameters()))
    assert not any(map(torch.equal, list(a.parameters())[:1], list(c.parameters())[:1]))
    torch.manual_seed(0)
    d = make()
    for (key, own), (other, drawn) in zip(a.named_buffers(), d.named_buffers(), strict=True):
        assert key == other
        assert torch.equal(own, drawn)
    d.load_state_dict(a.state_dict())
    x, label = entries(a, 2), torch.tensor([0, 2])
    assert torch.equal(d.log_prob(x, label), a.log_prob(x, label))
    assert torch.equal(copy.deepcopy(a).log_prob(x, label), a.log_prob(x, label))
    assert not any("mask" in key or "values" in key for key in a.state_dict())


@pytest.mark.parametrize("name", WIDE)
def test_a_gradient_reaches_every_parameter(name: str) -> None:
    net = WIDE[name](generator=rng(), classes=3)
    label = torch.arange(12) % 3
    net.log_prob(entries(net, 12), label).sum().backward()
    for key, parameter in net.named_parameters():
        if name == "MADE of one" and key != "last.bias":
            continue  # it sees nothing
        assert (parameter.grad != 0).any(), key
        if key.startswith("told"):  # each feature has its use
            assert (parameter.grad != 0).any(0).all(), key


@pytest.mark.parametrize("name", TINY)
def test_it_learns_a_law_whose_entropy_is_known(name: str) -> None:
    """The first entry is a fair choice, each later one the same again: log(levels) nats."""
    net = TINY[name](generator=rng())
    generator = rng(1)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-2)
    ones = torch.ones(64, *net.event, dtype=torch.long)
    for _ in range(150):
        first = torch.randint(net.levels, (64,), generator=generator)
        loss = -net.log_prob(first.reshape(-1, *[1] * len(net.event)) * ones).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert math.log(net.levels) - 0.05 < loss.item() < math.log(net.levels) + 0.1
    drawn = net.sample(100, generator=rng(2)).flatten(1)
    assert (drawn == drawn[:, :1]).all(1).float().mean() > 0.95


# Bad input

PIXELS = torch.zeros(2, 1, 2, 2).long()
pixels, gpt = partial(PixelCNN, (1, 2, 2), 4, 4, 1), partial(GPT, 4, 3, 8, 1, 2)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("dim", lambda: MADE(0)),
        ("levels", lambda: MADE(3, 1)),
        ("hidden", lambda: MADE(9, hidden=7)),
        ("order", lambda: MADE(3, order=[0, 1, 1])),
        ("order", lambda: MADE(3, order=[1, 2, 3])),
        ("order", lambda: MADE(2, order=["a", "b"])),
        ("classes", lambda: MADE(3, classes=0)),
        ("cond_dim", lambda: MADE(3, classes=2, cond_dim=2)),
        ("generator", lambda: MADE(3, generator=0)),
        ("x", lambda: MADE(3)(torch.zeros(2, 4).long())),
        ("x", lambda: MADE(3)(torch.zeros(2, 3))),
        ("x", lambda: MADE(3)(torch.full((2, 3), 2))),
        ("x", lambda: MADE(3).log_prob(torch.full((2, 3), -1))),
        ("cond", lambda: MADE(3)(torch.zeros(2, 3).long(), LABELS)),
        ("cond", lambda: MADE(3, classes=3)(torch.zeros(2, 3).long())),
        ("cond", lambda: MADE(3, classes=2)(torch.zeros(2, 3).long(), LABELS)),
        ("cond", lambda: MADE(3, cond_dim=2)(torch.zeros(2, 3).long(), torch.zeros(2, 3))),
        ("event", lambda: PixelCNN((8, 8))),
        ("event", lambda: PixelCNN((1, 0, 8))),
        ("event", lambda: PixelCNN(8)),
        ("hidden", lambda: PixelCNN((3, 8, 8), hidden=8)),
        ("k", lambda: PixelCNN((1, 8, 8), k=4)),
        ("x", lambda: pixels()(PIXELS[:, 0])),
        ("x", lambda: pixels()(PIXELS.expand(2, 3, 2, 2))),
        ("x", lambda: pixels()(PIXELS.bool())),
        ("k", lambda: WaveNet(4, 3, k=0)),
        ("dilations", lambda: WaveNet(4, 3, dilations=())),
        ("dilations", lambda: WaveNet(4, 3, dilations=(1, 0))),
        ("vocabulary", lambda: GRULM(1, 3)),
        ("length", lambda: GRULM(4, 0)),
        ("hidden", lambda: GPT(4, 3, 6, heads=2)),
        ("heads", lambda: GPT(4, 3, heads=0)),
        ("x", lambda: gpt()(torch.zeros(2, 0).long())),
        ("x", lambda: gpt()(torch.zeros(3).long())),
        ("prefix", lambda: gpt().sample(2, prefix=torch.zeros(2, 4).long(), generator=rng())),
        ("prefix", lambda: gpt().sample(2, prefix=torch.zeros(3).long(), generator=rng())),
        ("prefix", lambda: gpt().sample(2, prefix=torch.full((2, 1), 4), generator=rng())),
        ("temperature", lambda: gpt().sample(2, temperature=0.0, generator=rng())),
        ("top_k", lambda: gpt().sample(2, top_k=0, generator=rng())),
        ("top_p", lambda: gpt().sample(2, top_p=1.5, generator=rng())),
        ("cached", lambda: gpt().sample(2, cached=1, generator=rng())),
        ("cond", lambda: gpt(classes=3).sample(3, cond=LABELS, generator=rng())),
        ("cond", lambda: gpt(classes=3).sample(3, generator=rng())),
        ("generator", lambda: gpt().sample(2, generator=[rng()])),
        ("n", lambda: gpt().sample(-1, generator=rng())),
        ("kind", lambda: pixelcnn_mask("C", 3)),
        ("k", lambda: pixelcnn_mask("A", 2)),
        ("into", lambda: pixelcnn_mask("A", 3, channels=2, into=3, out=2)),
        ("length", lambda: causal_mask(-1)),
    ],
)
def test_what_does_not_fit_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call()


def test_a_length_can_be_set_and_is_looked_at() -> None:
    net = gpt(generator=rng())
    net.length = 7
    assert net.sample(2, generator=rng()).shape == (2, 7)
    assert net.log_prob(torch.zeros(1, 50).long()).shape == (1,)
    net.length = 0
    with pytest.raises(ValueError, match=r"^length: got 0, expected "):
        net.sample(2, generator=rng())


TIES = {
    "made_masks": {"autoregressive.masks": test_tie_made_masks},
    "WaveNet.receptive_field": {"autoregressive.receptive_field": test_tie_receptive_field},
    "Autoregressive.log_prob": {"autoregressive.sums": test_tie_log_prob},
}
