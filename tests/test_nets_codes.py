"""The halves of an autoencoder over a grid: sizes, what a code sees, and what is rebuilt."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from genmath.latent import FirstStage
from genmath.nets import ConvDecoder, ConvEncoder
from genmath.shapes import film, scenes

WORLDS = {
    "image": ((8, 8), (16, 24)),
    "clip": ((2, 4, 4), (8, 16, 8)),
    "fast clip": ((8, 2, 1), (16, 4, 3)),
    "series": ((16,), (64,)),
    "the same grid": ((1, 1), (3, 5)),
}
HALVES: tuple[Any, ...] = (ConvEncoder, ConvDecoder)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed))


@pytest.mark.parametrize("world", WORLDS)
def test_a_grid_is_made_coarser_by_the_factor_and_finer_again(world: str) -> None:
    factor, sizes = WORLDS[world]
    encoder = ConvEncoder(3, 5, factor, 8, generator=rng())
    decoder = ConvDecoder(3, 5, factor, 8, generator=rng())
    z = encoder(drawn(2, 3, *sizes))
    assert z.shape == (2, 5, *(n // f for n, f in zip(sizes, factor, strict=True)))
    x = decoder(z)
    assert x.shape == (2, 3, *sizes)
    x.square().sum().backward()
    for name, weight in [*encoder.named_parameters(), *decoder.named_parameters()]:
        assert weight.grad is not None, name
        assert weight.grad.any(), name


def test_one_number_is_for_both_sides_of_an_image() -> None:
    short, long = (ConvEncoder(3, 5, f, 8, generator=rng()) for f in (4, (4, 4)))
    x = drawn(2, 3, 8, 8)
    assert torch.equal(short(x), long(x))


def test_weights_come_from_the_generator_alone() -> None:
    state = torch.get_rng_state()
    one, other = (ConvDecoder(3, 5, (2, 4, 4), 8, generator=rng(seed)) for seed in (1, 2))
    again = ConvDecoder(3, 5, (2, 4, 4), 8, generator=rng(1))
    z = drawn(1, 5, 2, 2, 2)
    assert torch.equal(one(z), again(z))
    assert not torch.equal(one(z), other(z))
    assert torch.equal(torch.get_rng_state(), state)


def test_what_goes_through_keeps_its_size() -> None:
    """Else nothing of the data is in the first codes, and nothing of them in what is rebuilt."""
    encoder, decoder = (net(3, 16, (4, 8, 8), 64, generator=rng()) for net in HALVES)
    z = encoder(drawn(4, 3, 8, 32, 32))
    assert 0.05 < z.std() < 2
    assert 0.05 < decoder(drawn(4, 16, 2, 4, 4)).std() < 2


def test_a_code_of_a_clip_sees_the_frames_around_it_and_no_others() -> None:
    """Two layers of kernel 4 and stride 2: the frames from 4 i - 3 to 4 i + 6."""
    encoder = ConvEncoder(1, 2, (4, 4, 4), 8, generator=rng())
    x = drawn(1, 1, 24, 8, 8).requires_grad_()
    for i in range(6):
        (slope,) = torch.autograd.grad(encoder(x)[:, :, i].square().sum(), x)
        seen = slope.abs().amax((0, 1, 3, 4)).nonzero().flatten().tolist()
        assert seen == [k for k in range(4 * i - 3, 4 * i + 7) if 0 <= k < 24]


@pytest.mark.parametrize("axis", [2, 3, 4])
def test_a_shift_by_the_factor_is_a_shift_of_the_codes(axis: int) -> None:
    """Along time as along a side, apart from the edges."""
    factor = (2, 4, 4)
    encoder = ConvEncoder(1, 2, factor, 8, generator=rng()).double()
    decoder = ConvDecoder(1, 2, factor, 8, generator=rng()).double()
    x = drawn(1, 1, 16, 32, 32).double()
    z = encoder(x)
    moved = encoder(x.roll(factor[axis - 2], axis))
    inner = slice(3, z.shape[axis] - 3)

    def within(a: torch.Tensor, n: int = 1) -> torch.Tensor:
        return a.narrow(axis, inner.start * n, (inner.stop - inner.start) * n)

    assert torch.allclose(within(moved), within(z.roll(1, axis)), atol=1e-12)
    n = factor[axis - 2]
    again, later = decoder(z), decoder(z.roll(1, axis))
    assert torch.allclose(within(later, n), within(again.roll(n, axis), n), atol=1e-12)


def test_on_the_same_grid_nothing_is_lost_where_the_decoder_is_the_inverse() -> None:
    encoder = ConvEncoder(3, 3, (1, 1, 1), generator=rng()).double()
    decoder = ConvDecoder(3, 3, (1, 1, 1), generator=rng()).double()
    there: Any = encoder.body[0]
    back: Any = decoder.body[0]
    matrix = there.weight[:, :, 0, 0, 0].detach()
    with torch.no_grad():
        back.weight.copy_(torch.linalg.inv(matrix)[:, :, None, None, None])
    x = film(scenes(clips=True)[:2], generator=rng()).double()
    assert torch.allclose(FirstStage(encoder, decoder)(x), x, atol=1e-10)


def test_pairs_of_frames_that_are_alike_are_kept_by_half_as_many_codes() -> None:
    """A layer that takes the mean of two frames, and one that shows each code twice."""
    encoder = ConvEncoder(1, 1, (2, 1, 1), 2, generator=rng()).double()
    decoder = ConvDecoder(1, 1, (2, 1, 1), 2, generator=rng()).double()
    for net in (encoder, decoder):
        for weight in net.parameters():
            torch.nn.init.zeros_(weight)
    down: Any = encoder.body
    up: Any = decoder.body
    with torch.no_grad():  # silu(a) - silu(-a) = a, so two channels carry a number as it is
        for sign, channel in ((1, 0), (-1, 1)):
            down[0].weight[channel, 0, 1:3, 1, 1] = sign / 2
            down[2].weight[0, channel] = sign
            up[0].weight[channel, 0] = sign
            up[2].weight[channel, 0, 1:3, 1, 1] = sign
    x = drawn(2, 1, 4, 3, 3).double().repeat_interleave(2, 2)
    stage = FirstStage(encoder, decoder)
    assert stage.encode(x).shape == (2, 1, 4, 3, 3)
    assert torch.allclose(stage(x), x, atol=1e-12)


@pytest.mark.parametrize("half", HALVES, ids=["encoder", "decoder"])
def test_factors_that_do_not_fit_are_refused(half: Any) -> None:
    for factor in (3, (2, 6), (), (2, 2, 2, 2), "8", 2.0):
        with pytest.raises(ValueError, match=r"^factor: got .* expected a power of two, or one"):
            half(3, 4, factor)
    with pytest.raises(ValueError, match=r"^factor: got 0, expected an integer >= 1"):
        half(3, 4, (4, 0))
    for name in ("channels", "codes", "hidden"):
        with pytest.raises(ValueError, match=f"^{name}: got 0"):
            half(**{name: 0})


def test_grids_that_do_not_fit_are_refused() -> None:
    encoder, decoder = (net(3, 4, (2, 4, 4), 8, generator=rng()) for net in HALVES)
    for shape in ((1, 3, 7, 8, 8), (1, 3, 8, 8), (1, 2, 8, 8, 8), (1, 3, 8, 0, 8)):
        with pytest.raises(ValueError, match=r"^x: got .* expected shape \(B, 3, a multiple "):
            encoder(torch.zeros(shape))
    for shape in ((1, 3, 2, 2, 2), (1, 4, 2, 2)):
        with pytest.raises(ValueError, match=r"^z: got .* expected shape \(B, 4, "):
            decoder(torch.zeros(shape))
