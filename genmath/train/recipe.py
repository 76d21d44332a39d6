"""What a recipe says: network, loss, whose weights move at a step, and how samples are drawn."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from genmath._base.checks import refuse
from genmath._base.torch import Tensor, nn, torch
from genmath.train.data import Batch, Data, Event

Loss = Callable[[Any, Batch, torch.Generator], Tensor]


@dataclass(frozen=True)
class Turn:
    """What one step does: the loss, and the part of the model whose weights it moves.

    ``trains`` is an attribute of the model, such as "discriminator"; "" is the model itself.
    """

    loss: Loss
    trains: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """Everything that decides what a training gives: its fields are the settings of a run.

    A subclass adds fields of its own (widths, a number of noise levels), builds the network, says
    the loss, and draws samples. Whatever is random comes from the generator it is handed.
    """

    title: ClassVar[str]
    shows: ClassVar[str]  # what one sees who trains it, in a line
    data: ClassVar[str] = "digits"  # what it trains on where nothing else is named
    takes: ClassVar[tuple[str, ...]] = ("points", "pictures", "clips")  # kinds of data
    needs: ClassVar[str] = ""  # what comes with each sample: "labels" or "text"

    steps: int = 2000
    batch: int = 128  # samples an update, over all processes
    micro: int = 0  # samples computed at once, which divide the batch; 0: the whole batch
    rate: float = 2e-3  # Adam's, after a warm-up of 5 % and before a cosine to 0
    betas: tuple[float, float] = (0.9, 0.99)  # of Adam
    clip: float = 1.0  # the largest norm of a gradient; 0: none
    average: float = 0.999  # of the weights that samples are drawn with; 0: the last weights
    seed: int = 0

    def __post_init__(self) -> None:
        first, second = self.betas
        allowed = {
            "steps": (self.steps >= 1, "at least 1"),
            "batch": (self.batch >= 1, "at least 1"),
            "micro": (
                self.micro >= 0 and self.batch % (self.micro or 1) == 0,
                f"0, or a number that divides the batch of {self.batch}",
            ),
            "rate": (0 < self.rate < math.inf, "a positive number"),
            "betas": (0 <= first < 1 and 0 <= second < 1, "two numbers in [0, 1)"),
            "clip": (0 <= self.clip < math.inf, "0 or a positive number"),
            "average": (0 <= self.average < 1, "a number in [0, 1)"),
        }
        for name, (holds, expected) in allowed.items():
            if not holds:
                refuse(name, getattr(self, name), expected)

    @abstractmethod
    def build(self, event: Event, generator: torch.Generator) -> nn.Module:
        """The model, its first weights drawn from the generator."""

    def loss(self, model: Any, batch: Batch, generator: torch.Generator) -> Tensor:
        """One number, the mean over the batch."""
        refuse("recipe", type(self).__name__, "one with a loss, or with turns that have")

    def turn(self, step: int) -> Turn:
        """What step 0, 1, 2, … does; by default each moves all weights down the one loss."""
        return Turn(self.loss)

    def stage(self, step: int) -> tuple[int, int]:
        """The first step of the stage that a step is in, and the number of its steps: in each the
        rate falls to 0, and the average begins anew. By default there is one; see `halves`."""
        return 0, self.steps

    def before(  # noqa: B027  a recipe may have none
        self, model: Any, step: int, data: Data, generator: torch.Generator
    ) -> None:
        """What happens before a step, such as the start of a second stage; changes weights and
        buffers of the model, which alone a checkpoint has."""

    def after(self, model: Any, step: int) -> None:  # noqa: B027  nor this
        """What happens after a step, such as a target that follows; changes what `before` may."""

    @abstractmethod
    def sample(self, model: Any, event: Event, n: int, generator: torch.Generator) -> Tensor:
        """n samples. A subclass adds options with defaults (steps, scale, …): `genmath sample`
        offers them by their names. Without gradients; the model is in eval()."""

    def evaluate(self, model: Any, data: Data, generator: torch.Generator) -> dict[str, float]:
        """Figures on held-out data, by name; by default how far samples are from them."""
        from genmath.train.measures import figures

        return figures(lambda n: self.sample(model, data.event, n, generator), data)

    def settings(self) -> dict[str, Any]:
        """The fields by name, as JSON can hold them."""
        return dataclasses.asdict(self)

    def changed(self, settings: dict[str, Any]) -> Recipe:
        """This recipe with some of its settings changed.

        Errors: ValueError for a name it has not, or a value of another kind.
        """
        fields = {field.name: field.default for field in dataclasses.fields(self)}
        values: dict[str, Any] = {}
        for name, value in settings.items():
            if name not in fields:
                refuse("settings", repr(name), "one of " + ", ".join(fields))
            like = getattr(self, name) if fields[name] is dataclasses.MISSING else fields[name]
            values[name] = read_as(name, value, type(like))
        return dataclasses.replace(self, **values)


def halves(step: int, steps: int) -> tuple[int, int]:
    """`Recipe.stage` of two stages, of half the steps each."""
    first = steps - steps // 2
    return (0, first) if step < first else (first, steps - first)


def read_as(name: str, value: object, kind: type) -> object:
    """A setting, which may be text from a command line, as its kind."""
    words = {"true": True, "false": False}
    if kind is bool and str(value).lower() in words:
        return words[str(value).lower()]
    if kind in (int, float, str) and not isinstance(value, bool):
        try:
            read: object = kind(str(value))
        except ValueError:
            read = math.nan
        if isinstance(read, float) and not math.isfinite(read):
            refuse(name, repr(value), f"a value of type {kind.__name__}")
        return read
    if isinstance(value, str) and kind is tuple:
        with contextlib.suppress(ValueError):
            return tuple(json.loads(f"[{value}]"))
    if isinstance(value, kind):
        return value
    if isinstance(value, list) and kind is tuple:
        return tuple(value)
    return refuse(name, repr(value), f"a value of type {kind.__name__}")
