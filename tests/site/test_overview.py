"""The pages made from the whole book: the map, the slips, the exercises."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from genmath import book
from genmath.cli import exercises
from tests.site.conftest import DESK, Visits
from tests.site.pages import file_of

RESULTS = [d for topic in book.topics() for d in book.chapter(topic).derivations]
SLIPS = [slip for derivation in RESULTS for slip in derivation.slips]


def text_of(address: str) -> str:
    return file_of(address).read_text("utf-8")


def test_the_map_has_every_result_and_every_use() -> None:
    drawn = text_of("map/").partition('<figure class="map"')[2].partition("</figure>")[0]
    for derivation in RESULTS:
        link = f'href="../derivations/{derivation.topic}/#{derivation.name}"'
        assert drawn.count(link) == 1, derivation.name
    assert "vae.elbo uses divergences.kl_nonnegative" in drawn
    assert "not-proved" not in drawn
    assert "not-checked" not in drawn
    assert text_of("map/").count("<tr><td>") == len(RESULTS)


def test_the_map_is_drawn_without_a_script(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(base_url + "map/")
    assert page.locator(".map rect").count() == len(RESULTS)
    assert not page.locator(".filter").is_visible()
    assert page.locator("#results tbody tr").count() == len(RESULTS)
    context.close()


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
    page = visit("map/")
    page.locator(".map a", has_text="elbo_jensen").first.click()
    page.wait_for_url("**/derivations/vae/#vae.elbo_jensen")


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
    assert page.locator("details.code .highlight").first.is_visible()


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
