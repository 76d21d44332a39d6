"""Every scene of the small world is read back from its picture; nonsense is read as nothing."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import conv2d, pad

from genmath import shapes
from genmath.nets import TextEncoder
from genmath.shapes import (
    FRAMES,
    LENGTH,
    WORDS,
    Scene,
    Thing,
    caption,
    draw,
    film,
    parse,
    read,
    scenes,
    split,
    tokenise,
)

PICTURES, CLIPS = scenes(), scenes(clips=True)
ALONE = [scene for scene in PICTURES if scene.other is None]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some(n: int, of: list[Scene] = PICTURES, seed: int = 0) -> list[Scene]:
    return [of[i] for i in torch.randint(len(of), (n,), generator=rng(seed)).tolist()]


def noisy(x: torch.Tensor, std: float) -> torch.Tensor:
    return x + std * torch.randn(x.shape, generator=rng(1))


def blurred(x: torch.Tensor, std: float) -> torch.Tensor:
    """By a normal law of that deviation, in pixels."""
    weight = torch.exp(-(torch.arange(-4, 5.0) ** 2) / (2 * std**2))
    weight = weight / weight.sum()
    y = pad(x.flatten(0, 1).unsqueeze(1), (4, 4, 4, 4), mode="replicate")
    y = conv2d(conv2d(y, weight.view(1, 1, 1, -1)), weight.view(1, 1, -1, 1))
    return y.view(x.shape)


# Scenes and captions


def test_the_grammar_has_as_many_scenes_as_it_says() -> None:
    assert len(set(PICTURES)) == len(PICTURES) == 216 + 1152
    assert len(set(CLIPS)) == len(CLIPS) == 144
    assert not {*PICTURES} & {*CLIPS}


def test_captions_are_what_one_would_say() -> None:
    red, blue = Thing("small", "red", "circle"), Thing("large", "blue", "square")
    green = Thing("small", "green", "triangle")
    two, above = Scene(red, "left of", blue), Scene(blue, "above", green)
    assert caption(two) == "a small red circle left of a large blue square"
    assert caption(two, turned=True) == "a large blue square right of a small red circle"
    assert caption(two, "ko") == "작은 빨간 원이 큰 파란 네모 왼쪽에 있다"
    assert caption(two, "ko", turned=True) == "큰 파란 네모가 작은 빨간 원 오른쪽에 있다"
    assert caption(above, "ko") == "큰 파란 네모가 작은 초록 세모 위에 있다"
    assert caption(above, turned=True) == "a small green triangle below a large blue square"
    assert caption(Scene(red, "middle")) == "a small red circle in the middle"
    assert caption(Scene(red, "top left")) == "a small red circle at the top left"
    assert caption(Scene(green, "top left"), "ko") == "작은 초록 세모가 왼쪽 위에 있다"
    assert caption(Scene(red, "moving up")) == "a small red circle moving up"
    assert caption(Scene(red, "moving up"), "ko") == "작은 빨간 원이 위로 움직인다"
    assert caption(Scene(blue, "moving left"), "ko") == "큰 파란 네모가 왼쪽으로 움직인다"
    assert caption(Scene(blue, "shrinking"), "ko") == "큰 파란 네모가 작아진다"


@pytest.mark.parametrize(
    ("word", "subject", "towards"),
    [("원", "원이", "원으로"), ("네모", "네모가", "네모로"), ("별", "별이", "별로")],
)
def test_a_particle_goes_by_the_last_syllable(word: str, subject: str, towards: str) -> None:
    assert shapes._joined(word, "이", "가") == subject
    assert shapes._joined(word, "으로", "로") == towards


def test_every_caption_says_one_scene_in_both_languages() -> None:
    said: dict[str, Scene] = {}
    for scene in PICTURES + CLIPS:
        for language, turned in itertools.product(("en", "ko"), (False, True)):
            if turned and scene.other is None:
                continue
            text = caption(scene, language, turned=turned)
            assert parse(text) == scene
            assert said.setdefault(text, scene) == scene
            assert parse(caption(parse(text), "en" if language == "ko" else "ko")) == scene
    assert len(said) == 2 * (2 * 1152 + 216 + 144)


def test_tokens_are_words_and_can_be_read_by_a_text_encoder() -> None:
    texts = list(shapes._captions())
    tokens = tokenise(texts)
    assert tokens.shape == (len(texts), LENGTH)
    assert [" ".join(WORDS[i] for i in row if i) for row in tokens.tolist()] == texts
    assert len(set(WORDS)) == len(WORDS)
    assert set(tokens.unique().tolist()) == set(range(len(WORDS)))  # none is idle
    assert max(len(text.split()) for text in texts) == LENGTH
    assert tokenise(["", "a"]).tolist() == [[0] * LENGTH, [1] + [0] * (LENGTH - 1)]
    encoded = TextEncoder(len(WORDS), 8, 1, 2, generator=rng())(tokens[:3], tokens[:3] != 0)
    assert encoded.tokens.shape == (3, LENGTH, 8)


@pytest.mark.parametrize("clips", [False, True])
@pytest.mark.parametrize("together", ["caption", "thing", "pair"])
def test_what_is_held_out_is_never_together_in_training(together: str, clips: bool) -> None:
    train, test = split(0.2, together=together, clips=clips, generator=rng())
    every = scenes(clips=clips)
    assert {*train, *test} == {*every}
    assert len(train) + len(test) == len(every)
    cut = {"caption": lambda thing: (), "thing": tuple, "pair": lambda thing: thing[1:]}[together]

    def units(part: list[Scene]) -> set[tuple[str, ...]]:
        return {cut(a) for s in part for a in (s.thing, s.other) if a is not None}

    if together == "caption":
        assert len(test) == round(0.2 * len(every))
    else:
        apart = units(every) - units(train)
        assert len(apart) == round(0.2 * len(units(every)))
        assert all(units([scene]) & apart for scene in test)
    words = [{w for scene in part for w in caption(scene).split()} for part in (train, test)]
    assert words[1] <= words[0]
    assert split(0.2, together=together, clips=clips, generator=rng()) == (train, test)
    assert split(0.2, together=together, clips=clips, generator=rng(1)) != (train, test)


# Pictures


@pytest.mark.parametrize("side", [16, 20, 32])
def test_a_thing_covers_its_area_on_white(side: int) -> None:
    x = draw(ALONE, side, generator=rng(), dtype=torch.float64)
    assert x.shape == (len(ALONE), 3, side, side)
    assert x.dtype == torch.float64
    assert float(x.max()) == 1
    assert float(x.min()) >= -1
    for picture, scene in zip(x, ALONE, strict=True):
        colour, r = shapes.COLOURS[scene.thing.colour], shapes.SIZES[scene.thing.size]
        area = {"triangle": 2 * (1.05 * r) ** 2}.get(scene.thing.shape, math.pi * r**2)
        ink = (1 - picture).mean((1, 2))
        near = 0.15 if scene.thing.shape == "triangle" else 0.08  # sharp corners are rounded up
        assert ink.tolist() == pytest.approx([area * (2 - 2 * c) for c in colour], rel=near)


def test_a_scene_of_two_is_its_two_things() -> None:
    for scene in some(40, [s for s in PICTURES if s.other is not None]):
        assert scene.other is not None
        first, second = shapes.RELATIONS[scene.place]
        parts = [Scene(scene.thing, first), Scene(scene.other, second)]
        whole, one, other = (draw([s], spread=0.0, generator=rng())[0] for s in [scene, *parts])
        assert torch.allclose(1 - whole, (1 - one) + (1 - other), atol=1e-6)


def test_a_seed_is_a_picture_and_spread_moves_things() -> None:
    which = some(20)
    x = draw(which, generator=rng())
    assert torch.equal(x, draw(which, generator=rng()))
    assert (x != draw(which, generator=rng(1))).flatten(1).any(1).all()
    still = draw(which, spread=0.0, generator=rng())
    assert torch.equal(still, draw(which, spread=0.0, generator=rng(1)))
    assert (x - still).flatten(1).abs().amax(1).max() > 0.3


def test_in_a_clip_a_thing_does_what_is_said() -> None:
    """The centre of the ink, and how much of it there is, from the first frame to the last."""
    for scene in CLIPS:
        ink = (1 - film([scene], 32, spread=0.0, generator=rng(), dtype=torch.float64)[0]).sum(0)
        at = (torch.arange(32, dtype=torch.float64) + 0.5) / 32
        total = ink.sum((1, 2))
        x, y = (ink.sum(1) @ at) / total, (ink.sum(2) @ at) / total
        dx, dy = (float(c[-1] - c[0]) for c in (x, y))
        grown = float(total[-1] / total[0])
        much = (0.2 / 0.12) ** 2
        expected = {
            "moving right": (0.5, 0, 1), "moving left": (-0.5, 0, 1), "moving down": (0, 0.5, 1),
            "moving up": (0, -0.5, 1), "bouncing": (0, 0, 1), "growing": (0, 0, much),
            "shrinking": (0, 0, 1 / much),
        }[scene.place]  # fmt: skip
        assert (dx, dy, grown) == pytest.approx(expected, rel=0.03, abs=0.03)
        fallen = float(y.max() - y[0])
        assert (fallen > 0.3) == (scene.place in ("bouncing", "moving down"))


# Reading


def test_every_scene_is_read_from_its_picture() -> None:
    assert read(draw(PICTURES, generator=rng())) == PICTURES


def test_every_clip_is_read() -> None:
    assert read(film(CLIPS, generator=rng())) == CLIPS


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(PICTURES), min_size=1, max_size=6),
    st.sampled_from([16, 18, 24, 32, 48]),
    st.sampled_from([torch.float64, torch.float32, torch.bfloat16]),
    st.integers(0, 10**6),
)
def test_any_pictures_of_any_size_are_read(which, side, dtype, seed) -> None:
    x = draw(which, side, generator=rng(seed), dtype=dtype)
    assert read(x) == which
    texts = [caption(scene, "ko") for scene in which]
    assert [parse(text) for text in texts] == read(x)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.sampled_from(CLIPS), min_size=1, max_size=3),
    st.sampled_from([16, 24, 32]),
    st.integers(0, 10**6),
)
def test_any_clips_of_any_size_are_read(which, side, seed) -> None:
    assert read(film(which, side, generator=rng(seed))) == which


def test_a_picture_is_read_alone_as_among_others() -> None:
    which = some(70, seed=3)
    x = noisy(draw(which, generator=rng()), 0.25)
    assert read(x) == [read(x[i : i + 1])[0] for i in range(70)]
    assert read(x[:0]) == []


# What is measured: how much blur (in pixels of 16) and noise (of the range [-1, 1]) is borne, and
# that what is beyond is read as nothing rather than as something else.
@pytest.mark.parametrize(
    ("blur", "noise", "right"),
    [(0.3, 0.0, 1.0), (0.5, 0.0, 0.99), (0.0, 0.1, 1.0), (0.0, 0.2, 0.98), (0.5, 0.1, 0.96)],
)
def test_a_little_blur_and_noise_do_not_matter(blur: float, noise: float, right: float) -> None:
    which = some(200, seed=5)
    x = draw(which, generator=rng())
    got = read(noisy(blurred(x, blur) if blur else x, noise))
    assert sum(a == b for a, b in zip(got, which, strict=True)) >= right * len(which)
    assert sum(a not in (None, b) for a, b in zip(got, which, strict=True)) == 0


@pytest.mark.parametrize("blur", [0.7, 1.0, 1.5])
def test_what_is_too_blurred_is_not_guessed(blur: float) -> None:
    which = some(200, seed=5)
    got = read(blurred(draw(which, generator=rng()), blur))
    assert sum(a not in (None, b) for a, b in zip(got, which, strict=True)) <= 1
    assert got.count(None) > 50


def test_clips_bear_noise() -> None:
    which = some(40, CLIPS)
    assert read(noisy(film(which, generator=rng()), 0.1)) == which


def nonsense() -> dict[str, torch.Tensor]:
    g = rng()
    x = draw(ALONE, generator=g)
    stray = x.clone()
    stray[:, :, 6:10, 13:] = -1.0  # black, at the right
    return {
        "uniform": 2 * torch.rand(200, 3, 16, 16, generator=g) - 1,
        "normal": torch.randn(200, 3, 16, 16, generator=g),
        "plain": torch.linspace(-1, 1, 9).view(9, 1, 1, 1).expand(9, 3, 16, 16),
        "white with noise": 1 + 0.1 * torch.randn(100, 3, 16, 16, generator=g),
        "stripes": torch.where(torch.arange(16) % 4 < 2, 1.0, -1.0).expand(1, 3, 16, 16),
        "pale": (x + 1) / 2,
        "upside down in colour": -x,
        "grey": x.mean(1, keepdim=True).expand_as(x),
        "two over one another": (x + x.roll(37, 0)) / 2,
        "a black block beside": stray,
    }


@pytest.mark.parametrize("kind", nonsense())
def test_nonsense_is_read_as_nothing(kind: str) -> None:
    assert set(read(nonsense()[kind])) == {None}


@pytest.mark.parametrize("side", [16, 32])
def test_half_a_thing_is_hardly_ever_read_as_one(side: int) -> None:
    """At 16 pixels half of a small square comes near to a small triangle."""
    which = [Scene(s.thing, "middle") for s in ALONE[::9]]
    x, half = draw(which, side, spread=0.0, generator=rng()), side // 2
    wrong = 0
    for rows, columns in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        y, part = x.clone(), {0: slice(None), 1: slice(half, None), -1: slice(None, half)}
        y[:, :, part[rows], part[columns]] = 1.0
        wrong += len(which) - read(y).count(None)
    assert wrong <= 0.05 * 4 * len(which)


def test_a_clip_that_does_two_things_is_read_as_none() -> None:
    which = [s for s in CLIPS if s.place in ("moving right", "moving down", "growing")]
    x = film(which, spread=0.0, generator=rng())
    half = FRAMES // 2
    assert set(read(torch.cat([x[:, :, :half], x[:, :, :half].flip(2)], 2))) == {None}
    other = x.roll(1, 0)  # its second half is another scene's
    assert set(read(torch.cat([x[:, :, :half], other[:, :, half:]], 2))) == {None}
    x[:, :, 3] = 1.0  # gone in one frame
    assert set(read(x)) == {None}


def test_one_frame_may_spoil_a_clip() -> None:
    which = [s for s in CLIPS if s.place == "moving down"]
    x = film(which, spread=0.0, generator=rng())
    assert read(x) == which
    stray = x.clone()
    stray[:, :, 3, 6:10, 13:] = 0.4  # too little to matter in the mean of the frames
    assert set(read(stray)) == {None}
    at = {scene: i for i, scene in enumerate(which)}
    turned = [s.thing._replace(colour="blue" if s.thing.colour == "red" else "red") for s in which]
    other = x[[at[s._replace(thing=t)] for s, t in zip(which, turned, strict=True)]]
    assert set(read(torch.cat([x[:, :, :4], other[:, :, 4:]], 2))) == {None}  # another colour


def test_many_pixels_bear_more_noise() -> None:
    which = some(40, seed=5)
    got = read(noisy(draw(which, 64, generator=rng()), 0.6))
    assert sum(a == b for a, b in zip(got, which, strict=True)) >= 38


def test_a_thing_between_places_sizes_or_colours_has_no_name() -> None:
    ink, there = list(shapes._ink("red")), (0.5, 0.5, 0.12)
    assert shapes._named(0, ink, there) == (RED, "middle")
    for x, y in ((0.56, 0.44), (0.56, 0.5), (0.5, 0.56)):
        assert shapes._named(0, ink, (x, y, 0.12))[1] == "middle"
    for x, y in ((0.58, 0.5), (0.5, 0.42), (0.375, 0.5)):
        assert shapes._named(0, ink, (x, y, 0.12)) == (None, None)
    for r in (0.10, 0.155, 0.24):
        assert shapes._named(0, ink, (0.5, 0.5, r)) == (None, "middle")
    between = [(a + b) / 2 for a, b in zip(ink, shapes._ink("blue"), strict=True)]
    for colour in (between, [0.0, 0.0, 0.0], [2.0, 2.0, 2.0]):
        assert shapes._named(0, colour, there) == (None, "middle")


# What is refused


RED = Thing("small", "red", "circle")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("scene", lambda: caption(Scene(RED, "somewhere"))),
        ("scene", lambda: caption(Scene(RED, "left of"))),
        ("scene", lambda: caption((RED, "middle", None))),
        ("language", lambda: caption(Scene(RED, "middle"), "fr")),
        ("turned", lambda: caption(Scene(RED, "middle"), turned=True)),
        ("text", lambda: parse("a small red circle")),
        ("text", lambda: parse("작은 빨간 원가 가운데에 있다")),
        ("texts", lambda: tokenise(["a purple circle"])),
        ("texts", lambda: tokenise([" ".join(["a"] * (LENGTH + 1))])),
        ("texts", lambda: tokenise("a small red circle")),
        ("share", lambda: split(0.0, generator=rng())),
        ("share", lambda: split(1.0, generator=rng())),
        ("share", lambda: split(0.95, together="pair", generator=rng())),
        ("together", lambda: split(0.2, together="colour", generator=rng())),
        ("generator", lambda: split(0.2, generator=None)),
        ("scenes", lambda: draw([], generator=rng())),
        ("scenes", lambda: draw(CLIPS[:1], generator=rng())),
        ("scenes", lambda: film(PICTURES[:1], generator=rng())),
        ("side", lambda: draw(PICTURES[:1], 15, generator=rng())),
        ("side", lambda: draw(PICTURES[:1], 17, generator=rng())),
        ("spread", lambda: draw(PICTURES[:1], spread=0.04, generator=rng())),
        ("dtype", lambda: draw(PICTURES[:1], dtype=torch.int64, generator=rng())),
        ("x", lambda: read(torch.ones(1, 3, 16, 18))),
        ("x", lambda: read(torch.ones(1, 3, 7, 16, 16))),
        ("x", lambda: read(torch.ones(1, 1, 16, 16))),
        ("x", lambda: read(torch.full((1, 3, 16, 16), torch.nan))),
    ],
)
def test_what_is_wrong_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*expected "):
        call()
