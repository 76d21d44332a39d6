"""Discrete codes and their prior: quantisers, an autoencoder of tokens, and a law of the tokens.

Codes stand in dimension 1, as channels do: (B, D), (B, D, h, w). Tokens are integers without that
dimension: (B,), (B, h, w). A loss is summed over the event and averaged over the batch; nats.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import (
    batched,
    describe,
    flag,
    function,
    instance,
    integer,
    listed,
    module,
    one_of,
    positive,
    real,
    refuse,
    rng,
    some,
    whole,
)
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.logits import check_truncation, draw, truncate
from genmath._base.shapes import Array, Data, PerSample, Scalar, Tokens
from genmath._base.steps import one_each
from genmath._base.torch import Tensor, nn, torch
from genmath.likelihood import kmeans
from genmath.nets import Autoregressive
from genmath.vae import bernoulli_log_likelihood

__all__ = [
    "FSQ",
    "VQVAE",
    "Bound",
    "GumbelSoftmax",
    "Quantized",
    "Quantizer",
    "TwoStage",
    "VectorQuantizer",
    "code_perplexity",
    "nearest_code",
    "straight_through",
]

METRICS = ("squared", "cosine")


def nearest_code(z: Array, codes: Array, *, metric: str = "squared") -> Tokens:
    """The number of the code nearest to each z: of equally near ones the first.

    "squared" is the Euclidean distance; "cosine" looks at directions only, which is the same for
    vectors of length one.

    Result: vq.nearest
    Shapes: z (…, D), codes (K, D); (…) in 0..K-1.
    Errors: ValueError for shapes that do not fit or another metric.
    Source: van den Oord, Vinyals, Kavukcuoglu 2017, equation 1.
    """
    one_of("metric", metric, METRICS)
    batched("codes", codes)
    if codes.ndim != 2 or 0 in codes.shape:
        refuse("codes", describe(codes), "shape (K, D), at least one code")
    if batched("z", z).shape[-1] != codes.shape[1]:
        refuse("z", describe(z), f"shape (…, {codes.shape[1]}), as the codes have")
    work = work_dtype(z)
    at, near = z.detach().to(work), codes.detach().to(work)
    if metric == "cosine":
        return (at @ _unit(near, 1).mT).argmax(-1)
    middle = near.mean(0)  # far from 0 the expanded square would lose its digits
    near = near - middle
    return (near.square().sum(1) - 2 * (at - middle) @ near.mT).argmin(-1)


def straight_through(z: Array, target: Array) -> Array:
    """The value of ``target`` with the slope of ``z``: what is computed from it by a function L
    sends back L'(target) to z, the gradient of L(z + c) with c = target - z held fixed.

    Result: vq.straight_through
    Shapes: alike. The value is that of the target, to the last digit, where z is finite.
    Errors: ValueError for shapes that differ.
    Source: Bengio, Léonard, Courville 2013, section 4.
    """
    if batched("target", target).shape != batched("z", z).shape:
        refuse("target", describe(target), f"the shape of z, {tuple(z.shape)}")
    return target.detach().to(z.dtype) + (z - z.detach())


def code_perplexity(tokens: Tokens, codes: int) -> Scalar:
    """exp of the entropy of the tokens' frequencies: as many codes, used alike, are as many.

    Result: vq.perplexity
    Shapes: tokens of any shape, integers in 0..codes - 1; a number in 1..codes, float64.
    Errors: ValueError for no token, or one outside.
    """
    k = integer("codes", codes, 1)
    if whole("tokens", tokens, k).numel() == 0:
        refuse("tokens", describe(tokens), "at least one")
    share = torch.bincount(tokens.flatten().long(), minlength=k).double() / tokens.numel()
    entropy: Tensor = torch.special.entr(share).sum()
    return entropy.exp()


class Quantized(NamedTuple):
    """Codes in the place of what was encoded, their numbers, and what training adds to the loss."""

    z: Data
    tokens: Tokens
    loss: PerSample


class Quantizer(nn.Module, ABC):
    """What stands between encoder and decoder: (B, channels, …) to codes (B, dim, …) and tokens.

    ``codes`` is how many there are, ``channels`` what it takes, ``dim`` what it gives.
    """

    codes: int
    channels: int
    dim: int

    def embed(self, tokens: Tokens) -> Data:
        """The codes of tokens (B, …), as (B, dim, …)."""
        whole("tokens", tokens, self.codes)
        found: Tensor = self._look_up(tokens.long())
        return found.movedim(-1, 1)

    @abstractmethod
    def forward(self, z: Data, *, generator: Generators | None = None) -> Quantized:
        """Codes, tokens and loss of what the encoder gives."""

    @abstractmethod
    def _look_up(self, tokens: Tensor) -> Tensor:
        """The codes along a last dimension."""

    def _last(self, z: Tensor) -> Tensor:
        """The channels as the last dimension, which a code fills."""
        if batched("z", z).ndim < 2 or z.shape[1] != self.channels:
            refuse("z", describe(z), f"shape (B, {self.channels}, …)")
        return z.movedim(1, -1)


class VectorQuantizer(Quantizer):
    """The nearest of K codes that are learned, with the gradient of `straight_through`.

    The codes follow the mean of what they stand for: with a ``decay`` by averages over past
    batches, in `forward` while training, as batch norms do; with None by the gradient of the
    codebook loss |sg(z) - e|². The commitment, beta |z - sg(e)|², holds the encoder near its codes.

    ``restart``: a code with less than this share of the even share of examples is put on the
    example of the batch that is farthest from its code. "cosine" compares directions: z counts
    by its direction, and codes have length one.

    Result: vq.gradients, vq.ema
    Shapes: z (B, dim, …).
    Errors: ValueError for codes or dim < 1, beta < 0, decay outside [0, 1), restart outside [0, 1],
        or another metric.
    Random: ``generator`` draws the first codes, standard normal; `start` puts them on examples.
    Source: van den Oord, Vinyals, Kavukcuoglu 2017, equation 3 and appendix A.1.
    """

    count: Tensor
    total: Tensor

    def __init__(
        self,
        codes: int,
        dim: int,
        *,
        beta: float = 0.25,
        decay: float | None = 0.99,
        restart: float = 0.0,
        metric: str = "squared",
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.codes, self.dim = integer("codes", codes, 1), integer("dim", dim, 1)
        self.channels = self.dim
        self.beta = real("beta", beta, "a number >= 0", 0.0)
        self.decay = decay
        if decay is not None:
            self.decay = real("decay", decay, "None or a number in [0, 1)", 0.0, 1.0)
            if self.decay == 1:
                refuse("decay", describe(decay), "None or a number in [0, 1)")
        self.restart = real("restart", restart, "a number in [0, 1]", 0.0, 1.0)
        one_of("metric", metric, METRICS)
        self.metric = metric
        first = torch.empty(self.codes, self.dim, device=rng(generator).device)
        first = self._placed(draw_(first, generator))
        self.table = nn.Parameter(first, requires_grad=decay is None)
        self.register_buffer("count", torch.ones_like(first[:, 0]))
        self.register_buffer("total", first.clone())

    def _placed(self, table: Tensor) -> Tensor:
        return _unit(table, 1) if self.metric == "cosine" else table

    @torch.no_grad()
    def start(self, z: Data, *, generator: torch.Generator) -> None:
        """Put the codes on the centres of `genmath.likelihood.kmeans` of encoded examples.

        Errors: ValueError where z has fewer different vectors than there are codes.
        """
        flat = self._last(z).flatten(0, -2)
        flat = _unit(flat, 1) if self.metric == "cosine" else flat
        centres = kmeans(flat, self.codes, generator=rng(generator, z.device), steps=10).centres
        self._put(slice(None), self._placed(centres), len(flat) / self.codes)

    def _put(self, which: Tensor | slice, places: Tensor, count: float) -> None:
        self.table[which] = places.to(self.table)
        self.count[which] = count
        self.total[which] = count * places.to(self.total)

    def forward(self, z: Data, *, generator: Generators | None = None) -> Quantized:
        """Codes, tokens and loss; ``generator`` is not used, nothing is drawn."""
        last = self._last(z)
        if self.metric == "cosine":
            last = _unit(last, -1)
        tokens = nearest_code(last, self.table, metric=self.metric)
        found = self._look_up(tokens)
        loss = self.beta * _square(last, found.detach())
        if self.decay is None:
            loss = loss + _square(last.detach(), found)
        elif self.training:
            self._follow(last.detach().flatten(0, -2), tokens.flatten())
        return Quantized(straight_through(last, found).movedim(-1, 1), tokens, loss)

    @torch.no_grad()
    def _follow(self, z: Tensor, tokens: Tensor) -> None:
        """One step of the running means, and of the restart."""
        assert self.decay is not None
        seen = torch.bincount(tokens, minlength=self.codes).to(self.count)
        sums = torch.zeros_like(self.total).index_add_(0, tokens, z.to(self.total))
        away = (z.to(self.table) - self.table[tokens]).square().sum(1)
        self.count.lerp_(seen, 1 - self.decay)
        self.total.lerp_(sums, 1 - self.decay)
        # A code that no example ever chose keeps its place.
        used = self.count > torch.finfo(self.count.dtype).tiny
        moved = self.total[used] / self.count[used].unsqueeze(1)
        self.table[used] = self._placed(moved).to(self.table)
        even = len(z) / self.codes
        dead = torch.nonzero(self.count < self.restart * even).flatten()
        dead = dead[: len(z)]
        if len(dead):
            far = away.topk(len(dead)).indices
            self._put(dead, z[far], even)

    def _look_up(self, tokens: Tensor) -> Tensor:
        return nn.functional.embedding(tokens, self.table)


class FSQ(Quantizer):
    """Each channel cut into levels of its own: there is no codebook to learn.

    tanh(z) lies in (-1, 1); channel i cuts that interval into ``levels[i]`` equal pieces and takes
    the middle of the piece, with the gradient of `straight_through`. A token is the numbers of
    the pieces read as the digits of one number, the first channel counting least.

    Result: vq.fsq
    Shapes: z (B, len(levels), …); codes in (-1, 1), and as many as the product of the levels.
    Errors: ValueError for no level, one < 2, or more than 2^31 codes.
    Source: Mentzer et al. 2024, section 3, where the first and the last piece are cut in half.
    """

    sizes: Tensor
    places: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        expected = "integers >= 2, one for each channel, with a product of at most 2^31"
        sizes = [integer("levels", n, 2) for n in listed("levels", levels, expected)]
        if not sizes or math.prod(sizes) > 2**31:
            refuse("levels", describe(levels), expected)
        self.codes, self.channels, self.dim = math.prod(sizes), len(sizes), len(sizes)
        places = [math.prod(sizes[:i]) for i in range(len(sizes))]
        # In the dtype of the module, which is that of the codes.
        self.register_buffer("sizes", torch.tensor(sizes, dtype=torch.float32), persistent=False)
        self.register_buffer("places", torch.tensor(places), persistent=False)

    def forward(self, z: Data, *, generator: Generators | None = None) -> Quantized:
        """Codes and tokens; the loss is 0, and nothing is drawn."""
        y = self._last(z).tanh()
        sizes = self.sizes.to(work_dtype(y))
        piece = ((y.detach().to(sizes) + 1) / 2 * sizes).floor()
        piece = torch.minimum(piece.clamp(min=0), sizes - 1)  # tanh may round to ±1
        tokens = (piece.long() * self.places).sum(-1)
        out = straight_through(y, _middle(piece, sizes).to(y.dtype))
        return Quantized(out.movedim(-1, 1), tokens, y.new_zeros(len(y)))

    def _look_up(self, tokens: Tensor) -> Tensor:
        piece = tokens.unsqueeze(-1) // self.places % self.sizes.long()
        return _middle(piece.to(self.sizes), self.sizes)


def _middle(piece: Tensor, sizes: Tensor) -> Tensor:
    return (2 * piece + 1) / sizes - 1


class GumbelSoftmax(Quantizer):
    """Codes mixed by a softmax of logits plus Gumbel noise over a temperature: gradients pass.

    While training, the mixture stands for a draw; ``hard`` puts the drawn code in its place and
    keeps the gradient of the mixture, `straight_through`. Otherwise the most probable code. The
    loss is the divergence of the encoder's law from a uniform prior, log K less its entropy.

    Result: vq.gumbel_softmax, vq.bits
    Shapes: logits (B, codes, …).
    Errors: ValueError for codes or dim < 1, or a temperature that is no number > 0. While training
        a generator is needed.
    Random: ``generator`` here draws the codes, standard normal; in `forward` the noise.
    Source: Jang, Gu, Poole 2017; Maddison, Mnih, Teh 2017.
    """

    def __init__(
        self,
        codes: int,
        dim: int,
        *,
        temperature: float = 1.0,
        hard: bool = False,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.codes, self.dim = integer("codes", codes, 1), integer("dim", dim, 1)
        self.channels = self.codes
        self.temperature = positive("temperature", temperature)
        self.hard = flag("hard", hard)
        first = torch.empty(self.codes, self.dim, device=rng(generator).device)
        self.table = nn.Parameter(draw_(first, generator))

    def forward(self, z: Data, *, generator: Generators | None = None) -> Quantized:
        """Codes, tokens and loss for logits z."""
        logits = self._last(z)
        log_q = logits.log_softmax(-1)
        kl = sum_event(math.log(self.codes) + (log_q.exp() * log_q).sum(-1), 1)
        if not self.training:
            tokens = logits.argmax(-1)
            return Quantized(self.embed(tokens).to(z.dtype), tokens, kl)
        rngs(generator, len(z), z.device)
        assert generator is not None
        times = torch.empty_like(logits, memory_format=torch.contiguous_format)
        keys = logits - draw_(times, generator, "exponential_").log()
        tokens, mixed = keys.argmax(-1), (keys / self.temperature).softmax(-1)
        if self.hard:
            one_hot = nn.functional.one_hot(tokens, self.codes).to(mixed.dtype)
            mixed = straight_through(mixed, one_hot)
        return Quantized((mixed @ self.table.to(mixed.dtype)).movedim(-1, 1), tokens, kl)

    def _look_up(self, tokens: Tensor) -> Tensor:
        return nn.functional.embedding(tokens, self.table)


Likelihood = Callable[[Tensor, Tensor], Tensor]


class VQVAE(nn.Module):
    """An autoencoder whose code is tokens: any encoder and decoder, and one of the quantisers.

    The decoder returns the parameter of p(x | z) that ``likelihood(parameter, x) -> (B,)`` takes,
    as that of `genmath.vae.VAE` does: logits by default.

    Result: vq.point_posterior
    Shapes: the encoder maps x to (B, channels, …), the decoder takes (B, dim, …).
    Source: van den Oord, Vinyals, Kavukcuoglu 2017.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        quantizer: Quantizer,
        likelihood: Likelihood = bernoulli_log_likelihood,
    ) -> None:
        super().__init__()
        module("encoder", encoder)
        module("decoder", decoder)
        instance("quantizer", quantizer, Quantizer, "a Quantizer, such as VectorQuantizer")
        function("likelihood", likelihood)
        self.encoder = encoder
        self.decoder = decoder
        self.quantizer = quantizer
        self.likelihood = likelihood

    @torch.no_grad()
    def encode(self, x: Data) -> Tokens:
        """The tokens of x: what the quantiser takes outside training."""
        training, self.quantizer.training = self.quantizer.training, False
        try:
            tokens: Tensor = self.quantizer(self.encoder(batched("x", x))).tokens
        finally:
            self.quantizer.training = training
        return tokens

    def decode(self, tokens: Tokens) -> Data:
        """The parameter of p(x | z) for the codes of tokens (B, …)."""
        out: Tensor = self.decoder(self.quantizer.embed(tokens))
        return out

    def forward(self, x: Data, *, generator: Generators | None = None) -> tuple[Data, Quantized]:
        """The parameter of p(x | z), and what the quantiser made of x."""
        found = self.quantizer(self.encoder(batched("x", x)), generator=generator)
        return self.decoder(found.z), found

    def log_likelihood(self, x: Data, tokens: Tokens) -> PerSample:
        """log p(x | z) at the codes of the tokens."""
        return one_each("likelihood output", self.likelihood(self.decode(tokens), x), x)

    def loss(self, x: Data, *, generator: Generators | None = None) -> Scalar:
        """Mean over the batch of -log p(x | z) and the quantiser's loss; not for an empty batch."""
        some("x", x)
        decoded, found = self(x, generator=generator)
        log_likelihood = one_each("likelihood output", self.likelihood(decoded, x), x)
        each: Tensor = found.loss - log_likelihood
        return each.mean()


