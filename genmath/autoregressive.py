"""Autoregressive models: likelihoods of factors, drawing from them, and speculative decoding.

A model gives logits of the next number from those before it. Networks that do so, and sample in a
loop, are in `genmath.nets`. All values are in nats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import (
    describe,
    floating,
    function,
    integer,
    listed,
    not_negative,
    real,
    refuse,
    rng,
    same_shape,
    some,
    whole,
)
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.logits import check_choices, check_logits, check_truncation, draw, truncate
from genmath._base.shapes import Array, PerSample, Scalar, Tokens
from genmath._base.torch import Tensor, nn, torch

__all__ = [
    "DiscretizedLogisticMixture",
    "Speculated",
    "accept_or_resample",
    "acceptance_rate",
    "inverse_transform",
    "log_prob",
    "nll",
    "perplexity",
    "receptive_field",
    "sample_logits",
    "speculative_sample",
    "tokens_per_call",
    "truncate_logits",
]

# Likelihoods


def log_prob(logits: Array, x: Tokens, *, batch_dims: int = 1) -> Array:
    """log p(x) = Σ_t log p(x_t | x before t), where logits[…, t, :] are those of the factor of x_t.

    Whether the factor of x_t may look at x_t, which makes the sum worthless, is not seen here: a
    network's masks are tested by its derivatives.

    Result: autoregressive.chain_rule
    Shapes: logits (B, …, K), x (B, …) of integers in 0..K-1; the first ``batch_dims`` dimensions
        are kept, the others summed. The dtype follows logits. Nats.
    Errors: ValueError for shapes that do not fit, and on the CPU for an x outside 0..K-1.
    """
    wide = check_logits("logits", logits)
    x = check_choices("x", x, wide.shape[-1], "logits", wide.shape[:-1])
    wide = wide.to(work_dtype(logits))
    chosen = wide.log_softmax(-1).gather(-1, x.unsqueeze(-1)).squeeze(-1)
    return sum_event(chosen, batch_dims).to(logits.dtype)


def nll(logits: Array, x: Tokens) -> Scalar:
    """The loss: minus the log-likelihood, summed over the event and averaged over the batch.

    Its gradient by the logits of a factor is softmax(logits) less 1 where x is, over B.

    Result: autoregressive.next_token, autoregressive.loss_gradient
    Shapes: logits (B, …, K), x (B, …). Nats a sample; divide by the numbers in a sample for nats a
        token.
    Errors: ValueError as for `log_prob`, and for an empty batch.
    """
    if some("logits", logits).ndim < 2:
        refuse("logits", describe(logits), "shape (B, …, K), a batch first")
    return -log_prob(logits, x).mean()


def perplexity(log_prob: PerSample, n: int) -> Scalar:
    """exp of minus the mean log-probability of a token: K where all of K tokens are alike.

    Result: autoregressive.perplexity
    Shapes: log_prob (B,), of samples of ``n`` tokens each; a scalar.
    Errors: ValueError for no sample, or n < 1.
    """
    some("log_prob", log_prob)
    wide = log_prob.to(work_dtype(log_prob))
    return torch.exp(-wide.mean() / integer("n", n, 1)).to(log_prob.dtype)


# Drawing one of K


def truncate_logits(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Array:
    """Logits of the law to draw from: divided by the temperature, -inf for what is left out.

    First the temperature, then the ``top_k`` most probable, then of these the fewest, most probable
    ones whose mass is at least ``top_p``. One always remains: ``top_k=1`` is greedy.

    Result: autoregressive.temperature, autoregressive.truncation
    Shapes: (…, K) in and out. The largest logit comes out as 0.
    Errors: ValueError for a temperature that is no number > 0, a top_k < 1, a top_p outside (0, 1].
    Source: Holtzman et al. 2020, section 3.1, for top_p.
    """
    return truncate(logits, temperature, top_k, top_p)


def sample_logits(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generators,
) -> Tokens:
    """One choice from each softmax(logits), tempered and truncated as by `truncate_logits`.

    Drawn as the largest of logit + Gumbel noise: no probability is computed.

    Result: autoregressive.gumbel_max
    Shapes: logits (…, K); the choices (…), integers in 0..K-1. One generator, or one for each of
        the first dimension.
    Errors: ValueError as for `truncate_logits`, or for a missing generator.
    """
    return draw(truncate(logits, temperature, top_k, top_p), generator)


def inverse_transform(p: Array, u: Array) -> Tokens:
    """The first k whose cumulative probability exceeds u: a draw from p where u is uniform.

    Result: autoregressive.inverse_transform
    Shapes: p (…, K), probabilities up to a factor; u (…) in [0, 1); the choices (…). What has
        probability 0 is never chosen.
    Errors: ValueError for shapes that do not fit. On the CPU negative ones are refused.
    """
    table = check_logits("p", p)
    not_negative("p", table)
    if floating("u", u).shape != table.shape[:-1]:
        refuse("u", describe(u), f"shape {tuple(table.shape[:-1])}, that of p without its last")
    cumulative = table.double().cumsum(-1)
    passed = cumulative <= (u.double() * cumulative[..., -1]).unsqueeze(-1)
    # Half precision may round u up to 1; the last choice is the last that adds anything.
    last = (cumulative < cumulative[..., -1:]).sum(-1)
    return torch.minimum(passed.sum(-1), last)


# Speculative decoding


def acceptance_rate(p: Array, q: Array, *, dim: int = -1) -> Array:
    """Σ min(p, q): how often a draw from the draft q is kept for the target p. It is 1 - TV(p, q).

    Result: autoregressive.speculative
    Shapes: p and q alike, probabilities along ``dim``, which is summed.
    Errors: ValueError for shapes that differ.
    Source: Leviathan, Kalman, Matias 2023, corollary 3.6.
    """
    same_shape("q", q, "p", floating("p", p))
    if p.ndim == 0:
        refuse("p", describe(p), "at least one dimension, the choices")
    dim = integer("dim", dim, -p.ndim, p.ndim - 1)
    not_negative("p", p)
    not_negative("q", q)
    return torch.minimum(p, q).sum(dim)


def accept_or_resample(
    p: Array, q: Array, x: Tokens, *, generator: Generators
) -> tuple[Tokens, Tensor]:
    """Keep x, which was drawn from q, with probability min(1, p/q); else draw from (p - q)₊.

    Whatever q is, the result has the law p.

    Result: autoregressive.speculative
    Shapes: p and q (B, K), x (B,) of integers; the result (B,), and where x was kept.
    Errors: ValueError for shapes that do not fit.
    Source: Leviathan, Kalman, Matias 2023, algorithm 1.
    """
    p = check_logits("p", p)
    same_shape("q", q, "p", p)
    if p.ndim != 2:
        refuse("p", describe(p), "shape (B, K)")
    not_negative("p", p)
    not_negative("q", q)
    x = check_choices("x", x, p.shape[-1], "p", p.shape[:1])
    rngs(generator, len(p), p.device)
    wide_p, wide_q = p.double(), q.double()
    at = x.unsqueeze(-1)
    u = draw_(torch.empty_like(wide_p[:, :1]), generator, "uniform_")
    kept = (u * wide_q.gather(-1, at) < wide_p.gather(-1, at)).squeeze(-1)
    rest = (wide_p - wide_q).clamp(min=0)
    # Equal laws leave no rest but rounding; then p itself.
    rest = torch.where(rest.sum(-1, keepdim=True) > 0, rest, wide_p)
    return torch.where(kept, x, draw(rest.log(), generator)), kept


def tokens_per_call(rate: float, block: int) -> float:
    """1 + rate + … + rate^block: the mean number of tokens that one call of the target yields,
    where each of ``block`` drafts is kept with probability ``rate`` whatever came before.

    Result: autoregressive.speculative_block
    Errors: ValueError for a rate outside [0, 1], or a negative block.
    Source: Leviathan, Kalman, Matias 2023, equation 1.
    """
    rate = real("rate", rate, "a number in [0, 1]", 0.0, 1.0)
    return math.fsum(rate**i for i in range(integer("block", block, 0) + 1))


Factors = Callable[[Tensor], Tensor]


class Speculated(NamedTuple):
    """The tokens, and what they took: accepted / drafted is the rate, calls those of the target."""

    x: Tokens
    drafted: int
    accepted: int
    calls: int


def speculative_sample(
    model: Factors,
    n: int,
    *,
    draft: Factors,
    length: int,
    prefix: Tokens | None = None,
    block: int = 4,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator,
) -> Speculated:
    """n sequences with exactly the law of ``model``, cooled or cut off as asked, in fewer calls.

    The draft proposes ``block`` tokens one by one; one call of ``model`` judges all of them: kept
    as by `accept_or_resample` up to the first that is not. Rows go on together, by as many tokens
    as the slowest of them kept, and one: whether a token is drawn in this block or the next one
    depends on earlier tokens only, so its law is the same. Nothing is remembered between calls.

    Result: autoregressive.speculative
    Shapes: x (n, length), which begins with ``prefix`` (n, at most length). Both models take tokens
        (n, L) and return logits (n, L, K), those at a place from the tokens before it, as the
        networks of sequences in `genmath.nets` do.
    Errors: ValueError for models that return something else, or bad arguments.
    Source: Leviathan, Kalman, Matias 2023, algorithm 1; Chen et al. 2023.
    """
    function("model", model)
    function("draft", draft)
    n, length, block = integer("n", n, 0), integer("length", length, 0), integer("block", block, 1)
    cut = check_truncation(temperature, top_k, top_p)
    x = torch.zeros(n, 0, dtype=torch.long, device=rng(generator).device)
    if prefix is not None:
        x = whole("prefix", prefix, 2**62).long()
        rng(generator, x.device)
        if x.ndim != 2 or len(x) != n or x.shape[1] > length:
            refuse("prefix", describe(prefix), f"shape ({n}, at most {length})")

    def laws(name: str, factors: Factors, x: Tensor, first: int) -> Tensor:
        """Of the tokens from the place ``first`` on, the one after x included; float64."""
        logits = factors(nn.functional.pad(x, (0, 1)))
        if not isinstance(logits, Tensor) or logits.shape[:-1] != (n, x.shape[1] + 1):
            wanted = f"logits of shape {(n, x.shape[1] + 1)} and one more dimension, the choices"
            refuse(name, f"an output {describe(logits)}", wanted)
        of_next = check_logits(f"{name} output", logits)[:, first:]
        return truncate(of_next.double(), *cut).softmax(-1)

    drafted = accepted = calls = 0
    with torch.no_grad():
        while x.shape[1] < length:
            at, guesses = x.shape[1], []
            for _ in range(min(block, length - at - 1)):
                guesses.append(laws("draft", draft, x, x.shape[1])[:, 0])
                x = torch.cat([x, draw(guesses[-1].log(), generator).unsqueeze(1)], 1)
            targets, calls = laws("model", model, x, at), calls + 1
            for i, q in enumerate(guesses):
                token, kept = accept_or_resample(
                    targets[:, i], q, x[:, at + i], generator=generator
                )
                drafted, accepted = drafted + n, accepted + int(kept.sum())
                x = torch.cat([x[:, : at + i], token.unsqueeze(1), x[:, at + i + 1 :]], 1)
                if not kept.all():
                    x = x[:, : at + i + 1]
                    break
            else:
                x = torch.cat([x, draw(targets[:, -1].log(), generator).unsqueeze(1)], 1)
    return Speculated(x, drafted, accepted, calls)


# Numbers of many levels


class DiscretizedLogisticMixture:
    """A law on the levels 0..levels-1, such as those of a pixel: a mixture of logistic densities,
    rounded to the nearest level. The first and the last take all that is beyond them.

    Result: autoregressive.logistic_bins
    Shapes: logits of the mixture, means and log-scales (…, M) alike; the unit is a level.
    Errors: ValueError for shapes that differ or levels < 2.
    Source: Salimans et al. 2017 (PixelCNN++), section 2.1, there for values scaled to [-1, 1].
    """

    def __init__(self, logits: Array, mean: Array, log_scale: Array, levels: int = 256) -> None:
        self.logits = check_logits("logits", logits)
        self.mean = same_shape("mean", mean, "logits", logits)
        self.log_scale = same_shape("log_scale", log_scale, "logits", logits)
        self.levels = integer("levels", levels, 2)

    def log_prob(self, x: Tokens) -> Array:
        """log P(x), one a number of x: shapes (…) alike, in nats."""
        x = check_choices("x", x, self.levels, "the mean", self.mean.shape[:-1])
        return self._log_prob(x.unsqueeze(-1))

    def log_probs(self) -> Array:
        """log P of every level, (…, levels)."""
        every = torch.arange(self.levels, device=self.mean.device)
        logits, mean, log_scale = (
            part.unsqueeze(-2) for part in (self.logits, self.mean, self.log_scale)
        )
        law = DiscretizedLogisticMixture(logits, mean, log_scale, self.levels)
        return law._log_prob(every.unsqueeze(-1))

    def _log_prob(self, x: Tensor) -> Tensor:
        work = work_dtype(self.mean)
        mean, log_scale = self.mean.to(work), self.log_scale.to(work)
        inverse = torch.exp(-log_scale)
        below, above = (x - 0.5 - mean) * inverse, (x + 0.5 - mean) * inverse
        # log(sigmoid(above) - sigmoid(below)) without a difference of numbers that are nearly 1.
        log_sigmoid = nn.functional.logsigmoid
        first, last = x == 0, x == self.levels - 1
        left = log_sigmoid(above).masked_fill(last, 0.0)
        right = log_sigmoid(-below).masked_fill(first, 0.0)
        width = torch.log(-torch.expm1(-inverse)).masked_fill(first | last, 0.0)
        log_weights = self.logits.to(work).log_softmax(-1)
        return (log_weights + left + right + width).logsumexp(-1).to(self.mean.dtype)

    def sample(self, *, generator: Generators) -> Tokens:
        """One level for each number: the component, then a logistic draw, rounded; shape (…)."""
        chosen = draw(self.logits, generator).unsqueeze(-1)
        mean, log_scale = (
            part.double().gather(-1, chosen).squeeze(-1) for part in (self.mean, self.log_scale)
        )
        rows = mean if mean.ndim else mean.unsqueeze(0)
        u = draw_(torch.empty_like(rows), generator, "uniform_").reshape(mean.shape)
        return (mean + log_scale.exp() * u.logit()).round().clamp(0, self.levels - 1).long()


# What a network sees


def receptive_field(kernel: int, dilations: Sequence[int]) -> int:
    """How many numbers the output of stacked causal convolutions sees: 1 + (kernel - 1) Σ dilation.

    Result: autoregressive.receptive_field
    Errors: ValueError for a kernel or a dilation < 1.
    Source: van den Oord et al. 2016 (WaveNet), section 2.1, for dilations that double.
    """
    kernel = integer("kernel", kernel, 1)
    wanted = "a list of integers >= 1"
    return 1 + (kernel - 1) * sum(
        integer("dilations", d, 1) for d in listed("dilations", dilations, wanted)
    )
