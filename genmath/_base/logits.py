"""Drawing from logits: a temperature, a truncation, and the draw. Networks and topics share it."""

from __future__ import annotations

from genmath._base.batch import work_dtype
from genmath._base.checks import describe, floating, integer, positive, real, refuse, whole
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.shapes import Array, Tokens
from genmath._base.torch import Tensor, torch


def check_logits(name: str, value: object) -> Tensor:
    """Floating-point scores with the choices along the last dimension, one at least."""
    logits = floating(name, value)
    if logits.ndim == 0 or logits.shape[-1] == 0:
        refuse(name, describe(value), "shape (…, K), one score for each of K >= 1 choices")
    return logits


def check_choices(
    name: str, value: object, choices: int, of: str, shape: tuple[int, ...]
) -> Tensor:
    """Integers in 0..choices - 1, one for each row ``of`` a table; on the CPU they are read."""
    if isinstance(value, Tensor) and value.shape != shape:
        refuse(name, describe(value), f"one integer for each row of {of}: shape {tuple(shape)}")
    return whole(name, value, choices).long()


def check_truncation(
    temperature: float, top_k: int | None, top_p: float | None
) -> tuple[float, int | None, float | None]:
    """The three numbers of a sampler, before its loop."""
    temperature = positive("temperature", temperature)
    if top_k is not None:
        top_k = integer("top_k", top_k, 1)
    if top_p is not None:
        wanted = "a number in (0, 1]"
        top_p = real("top_p", top_p, wanted, 0.0, 1.0)
        if top_p == 0:
            refuse("top_p", describe(top_p), wanted)
    return temperature, top_k, top_p


def truncate(
    logits: Array,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Array:
    """Logits of the law to draw from: divided by the temperature, -inf for what is left out.

    First the temperature, then the ``top_k`` most probable (all, if there are no more), then of
    these the fewest, most probable ones whose mass is at least ``top_p``. Of equal logits the
    first are kept. One choice always remains; ``top_k=1`` is the limit of temperature 0.

    Shapes: (…, K) in and out. The largest logit comes out as 0.
    Errors: ValueError for a temperature that is no number > 0, a top_k < 1, a top_p outside (0, 1].
    """
    temperature, top_k, top_p = check_truncation(temperature, top_k, top_p)
    wide = check_logits("logits", logits).to(work_dtype(logits))
    # From the largest down: a temperature near 0, which float32 would round to 0, leads to -inf.
    wide = (wide - wide.amax(-1, keepdim=True)) / max(temperature, torch.finfo(wide.dtype).tiny)
    few = wide.shape[-1] if top_k is None else top_k
    share = 1.0 if top_p is None else top_p
    if few < wide.shape[-1] or share < 1:
        order = logits.argsort(dim=-1, descending=True, stable=True)
        ordered = wide.gather(-1, order)
        ordered[..., few:] = -torch.inf
        if share < 1:  # a mass of 1 is all, whatever rounding adds up to
            mass = ordered.softmax(-1)
            ordered = ordered.masked_fill(mass.cumsum(-1) - mass >= share, -torch.inf)
        wide = torch.zeros_like(wide).scatter(-1, order, ordered)
    return wide.to(logits.dtype)


def draw(logits: Array, generator: Generators) -> Tokens:
    """One choice from each softmax(logits), by exponential clocks: the first that rings.

    The largest of logit + Gumbel noise is the same choice, as minus the logarithm of an exponential
    time is Gumbel noise. The times are float64: in float32 one of 2^24 would be 0 and ring for a
    choice of any probability.

    Shapes: logits (…, K), the choices (…) in 0..K-1; one generator, or one for each sample of the
        first dimension. The logits may be -inf, not all of them; they are not read.
    """
    wide = check_logits("logits", logits).detach().to(torch.float64)
    rngs(generator, len(wide) if wide.ndim > 1 else 1, wide.device)
    own = wide if wide.ndim > 1 else wide.unsqueeze(0)
    times = torch.empty_like(own, memory_format=torch.contiguous_format)
    times = draw_(times, generator, "exponential_")
    return (own - times.log_()).argmax(-1).reshape(wide.shape[:-1])