class Bound(NamedTuple):
    """log p(x) >= total = reconstruction + log_prior, one value a sample."""

    reconstruction: PerSample
    log_prior: PerSample
    total: PerSample


class TwoStage(nn.Module):
    """A generative model: a `VQVAE`, which stays as it is, and an autoregressive law of its tokens.

    The prior is a network of `genmath.nets` over as many levels as there are codes; its event holds
    the tokens, in order: a `GPT` of their number, a `PixelCNN` of their grid. It takes labels or
    vectors as ``cond``. With ``words`` a text stands before the tokens: the prior is a `GPT` over
    codes + words levels, long enough for both, and only the tokens are drawn and counted.

    Result: vq.two_stages
    Errors: ValueError for a prior over other levels.
    Source: van den Oord, Vinyals, Kavukcuoglu 2017, section 3.3; with text: Ramesh et al. 2021.
    """

    def __init__(self, first: VQVAE, prior: Autoregressive, *, words: int = 0) -> None:
        super().__init__()
        instance("first", first, VQVAE, "a VQVAE")
        instance("prior", prior, Autoregressive, "an autoregressive network of genmath.nets")
        self.words = integer("words", words, 0)
        if prior.levels != first.quantizer.codes + self.words:
            wanted = f"{first.quantizer.codes} codes + {self.words} words"
            refuse("prior, words", f"a law of {prior.levels} levels", wanted)
        if self.words and len(prior.event) != 1:
            refuse("prior", f"a law of a grid {prior.event}", "one of sequences, for words")
        self.first = first
        self.prior = prior

    def log_prior(
        self, tokens: Tokens, *, cond: Array | None = None, text: Tokens | None = None
    ) -> PerSample:
        """log p(tokens), or given labels, vectors or a text (B, length) of words 0..words - 1."""
        whole("tokens", tokens, self.first.quantizer.codes)
        text = self._text(text, len(tokens), "tokens")
        size = tokens.numel() // max(1, len(tokens))
        if text.shape[1] + size != math.prod(self.prior.event):
            wanted = f"{math.prod(self.prior.event) - text.shape[1]} tokens a sample, by the prior"
            refuse("tokens", describe(tokens), wanted)
        if not self.words:
            return self.prior.log_prob(tokens.reshape(len(tokens), *self.prior.event), cond)
        flat = tokens.reshape(len(tokens), size).long()
        both = torch.cat([text.to(flat.device), flat], 1)
        logits: Tensor = self.prior(both, cond)[:, text.shape[1] :, : self.first.quantizer.codes]
        log_p = logits.to(work_dtype(logits)).log_softmax(-1)
        chosen = log_p.gather(-1, flat.unsqueeze(-1)).squeeze(-1)
        return sum_event(chosen, 1).to(logits.dtype)

    def _text(self, text: Tensor | None, batch: int, of: str) -> Tensor:
        """The numbers of the words behind those of the codes."""
        if text is None and not self.words:
            return torch.zeros(batch, 0, dtype=torch.long)
        if text is None or not self.words:
            wanted = "words: the prior was told of some" if self.words else "None: no words"
            refuse("text", "None" if text is None else describe(text), wanted)
        if whole("text", text, self.words).ndim != 2 or len(text) != batch:
            refuse("text", describe(text), f"shape ({batch}, length), one for each of {of}")
        return text.long() + self.first.quantizer.codes

    def loss(self, x: Data, *, cond: Array | None = None, text: Tokens | None = None) -> Scalar:
        """Mean of -log p(tokens of x), by which the prior is trained; not for an empty batch."""
        return -self.log_prior(self.first.encode(some("x", x)), cond=cond, text=text).mean()

    def bound(self, x: Data, *, cond: Array | None = None, text: Tokens | None = None) -> Bound:
        """A lower bound of log p(x), or of log p(x | cond): nothing is drawn."""
        tokens = self.first.encode(x)
        seen = self.first.log_likelihood(x, tokens)
        log_prior = self.log_prior(tokens, cond=cond, text=text)
        return Bound(seen, log_prior, seen + log_prior)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        *,
        shape: tuple[int, ...],
        cond: Array | None = None,
        text: Tokens | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        generator: Generators,
    ) -> Data:
        """The parameter of p(x | z) for n draws of tokens of a ``shape``, such as (4, 4).

        Errors: ValueError for what the prior's `sample` refuses, or a shape that does not fit it.
        Random: ``generator``, on the device of the parameters; or one for each sample.
        """
        n = integer("n", n, 0)
        expected = "the shape of the tokens of one sample, such as (4, 4)"
        sizes = [integer("shape", size, 1) for size in listed("shape", shape, expected)]
        text, size = self._text(text, n, "n"), math.prod(sizes)
        if text.shape[1] + size != math.prod(self.prior.event):
            wanted = f"{math.prod(self.prior.event) - text.shape[1]} tokens, by the prior"
            refuse("shape", describe(shape), wanted)
        cut = check_truncation(temperature, top_k, top_p)
        if not self.words:
            tokens = self.prior.sample(
                n,
                temperature=temperature,
                top_k=top_k,
                top_p=top_p,
                cond=cond,
                generator=generator,
            )
        else:
            device = next(self.prior.parameters()).device
            rngs(generator, n, device)
            both = text.to(device)
            for _ in range(size):
                asked = nn.functional.pad(both, (0, 1))
                logits = self.prior(asked, cond)[:, -1, : self.first.quantizer.codes]
                both = torch.cat([both, draw(truncate(logits, *cut), generator).unsqueeze(1)], 1)
            tokens = both[:, text.shape[1] :]
        return self.first.decode(tokens.reshape(n, *sizes))


def _unit(x: Tensor, dim: int) -> Tensor:
    return nn.functional.normalize(x, dim=dim)


def _square(z: Tensor, e: Tensor) -> Tensor:
    """|z - e|², summed over the event."""
    return sum_event((z - e.to(z.dtype)).square(), 1)
