"""The pages made from the whole book: the map, the slips, the exercises."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from genmath import book
from genmath.cli import exercises
from tests.site.conftest import DESK, PHONE, Visits
from tests.site.pages import SITE, file_of
from tests.site.test_browser import too_wide

RESULTS = [d for topic in book.topics() for d in book.chapter(topic).derivations]
SLIPS = [slip for derivation in RESULTS for slip in derivation.slips]


def text_of(address: str) -> str:
    return file_of(address).read_text("utf-8")


CROSSED = """() => {
  const boxes = [...document.querySelectorAll(".canvas [data-name]")];
  const along = arrow => Array.from({length: 200}, (_, i) =>
    arrow.getPointAtLength(arrow.getTotalLength() * i / 199));
  return [...document.querySelectorAll(".arrow")].flatMap(arrow => along(arrow).flatMap(
    ({x, y}) => boxes.filter(box =>
      x > box.offsetLeft + 1 && x < box.offsetLeft + box.offsetWidth - 1
      && y > box.offsetTop + 1 && y < box.offsetTop + box.offsetHeight - 1).map(box =>
        [arrow.dataset.ends, box.dataset.name])));
}"""
OVERLAPPING = """() => {
  const boxes = [...document.querySelectorAll(".map .box")].map(box => box.getBoundingClientRect());
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => a.left < b.right - 1
    && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length;
}"""


def test_the_map_has_every_result_and_every_use() -> None:
    page = text_of("map/")
    table = page.partition('id="results"')[2].partition("</table>")[0]
    for derivation in RESULTS:
        link = f'href="../derivations/{derivation.topic}/#{derivation.name}"'
        assert f'<tr data-name="{derivation.name}"' in table
        assert link in table
        assert page.count(f'<option value="{derivation.name}">') == 1
    (elbo,) = re.findall(r'<tr data-name="vae.elbo" ([^>]*)>', table)
    assert "divergences.kl_nonnegative" in re.findall(r'data-used="([^"]*)"', elbo)[0].split()
    assert "not proved" not in table
    assert "not checked" not in table
    assert table.count("<tr data-name") == len(RESULTS)


def test_without_a_script_the_map_is_its_table(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(base_url + "map/")
    assert not page.locator(".map").is_visible()
    assert not page.locator(".filter").is_visible()
    assert page.locator("#results tbody tr").count() == len(RESULTS)
    context.close()


@pytest.mark.parametrize("topic", ["", *book.topics()])
def test_no_arrow_goes_through_a_box_and_no_box_over_another(visit: Visits, topic: str) -> None:
    page = visit(f"map/?chapter={topic}")
    shown = set(page.locator(".map .box").evaluate_all("all => all.map(box => box.dataset.name)"))
    wanted = {d.name for d in RESULTS if d.topic == topic} if topic else set(book.topics())
    assert shown >= wanted
    assert page.evaluate(CROSSED) == []
    assert page.evaluate(OVERLAPPING) == 0


def test_what_a_result_needs_is_shown_in_order(visit: Visits) -> None:
    page = visit("map/")
    page.get_by_label("What do I need for").select_option("gan.simultaneous_steps")
    order = page.locator(".map-list a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert order.index("../derivations/divergences/") < order.index("../derivations/gan/")
    assert order[-1] == "../derivations/gan/#gan.simultaneous_steps"
    lemmas = [link.partition("#")[2] for link in order if "#" in link]
    assert lemmas.index("divergences.fenchel_bound") < lemmas.index("gan.fgan") < len(lemmas) - 1
    boxes = page.locator(".map .box").evaluate_all("all => all.map(box => box.dataset.name)")
    assert sorted(boxes) == sorted(lemmas)
    assert page.evaluate(CROSSED) == []
    assert page.locator(".map .chosen").get_attribute("data-name") == lemmas[-1]
    assert page.url.endswith("?need=gan.simultaneous_steps")
    page.reload()
    assert page.locator(".map-list a").count() == len(order)


def test_the_map_goes_by_the_keyboard_and_on_a_phone(visit: Visits) -> None:
    page = visit("map/")
    page.locator(".map button.box", has_text="Denoising diffusion").press("Enter")
    assert page.locator(".map [name=chapter]").input_value() == "ddpm"
    wide = page.locator(".canvas").bounding_box()
    page.get_by_role("button", name="Larger").press("Enter")
    larger = page.locator(".canvas").bounding_box()
    assert wide
    assert larger
    assert larger["width"] == pytest.approx(1.25 * wide["width"], rel=0.02)
    page.set_viewport_size(PHONE)
    assert not page.locator(".map-view").is_visible()
    assert page.locator(".map-list > ul > li").count() == len(book.chapter("ddpm").derivations)
    page.locator(".map-list a").first.click()
    page.wait_for_url("**/derivations/ddpm/#ddpm.*")


def test_the_map_speaks_korean_and_keeps_its_colours(visit: Visits) -> None:
    kinds = "all => all.map(box => [box.dataset.name, box.className])"
    found = [
        visit(f"{edition}map/?chapter=ddpm").locator(".map .box").evaluate_all(kinds)
        for edition in ("", "ko/")
    ]
    assert found[0] == found[1]
    assert {"box proved", "box proved-for"} <= {kind for _, kind in found[0]}
    page = visit("ko/map/?chapter=ddpm")
    assert "잡음 제거 확산" in page.locator(".map-said").inner_text()
    page.locator("input[data-filter]").fill("ddpm")
    assert re.fullmatch(r"전체 \d+개 중 \d+개", page.locator(".filter output").inner_text())


ZOOM = "() => Number(getComputedStyle(document.querySelector('.canvas')).zoom)"
BEYOND = "view => view.scrollWidth - view.clientWidth"


def test_the_map_has_letters_that_can_be_read(visit: Visits) -> None:
    """All chapters at once at a desk; where that is too narrow, the box scrolls."""
    page = visit("map/", viewport=DESK)
    assert page.evaluate(ZOOM) >= 0.8
    assert page.locator(".map-view").evaluate(BEYOND) <= 0
    page.set_viewport_size({"width": 800, "height": 900})
    page.reload()
    assert page.evaluate(ZOOM) == pytest.approx(0.75)
    assert page.locator(".map-view").evaluate(BEYOND) > 0
    assert too_wide(page) == []
    page.get_by_role("button", name="Smaller").press("Enter")
    assert page.evaluate(ZOOM) == pytest.approx(0.6)


def test_the_map_is_small() -> None:
    assert (SITE / "assets" / "map.js").stat().st_size <= 10_000


def test_the_table_is_filtered(visit: Visits) -> None:
    page = visit("map/")
    rows = page.locator("#results tbody tr:visible")
    assert rows.count() == len(RESULTS)
    page.get_by_label("Show what contains").fill("vae elbo")
    shown = rows.all_inner_texts()
    assert 0 < len(shown) < len(RESULTS)
    assert all("vae" in row and "elbo" in row for row in shown)
    assert page.locator(".filter output").inner_text() == f"{len(shown)} of {len(RESULTS)}"
    page.get_by_label("Show what contains").fill("")
    assert rows.count() == len(RESULTS)


def test_a_box_of_the_map_leads_to_its_result(visit: Visits) -> None:
    page = visit("map/?chapter=vae")
    page.locator(".map .box[data-name='vae.elbo']").click()
    page.wait_for_url("**/derivations/vae/#vae.elbo")


def test_every_slip_is_on_the_page_with_its_counterexample() -> None:
    page = text_of("slips/")
    shown = re.findall(r'<div class="slip" id="recorded-([^"]+)"', page)
    assert sorted(shown) == sorted(slip.id for slip in SLIPS)
    mistakes = [s for s in SLIPS if s.wrong is not None]
    assert page.count("published, refuted") + page.count("published, open") == len(mistakes)
    equalities = [s for s in mistakes if s.wrong is not None and s.wrong.relation == "="]
    assert page.count("Counterexample: the left side is") >= len(equalities)
    first_alarm = page.index('id="false-alarms"')
    for slip in SLIPS:
        after = page.index(f'id="recorded-{slip.id}"') > first_alarm
        assert after == (slip.wrong is None), slip.id


@pytest.mark.parametrize("topic", sorted({e.file.parent.name for e in exercises.exercises()}))
def test_every_exercise_is_on_its_page_with_a_folded_solution(visit: Visits, topic: str) -> None:
    page = visit(f"exercises/{topic}/")
    for exercise in exercises.exercises():
        if exercise.file.parent.name == topic:
            assert page.locator(f"[id='exercise-{exercise.file.stem}']").count() == 1
    assert "<noscript>" in text_of(f"exercises/{topic}/")
    assert 'class="tag wrong"' not in text_of(f"exercises/{topic}/")
    assert not page.locator("details.code .highlight").first.is_visible()
    page.locator("details.code > summary").first.click()
    expect(page.locator("details.code .highlight").first).to_be_visible()  # it is built when opened


def test_the_course_says_what_is_missing() -> None:
    page = text_of("teach/")
    rows = re.findall(r"<tr>\s*<td>\d+</td>.*?</tr>", page, re.DOTALL)
    assert len(rows) == 18
    assert all('lang="ko"' in row for row in rows)
    written = [row for row in rows if "no chapter yet" not in row]
    for topic in book.topics():
        assert any(f'href="../derivations/{topic}/"' in row for row in written), topic
    assert "FAIL  docs/examples/class/ben.py" in page
    assert "it adds a hypothesis" in page
