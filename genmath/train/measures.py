"""How far samples are from held-out data, and what that costs in calls of the network."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from genmath import shapes
from genmath._base.checks import refuse
from genmath._base.torch import Tensor, nn, torch
from genmath.evaluation import FewSamples, embed, frechet_distance
from genmath.toys import moons_density
from genmath.train.data import Batch, Data
from genmath.train.order import Order
from genmath.wasserstein import wasserstein

MANY, FEW = 2000, 200  # samples that a measure looks at; the few are of the shapes world
AT_ONCE = 500  # of these are drawn
WIDTH, STEPS = 64, 900  # of the classifier: digits to train on and held out are then 1.9 apart


def distance(samples: Tensor, data: Data) -> tuple[str, float]:
    """A measure by its name: what fits the data.

    Points: W_2 from the held-out ones. Shapes and clips: the share in which `genmath.shapes.read`
    finds a scene. Other pictures: the Fréchet distance from the held-out ones, in the features of a
    small classifier of the data where these have classes, else in pixels.
    """
    return measure(data)(samples)


def measure(data: Data) -> Callable[[Tensor], tuple[str, float]]:
    """The same for many sets of samples; a classifier is trained once."""
    held = data.test.x.cpu()
    if data.event.kind == "points":
        return lambda samples: ("W2", float(wasserstein(samples.cpu().float(), held)))
    if _of_shapes(data):
        return lambda samples: ("shapes read", _share(shapes.read(samples.cpu())))
    features: Callable[[Tensor], Tensor] = lambda x: x.flatten(1)  # noqa: E731
    if data.event.classes:
        if not (_last and _last[0] is data):
            _last[:] = data, classifier(data)
        features = _last[1]
    real = embed(features, held)

    def frechet(samples: Tensor) -> tuple[str, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FewSamples)  # the floor says as much
            return "Fréchet", float(frechet_distance(real, embed(features, samples.cpu().float())))

    return frechet


_last: list[Any] = []  # the data that were measured last, and their classifier


def floor(data: Data) -> float:
    """The measure of training data in place of samples, as many as `count`."""
    return measure(data)(some(data).x)[1]


def figures(draw: Callable[[int], Tensor], data: Data) -> dict[str, float]:
    """The measure of what ``draw(n)`` gives, and beside it that of training data."""
    of, n = measure(data), count(data)
    parts = [min(AT_ONCE, n - first) for first in range(0, n, AT_ONCE)]
    name, value = of(torch.cat([draw(n) for n in parts]))
    return {name: value, f"{name} of training data": of(some(data).x)[1]}


def count(data: Data) -> int:
    """How many samples a measure is given: as many as there are to train on, up to a limit."""
    return min(data.size or MANY, FEW if _of_shapes(data) else MANY)


def as_captioned(samples: Tensor, tokens: Tensor) -> float:
    """The share of pictures or clips that show what their captions say.

    Shapes: samples (B, 3, side, side) or (B, 3, frames, side, side), tokens (B, L).
    """
    if len(samples) != len(tokens):
        refuse("tokens", tuple(tokens.shape), f"a caption for each of {len(samples)} samples")
    said = [" ".join(shapes.WORDS[i] for i in row).strip() for row in tokens.tolist()]
    seen = shapes.read(samples.cpu())
    return _share([a if a == shapes.parse(b) else None for a, b in zip(seen, said, strict=True)])


def classifier(data: Data) -> nn.Module:
    """The features of a small classifier, trained on the data always in the same way.

    Two layers of 64 ReLUs. Distances of features have no unit: compare them with `floor`.
    """
    x, y = some(data)
    if y is None:
        refuse("data", data.name, "data with labels")
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        first, second = nn.Linear(x[0].numel(), WIDTH), nn.Linear(WIDTH, WIDTH)
        body = nn.Sequential(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU())
        head = nn.Linear(WIDTH, data.event.classes)
        optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], 1e-3)
        for _ in range(STEPS):
            which = torch.randint(len(x), (128,))
            optimizer.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(head(body(x[which])), y[which]))
            optimizer.step()
    return body.eval()


def likelihood(log_prob: Tensor, data: Data) -> dict[str, float]:
    """Minus the mean log-likelihood of the held-out data; of moons also how much better the exact
    density does, which is the KL divergence from it."""
    found = {"nats": -float(log_prob.mean())}
    if data.name == "moons":
        exact = moons_density().log_prob(data.test.x.double())
        found["gap"] = found["nats"] + float(exact.mean())
    return found


def reader(data: Data) -> nn.Module:
    """A small classifier of pictures, trained on the data: pictures to logits."""
    x, y = data.batch(1500, 0)
    assert y is not None, "labels"
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        size, classes = x[0].numel(), data.event.classes
        net = nn.Sequential(
            nn.Flatten(), nn.Linear(size, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, classes)
        )
        optimizer = torch.optim.Adam(net.parameters(), 1e-2)
        for _ in range(100):
            optimizer.zero_grad()
            loss: Tensor = nn.functional.cross_entropy(net(x), y)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return net.eval().requires_grad_(False)


class Cost(NamedTuple):
    """What drawing samples took, and how good they are."""

    steps: int  # 0 where the recipe knows no number of them
    calls: int
    seconds: float
    value: float


def costs(
    draw: Callable[[int], Tensor],
    model: nn.Module,
    steps: Sequence[int],
    of: Callable[[Tensor], tuple[str, float]],
) -> list[Cost]:
    """For each number of steps what ``draw`` with it took, and its measure."""
    found = []
    for number in steps:
        with counted(model) as calls:
            began = time.perf_counter()
            samples = draw(number)
            took = time.perf_counter() - began
        found.append(Cost(number, calls[0], took, of(samples)[1]))
    return found


@contextlib.contextmanager
def counted(model: nn.Module) -> Iterator[list[int]]:
    """How often a network is called: the outermost module that is, not its parts."""
    calls, depth = [0], [0]

    def enter(*_: object) -> None:
        calls[0] += depth[0] == 0
        depth[0] += 1

    def leave(*_: object) -> None:
        depth[0] -= 1

    hooks = [
        handle
        for part in model.modules()
        for handle in (
            part.register_forward_pre_hook(enter),
            part.register_forward_hook(leave, always_call=True),
        )
    ]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def some(data: Data) -> Batch:
    """`count` training samples, each once."""
    indices = next(iter(Order(data.size, count(data), count(data), 0)))
    return data.train.__getitems__(indices)  # type: ignore[attr-defined, no-any-return]


def _of_shapes(data: Data) -> bool:
    return data.event.words == shapes.WORDS


def _share(read: Sequence[object]) -> float:
    return sum(scene is not None for scene in read) / max(1, len(read))
