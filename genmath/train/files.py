"""Pictures that are read when they are asked for: a folder of them, or a set of a library."""

from __future__ import annotations

import importlib
import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.data import Dataset

from genmath._base.checks import refuse
from genmath._base.torch import Tensor, torch
from genmath.train.batches import Batch, Data, Event
from genmath.train.order import seed_of

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
HELD_OUT = 0.1  # of the pictures, where a set has no test part of its own
MOST = 2000, 2**26  # of these, and numbers in them all
OPTIONS = "side=N, grey, skip"


class Unreadable(ValueError):
    """A picture that cannot be read."""


@dataclass(frozen=True)
class Look:
    """How a picture is made the event: its middle square, scaled to a side, in colours or grey.

    With ``skip`` the next one that can be read stands in for one that cannot.
    """

    side: int = 32
    grey: bool = False
    skip: bool = False

    def __call__(self, image: Image) -> Tensor:
        """(channels, side, side) in [-1, 1]."""
        from PIL import Image, ImageOps

        upright = ImageOps.exif_transpose(image).convert("L" if self.grey else "RGB")
        small = ImageOps.fit(upright, (self.side, self.side), Image.Resampling.LANCZOS)
        values = torch.from_numpy(np.array(small)).reshape(self.side, self.side, -1)
        return values.movedim(2, 0).float() / 127.5 - 1

    @property
    def shape(self) -> tuple[int, ...]:
        return (1 if self.grey else 3, self.side, self.side)


@dataclass(frozen=True)
class Pictures(Dataset[Batch]):
    """Numbered pictures, each read when it is asked for: ``of`` gives it and its label, if any.

    ``numbers`` are those of this part of the set.
    """

    of: Callable[[int], tuple[Image, int | None]]
    numbers: Sequence[int]
    look: Look

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        found = [self._read(index) for index in indices]
        labels = [label for _, label in found if label is not None]
        x = torch.stack([x for x, _ in found])
        return Batch(x, torch.tensor(labels) if labels else None)

    def _read(self, index: int) -> tuple[Tensor, int | None]:
        """Errors: `Unreadable`; with ``skip`` where no picture can be read."""
        for place in range(len(self)):
            number = self.numbers[(index + place) % len(self)]
            try:
                image, label = self.of(number)
                return self.look(image), label
            except (OSError, SyntaxError, ValueError) as error:  # what Pillow says of bad files
                if not self.look.skip:
                    said = str(error) if isinstance(error, Unreadable) else f"picture {number}"
                    raise Unreadable(f"data: {said} cannot be read; skip leaves it out") from None
                warnings.warn(f"{error}: left out", stacklevel=2)
        raise Unreadable("data: no picture can be read")

    def all(self) -> Batch:
        return self.__getitems__(range(len(self)))


def folder(name: str, rest: str, seed: int) -> Data:
    """folder:PATH — pictures below it; with sub-folders, these are the classes."""
    place, look = _look(name, rest)
    root = Path(place).expanduser().resolve()
    if not root.is_dir():
        refuse("data", repr(name), "a folder that is there")
    files = sorted(file for file in root.rglob("*") if file.suffix.lower() in ENDINGS)
    first = [file.relative_to(root).parts for file in files]
    classes = sorted({parts[0] for parts in first if len(parts) > 1})
    if classes and any(len(parts) == 1 for parts in first):
        beside = next(file.name for file in files if file.parent == root)
        refuse("data", f"{root} with {beside} beside {classes[0]}/", "pictures or folders of them")
    names = ["/".join(parts) for parts in first]
    labels = [classes.index(parts[0]) for parts in first] if classes else None
    if len(files) < 2:
        refuse("data", f"{root} with {len(files)} pictures", "a folder with at least two")
    train, test = _split(names, look, seed)
    open_ = partial(_open, files, labels)
    told = _told("folder", str(root), look)
    return _data(told, look, len(classes), (open_, train), (open_, test))


def _open(files: Sequence[Path], labels: Sequence[int] | None, number: int) -> Any:
    from PIL import Image

    try:
        with Image.open(files[number]) as image:
            image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise Unreadable(f"{files[number]} ({type(error).__name__})") from None
    return image, None if labels is None else labels[number]


def hugging_face(name: str, rest: str, seed: int) -> Data:
    """hf:NAME — a set that `datasets` loads, from its hub or a folder.

    Pictures are its column of images, labels that of classes; rows stay on disk.
    """
    datasets = _library("datasets", "datasets")
    place, look = _look(name, rest)
    found = _loaded(name, partial(datasets.load_dataset, place))
    train = found.get("train")
    if train is None:
        refuse("data", repr(name), f"a set with a part called train, not {', '.join(found)}")
    pictures = [k for k, kind in train.features.items() if type(kind).__name__ == "Image"]
    labels = [k for k, kind in train.features.items() if type(kind).__name__ == "ClassLabel"]
    if not pictures:
        refuse("data", repr(name), f"a set with images, not only {', '.join(train.features)}")
    column, label = pictures[0], labels[0] if labels else None
    classes = train.features[label].num_classes if label else 0
    parts = [train, found["test"]] if "test" in found else [train]
    numbered = [(len(part), partial(_row, part, column, label)) for part in parts]
    return _parts(_told("hf", place, look), look, classes, numbered, seed)


