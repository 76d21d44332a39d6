"""What a recipe says: network, loss, whose weights move at a step, and how samples are drawn."""

from __future__ import annotations

import dataclasses
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

    steps: int = 2000
    batch: int = 128  # samples an update, over all processes
    micro: int = 0  # samples computed at once, which divide the batch; 0: the whole batch
    rate: float = 2e-3  # Adam's, after a warm-up of 5 % and before a cosine to 0
    clip: float = 1.0  # the largest norm of a gradient; 0: none
    average: float = 0.999  # of the weights that samples are drawn with; 0: the last weights
    seed: int = 0

    @abstractmethod
    def build(self, event: Event, generator: torch.Generator) -> nn.Module:
        """The model, its first weights drawn from the generator."""

    def loss(self, model: Any, batch: Batch, generator: torch.Generator) -> Tensor:
        """One number, the mean over the batch."""
        raise NotImplementedError(f"{type(self).__name__} has neither a loss nor turns")

    def turn(self, step: int) -> Turn:
        """What step 0, 1, 2, … does; by default each moves all weights down the one loss."""
        return Turn(self.loss)

    def before(  # noqa: B027  a recipe may have none
        self, model: Any, step: int, data: Data, generator: torch.Generator
    ) -> None:
        """What happens before a step, such as the start of a second stage; changes the model."""

    def after(self, model: Any, step: int) -> None:  # noqa: B027  nor this
        """What happens after a step, such as a target that follows; changes the model."""

    @abstractmethod
    def sample(self, model: Any, event: Event, n: int, generator: torch.Generator) -> Tensor:
        """n samples. A subclass adds options with defaults (steps, scale, …): `genmath sample`
        offers them by their names. Without gradients; the model is in eval()."""

    def evaluate(self, model: Any, data: Data, generator: torch.Generator) -> dict[str, float]:
        """Figures on held-out data, by name; by default how far samples are from them."""
        from genmath.train.measures import distance

        name, value = distance(self.sample(model, data.event, len(data.test.x), generator), data)
        return {name: value}

    def settings(self) -> dict[str, Any]:
        """The fields by name, as JSON can hold them."""
        return dataclasses.asdict(self)

    def changed(self, settings: dict[str, Any]) -> Recipe:
        """This recipe with some of its settings changed.

        Errors: ValueError for a name it has not, or a value of another kind.
        """
        kinds = {field.name: type(getattr(self, field.name)) for field in dataclasses.fields(self)}
        values: dict[str, Any] = {}
        for name, value in settings.items():
            if name not in kinds:
                refuse("settings", repr(name), "one of " + ", ".join(kinds))
            values[name] = _as(name, value, kinds[name])
        recipe = dataclasses.replace(self, **values)
        for name in ("steps", "batch"):
            if getattr(recipe, name) < 1:
                refuse(name, getattr(recipe, name), "at least 1")
        if recipe.micro < 0 or recipe.batch % (recipe.micro or recipe.batch):
            refuse(
                "micro", recipe.micro, f"0, or a number that divides the batch of {recipe.batch}"
            )
        return recipe


def _as(name: str, value: object, kind: type) -> object:
    """A setting, which may be text from a command line, as its kind."""
    words = {"true": True, "false": False}
    if kind is bool and str(value).lower() in words:
        return words[str(value).lower()]
    if kind in (int, float, str) and not isinstance(value, bool):
        try:
            read = kind(str(value))
        except ValueError:
            refuse(name, repr(value), f"a value of type {kind.__name__}")
        return read
    if isinstance(value, kind):
        return value
    if isinstance(value, list) and kind is tuple:
        return tuple(value)
    return refuse(name, repr(value), f"a value of type {kind.__name__}")
