"""A small world of pictures, clips and captions of them, drawn from a seed, that can be read back.

    train, test = split(0.2, generator=generator)
    x = draw(train[:64], 16, generator=generator)  # (64, 3, 16, 16)
    tokens = tokenise([caption(scene) for scene in train[:64]])
    read(x) == train[:64]

A scene is one thing at a place, "a small red circle at the top left", two things, "a small red
circle left of a large blue square", or, in clips, a thing that moves, grows, shrinks or bounces.
What a generated picture shows is thereby a fact: `read` fits what `draw` draws by least squares,
and says which scene it is, or None where it is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from genmath._base.checks import (
    batched,
    describe,
    finite,
    flag,
    float_dtype,
    instance,
    integer,
    listed,
    one_of,
    real,
    refuse,
    rng,
)
from genmath._base.torch import Float, Int, Tensor, nn, torch

__all__ = [
    "FRAMES",
    "LENGTH",
    "WORDS",
    "Scene",
    "Split",
    "Thing",
    "caption",
    "draw",
    "film",
    "parse",
    "read",
    "scenes",
    "split",
    "tokenise",
]

Pictures = Float[Tensor, "batch 3 side side"]
Clips = Float[Tensor, "batch 3 frames side side"]

FRAMES = 8
SPREAD = 0.03  # how far a thing may stand from its place, of the side, in each direction


class Thing(NamedTuple):
    """One thing: "small" or "large", its colour and its shape, in words."""

    size: str
    colour: str
    shape: str


class Scene(NamedTuple):
    """What a picture or a clip shows; one scene has one form, whatever its caption.

    ``place`` is that of one thing ("top left", "middle", …), what it does in a clip ("growing",
    "moving right", …), or how it stands to the ``other``: "left of" or "above".
    """

    thing: Thing
    place: str
    other: Thing | None = None


class Split(NamedTuple):
    """Scenes to train on, and those kept for the test."""

    train: list[Scene]
    test: list[Scene]


# The words, and what they mean: lengths and places are parts of the side, y points down.

SIZES = {"small": 0.12, "large": 0.2}  # the radius of a circle
COLOURS = {
    "red": (0.85, 0.15, 0.15),
    "green": (0.10, 0.60, 0.25),
    "blue": (0.15, 0.30, 0.90),
    "yellow": (0.95, 0.75, 0.05),
}  # on white
SHAPES = ("circle", "square", "triangle")
LOW, HALF, HIGH = 0.25, 0.5, 0.75
PLACES = {
    "top left": (LOW, LOW), "top": (HALF, LOW), "top right": (HIGH, LOW),
    "left": (LOW, HALF), "middle": (HALF, HALF), "right": (HIGH, HALF),
    "bottom left": (LOW, HIGH), "bottom": (HALF, HIGH), "bottom right": (HIGH, HIGH),
}  # fmt: skip
RELATIONS = {"left of": ("left", "right"), "above": ("top", "bottom")}
TURNED = {"left of": "right of", "above": "below"}
MOTIONS = (
    *("moving right", "moving left", "moving up", "moving down"),
    *("bouncing", "growing", "shrinking"),
)

KOREAN = {
    "small": "작은", "large": "큰",
    "red": "빨간", "green": "초록", "blue": "파란", "yellow": "노란",
    "circle": "원", "square": "네모", "triangle": "세모",
    "top left": "왼쪽 위", "top": "위쪽", "top right": "오른쪽 위",
    "left": "왼쪽", "middle": "가운데", "right": "오른쪽",
    "bottom left": "왼쪽 아래", "bottom": "아래쪽", "bottom right": "오른쪽 아래",
    "left of": "왼쪽", "right of": "오른쪽", "above": "위", "below": "아래",
    "moving right": "오른쪽", "moving left": "왼쪽", "moving up": "위", "moving down": "아래",
    "bouncing": "튄다", "growing": "커진다", "shrinking": "작아진다",
}  # fmt: skip


# Scenes and captions


def scenes(*, clips: bool = False) -> list[Scene]:
    """Every scene of the pictures, 216 of one thing and 1152 of two, or the 144 of the clips.

    What grows is small at first and what shrinks is large.
    """
    things = [Thing(*words) for words in product(SIZES, COLOURS, SHAPES)]
    if flag("clips", clips):
        first = {"growing": "small", "shrinking": "large"}
        moving = product(things, MOTIONS)
        return [Scene(a, does) for a, does in moving if first.get(does, a.size) == a.size]
    alone = [Scene(thing, place) for thing, place in product(things, PLACES)]
    return alone + [Scene(a, how, b) for a, how, b in product(things, RELATIONS, things)]


def caption(scene: Scene, language: str = "en", *, turned: bool = False) -> str:
    """The scene in English, "en", or in Korean, "ko".

    Where there are two things, ``turned`` says the same from the other: "right of" and "below".

    Errors: ValueError for what is no scene of this world, another language, or one thing turned.
    """
    scene = _scene("scene", scene)
    one_of("language", language, ("en", "ko"))
    thing, how, other = scene
    if flag("turned", turned):
        if other is None:
            refuse("turned", turned, "False, where there is one thing")
        thing, how, other = other, TURNED[how], thing
    return _english(thing, how, other) if language == "en" else _korean(thing, how, other)


def _english(thing: Thing, how: str, other: Thing | None) -> str:
    if other is not None:
        return f"a {' '.join(thing)} {how} a {' '.join(other)}"
    where = f"{'in' if how == 'middle' else 'at'} the {how}" if how in PLACES else how
    return f"a {' '.join(thing)} {where}"


def _korean(thing: Thing, how: str, other: Thing | None) -> str:
    one, *beside = (" ".join(KOREAN[word] for word in a) for a in (thing, other) if a is not None)
    subject = _joined(one, "이", "가")
    if beside:
        return f"{subject} {beside[0]} {KOREAN[how]}에 있다"
    if how in PLACES:
        return f"{subject} {KOREAN[how]}에 있다"
    if how.startswith("moving"):
        return f"{subject} {_joined(KOREAN[how], '으로', '로')} 움직인다"
    return f"{subject} {KOREAN[how]}"


def _joined(word: str, closed: str, open_: str) -> str:
    """A word and its particle, which goes by whether the last syllable ends in a consonant; after
    ㄹ "로" stands as after a vowel."""
    final = (ord(word[-1]) - ord("가")) % 28
    return word + (open_ if final == 0 or (final == 8 and open_ == "로") else closed)


@cache
def _captions() -> dict[str, Scene]:
    """Every caption of both languages, turned or not, and what it says."""
    known = {}
    for scene in scenes() + scenes(clips=True):
        for language in ("en", "ko"):
            for turned in (False, True)[: 1 + (scene.other is not None)]:
                known[caption(scene, language, turned=turned)] = scene
    return known


def parse(text: str) -> Scene:
    """The scene that a caption speaks of, in either language.

    Errors: ValueError for a text that is no caption of this world.
    """
    found = _captions().get(text) if isinstance(text, str) else None
    if found is None:
        refuse("text", describe(text), "a caption, such as 'a small red circle at the top left'")
    return found


def _scene(name: str, value: object) -> Scene:
    instance(name, value, Scene, "a Scene, as scenes() has them")
    if value not in _known():
        refuse(name, describe(value), "a Scene of this world, as scenes() has them")
    return value


@cache
def _known() -> frozenset[Scene]:
    return frozenset(scenes() + scenes(clips=True))


SPOKEN = """
a small large red green blue yellow circle square triangle at in the top left right middle bottom
of above below moving up down bouncing growing shrinking
작은 큰 빨간 초록 파란 노란 원이 원 네모가 네모 세모가 세모 왼쪽 오른쪽 위에 아래에
위쪽에 아래쪽에 왼쪽에 오른쪽에 가운데에 있다 왼쪽으로 오른쪽으로 위로 아래로 움직인다
튄다 커진다 작아진다
"""
WORDS = ("", *SPOKEN.split())  # the first is what fills a text up
LENGTH = 10
INDEX = {word: i for i, word in enumerate(WORDS)}


def tokenise(texts: Sequence[str]) -> Int[Tensor, "batch LENGTH"]:
    """The words of each text as integers, their places in `WORDS`, filled up with 0.

    The text of no words, "", is all 0: what a network that is told nothing sees.

    Shapes: (B, `LENGTH`); where it is not 0 is the mask of `genmath.nets.TextEncoder`.
    Errors: ValueError for a word that is not among the `WORDS`, or more than `LENGTH` of them.
    """
    rows = []
    for text in listed("texts", texts, "a list of texts"):
        words = [INDEX.get(word) for word in text.split()] if isinstance(text, str) else [None]
        if len(words) > LENGTH or None in words:
            refuse("texts", describe(text), f"at most {LENGTH} words, each one of WORDS")
        rows.append(words + [0] * (LENGTH - len(words)))
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, LENGTH)


def split(
    share: float = 0.2,
    *,
    together: str = "caption",
    clips: bool = False,
    generator: torch.Generator,
) -> Split:
    """Scenes to train on, and those of words that are never together in any of these.

    ``together`` is what is kept apart, of which a ``share`` is drawn: whole captions, "caption";
    size, colour and shape of one thing, "thing"; or colour and shape, "pair". Test scenes are all
    that have one which was drawn. Each single word stays among the training scenes.

    Errors: ValueError unless share is in (0, 1), or where some word would be in the test alone.
    """
    share = real("share", share, "a number in (0, 1)", 0.0, 1.0)
    one_of("together", together, ("caption", "thing", "pair"))

    def held(scene: Scene) -> list[object]:
        if together == "caption":
            return [scene]
        things = [thing for thing in (scene.thing, scene.other) if thing is not None]
        return [thing if together == "thing" else thing[1:] for thing in things]

    every = scenes(clips=clips)
    units = list(dict.fromkeys(unit for scene in every for unit in held(scene)))
    count = round(share * len(units))
    if not 0 < count < len(units):
        refuse("share", share, f"a share of {len(units)} that is some of them and not all")
    order = torch.randperm(len(units), generator=rng(generator), device=generator.device).tolist()
    apart = {units[i] for i in order[:count]}
    parts = Split([], [])
    for scene in every:
        parts[not apart.isdisjoint(held(scene))].append(scene)
    told = [{word for scene in part for word in caption(scene).split()} for part in parts]
    if not told[1] <= told[0]:
        missing = ", ".join(sorted(told[1] - told[0]))
        refuse("share", share, f"a share that leaves for training {missing}, too")
    return parts


# Pictures


def draw(
    scenes: Sequence[Scene],
    side: int = 16,
    *,
    spread: float = SPREAD,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float32,
) -> Pictures:
    """A picture of each scene, colours in [-1, 1] on white, with smooth edges.

    Each thing is moved from its place by up to ``spread`` of the side, drawn uniformly.

    Shapes: (B, 3, side, side), on the generator's device.
    Errors: ValueError for no scenes, or those of clips; side < 16; a spread outside [0, 0.03],
        with which two things might touch; a missing generator.
    """
    return _painted(scenes, side, spread, generator, dtype, 1)[:, :, 0]


def film(
    scenes: Sequence[Scene],
    side: int = 16,
    *,
    spread: float = SPREAD,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float32,
) -> Clips:
    """A clip of `FRAMES` frames of each scene, as `draw` would draw them.

    Shapes: (B, 3, `FRAMES`, side, side), on the generator's device.
    Errors: as for `draw`; ValueError for scenes of pictures.
    """
    return _painted(scenes, side, spread, generator, dtype, FRAMES)


def _painted(
    which: Sequence[Scene],
    side: int,
    spread: float,
    generator: torch.Generator,
    dtype: torch.dtype,
    frames: int,
) -> Tensor:
    """(B, 3, frames, side, side): two things a scene, the second without ink where there is one."""
    kind = "those of scenes()" if frames == 1 else "those of scenes(clips=True)"
    expected = f"a list of Scenes, {kind}"
    given = [_scene("scenes", scene) for scene in listed("scenes", which, expected)]
    if not given or any((scene.place in MOTIONS) != (frames > 1) for scene in given):
        refuse("scenes", describe(which), expected)
    side, dtype, device = _even(side), float_dtype(dtype), rng(generator).device
    spread = real("spread", spread, f"a number in [0, {SPREAD}]", 0.0, SPREAD)
    told = [_told(scene) for scene in given]
    shape = torch.tensor([[a.shape for a in things] for things in told], device=device)
    ink = torch.tensor([[a.ink for a in things] for things in told], device=device)
    course = torch.tensor([[a.course for a in things] for things in told], device=device)
    moved = torch.rand(len(given), 2, 1, 2, generator=generator, device=device)
    course[..., :2] += spread * (2 * moved - 1)
    covered = _coverage(shape[:, :, None], course, side)  # (B, 2, frames, side, side)
    return (1 - torch.einsum("bkfhw,bkc->bcfhw", covered, ink)).to(dtype)


def _even(side: int) -> int:
    side = integer("side", side, 16, 1024)
    if side % 2:
        refuse("side", side, "an even number, so that each of two things has its half")
    return side


class _Told(NamedTuple):
    shape: int
    ink: tuple[float, ...]  # 1 - colour, in [0, 2]
    course: list[tuple[float, float, float]]  # x, y and radius, one a frame


@cache
def _told(scene: Scene) -> tuple[_Told, _Told]:
    thing, how, other = scene
    if how in MOTIONS:
        told = _Told(SHAPES.index(thing.shape), _ink(thing.colour), _course(thing.size, how))
        return told, told._replace(ink=(0.0, 0.0, 0.0))
    first, second = RELATIONS.get(how, (how, how))
    known = [
        _Told(SHAPES.index(a.shape), _ink(a.colour), [(*PLACES[place], SIZES[a.size])])
        for a, place in ((thing, first), (other or thing, second))
    ]
    return known[0], known[1] if other else known[1]._replace(ink=(0.0, 0.0, 0.0))


def _ink(colour: str) -> tuple[float, ...]:
    return tuple(2 - 2 * c for c in COLOURS[colour])


def _course(size: str, does: str) -> list[tuple[float, float, float]]:
    """Where a thing is in each frame: even motion, and a fall and a rise under gravity."""
    course = []
    for frame in range(FRAMES):
        u = frame / (FRAMES - 1)
        there, back, fall = LOW + u / 2, HIGH - u / 2, LOW + (1 - abs(2 * u - 1)) ** 2 / 2
        grown = SIZES["small"] + u * (SIZES["large"] - SIZES["small"])
        shrunk = SIZES["large"] - u * (SIZES["large"] - SIZES["small"])
        x = {"moving right": there, "moving left": back}.get(does, HALF)
        y = {"moving down": there, "moving up": back, "bouncing": fall}.get(does, HALF)
        course.append((x, y, {"growing": grown, "shrinking": shrunk}.get(does, SIZES[size])))
    return course


def _coverage(shape: Tensor, course: Tensor, side: int) -> Tensor:
    """How much of each pixel a thing covers, by its distance to the edge: (…, side, side).

    ``course`` (…, 3) is x, y and radius. A square has the area of the circle, a triangle stands on
    a side as long as it is high.
    """
    at = (torch.arange(side, dtype=course.dtype, device=course.device) + 0.5) / side
    x, y, r = (c[..., None, None] for c in course.unbind(-1))
    dx, dy = (at - x).abs(), at[:, None] - y
    circle = torch.hypot(dx, dy) - r
    square = torch.maximum(dx, dy.abs()) - math.sqrt(math.pi) / 2 * r
    high = 1.05 * r
    triangle = torch.maximum(dy - high, (2 * dx - dy - high) / math.sqrt(5))
    which = shape[..., None, None]
    distance = torch.where(which == 0, circle, torch.where(which == 1, square, triangle))
    return (0.5 - side * distance).clamp(0, 1)


# Reading


def read(x: Pictures | Clips) -> list[Scene | None]:
    """The scene that each picture or clip shows, None where it shows none of this world.

    Things are fitted by least squares, with position, radius and colour free: one in the whole
    picture, one in each half, left and right, above and below. The best of what has a name is the
    answer, if it leaves little of the picture unexplained. Without gradients, in float32.

    Shapes: (B, 3, side, side) or (B, 3, `FRAMES`, side, side), side >= 16.
    Errors: ValueError for other shapes, or values that are not finite.
    """
    shape = batched("x", x).shape
    fits = len(shape) in (4, 5) and shape[1] == 3 and shape[-1] == shape[-2] >= 16
    if not fits or (len(shape) == 5 and shape[2] != FRAMES):
        wanted = f"(B, 3, side, side) or (B, 3, {FRAMES}, side, side), side >= 16"
        refuse("x", describe(x), f"shape {wanted}")
    with torch.no_grad():
        ink = 1 - finite("x", x.detach()).float()
        frames = ink if ink.ndim == 5 else ink[:, :, None]
        if shape[-1] % 16 == 0:  # enough to tell all that there is, and noise is less
            frames = nn.functional.avg_pool3d(frames, (1, shape[-1] // 16, shape[-1] // 16))
        reader, size = (_read_pictures, 32) if ink.ndim == 4 else (_read_clips, 16)
        return [scene for chunk in torch.split(frames, size) for scene in reader(chunk)]


# What still counts as named; measured in tests/test_shapes.py.
UNEXPLAINED = 0.02  # of the ink, beyond white noise: what the fits may leave
AHEAD = 0.01  # of the ink: by how much the best shape must leave less than the next
NEAR = 0.07  # between a thing and its place, in each direction, as a part of the side
ROUND = 0.16  # between the logarithms of two radii; those of the two sizes differ by 0.51
SHADE = 0.6  # between two colours in [-1, 1]³; the nearest two of ours differ by 1.23
ITERATIONS = 6


def _read_pictures(ink: Tensor) -> list[Scene | None]:
    """Five windows, the whole and four halves; three layouts, of one thing or of two."""
    ink, side = ink[:, :, 0], ink.shape[-1]
    windows = torch.ones(5, side, side, device=ink.device)
    for i, rows, columns in ((1, 0, 1), (2, 0, -1), (3, 1, 0), (4, -1, 0)):  # what is not looked at
        half = {0: slice(None), 1: slice(side // 2, None), -1: slice(None, side // 2)}
        windows[i, half[rows], half[columns]] = 0
    fit = _best(_fit(ink[:, None], windows))
    layouts: list[tuple[str, tuple[int, ...]]] = [
        ("", (0,)), ("left of", (1, 2)), ("above", (3, 4)),
    ]  # fmt: skip
    left = torch.stack(
        [_unexplained(ink, fit.drawn[:, list(of)].sum(1)) for _, of in layouts], 1
    ).tolist()
    shapes, inks, courses = fit.shape.tolist(), fit.ink.tolist(), fit.course.tolist()
    sure = (fit.error > AHEAD).tolist()
    said: list[Scene | None] = []
    for b, amounts in enumerate(left):
        found: list[tuple[float, Scene]] = []
        for amount, (how, of) in zip(amounts, layouts, strict=True):
            seen = [_named(shapes[b][i], inks[b][i], courses[b][i]) for i in of]
            wanted = RELATIONS[how] if how else (seen[0][1],)
            named = [thing for thing, place in seen if thing is not None and place is not None]
            if (
                len(named) == len(of)
                and all(sure[b][i] for i in of)
                and [place for _, place in seen] == list(wanted)
            ):
                place = how or str(seen[0][1])
                found.append((amount, Scene(named[0], place, *named[1:])))
        amount, scene = min(found, default=(math.inf, None), key=lambda pair: pair[0])
        said.append(scene if amount <= UNEXPLAINED else None)
    return said


def _named(shape: int, ink: list[float], course: list[float]) -> tuple[Thing | None, str | None]:
    """The thing that a fit is, and the place where it is, each None if it has no name."""
    x, y, r = course
    colour, size = _colour(ink), min(SIZES, key=lambda word: abs(math.log(r / SIZES[word])))
    place = min(PLACES, key=lambda word: math.dist((x, y), PLACES[word]))
    if max(abs(x - PLACES[place][0]), abs(y - PLACES[place][1])) > NEAR:
        return None, None
    if colour is None or abs(math.log(r / SIZES[size])) > ROUND:
        return None, place
    return Thing(size, colour, SHAPES[shape]), place


def _colour(ink: list[float]) -> str | None:
    near = min(COLOURS, key=lambda word: math.dist(ink, _ink(word)))
    return near if math.dist(ink, _ink(near)) <= SHADE else None


def _read_clips(ink: Tensor) -> list[Scene | None]:
    """One shape and one colour in all frames, and the course of size and motion that is nearest."""
    batch, side = len(ink), ink.shape[-1]
    each = ink.transpose(1, 2).flatten(0, 1)
    fit = _fit(each[:, None], torch.ones(1, side, side, device=ink.device))
    fit = _Fit(
        *(part.reshape(batch, FRAMES, *part.shape[2:]).transpose(1, 2) for part in fit)
    )  # (B, shapes, frames, …)
    fit = _best(fit._replace(error=fit.error.sum(2, keepdim=True).expand_as(fit.error)), 1)
    left = _unexplained(each, fit.drawn.flatten(0, 1)).reshape(batch, FRAMES)
    motions = _motions()
    courses = torch.tensor([_course(size, does) for size, does in motions], device=ink.device)
    course = fit.course[:, None]  # (B, 1, frames, 3) against (K, frames, 3)
    apart = course - courses
    shift = apart[..., :2].mean(2, keepdim=True)
    moved = (apart[..., :2] - shift).abs().amax((2, 3)), shift.abs().amax((2, 3))
    grown = (course[..., 2] / courses[..., 2]).log().abs().amax(2)
    cost = torch.maximum(torch.maximum(*moved) / NEAR, grown / ROUND)
    amount, which = cost.min(1)
    said: list[Scene | None] = []
    for b in range(batch):
        colours = {_colour(one) for one in fit.ink[b].tolist()}
        colour = colours.pop()
        if colours or colour is None or amount[b] > 1 or left[b].amax() > UNEXPLAINED:
            said.append(None)
            continue
        size, does = motions[int(which[b])]
        said.append(Scene(Thing(size, colour, SHAPES[int(fit.shape[b, 0])]), does))
    return said


def _motions() -> list[tuple[str, str]]:
    """The sizes and motions of clips, each pair once."""
    return list(dict.fromkeys((scene.thing.size, scene.place) for scene in scenes(clips=True)))


class _Fit(NamedTuple):
    """Fits of each shape, or of the best one: any dimensions, then these."""

    shape: Tensor  # ()
    course: Tensor  # (3,), x, y and radius
    ink: Tensor  # (3,)
    drawn: Tensor  # (3, side, side), the ink of what is fitted
    error: Tensor  # ()


def _fit(ink: Tensor, window: Tensor) -> _Fit:
    """Each shape fitted to the ink in each window: Gauss and Newton's least squares.

    The colour that fits best is linear in the coverage, and projected out at each step. The first
    guess is that of the moments.

    Shapes: ink (B, 1, 3, side, side), window (W, side, side); fits (B, W, shapes, …).
    """
    side = ink.shape[-1]
    seen = (ink * window[:, None])[:, :, None]  # (B, W, 1, 3, side, side)
    shape = torch.arange(len(SHAPES), device=ink.device)
    course = _guess(seen.sum(3))
    step = 0.25 / side
    steps = step * torch.eye(3, device=ink.device)[:, None, None, None]
    for _ in range(ITERATIONS):
        covered = _coverage(shape, course, side)
        slopes = _coverage(shape, course + steps, side) - _coverage(shape, course - steps, side)
        slopes = (slopes / (2 * step) * window[:, None]).flatten(-2).movedim(0, -2)
        a = (covered * window[:, None]).flatten(-2).unsqueeze(-2)
        v, amount = _ink_of(a.reshape(*a.shape[:-1], side, side), seen)
        wanted = (v[..., None, None] * seen).sum(-3).flatten(-2).unsqueeze(-2)
        wanted = wanted / v.square().sum(-1)[..., None, None].clamp(min=1e-6)
        slopes = slopes - a * (slopes @ a.mT) / amount[..., None, None]
        gram, pull = slopes @ slopes.mT, slopes @ (wanted - a).mT
        damped = 1e-3 * gram.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None] + 1e-6
        move = torch.linalg.solve(gram + damped * torch.eye(3, device=ink.device), pull)
        course = course + move.squeeze(-1).clamp(-0.1, 0.1)
        course = torch.cat([course[..., :2].clamp(0, 1), course[..., 2:].clamp(0.05, 0.35)], -1)
    covered = _coverage(shape, course, side) * window[:, None]
    v, _ = _ink_of(covered.unsqueeze(-3), seen)
    drawn = v[..., None, None] * covered.unsqueeze(-3)
    error = (seen - drawn).square().sum((-3, -2, -1))
    return _Fit(shape.expand(error.shape), course, v, drawn, error)


def _ink_of(covered: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The ink that explains most of what is seen, and the square of the coverage."""
    amount = covered.square().sum((-3, -2, -1)).clamp(min=1e-6)
    return (covered * seen).sum((-2, -1)) / amount.unsqueeze(-1), amount


