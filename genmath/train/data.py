"""Data by their names: digits, sets in the plane, the shapes world, folders and downloads."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

from torch.utils.data import Dataset

from genmath import shapes, toys
from genmath._base.checks import refuse
from genmath._base.torch import Tensor, torch
from genmath.train.order import seed_of


class Batch(NamedTuple):
    """Samples x (B, *event) and what they are of: labels (B,), tokens of a text (B, L), or None."""

    x: Tensor
    y: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        move = partial(Tensor.to, device=device, non_blocking=True)
        return Batch(move(self.x), None if self.y is None else move(self.y))


@dataclass(frozen=True)
class Event:
    """What one sample is: all that a network must know of the data to be built, or drawn from.

    ``kind`` is "points", "pictures" or "clips"; pictures are in [-1, 1], channels first, and a clip
    (channels, frames, h, w).
    """

    kind: str
    shape: tuple[int, ...]
    classes: int = 0  # labels are 0..classes-1
    words: tuple[str, ...] = ()  # what tokens stand for; the first fills a text up


@dataclass(frozen=True)
class Data:
    """What is trained on, and what is held out.

    ``train`` gives a `Batch` for a list of indices (``__getitems__``) and has a length, or none if
    it has no end.
    """

    name: str
    event: Event
    train: Dataset[Batch]
    test: Batch

    @property
    def size(self) -> int:
        """The number of training samples; 0 if there is no end of them."""
        return len(self.train) if hasattr(self.train, "__len__") else 0

    def batch(self, n: int, seed: int) -> Batch:
        """Some training samples, for what wants a look at the data before it trains."""
        rng = random.Random(seed)
        indices = [rng.randrange(self.size or 2**31) for _ in range(n)]
        return self.train.__getitems__(indices)  # type: ignore[attr-defined, no-any-return]


@dataclass(frozen=True)
class Held(Dataset[Batch]):
    """Samples that fit in memory."""

    all: Batch

    def __len__(self) -> int:
        return len(self.all.x)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        x, y = self.all
        return Batch(x[list(indices)], None if y is None else y[list(indices)])


@dataclass(frozen=True)
class Drawn(Dataset[Batch]):
    """Samples that are made when they are asked for, by ``draw(n, generator)``, without an end."""

    draw: Callable[[int, torch.Generator], Batch]
    seed: int

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        own = torch.Generator().manual_seed(seed_of("drawn", self.seed, indices[0]))
        return self.draw(len(indices), own)


PLANE = ("checkerboard", "eight_gaussians", "moons", "s_curve", "spirals")
HELD_OUT = 2000


def load(name: str, seed: int = 0) -> Data:
    """The data of a name: "digits"; a set in the plane, such as "moons"; "shapes" or "clips", with
    a side ("shapes:32"); a folder of pictures ("folder:PATH"); "hf:NAME", "torchvision:NAME".

    Errors: ValueError for another name; ImportError where a library is missing.
    """
    kind, _, rest = name.partition(":")
    if kind in _KINDS:
        return _KINDS[kind](name, rest, seed)
    known = [*_KINDS, *PLANE]
    if name not in PLANE:
        refuse("data", repr(name), "one of " + ", ".join(known))
    law = getattr(toys, name)

    def draw(n: int, generator: torch.Generator, **how: Any) -> Batch:
        return Batch(law(n, generator=generator, **how))

    own = torch.Generator().manual_seed(seed_of("test", seed))
    return Data(
        name, Event("points", (2,)), Drawn(draw, seed), draw(HELD_OUT, own, stratified=True)
    )


def _digits(name: str, rest: str, seed: int) -> Data:
    if rest:
        refuse("data", repr(name), "digits, without more")
    x, y, test_x, test_y = toys.digits()
    event = Event("pictures", (1, 8, 8), classes=10)
    return Data(name, event, Held(Batch(x, y)), Batch(test_x, test_y))


class _Scenes:
    """Pictures or clips with a caption each; a fifth at least are of one thing: there are few."""

    def __init__(self, scenes: Sequence[shapes.Scene], side: int, clips: bool) -> None:
        self.scenes, self.side, self.make = scenes, side, shapes.film if clips else shapes.draw

    @cached_property
    def alone(self) -> list[int]:
        return [i for i, scene in enumerate(self.scenes) if scene.other is None]

    def __call__(self, n: int, generator: torch.Generator) -> Batch:
        rng = random.Random(int(torch.randint(2**62, (), generator=generator)))
        every = range(len(self.scenes))
        which = [rng.choice(self.alone if rng.random() < 0.2 else every) for _ in range(n)]
        return self.of([self.scenes[i] for i in which], generator, rng)

    def of(
        self, scenes: Sequence[shapes.Scene], generator: torch.Generator, rng: random.Random
    ) -> Batch:
        said = [
            shapes.caption(s, turned=s.other is not None and rng.random() < 0.5) for s in scenes
        ]
        x = self.make(list(scenes), self.side, generator=generator)
        return Batch(x, shapes.tokenise(said))


def _shapes(name: str, rest: str, seed: int) -> Data:
    clips = name.startswith("clips")
    if rest and not rest.isdigit():
        refuse("data", repr(name), "shapes or clips, with a side if you like: shapes:32")
    own = torch.Generator().manual_seed(seed_of("split", seed))
    seen, unseen = shapes.split(0.2, clips=clips, generator=own)
    side = int(rest or 16)
    held = list(unseen)[:HELD_OUT]
    test = _Scenes(held, side, clips).of(held, own, random.Random(seed))
    train = Drawn(_Scenes(list(seen), side, clips), seed)
    event = Event("clips" if clips else "pictures", tuple(test.x.shape[1:]), words=shapes.WORDS)
    return Data(name, event, train, test)


_KINDS: dict[str, Callable[[str, str, int], Data]] = {
    "digits": _digits,
    "shapes": _shapes,
    "clips": _shapes,
}
