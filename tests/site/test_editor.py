"""A reader checks derivations in the page: what is right, what is wrong, what never ends."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from genmath import book
from genmath.cli import exercises
from tests.site.conftest import AXE
from tests.site.test_browser import DESK, PHONE, WIDER_THAN_THE_PAGE, opened

PATIENCE = 60_000  # milliseconds; two cores may be busy with other tests
SLIP = ("KL(q(z | x), p(z))", "KL(p(z), q(z | x))")


@pytest.fixture
def chapter(browser: Browser, base_url: str) -> Iterator[Page]:
    page, complaints = opened(browser, base_url, "derivations/vae/", viewport=DESK)
    yield page
    page.close()
    assert complaints == []


@pytest.fixture
def yours(browser: Browser, base_url: str) -> Iterator[Page]:
    context = browser.new_context(viewport=DESK)
    page, complaints = opened(context, base_url, "start/yours/")
    yield page
    context.close()
    assert complaints == []


def editor_of(page: Page, name: str) -> Locator:
    section = page.locator(f"section[data-check='{name}']")
    section.locator("details.try > summary").click()
    return section.locator(".editor")


def check(editor: Locator) -> Locator:
    """Press the button, wait for the end, and return the line that says how it ended."""
    button = editor.get_by_role("button", name="Check")
    button.click()
    expect(button).to_be_enabled(timeout=PATIENCE)
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
    expect(editor.locator(".assumed")).to_contain_text("expectations that appear are finite")


def test_a_warm_check_takes_less_than_a_second(chapter: Page) -> None:
    editor = editor_of(chapter, "vae.elbo")
    check(editor)

    def seconds() -> float:
        began = time.perf_counter()
        check(editor)
        return time.perf_counter() - began

    assert min(seconds() for _ in range(5)) < 1


def test_a_sign_that_is_wrong_is_refuted_with_its_counterexample(chapter: Page) -> None:
    editor = editor_of(chapter, "vae.decomposition")
    edit(editor, "q(z | x))) + KL", "q(z | x))) - KL")
    expect(check(editor)).to_contain_text("Not as claimed. 2 steps: 2 refuted.")
    why = editor.locator(".why").first
    expect(why).to_contain_text("counterexample: lhs = ")
    expect(why).to_contain_text("p_theta(x, z):")
    editor.get_by_role("button", name="Start over").click()
    expect(check(editor)).to_contain_text("As claimed: proved.")
    expect(editor.locator(".why")).to_have_count(0)


def test_only_the_derivation_that_is_edited_is_judged(chapter: Page) -> None:
    """The others of its chapter stand as they are, before it and after it."""
    broken, whole = editor_of(chapter, "vae.evidence"), editor_of(chapter, "vae.elbo")
    edit(broken, "p(x | z) ** 2", "p(x | z) ** 3")
    expect(check(broken)).to_contain_text("Not as claimed")
    expect(check(whole)).to_contain_text("As claimed: proved.")


def test_a_slip_of_the_pen_is_said_with_its_line(chapter: Page) -> None:
    editor = editor_of(chapter, "vae.elbo")
    edit(editor, "d.start(log(p(x)))", "d.start(log(p(x))")
    expect(check(editor)).to_have_text("Not checked: line 3: SyntaxError: '(' was never closed")
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


def test_an_exercise_goes_from_missing_to_proved(browser: Browser, base_url: str) -> None:
    page, complaints = opened(browser, base_url, "exercises/vae/", viewport=DESK)
    (exercise,) = (e for e in exercises.exercises() if e.name == "vae/two_ways")
    editor = page.locator("[data-exercise='vae/two_ways'] .editor")
    expect(check(editor)).to_contain_text("missing")
    expect(editor.get_by_role("status")).to_contain_text("Not as claimed")
    editor.locator("textarea").fill(exercise.solution)
    expect(check(editor)).to_contain_text("As claimed: proved.")
    page.close()
    assert complaints == []


def test_ones_own_text_is_kept_and_nothing_runs_by_itself(yours: Page) -> None:
    editor = yours.locator(".editor")
    editor.locator("textarea").fill("print('mine')\n")
    expect(check(editor)).to_contain_text("Not checked")
    workers: list[str] = []
    yours.on("worker", lambda worker: workers.append(worker.url))
    yours.goto(yours.url + "?cell=print(1)#print(1)")
    expect(editor.locator("textarea")).to_have_value("print('mine')\n")
    yours.wait_for_timeout(500)
    assert [url for url in workers if "/check/" in url] == []
    editor.get_by_role("button", name="Start over").click()
    expect(editor.locator("textarea")).not_to_have_value("print('mine')\n")
    expect(check(editor)).to_contain_text("As claimed")
    assert [url for url in workers if "/check/" in url] != []


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
    expect(yours.get_by_role("status")).to_contain_text("Not checked", timeout=PATIENCE)
    area.press("Escape")
    area.press("Tab")
    expect(area).not_to_be_focused()
    expect(yours.get_by_role("button", name="Check")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_verdicts_are_accessible_and_fit_a_phone(
    browser: Browser, base_url: str, scheme: str
) -> None:
    page, complaints = opened(
        browser, base_url, "derivations/vae/", viewport=PHONE, color_scheme=scheme
    )
    editor = editor_of(page, "vae.elbo")
    edit(editor, *SLIP)
    expect(check(editor)).to_contain_text("refuted")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        """async () => {
          const rules = {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]};
          // Of a lone ≥ axe says that it is no text; it has the colour of its line.
          const there = {include: [".editor"], exclude: [".katex-html", ".sign"]};
          const said = await axe.run(there, {runOnly: rules, resultTypes: ["violations", "incomplete"]});
          return [...said.violations, ...said.incomplete.filter(rule => rule.id === "color-contrast")]
            .map(rule => rule.id + ": " + rule.nodes.map(node => node.html.slice(0, 100) + (node.any[0]?.message ?? "")).join(" | "));
        }"""  # noqa: E501
    )
    page.close()
    assert found == []
    assert complaints == []


def test_every_derivation_of_the_book_has_an_editor_with_its_source(
    browser: Browser, base_url: str
) -> None:
    for topic in book.topics():
        page, _ = opened(browser, base_url, f"derivations/{topic}/", viewport=DESK)
        for derivation in book.chapter(topic).derivations:
            section = page.locator(f"section[data-check='{derivation.name}']")
            section.locator("details.try").evaluate("fold => fold.open = true")
            area = section.locator("textarea")
            area.wait_for()
            assert f"\ndef {derivation.short_name}(" in area.input_value()
        page.close()


def test_without_scripts_there_is_no_editor_and_the_page_is_whole(
    browser: Browser, base_url: str
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    for address in ("start/yours/", "derivations/vae/"):
        page.goto(base_url + address)
        assert page.locator("textarea, button.md-button, details.try").count() == 0
    page.goto(base_url + "start/yours/")
    assert "def split(d):" in page.locator("[data-check] pre").inner_text()
    context.close()
