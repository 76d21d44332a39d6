"""Style and translation: moments of features, a generator told a style, two generators in a cycle.

Two sets of pictures are enough, of which no two belong together.

    model = CycleGAN(to_y, to_x, critic_x, critic_y)
    for x, y in batches:
        training_step(model, x, y, optimizer_d, optimizer_g, generator=generator)
    model(x)  # x, as the other domain would show it
    ddib(model_x, model_y, x, schedule, steps=steps)  # the same with two diffusion models
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, cast

from genmath._base.batch import sum_event, widened
from genmath._base.checks import (
    apart,
    describe,
    floating,
    function,
    instance,
    integer,
    module,
    real,
    refuse,
    rng,
    same_shape,
    some,
)
from genmath._base.draws import Generators, normal, rngs
from genmath._base.players import check_owner, held_fixed
from genmath._base.shapes import Array, Data, PerSample, Scalar
from genmath._base.slopes import slope
from genmath._base.steps import Model, call
from genmath._base.torch import Float, Tensor, nn, torch
from genmath.ddim import ddim_invert
from genmath.gan import discriminator_loss, generator_loss
from genmath.nets.weights import initialize, undrawn
from genmath.paths import Schedule
from genmath.samplers import DDIM, sample

__all__ = [
    "CycleGAN",
    "CycleLoss",
    "ImageBuffer",
    "StyleGenerator",
    "adain",
    "cycle_loss",
    "ddib",
    "gram",
    "path_lengths",
    "style_loss",
    "training_step",
    "truncate",
]

Features = Float[Tensor, "batch channels *places"]
Styles = Float[Tensor, "batch layers width"]


# Style as moments


def adain(x: Features, style: Features) -> Features:
    """The features x, moved so that each channel has the mean and the deviation of ``style``.

    Over the places of one picture, deviations with 1/N. Of all maps that give a channel these two
    moments it moves the values least. A channel of x that is constant gets the mean alone.

    Result: translation.adain
    Shapes: x (B, C, *places) and style (B, C, *other places); the result like x.
    Errors: ValueError for shapes that do not fit, or no places.
    Source: Huang, Belongie 2017, equation 8, without the small number that is added there.
    """
    mean, std = _moments("style", style)[1:]
    if _features("x", x).shape[:2] != style.shape[:2]:
        refuse(
            "style", describe(style), "as many samples and channels as x: {}, {}".format(*x.shape)
        )
    return _restyle(x, mean, std)


def gram(x: Features) -> Float[Tensor, "batch channels channels"]:
    """The mean over the places of the products of two channels.

    Where something is in the picture does not enter: the places may be permuted.

    Result: translation.gram
    Shapes: x (B, C, *places); (B, C, C).
    Errors: ValueError for less than three dimensions, or no places.
    Source: Gatys, Ecker, Bethge 2016, equation 3, with a mean in place of their sum.
    """
    return _gram("x", x).to(x.dtype)


def style_loss(x: Features, style: Features) -> Scalar:
    """The squared distance of two Gram matrices: MMD² of the features, with kernel (x·y)².

    Result: translation.gram
    Shapes: x (B, C, *places) and style (B, C, *other places), or (1, C, …) for one style. Summed
        over the entries, mean over the batch.
    Errors: ValueError for shapes that do not fit, or an empty batch.
    Source: Gatys, Ecker, Bethge 2016, equation 4, for one layer and up to its factor.
    """
    ours, theirs = _gram("x", some("x", x)), _gram("style", style)
    if theirs.shape[1] != ours.shape[1] or len(theirs) not in (1, len(ours)):
        wanted = f"{x.shape[1]} channels as x has, and one sample or {len(x)}"
        refuse("style", describe(style), wanted)
    return sum_event((ours - theirs) ** 2, 1).mean().to(x.dtype)


def _gram(name: str, x: Tensor) -> Tensor:
    flat = widened(_features(name, x)).flatten(2)
    return flat @ flat.mT / flat.shape[2]


def _features(name: str, x: Tensor) -> Tensor:
    if floating(name, x).ndim < 3 or not all(x.shape[1:]):
        refuse(name, describe(x), "shape (B, C, *places), with a channel and a place or more")
    return x


def _moments(name: str, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What is left of each place without the mean of its channel; that mean; the deviation."""
    flat = widened(_features(name, x)).flatten(2)
    mean = flat.mean(2, keepdim=True)
    same = flat.amax(2, keepdim=True) == flat.amin(2, keepdim=True)
    rest = (flat - mean).masked_fill(same, 0.0)  # not what rounding leaves of a constant
    std = torch.linalg.vector_norm(rest, dim=2, keepdim=True) / flat.shape[2] ** 0.5
    return rest, mean, std