def _guess(amount: Tensor) -> Tensor:
    """x, y and radius of each shape by the moments of the ink: (B, W, 1, side, side) to
    (B, W, shapes, 3)."""
    side = amount.shape[-1]
    m = (amount - 0.4).clamp(min=0)
    at = (torch.arange(side, device=m.device) + 0.5) / side
    total = m.sum((-2, -1)).clamp(min=1e-6)
    x, y = (m.sum(-2) @ at) / total, (m.sum(-1) @ at) / total
    area = total**2 / m.square().sum((-2, -1)).clamp(min=1e-6) / side**2
    # areas of the circle, the square and the triangle of radius 1, and how low their centres lie
    r = (area / m.new_tensor([math.pi, math.pi, 2 * 1.05**2])).sqrt().clamp(0.05, 0.35)
    return torch.stack([x.expand_as(r), y - m.new_tensor([0, 0, 0.35]) * r, r], -1)


def _best(fit: _Fit, dim: int = 2) -> _Fit:
    """Of the shapes, in dimension dim, that whose error is least; its error is then by how much
    less it leaves than the next, as a share of its ink."""
    least, which = fit.error.sort(dim)
    ahead = (least.narrow(dim, 1, 1) - least.narrow(dim, 0, 1)).expand_as(fit.error)
    ink = fit.drawn.square().sum((-3, -2, -1)).clamp(min=1e-6)
    fit, which = fit._replace(error=ahead / ink), which.narrow(dim, 0, 1)
    parts = []
    for part in fit:
        index = which.reshape(*which.shape, *[1] * (part.ndim - which.ndim))
        parts.append(part.take_along_dim(index, dim).squeeze(dim))
    return _Fit(*parts)


def _unexplained(ink: Tensor, drawn: Tensor) -> Tensor:
    """The share of the ink that a drawing leaves, (B,), without what white noise would leave.

    A mean of nine pixels keeps a ninth of the energy of white noise, and more of a wrong shape.
    """

    def energy(x: Tensor) -> Tensor:
        return x.square().sum((1, 2, 3))

    def smooth(x: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(x, 3, 1, padding=1)

    left = ink - drawn
    return (energy(smooth(left)) - energy(left) / 9) / energy(smooth(drawn)).clamp(min=1e-6)