def _row(rows: Any, column: str, label: str | None, number: int) -> Any:
    row = rows[number]
    return row[column], None if label is None else int(row[label])


def torchvision(name: str, rest: str, seed: int) -> Data:
    """torchvision:NAME — a set of `torchvision.datasets`, downloaded into ./data if need be."""
    sets = _library("torchvision.datasets", "torchvision")
    place, look = _look(name, rest)
    kind = getattr(sets, place, None)
    if not inspect.isclass(kind):
        refuse("data", repr(name), "a set of torchvision.datasets: torchvision:CIFAR10")
    takes = inspect.signature(kind).parameters
    ways: list[dict[str, Any]] = [{"train": True}, {"train": False}] if "train" in takes else [{}]
    if "split" in takes:
        ways = [{"split": "train"}, {"split": "test"}]
    more = {"download": True} if "download" in takes else {}
    root = {"root": "data"} if "root" in takes else {}
    parts = [_loaded(name, partial(kind, **root, **way, **more)) for way in ways]
    classes = len(getattr(parts[0], "classes", ())) or 1 + max(_numbers_of(parts[0]), default=-1)
    numbered = [(len(part), partial(_pair, part)) for part in parts]
    return _parts(_told("torchvision", place, look), look, classes, numbered, seed)


def _numbers_of(part: Any) -> list[int]:
    """The labels, where a set has a list of them under one of its usual names."""
    for attribute in ("targets", "labels", "_labels"):
        if hasattr(part, attribute):
            return [int(label) for label in getattr(part, attribute)]
    return []


def _pair(pairs: Any, number: int) -> Any:
    image, label = pairs[number]
    return image, int(label)


def _library(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != package:
            raise
        said = f"{package} is not installed; run: pip install {package}"
        raise ImportError(said, name=package) from None


def _loaded(name: str, load: Callable[[], Any]) -> Any:
    """What a library loads; where it cannot, what it says of it, in a line."""
    try:
        return load()
    except Exception as error:
        (said, *_) = str(error).splitlines() or [""]
        return refuse("data", repr(name), f"a set that can be had ({type(error).__name__}: {said})")


def _look(name: str, rest: str) -> tuple[str, Look]:
    """PATH,side=64,grey,skip read from its end, since a path may hold a comma."""
    look = Look()
    while rest:
        before, comma, word = rest.rpartition(",")
        key, is_, value = word.partition("=")
        if not comma or (key, is_) not in {("side", "="), ("grey", ""), ("skip", "")}:
            break
        if is_ and not (value.isdigit() and int(value) > 0):
            refuse("data", repr(name), f"a side in pixels, not {value!r}")
        changed: dict[str, Any] = {key: int(value) if is_ else True}
        look, rest = replace(look, **changed), before
    if not rest:
        refuse("data", repr(name), f"{name.partition(':')[0]}:WHAT, then {OPTIONS} after commas")
    return rest, look


def _told(kind: str, place: str, look: Look) -> str:
    """The name by which the same data are loaded again."""
    more = [f"side={look.side}"] * (look.side != Look.side)
    more += ["grey"] * look.grey + ["skip"] * look.skip
    return ",".join([f"{kind}:{place}", *more])


def _split(names: Sequence[str], look: Look, seed: int) -> tuple[list[int], list[int]]:
    """Numbers to train on, and a tenth to hold out."""
    held = _some(names, min(round(HELD_OUT * len(names)), _most(look)), seed)
    return sorted(set(range(len(names))) - set(held)), held


def _some(names: Sequence[str], count: int, seed: int) -> list[int]:
    """The numbers of so many names, drawn by a hash of each."""
    order = sorted(range(len(names)), key=lambda i: (seed_of("held out", seed, names[i]), i))
    return sorted(order[: max(1, count)])


def _most(look: Look) -> int:
    return min(MOST[0], MOST[1] // math.prod(look.shape))


Part = tuple[Callable[[int], Any], Sequence[int]]


def _parts(
    name: str,
    look: Look,
    classes: int,
    parts: Sequence[tuple[int, Callable[[int], Any]]],
    seed: int,
) -> Data:
    """A part to train on and one held out, or one of both."""
    size, of = parts[0]
    numbers = [str(i) for i in range(parts[-1][0])]
    if size < 2:
        refuse("data", name, f"at least two pictures, not {size}")
    if len(parts) == 1:
        train, test = _split(numbers, look, seed)
        return _data(name, look, classes, (of, train), (of, test))
    held = _some(numbers, _most(look), seed)
    return _data(name, look, classes, (of, range(size)), (parts[1][1], held))


def _data(name: str, look: Look, classes: int, train: Part, test: Part) -> Data:
    held = Pictures(*test, look).all()
    return Data(name, Event("pictures", look.shape, classes), Pictures(*train, look), held)