def _restyle(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """x with this mean and deviation in each channel, both (B, C, 1)."""
    rest, _, own = _moments("x", x)
    constant = own == 0
    ratio = torch.where(constant, 0.0, std / torch.where(constant, 1.0, own))
    return (mean + ratio * rest).reshape(x.shape).to(x.dtype)


# A generator that is told a style


class StyleGenerator(nn.Module):
    """Noise to images by styles: a network makes w of the noise, and each layer is told w by AdaIN.

    net(z) is net.synthesize(net.styles(z)), and a generator of a `genmath.gan.GAN`. The picture
    begins as a learned constant; all that varies comes through the styles. Their row i is what
    layer i is told: rows of two codes may be mixed.

    Shapes: z (B, latent); styles (B, layers, latent), with ``net.layers`` = 3; images (B, channels,
        size, size) in [-1, 1].
    Errors: ValueError for sizes < 1 or a size that is no multiple of 4.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device.
    Source: Karras, Laine, Aila 2019, section 2, without the noise at each place.
    """

    layers = 3

    def __init__(
        self,
        latent: int = 32,
        size: int = 8,
        channels: int = 1,
        hidden: int = 32,
        *,
        depth: int = 2,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.latent, width = integer("latent", latent, 1), integer("hidden", hidden, 1)
        if integer("size", size, 4) % 4:
            refuse("size", size, "a multiple of 4, since the picture doubles twice")
        depth = integer("depth", depth, 1)
        with undrawn(generator):
            self.mapping = nn.Sequential(
                *(
                    part
                    for _ in range(depth)
                    for part in (nn.Linear(self.latent, self.latent), nn.LeakyReLU(0.2))
                )
            )
            start = torch.ones(1, width, size // 4, size // 4)
            self.start = nn.Parameter(start)
            self.convolutions = nn.ModuleList(
                nn.Conv2d(width, width, 3, padding=1) for _ in range(self.layers)
            )
            self.tell = nn.ModuleList(nn.Linear(self.latent, 2 * width) for _ in range(self.layers))
            self.show = nn.Conv2d(width, integer("channels", channels, 1), 3, padding=1)
        initialize(self, generator)
        with torch.no_grad():
            self.start.normal_(generator=generator)

    def forward(self, z: Data) -> Data:
        return self.synthesize(self.styles(z))

    def styles(self, z: Data) -> Styles:
        """The style w of each code, the same for every layer."""
        if floating("z", z).ndim != 2 or z.shape[1] != self.latent:
            refuse("z", describe(z), f"shape (B, {self.latent})")
        w: Tensor = self.mapping(z)
        return w.unsqueeze(1).expand(-1, self.layers, -1)

    def synthesize(self, styles: Styles) -> Data:
        """The picture of these styles."""
        if floating("styles", styles).ndim != 3 or styles.shape[1:] != (self.layers, self.latent):
            refuse("styles", describe(styles), f"shape (B, {self.layers}, {self.latent})")
        h = self.start.expand(len(styles), -1, -1, -1)
        for i, (convolution, tell) in enumerate(zip(self.convolutions, self.tell, strict=True)):
            if i:
                h = nn.functional.interpolate(h, scale_factor=2.0, mode="nearest")
            h = nn.functional.leaky_relu(convolution(h), 0.2)
            mean, less_one = tell(styles[:, i]).unsqueeze(-1).chunk(2, 1)
            h = _restyle(h, mean, 1 + less_one)
        out: Tensor = torch.tanh(self.show(h))
        return out

    @torch.no_grad()
    def mean_style(self, n: int = 4096, *, generator: Generators) -> Array:
        """The mean (latent,) of the styles of n codes, which `truncate` leaves where it is."""
        n = integer("n", n, 1)
        z = normal((n, self.latent), generator, self.start.dtype, rngs(generator, n))
        mean: Tensor = self.mapping(z).mean(0)
        return mean


def truncate(styles: Styles, mean: Array, psi: float) -> Styles:
    """mean + psi (styles - mean): the mean stays, every distance from it is multiplied by psi.

    Result: translation.truncation
    Shapes: styles (B, layers, width), mean (width,), or any that broadcasts to them.
    Errors: ValueError for a mean that does not broadcast to styles, or psi < 0.
    Source: Karras, Laine, Aila 2019, appendix B.
    """
    psi = real("psi", psi, "a number >= 0", 0.0)
    sizes = zip(
        reversed(floating("mean", mean).shape),
        reversed(floating("styles", styles).shape),
        strict=False,
    )
    if mean.ndim > styles.ndim or any(size not in (1, wanted) for size, wanted in sizes):
        refuse("mean", describe(mean), f"one that broadcasts to styles: {tuple(styles.shape)}")
    return torch.lerp(mean.to(styles.dtype).expand_as(styles), styles, psi)


def path_lengths(
    model: Callable[[Tensor], Tensor], styles: Data, *, generator: Generators
) -> PerSample:
    """‖Jᵀy‖ for each sample: J the slopes of the picture model(styles), y a standard normal one.

    Its mean square over y is ‖J‖², the sum of all squared slopes. The penalty of StyleGAN2 is the
    mean of (‖Jᵀy‖ - a)², a being the running mean of these lengths; there y is divided by the root
    of the number of places.

    Result: translation.path_length
    Shapes: styles (B, …), all that one sample is made of; (B,). Differentiable in the parameters.
    Errors: ValueError for an empty batch, a batch norm that mixes samples, another number of
        pictures, or one that autograd cannot follow back to styles.
    Source: Karras et al. 2020, equation 4.
    """
    function("model", model)
    apart("model", model)
    at = some("styles", styles).detach().requires_grad_(True)
    with torch.enable_grad():
        out = some("model output", model(at))
        if len(out) != len(at):
            refuse("model output", describe(out), f"a picture for each of {len(at)} styles")
        y = normal(tuple(out.shape), generator, out.dtype, rngs(generator, len(out), out.device))
        pulled = slope(out, at, y)
    lengths: Tensor = torch.linalg.vector_norm(widened(pulled).flatten(1), dim=1)
    return lengths.to(styles.dtype)


# Without pairs: two generators in a cycle


class CycleLoss(NamedTuple):
    """What both generators are trained on: each without its weight, and the weighted sum."""

    adversarial: Scalar
    cycle: Scalar
    identity: Scalar
    total: Scalar


def cycle_loss(x: Data, back: Data) -> Scalar:
    """The absolute error of what came back, summed over the event; mean over the batch.

    Result: translation.cycle_entropy
    Shapes: x and back (B, …) alike.
    Errors: ValueError for shapes that differ, or an empty batch.
    Source: Zhu, Park, Isola, Efros 2017, equation 2, for one direction; there a mean over pixels.
    """
    same_shape("back", back, "x", some("x", x))
    return sum_event((widened(back) - widened(x)).abs(), 1).mean().to(x.dtype)


class CycleGAN(nn.Module):
    """Two translators, x to y and y to x, and a discriminator for each domain.

    A call translates x. Beside the adversarial loss stand, with their weights, that of the cycle
    and, if its weight is not 0, that of what a translator changes in pictures that are in its
    target domain already. Both are summed over the event: the weight 10 of the paper, on means
    over pixels, is here 10 divided by the number of pixels.

    Result: translation.cycle, translation.identity_loss
    Errors: ValueError unless all four are modules, and for weights < 0.
    Source: Zhu, Park, Isola, Efros 2017, section 3; least squares as there in section 4.
    """

    def __init__(
        self,
        to_y: nn.Module,
        to_x: nn.Module,
        critic_x: nn.Module,
        critic_y: nn.Module,
        *,
        cycle_weight: float = 10.0,
        identity_weight: float = 0.0,
        loss: str = "least_squares",
    ) -> None:
        super().__init__()
        given = {"to_y": to_y, "to_x": to_x, "critic_x": critic_x, "critic_y": critic_y}
        for name, net in given.items():
            module(name, net)
        self.cycle_weight = real("cycle_weight", cycle_weight, "a number >= 0", 0.0)
        self.identity_weight = real("identity_weight", identity_weight, "a number >= 0", 0.0)
        generator_loss(torch.zeros(1), loss)
        self.loss = loss
        self.translators = nn.ModuleDict({"to_y": to_y, "to_x": to_x})
        self.critics = nn.ModuleDict({"x": critic_x, "y": critic_y})

    def forward(self, x: Data) -> Data:
        """x, as the domain of y would show it."""
        return cast(Tensor, self.translators["to_y"](x))

    def back(self, y: Data) -> Data:
        """y, as the domain of x would show it."""
        return cast(Tensor, self.translators["to_x"](y))

    def generator_loss(self, x: Data, y: Data) -> CycleLoss:
        """The losses of both translators, added over the two directions.

        The critics are held fixed. With ``identity_weight`` = 0 its part is not computed, and 0.

        Shapes: x (B, …) and y (B', …), which do not belong together.
        """
        return self._translated(x, y)[0]

    def _translated(self, x: Tensor, y: Tensor) -> tuple[CycleLoss, Tensor, Tensor]:
        made_y, made_x = self(some("x", x)), self.back(some("y", y))
        with held_fixed(self.critics):
            adversarial = generator_loss(self.critics["y"](made_y), self.loss) + generator_loss(
                self.critics["x"](made_x), self.loss
            )
        cycle = cycle_loss(x, self.back(made_y)) + cycle_loss(y, self(made_x))
        kept = cycle.new_zeros(())
        if self.identity_weight:
            kept = cycle_loss(y, self(y)) + cycle_loss(x, self.back(x))
        total = adversarial + self.cycle_weight * cycle + self.identity_weight * kept
        return CycleLoss(adversarial, cycle, kept, total), made_x, made_y

    def discriminator_loss(self, x: Data, y: Data, made_x: Data, made_y: Data) -> Scalar:
        """The losses of both critics, added; what was made is taken as it is, without a graph."""
        given = {"x": x, "y": y, "made_x": made_x, "made_y": made_y}
        seen = {name: self.critics[name[-1]](some(name, v).detach()) for name, v in given.items()}
        return discriminator_loss(seen["x"], seen["made_x"], self.loss) + discriminator_loss(
            seen["y"], seen["made_y"], self.loss
        )


class ImageBuffer:
    """The last pictures that were made, in part: a critic that sees old ones too forgets less.

    Errors: ValueError for size < 1.
    Source: Shrivastava et al. 2017, section 2.3; as in Zhu, Park, Isola, Efros 2017, section 4.
    """

    def __init__(self, size: int = 50) -> None:
        self.size = integer("size", size, 1)
        self.kept: list[Tensor] = []

    def swap(self, x: Data, *, generator: torch.Generator) -> Data:
        """Each picture is kept while there is room; then, with probability 1/2, it takes the place
        of one that was kept, which is returned instead. What is kept is a copy.

        Shapes: x (B, …); the result like x, without a graph.
        """
        rng(generator)
        out = []
        some("x", x)
        if self.kept and x.shape[1:] != self.kept[0].shape:
            refuse("x", describe(x), f"pictures of shape {tuple(self.kept[0].shape)}, as were kept")
        for picture in x.detach():
            if len(self.kept) < self.size:
                self.kept.append(picture.clone())
                out.append(picture)
                continue
            turn, place = torch.rand(2, generator=generator, device=generator.device).tolist()
            if turn < 0.5:
                out.append(picture)
                continue
            at = int(place * self.size)
            out.append(self.kept[at])
            self.kept[at] = picture.clone()
        return torch.stack(out)


def training_step(
    model: CycleGAN,
    x: Data,
    y: Data,
    optimizer_d: torch.optim.Optimizer,
    optimizer_g: torch.optim.Optimizer,
    *,
    buffers: tuple[ImageBuffer, ImageBuffer] | None = None,
    generator: torch.Generator | None = None,
) -> tuple[CycleLoss, Scalar]:
    """One step of both translators, and then one of both critics, on what was just made.

    With ``buffers``, for x and for y, the critics see some older pictures in place of new ones.

    Shapes: x (B, …), y (B', …). The losses are detached: those of the translators, and the sum of
        those of the critics.
    Errors: ValueError for an empty batch, an optimizer of other weights, or buffers without a
        ``generator`` to draw from.
    Source: Zhu, Park, Isola, Efros 2017, section 4.
    """
    instance("model", model, CycleGAN, "a CycleGAN")
    check_owner("optimizer_d", optimizer_d, model.critics, "critics", model.translators)
    check_owner("optimizer_g", optimizer_g, model.translators, "translators", model.critics)
    if buffers is not None:
        wanted = "two of ImageBuffer, for x and for y"
        instance("buffers", buffers, tuple, wanted)
        if [type(each) for each in buffers] != [ImageBuffer, ImageBuffer]:
            refuse("buffers", describe(buffers), wanted)
        rng(generator)
    losses, made_x, made_y = model._translated(x, y)
    optimizer_g.zero_grad()
    losses.total.backward()  # type: ignore[no-untyped-call]
    optimizer_g.step()
    made_x, made_y = made_x.detach(), made_y.detach()
    if buffers is not None:
        made_x = buffers[0].swap(made_x, generator=rng(generator))
        made_y = buffers[1].swap(made_y, generator=rng(generator))
    loss = model.discriminator_loss(x, y, made_x, made_y)
    optimizer_d.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer_d.step()
    return CycleLoss(*(part.detach() for part in losses)), loss.detach()


# By way of the noise


def ddib(
    model_x: Model,
    model_y: Model,
    x: Data,
    schedule: Schedule,
    *,
    steps: Sequence[int],
    iterations: int = 1,
    prediction: str = "eps",
) -> Data:
    """x to its noise by one diffusion model, and from that noise to y by another.

    The two were trained apart, each on its domain, and on the same schedule. There and back again
    is exact as far as each step is inverted exactly: see `genmath.ddim.ddim_invert`, whose
    ``iterations`` these are.

    Result: translation.ddib
    Shapes: x (B, …), clean if the last of ``steps`` is 0; the result like x.
    Errors: ValueError as for `genmath.ddim.ddim_invert` and `genmath.samplers.sample`.
    Source: Su, Song, Meng, Ermon 2023, algorithm 1, with each step inverted and not run up.
    """
    # so that an output that does not fit says which of the two models gave it
    of_x, of_y = (
        partial(_ask, name, m) for name, m in (("model_x", model_x), ("model_y", model_y))
    )
    function("model_x", model_x)
    function("model_y", model_y)
    noise = ddim_invert(
        of_x, x, schedule, steps=steps, iterations=iterations, prediction=prediction
    )
    return sample(
        of_y,
        tuple(x.shape),
        schedule,
        DDIM(),
        steps=steps,
        prediction=prediction,
        start=noise,
        dtype=x.dtype,
    )


def _ask(name: str, model: Model, x: Tensor, t: Tensor) -> Tensor:
    return call(model, x, t, name)
