"""What the autoregressive networks share: the likelihood of all entries, and drawing one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import batched, describe, flag, integer, labels, refuse, whole
from genmath._base.draws import Generators, rngs
from genmath._base.logits import check_truncation, draw, truncate
from genmath._base.shapes import Array, PerSample
from genmath._base.torch import Float, Int, Tensor, nn, torch
from genmath.nets.weights import keep

__all__ = ["Autoregressive"]

Entries = Int[Tensor, "batch *event"]
Condition = Int[Tensor, "batch"] | Float[Tensor, "batch cond_dim"]


class Autoregressive(nn.Module, ABC):
    """A law of integers 0..levels - 1 as a product of factors, each given the entries before it.

    net(x) and net(x, cond) are the logits of every factor at once, (B, *event, levels). What
    ``cond`` is, the network was told when it was made: labels (B,) with ``classes``, vectors
    (B, cond_dim) with ``cond_dim``, else nothing.
    """

    levels: int
    told: Told

    @property
    @abstractmethod
    def event(self) -> tuple[int, ...]:
        """The shape of one sample."""

    @abstractmethod
    def forward(self, x: Entries, cond: Condition | None = None) -> Array:
        """The logits of each entry given those before it."""

    @property
    def order(self) -> list[int]:
        """The places of a flat event, as they are drawn."""
        return list(range(torch.Size(self.event).numel()))

    def log_prob(self, x: Entries, cond: Condition | None = None) -> PerSample:
        """log p(x), or log p(x | cond): the sum over the event, one value a sample.

        Its negative mean is the loss that one trains by; tables have it in bits a dimension:
        `genmath.likelihood.bits_per_dim`.

        Result: autoregressive.sums
        Shapes: x (B, *event) of integers, read on the CPU. Nats, in the dtype of the parameters;
            half precision is summed in float32.
        Errors: ValueError for an x that does not fit, or a ``cond`` that is missing, was not asked
            for, or does not fit.
        """
        logits: Tensor = self(x, cond)
        flat = logits.to(work_dtype(logits)).flatten(0, -2)
        nats = nn.functional.cross_entropy(flat, x.flatten().long(), reduction="none")
        return -sum_event(nats.reshape(x.shape), 1).to(logits.dtype)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        cond: Condition | None = None,
        prefix: Int[Tensor, "n begun"] | None = None,
        cached: bool = True,
        generator: Generators,
    ) -> Entries:
        """n draws, entry by entry; from the law of `log_prob` unless it is cooled or cut off.

        ``cached`` keeps what the network remembers of the entries before, if it remembers; without
        it each entry asks about all of them anew, which is slower and gives the same.

        Shapes: (n, *event) of int64; ``prefix`` (n, ≤ entries) is how they begin, in the order in
            which they are drawn; ``cond`` has n rows.
        Errors: ValueError for a negative n, a temperature that is no number > 0, a top_k < 1, a
            top_p outside (0, 1], or what does not fit.
        Random: ``generator``, on the device of the parameters; or one for each sample.
        """
        n, cached = integer("n", n, 0), flag("cached", cached)
        like = next(self.parameters())
        rngs(generator, n, like.device)
        x = torch.zeros(n, *self.event, dtype=torch.long, device=like.device)
        flat, order = x.flatten(1), self.order
        begun = 0 if prefix is None else self._begin(flat, prefix)
        self.told.check(cond, flat, "n")
        cut = check_truncation(temperature, top_k, top_p)
        memory: Any = None
        for i in range(begun, len(order)):
            logits, memory = self._next(x, i, cond, memory if cached else None)
            flat[:, order[i]] = draw(truncate(logits, *cut), generator)
        return x

    def _begin(self, flat: Tensor, prefix: Tensor) -> int:
        whole("prefix", prefix, self.levels)
        n, most = flat.shape
        if prefix.ndim != 2 or len(prefix) != n or prefix.shape[1] > most:
            refuse("prefix", describe(prefix), f"shape ({n}, at most {most})")
        begun = prefix.shape[1]
        flat[:, self.order[:begun]] = prefix.to(flat)
        return begun

    def _next(self, x: Tensor, i: int, cond: Tensor | None, memory: Any) -> tuple[Tensor, Any]:
        """Logits of the i-th entry to be drawn, (n, levels), and what to remember."""
        logits: Tensor = self(x, cond)
        return logits.flatten(1, -2)[:, self.order[i]], None

    def _checked(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """x as int64 where it fits the network."""
        if whole("x", x, self.levels).ndim != 1 + len(self.event) or x.shape[1:] != self.event:
            refuse("x", describe(x), f"shape (B, {', '.join(map(str, self.event))})")
        self.told.check(cond, x)
        return x.long()


class Told(nn.Module):
    """What stands beside the data, labels or a vector, as ``width`` features to be added."""

    def __init__(self, width: int, classes: int | None, cond_dim: int | None) -> None:
        super().__init__()
        self.classes = None if classes is None else integer("classes", classes, 1)
        self.cond_dim = None if cond_dim is None else integer("cond_dim", cond_dim, 1)
        if classes is not None and cond_dim is not None:
            refuse("cond_dim", cond_dim, "None, where there are classes")
        self.layer: nn.Module | None = None
        if classes is not None:
            self.layer = nn.Embedding(classes, width)
        elif cond_dim is not None:
            self.layer = nn.Linear(cond_dim, width)

    def check(self, cond: Tensor | None, x: Tensor, of: str = "x") -> None:
        if self.classes is None and self.cond_dim is None:
            if cond is not None:
                refuse("cond", describe(cond), "nothing: the network was told of none")
        elif cond is None:
            refuse("cond", cond, "labels" if self.classes else f"vectors of {self.cond_dim}")
        elif self.classes is not None:
            whole("cond", labels("cond", cond, x, of), self.classes)
        elif batched("cond", cond).shape != (len(x), self.cond_dim):
            refuse("cond", describe(cond), f"shape {(len(x), self.cond_dim)}")

    def forward(self, cond: Tensor | None, *, before: int = 0, after: int = 0) -> Tensor | float:
        """(B, 1, …, width, 1, …), with so many axes more on each side; or 0."""
        if self.layer is None or cond is None:
            return 0.0
        weight = next(self.layer.parameters())
        out: Tensor = self.layer(cond.to(weight.dtype) if self.cond_dim else cond.long())
        return out.reshape(len(out), *[1] * before, -1, *[1] * after)


class Numbers(nn.Module):
    """Levels as numbers, evenly from -1 to 1."""

    values: Tensor

    def __init__(self, levels: int) -> None:
        super().__init__()
        keep(self, "values", torch.linspace(-1, 1, levels, device="cpu"))

    def forward(self, x: Tensor) -> Tensor:
        return self.values[x]
