"""A reader checks derivations in the page: what is right, what is wrong, what never ends.

A checker takes seconds to start, so two pages serve most tests; before each they are as new.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from genmath import book
from genmath.cli import exercises
from tests.site import axe
from tests.site.conftest import DESK, PATIENCE, PHONE, Visits
from tests.site.pages import some_topics
from tests.site.test_browser import RAW, too_wide

pytestmark = pytest.mark.xdist_group("editor")  # one worker, or both would start checkers
SLIP = ("KL(q(z | x), p(z))", "KL(p(z), q(z | x))")
AS_NEW = """() => {
  for (const editor of document.querySelectorAll(".editor")) {
    const [check, stop, again] = editor.querySelectorAll("button");
    again.click();
  }
  document.querySelectorAll("details.try").forEach(fold => fold.open = false);
}"""


@pytest.fixture(scope="module")
def visits(desk: BrowserContext, base_url: str) -> Iterator[Visits]:
    visits = Visits(desk, base_url)
    yield visits
    visits.end()


@pytest.fixture(scope="module")
def chapter_page(visits: Visits) -> Page:
    return visits("derivations/vae/")


@pytest.fixture(scope="module")
def own_page(visits: Visits) -> Page:
    return visits("start/yours/")


def as_new(page: Page, visits: Visits) -> Iterator[Page]:
    visits.complaints.clear()
    page.evaluate(AS_NEW)
    yield page
    assert visits.complaints == []


@pytest.fixture
def chapter(chapter_page: Page, visits: Visits) -> Iterator[Page]:
    yield from as_new(chapter_page, visits)


@pytest.fixture
def yours(own_page: Page, visits: Visits) -> Iterator[Page]:
    yield from as_new(own_page, visits)


def editor_of(page: Page, name: str) -> Locator:
    section = page.locator(f"section[data-check='{name}']")
    section.locator("details.try > summary").click()
    return section.locator(".editor")


def check(editor: Locator) -> Locator:
    """Press the button, wait for the end, and return the line that says how it ended."""
    button = editor.get_by_role("button", name="Check")
    button.click()
    expect(button).to_be_enabled()
    return editor.get_by_role("status")


def edit(editor: Locator, old: str, new: str) -> None:
    text = editor.locator("textarea").input_value()
    assert old in text
    editor.locator("textarea").fill(text.replace(old, new))


def test_a_derivation_of_the_book_is_proved_in_the_page(chapter: Page) -> None:
    editor = editor_of(chapter, "vae.elbo")
    expect(check(editor)).to_contain_text("As claimed: proved. 6 steps: 6 proved.")
    expect(editor.locator(".tag")).to_have_text(["proved"] * 6)
    assert editor.locator(".found .katex-html").first.bounding_box()["width"] > 20
    expect(editor.locator(".assumed")).to_contain_text("< ∞")


WORDS = """all => all.map(each => {
  const copy = each.cloneNode(true);
  copy.querySelectorAll(".katex").forEach(formula => formula.remove());
  return copy.textContent;
})"""


def test_reasons_are_typeset_as_on_the_page(visit: Visits) -> None:
    page = visit("derivations/gan/")
    editor = editor_of(page, "gan.optimal_discriminator")
    expect(check(editor)).to_contain_text("As claimed: proved.")
    reasons = editor.locator(".by")
    assert reasons.locator(".katex-html").count() > 0
    assert [words for words in reasons.evaluate_all(WORDS) if re.search(RAW, words)] == []
    area = editor.locator("textarea")
    reason = re.search(r'by="[^"]*"', area.input_value())
    assert reason
    edit(editor, reason[0], 'by="`p.q` and <b>$x < \\\\frac$</b>"')  # TeX of the reader's own
    expect(check(editor)).to_contain_text("As claimed: proved.")
    expect(reasons.first).to_contain_text(r"p.q and <b>$x < \frac$</b>")
    expect(reasons.first.locator("code")).to_have_text("p.q")


def test_a_second_check_loads_nothing(chapter: Page) -> None:
    """So it is as fast as the checker; benchmarks/in_page.py says how fast that is."""
    editor = editor_of(chapter, "vae.elbo")
    check(editor)
    loaded: list[str] = []
    chapter.on("request", lambda request: loaded.append(request.url))
    chapter.on("worker", lambda worker: loaded.append(worker.url))
    expect(check(editor)).to_contain_text("As claimed: proved.")
    assert loaded == []


def test_a_sign_that_is_wrong_is_refuted_with_its_counterexample(chapter: Page) -> None:
    editor = editor_of(chapter, "vae.decomposition")
    edit(editor, "q(z | x))) + KL", "q(z | x))) - KL")
    expect(check(editor)).to_contain_text("Not as claimed. 2 steps: 2 refuted.")
    why = editor.locator(".why").first
    expect(why).to_contain_text("counterexample: lhs = ")
    expect(why).to_contain_text("p_θ(x, z):")
    editor.get_by_role("button", name="Start over").click()
    expect(check(editor)).to_contain_text("As claimed: proved.")
    expect(editor.locator(".why")).to_have_count(0)


def test_the_line_that_is_refuted_is_marked_and_named(chapter: Page) -> None:
    editor = editor_of(chapter, "vae.elbo")
    edit(editor, "KL(q(z | x), p(z)), by", "KL(q(z | x), p(x)), by")
    expect(check(editor)).to_contain_text("Not as claimed")
    lines = editor.locator("textarea").input_value().split("\n")
    at = next(n for n, line in enumerate(lines, 1) if "p(x)), by" in line)
    expect(editor.locator(MARKED).filter(has_text=lines[at - 1])).to_have_count(1)
    expect(editor.locator(MARKED)).to_have_count(2)  # and where the equality is claimed
    expect(editor.locator(".by").filter(has_text="product rule")).to_contain_text(
        f"refuted line {at}: product rule"
    )
    edit(editor, "p(x)), by", "p(z)), by")  # of the new text nothing is known
    expect(editor.locator(MARKED)).to_have_count(0)


def test_the_editor_comes_when_it_is_wanted(visit: Visits) -> None:
    page = visit("derivations/vae/", viewport=DESK)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload(wait_until="networkidle")
    assert [
        url for url in asked if "/prism/" in url or url.endswith(("editor.js", "worker.js"))
    ] == []
    editor_of(page, "vae.elbo").wait_for()
    assert [url for url in asked if "/prism/" in url]
    left_while_loading(visit)


LINES = (
    """editor => [...editor.querySelectorAll(".pce-line")].map(line => line.textContent).join("")"""
)
COLOURS = """editor => Object.fromEntries(["keyword", "string", "number", "decorator"].map(
  kind => [kind, getComputedStyle(editor.querySelector(".token." + kind)).color]))"""
# The field is as wide as its longest line and as high as all; else its caret would be elsewhere.
APART = """editor => {
  const area = editor.querySelector("textarea"), lines = [...editor.querySelectorAll(".pce-line")];
  const same = ["fontFamily", "fontSize", "lineHeight", "tabSize", "letterSpacing", "paddingLeft"];
  const font = e => same.map(what => getComputedStyle(e)[what]).join(" ");
  const first = lines[0].getBoundingClientRect(), last = lines.at(-1).getBoundingClientRect();
  const box = area.getBoundingClientRect();
  return [font(area) === font(lines[0]),
    Math.abs(box.top - first.top) < 1, Math.abs(box.bottom - last.bottom) < 1,
    area.scrollWidth <= area.clientWidth, area.scrollHeight <= area.clientHeight];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_is_in_colour_where_it_stands(visit: Visits, scheme: str) -> None:
    """The field is over its lines, letter over letter."""
    page = visit("start/yours/", color_scheme=scheme, viewport=PHONE)
    editor = page.locator(".editor")
    area = editor.locator("textarea")
    long = f"x = 1 + {' + '.join(map(str, range(60)))}  # 한국어\n"
    area.fill(f"@derivation('μ')\ndef f(d):\n    sum(d)\n{long * 60}")
    assert editor.evaluate(LINES) == area.input_value() + "\n"
    colours = editor.evaluate(COLOURS)
    assert len(set(colours.values())) == 4
    inks, contrast = editor.evaluate(LEGIBLE)
    assert inks == 8  # all that docs/assets/site.css gives
    assert contrast >= 4.5
    assert editor.evaluate(APART) == [True] * 5
    area.press("Control+End")
    page.keyboard.type("if True:")
    assert editor.evaluate(LINES) == area.input_value() + "\n"
    box, whole = (
        editor.locator(".pce-line").last.bounding_box(),
        editor.locator(".prism-code-editor").bounding_box(),
    )
    assert box
    assert whole
    assert box["y"] + box["height"] <= whole["y"] + whole["height"]  # what is typed is in sight
    assert too_wide(page) == []
    left_while_loading(visit)


def test_only_the_derivation_that_is_edited_is_judged(chapter: Page) -> None:
    """The others of its chapter stand as they are, before it and after it."""
    broken, whole = editor_of(chapter, "vae.evidence"), editor_of(chapter, "vae.elbo")
    edit(broken, "p(x | z) ** 2", "p(x | z) ** 3")
    expect(check(broken)).to_contain_text("Not as claimed")
    expect(check(whole)).to_contain_text("As claimed: proved.")


MARKED = ".pce-line[data-mark]"


def test_a_slip_of_the_pen_is_said_with_its_line(chapter: Page) -> None:
    editor = editor_of(chapter, "vae.elbo")
    edit(editor, "d.start(log(p(x)))", "d.start(log(p(x))")
    expect(check(editor)).to_have_text("Not checked: line 3: SyntaxError: '(' was never closed")
    expect(editor.locator(MARKED)).to_have_text("    d.start(log(p(x))\n")
    expect(editor.locator(".trouble")).to_contain_text('File "the cell", line 3')
    edit(editor, "d.start(log(p(x))", "d.start(0.5 * logg(p(x)))")
    expect(check(editor)).to_contain_text("Not checked: line 3: NameError: name 'logg'")


def test_what_never_ends_is_stopped_and_the_next_check_starts_afresh(yours: Page) -> None:
    editor = yours.locator(".editor")
    right = editor.locator("textarea").input_value()
    editor.locator("textarea").fill("while True:\n    pass\n")
    check_, stop = (editor.get_by_role("button", name=name) for name in ("Check", "Stop"))
    expect(stop).to_be_disabled()
    check_.click()
    yours.wait_for_timeout(500)
    expect(check_).to_be_disabled()
    stop.click()
    expect(editor.get_by_role("status")).to_contain_text("Stopped.")
    expect(stop).to_be_disabled()
    expect(check_).to_be_focused()
    editor.locator("textarea").fill(right)
    expect(check(editor)).to_contain_text("As claimed")


def test_a_check_has_a_limit_of_time(yours: Page) -> None:
    """Of two minutes; here of a second, which starts when the checker has loaded."""
    editor = yours.locator(".editor")
    right = editor.locator("textarea").input_value()
    editor.locator("textarea").fill("while True:\n    pass\n")
    yours.evaluate("document.body.dataset.checkLimit = 1")
    expect(check(editor)).to_have_text("Stopped: no answer in 1 seconds.")
    yours.evaluate("delete document.body.dataset.checkLimit")
    editor.locator("textarea").fill(right)
    expect(check(editor)).to_contain_text("As claimed")


def test_what_the_memory_lacks_of_the_libraries_is_fetched(yours: Page) -> None:
    editor = yours.locator(".editor")
    right = editor.locator("textarea").input_value()
    there = "from pathlib import Path\nprint(Path('/libraries.zip').exists())\n"
    cell = f"{there}import sympy.crypto.crypto\n{there}{right}"
    editor.locator("textarea").fill(cell)
    expect(check(editor)).to_contain_text("As claimed")
    expect(editor.locator(".printed")).to_have_text("False\nTrue\n")
    editor.locator("textarea").fill(f"import sympy.nowhere\n{right}")
    expect(check(editor)).to_contain_text("No module named 'sympy.nowhere'")


def test_to_start_over_ends_the_check_of_what_is_thrown_away(yours: Page) -> None:
    editor = yours.locator(".editor")
    editor.locator("textarea").fill("while True:\n    pass\n")
    editor.get_by_role("button", name="Check").click()
    editor.get_by_role("button", name="Start over").click()
    expect(editor.get_by_role("button", name="Stop")).to_be_disabled()
    expect(editor.get_by_role("status")).to_have_text("")
    expect(check(editor)).to_contain_text("As claimed")


def test_a_line_that_is_missing_is_counted(chapter: Page) -> None:
    editor = editor_of(chapter, "vae.decomposition")
    edit(editor, "E(q(z | x), log(p(x, z) / q(z | x))) + KL(q(z | x), p(z | x)), by", "..., by")
    expect(check(editor)).to_contain_text("Not as claimed. 2 steps: 1 proved, 1 missing.")


def test_a_checker_that_breaks_down_is_replaced(yours: Page) -> None:
    editor = yours.locator(".editor")
    right = editor.locator("textarea").input_value()
    editor.locator("textarea").fill("import os\nos._exit(1)\n")
    expect(check(editor)).to_contain_text("The checker broke down")
    editor.locator("textarea").fill(right)
    expect(check(editor)).to_contain_text("As claimed")


def test_a_derivation_of_ones_own(yours: Page) -> None:
    editor = yours.locator(".editor")
    expect(check(editor)).to_contain_text("As claimed: proved; proved for Gaussians. 3 steps")
    edit(editor, "log(2 * pi * sigma**2) / 2", "log(sigma)")
    edit(editor, "import *\n", "import *\n\nprint('hello')\n")
    expect(check(editor)).to_contain_text("Not as claimed. 3 steps: 2 proved, 1 refuted.")
    expect(editor.locator(".why")).to_contain_text("residual: ")
    expect(editor.locator(".printed")).to_have_text("hello\n")
    edit(editor, "log(sigma)", "log(2 * pi * sigma**2) / 2")
    edit(editor, "E(q(z | x), log(p(z) / q(z | x)) + log(p(x | z)))", "...")
    expect(check(editor)).to_contain_text("Not as claimed. 3 steps: 2 proved, 1 missing.")
    expect(editor.locator(".why")).to_contain_text("the step is left as ...")


def test_an_exercise_goes_from_missing_to_proved(visit: Visits) -> None:
    page = visit("exercises/vae/")
    (exercise,) = (e for e in exercises.exercises() if e.name == "vae/two_ways")
    editor = page.locator("[data-exercise='vae/two_ways'] .editor")
    expect(check(editor)).to_contain_text("vae/two_ways: not solved yet. 8 steps: ")
    expect(editor.get_by_role("status")).to_contain_text("missing")
    shorter = [line for line in exercise.task.splitlines() if "d.equals(...," not in line]
    editor.locator("textarea").fill("\n".join(shorter))
    expect(check(editor)).to_contain_text("vae/two_ways: not solved yet.")
    expect(editor.locator(".problem").first).to_contain_text("which the task asks for")
    editor.locator("textarea").fill(exercise.solution)
    expect(check(editor)).to_contain_text("vae/two_ways: solved. 8 steps: 8 proved.")
    page.evaluate(AS_NEW)


# The checkers that a page has started, what it asked of them, and how often they spoke.
LISTEN = """Object.assign(window, {started: 0, asked: [], heard: 0});
window.Worker = class extends Worker {
  constructor(url, options) {
    super(url, options);
    if (!(this.checks = String(url).includes("/check/"))) return;
    started++;
    this.addEventListener("message", () => heard++);
  }
  postMessage(what, ...how) {
    if (this.checks) asked.push(what);
    super.postMessage(what, ...how);
  }
}"""
# What was checked that a reader wrote, and the places whose derivation was checked in silence.
WRITTEN = "asked.filter(what => what.cell !== undefined).map(what => what.cell)"
REHEARSED = "asked.filter(what => what.cell === undefined).map(what => what.name || what.exercise)"
IDLE = "() => new Promise(done => requestIdleCallback(() => requestIdleCallback(done)))"


def started(page: Page) -> int:
    """How many run once the page has nothing else to do."""
    page.locator("details.try, .editor").first.wait_for()
    page.evaluate(IDLE)
    count: int = page.evaluate("started")
    return count


def test_ones_own_text_is_kept_and_nothing_of_it_runs_by_itself(visit: Visits) -> None:
    page = visit("start/yours/", viewport=DESK)
    page.add_init_script(LISTEN)
    page.reload()
    assert started(page) == 0
    editor = page.locator(".editor")
    editor.locator("textarea").fill("print('mine')\n")
    expect(check(editor)).to_contain_text("Not checked")
    assert page.evaluate(WRITTEN) == ["print('mine')\n"]
    page.goto(page.url + "?cell=print(1)#print(1)")
    expect(editor.locator("textarea")).to_have_value("print('mine')\n")
    page.wait_for_function("heard")
    editor.get_by_role("button", name="Start over").click()
    expect(editor.locator("textarea")).not_to_have_value("print('mine')\n")
    assert page.evaluate(WRITTEN) == []
    expect(check(editor)).to_contain_text("As claimed")


def test_on_a_later_page_the_checker_is_ready_before_it_is_wanted(visit: Visits) -> None:
    page = visit("derivations/vae/", viewport=DESK)
    check(editor_of(page, "vae.elbo"))
    page.add_init_script(LISTEN)
    page.goto(page.url.replace("vae", "gan"))
    page.wait_for_function("heard")
    editor = editor_of(page, "gan.optimal_discriminator")
    editor.wait_for()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    expect(check(editor)).to_contain_text("As claimed: proved.")
    assert loaded == []
    assert page.evaluate("started") == 1


FIRST = {"derivations/gan/": "gan.optimal_discriminator", "exercises/vae/": "vae/beta"}


@pytest.mark.parametrize("address", [*FIRST, "start/yours/"])
def test_a_later_page_rehearses_one_place_and_shows_nothing_of_it(
    visit: Visits, address: str
) -> None:
    """The first check is the slow one: a browser compiles for it, a checker keeps what it finds."""
    page = visit(address, viewport=DESK)
    page.add_init_script(LISTEN)
    page.evaluate(USED.format(1))
    page.reload()
    page.wait_for_function("heard === 2")  # it has loaded, and has rehearsed
    assert page.evaluate("asked.length") == 1
    (place,) = page.evaluate(REHEARSED)
    assert place == FIRST.get(address)
    if address == "derivations/gan/":
        editor_of(page, place)
    for editor in page.locator(".editor").all():
        expect(editor.get_by_role("status")).to_have_text("")
        expect(editor.locator(".found")).to_be_empty()
    assert page.evaluate(REHEARSED) == [place]  # once
    left_while_loading(visit)


# When a rehearsal has begun, and before it can have ended, the reader checks a text of his own.
AT_ONCE = """window.Worker = class extends Worker {
  postMessage(what, ...how) {
    super.postMessage(what, ...how);
    if (what.id && what.cell === undefined) {
      document.querySelector("[data-check='vae.elbo'] .editor button").click();
    }
  }
}"""


def test_who_checks_during_a_rehearsal_is_answered_and_nobody_else(visit: Visits) -> None:
    page = visit("derivations/vae/", viewport=DESK)
    edit(editor_of(page, "vae.elbo"), *SLIP)
    page.add_init_script(LISTEN)
    page.add_init_script(AT_ONCE)
    page.evaluate(USED.format(1))
    page.reload()
    editor = page.locator("[data-check='vae.elbo'] .editor")  # open, for it holds an edit
    expect(editor.get_by_role("status")).to_contain_text("Not as claimed. 6 steps: ")
    assert page.evaluate(REHEARSED) == ["vae.evidence"]
    assert len(page.evaluate(WRITTEN)) == 1
    assert page.evaluate("heard") == 3
    page.evaluate("localStorage.clear()")
    left_while_loading(visit)


def test_what_a_reader_opens_is_rehearsed_once_and_not_while_he_checks(visit: Visits) -> None:
    page = visit("derivations/vae/", viewport=DESK)
    page.add_init_script(LISTEN)
    page.reload()
    editor = editor_of(page, "vae.elbo")
    page.wait_for_function("heard === 2")
    edit(editor, *SLIP)
    page.evaluate(
        """() => {
          const at = name => document.querySelector(`[data-check='${name}']`);
          at("vae.elbo").querySelector(".editor button").click();
          at("vae.evidence").querySelector("details.try > summary").click();
        }"""
    )
    expect(editor.get_by_role("status")).to_contain_text("Not as claimed")
    fold = page.locator("[data-check='vae.elbo'] details.try > summary")
    fold.click()
    fold.click()
    page.wait_for_function("heard === 3")
    expect(check(editor)).to_contain_text("Not as claimed")
    assert page.evaluate(REHEARSED) == ["vae.elbo"]
    page.evaluate("localStorage.clear()")
    left_while_loading(visit)


USED = "localStorage.setItem('genmath checker', Date.now() - 3_600_000 * {})"


@pytest.mark.parametrize(
    "unlike",
    [
        "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })",
        "Object.defineProperty(document, 'hidden', { get: () => !window.seen })",
        USED.format(25),
    ],
    ids=["who saves data", "unseen", "a day later"],
)
def test_when_the_checker_does_not_wake_by_itself(visit: Visits, unlike: str) -> None:
    page = visit("derivations/vae/", viewport=DESK)
    page.add_init_script(LISTEN)
    page.evaluate(USED.format(23))
    page.reload()
    assert started(page) == 1
    page.add_init_script(unlike)
    page.reload()
    assert started(page) == 0
    page.evaluate(
        "window.seen = true; document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))"
    )
    assert started(page) == ("hidden" in unlike)
    left_while_loading(visit)


def left_while_loading(visit: Visits) -> None:
    """The checker begins to load where an editor is opened, and the page was left meanwhile."""
    visit.complaints[:] = [said for said in visit.complaints if not said.startswith("failed: ")]


def test_an_edit_of_the_book_survives_a_reload(visit: Visits) -> None:
    page = visit("derivations/vae/", viewport=DESK)
    fold = page.locator("[data-check='vae.elbo'] details.try")
    fold.locator("summary").click()
    area = fold.locator("textarea")
    area.fill("mine = 1\n")
    page.reload()
    expect(area).to_have_value("mine = 1\n")
    fold.get_by_role("button", name="Start over").click()
    page.reload()
    expect(area).to_have_count(0)
    left_while_loading(visit)


def test_a_link_shows_an_edit_and_runs_nothing(visit: Visits) -> None:
    page = visit(
        "derivations/vae/", viewport=DESK, permissions=["clipboard-read", "clipboard-write"]
    )
    workers: list[str] = []
    page.on("worker", lambda worker: workers.append(worker.url))
    fold = page.locator("[data-check='vae.elbo'] details.try")
    fold.locator("summary").click()
    fold.locator("textarea").fill("p = 'μ & more'\n")
    fold.get_by_role("button", name="Copy link").click()
    expect(fold.get_by_role("status")).to_contain_text("The link is copied")
    link = page.evaluate("navigator.clipboard.readText()")
    workers.clear()
    other = visit("", viewport=PHONE)
    other.on("worker", lambda worker: workers.append(worker.url))
    other.goto(link)
    brought = other.locator("[data-check='vae.elbo'] details.try")
    expect(brought.locator("textarea")).to_have_value("p = 'μ & more'\n")
    expect(brought.get_by_role("status")).to_contain_text("Nothing of it has run")
    assert [url for url in workers if "/check/" in url] == []


@pytest.fixture
def two_tabs(visit: Visits) -> Iterator[tuple[Locator, Locator]]:
    """The editor of one derivation, in two tabs of one reader."""
    tabs = visit("derivations/ddpm/"), visit("derivations/ddpm/")
    yield editor_of(tabs[0], "ddpm.posterior"), editor_of(tabs[1], "ddpm.posterior")
    tabs[0].evaluate("localStorage.clear()")
    left_while_loading(visit)


def test_a_tab_follows_what_another_changed(two_tabs: tuple[Locator, Locator]) -> None:
    here, there = two_tabs
    here.locator("textarea").fill("first = 1\n")
    expect(there.locator("textarea")).to_have_value("first = 1\n")
    there.locator("textarea").fill("first = 2\n")
    expect(here.locator("textarea")).to_have_value("first = 2\n")
    expect(here.get_by_role("status")).to_contain_text("Changed in another tab")
    expect(here.get_by_role("button", name="Other copy")).to_be_hidden()


DEAF = "addEventListener('storage', event => event.stopImmediatePropagation())"


def test_of_two_tabs_none_overwrites_what_the_other_wrote(
    two_tabs: tuple[Locator, Locator],
) -> None:
    """Where one was asleep, say, and did not hear of it."""
    here, there = two_tabs
    there.page.add_init_script(DEAF)  # before any other listens
    there.page.reload()
    editor_of(there.page, "ddpm.posterior")
    here.locator("textarea").fill("mine = 1\n")
    there.locator("textarea").fill("yours = 2\n")
    expect(there.get_by_role("status")).to_contain_text("Both are kept")
    expect(here.locator("textarea")).to_have_value("mine = 1\n")
    other = there.get_by_role("button", name="Other copy")
    other.click()
    expect(there.locator("textarea")).to_have_value("mine = 1\n")
    other.click()
    expect(there.locator("textarea")).to_have_value("yours = 2\n")
    there.page.reload()
    again = there.page.locator("[data-check='ddpm.posterior'] .editor")
    expect(again.locator("textarea")).to_have_value("mine = 1\n")
    again.get_by_role("button", name="Other copy").click()
    expect(again.locator("textarea")).to_have_value("yours = 2\n")


def test_without_network_a_check_says_so(browser: Browser, base_url: str) -> None:
    context = browser.new_context(viewport=DESK)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{base_url}derivations/vae/")
    fold = page.locator("[data-check='vae.elbo'] details.try")
    fold.evaluate("fold => { fold.open = true }")  # a click would have begun to load the checker
    editor = fold.locator(".editor")
    editor.wait_for()
    context.set_offline(True)
    expect(check(editor)).to_contain_text("there is no network")
    context.set_offline(False)
    expect(check(editor)).to_contain_text("As claimed")
    context.close()


def test_without_network_an_editor_that_does_not_come_says_so(
    browser: Browser, base_url: str
) -> None:
    context = browser.new_context(viewport=DESK)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{base_url}derivations/vae/")
    fold = page.locator("[data-check='vae.elbo'] details.try")
    fold.wait_for()
    context.set_offline(True)
    fold.locator("summary").click()
    expect(fold.get_by_role("status")).to_contain_text("The editor could not be loaded")
    context.close()


def test_it_goes_by_the_keyboard(yours: Page) -> None:
    area = yours.locator("textarea")
    area.fill("if True:")
    area.press("End")
    area.press("Enter")
    area.press("Tab")
    yours.keyboard.type("x = 1")
    area.press("Enter")
    yours.keyboard.type("y = 2")
    expect(area).to_have_value("if True:\n    x = 1\n    y = 2")
    area.press("Control+Enter")
    expect(yours.get_by_role("status")).to_contain_text("Not checked")
    area.press("Escape")
    area.press("Tab")
    expect(area).not_to_be_focused()
    expect(yours.get_by_role("button", name="Check")).to_be_focused()


LIGHT = """const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(x => x / 255)
      .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const ratio = (one, other) => Math.max(one, other) / Math.min(one, other);"""
CONTRAST = f"""() => {{
  {LIGHT}
  const of = what => light(getComputedStyle(what).backgroundColor);
  return ratio(of(document.querySelector(".editor .md-button--primary")), of(document.body));
}}"""
# Every colour of letters, and of numbers of lines, on the ground of a line without and with a mark.
LEGIBLE = f"""editor => {{
  {LIGHT}
  const ink = (what, part) => getComputedStyle(what, part).color;
  const ground = what => light(getComputedStyle(what).backgroundColor);
  const [line] = editor.querySelectorAll(".pce-line");
  const letters = [...editor.querySelectorAll(".token")].map(token => ink(token));
  const inks = [...new Set([...letters, ink(line), ink(line, "::before")])];
  const grounds = [ground(editor.querySelector(".prism-code-editor"))];
  for (line.dataset.mark of ["wrong", "open"]) grounds.push(ground(line));
  delete line.dataset.mark;
  return [inks.length, Math.min(...inks.flatMap(ink => grounds.map(g => ratio(light(ink), g))))];
}}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_button_that_checks_stands_out(visit: Visits, scheme: str) -> None:
    """By what WCAG 1.4.11 asks of a part of a page; as dark as the page it looked disabled."""
    page = visit("start/yours/", color_scheme=scheme)
    expect(page.locator(".editor")).to_be_visible()
    assert page.evaluate(CONTRAST) > 3


def test_verdicts_are_accessible_and_fit_a_phone(chapter: Page) -> None:
    chapter.set_viewport_size(PHONE)
    editor = editor_of(chapter, "vae.elbo")
    edit(editor, *SLIP)
    expect(check(editor)).to_contain_text("refuted")
    found = {"too wide": too_wide(chapter), "in the light": axe.of_editor(chapter)}
    axe.other_scheme(chapter)
    found["in the dark"] = axe.of_editor(chapter, dark=True)
    axe.other_scheme(chapter)
    chapter.set_viewport_size(DESK)
    assert {what: which for what, which in found.items() if which} == {}


OPEN = """count => {
  dispatchEvent(new KeyboardEvent("keydown", {key: "f", ctrlKey: true}));  // builds all folds
  const sections = [...document.querySelectorAll("section[data-check]")];
  sections.forEach(s => s.querySelectorAll("details.try").forEach(fold => fold.open = true));
  const open = s => s.querySelector("details.try textarea");
  return sections.length >= count && sections.every(open);
}"""
SOURCES = """() => Object.fromEntries([...document.querySelectorAll("section[data-check]")].map(
  section => [section.dataset.check, section.querySelector("details.try textarea").value]))"""


@pytest.mark.parametrize("topic", some_topics())
def test_every_derivation_has_an_editor_with_its_source(visit: Visits, topic: str) -> None:
    page = visit(f"derivations/{topic}/")
    derivations = book.chapter(topic).derivations
    page.wait_for_function(OPEN, arg=len(derivations))
    sources = page.evaluate(SOURCES)
    for derivation in derivations:
        assert f"\ndef {derivation.short_name}(" in sources[derivation.name]


def test_without_scripts_there_is_no_editor_and_the_page_is_whole(
    browser: Browser, base_url: str
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    for address in ("start/yours/", "derivations/vae/"):
        page.goto(base_url + address)
        assert page.locator(".editor, textarea, details.try").count() == 0
    page.goto(base_url + "start/yours/")
    assert "def split(d):" in page.locator("[data-check] pre").inner_text()
    context.close()
