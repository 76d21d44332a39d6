"""Data by their names: digits, sets in the plane, the shapes world, folders and downloads."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from torch.utils.data import Dataset

from genmath import shapes, toys
from genmath._base.checks import refuse
from genmath._base.torch import torch
from genmath.train import files
from genmath.train.batches import Batch, Data, Event
from genmath.train.order import seed_of

__all__ = ["Batch", "Data", "Drawn", "Event", "Held", "load"]


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
        chosen = torch.frombuffer(array("q", indices), dtype=torch.long)  # a list takes far longer
        return Batch(x[chosen], None if y is None else y[chosen])


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
    These three take ",side=64", ",grey" and ",skip", which leaves out what cannot be read.

    Errors: ValueError for another name; ImportError where a library is missing.
    """
    kind, _, rest = name.partition(":")
    if kind in _KINDS:
        return _KINDS[kind](name, rest, seed)
    known = [*_KINDS, *PLANE]
    if name not in PLANE:
        refuse("data", repr(name), "one of " + ", ".join(known))
    draw = partial(_points, name)
    own = torch.Generator().manual_seed(seed_of("test", seed))
    return Data(
        name, Event("points", (2,)), Drawn(draw, seed), draw(HELD_OUT, own, stratified=True)
    )


def _points(name: str, n: int, generator: torch.Generator, *, stratified: bool = False) -> Batch:
    return Batch(getattr(toys, name)(n, generator=generator, stratified=stratified))


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
    "folder": files.folder,
    "hf": files.hugging_face,
    "torchvision": files.torchvision,
}
