"""What somebody who has never seen it does: find what is abnormal, see why, and finish the case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e import recording
from tests.e2e.conftest import NOW, House, Visitor

pytestmark = pytest.mark.e2e

WORDS = {
    "en": {"act": "Act", "dispatch": "Dispatch", "handle": "Handled", "verify": "Verified, close"},
    "zh": {"act": "处置", "dispatch": "派遣", "handle": "处置完成", "verify": "核查通过，结案"},
}


@pytest.fixture
def smoggy(house: Callable[..., House], tmp_path: Path) -> House:
    """A city on a recording whose present hour is heavily polluted."""
    hour = recording.recorded_hour(NOW)
    folder = recording.write(tmp_path / "recorded", {hour: 320})
    return house(source_data=folder)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_newcomer_finds_what_is_abnormal_and_finishes_its_case(
    smoggy: House, visit: Callable[..., Visitor], lang: str
) -> None:
    words = WORDS[lang]
    visitor = visit(smoggy.url, lang)
    visitor.sign_in()
    page = visitor.page

    # The desk shows the sign by itself once it was evaluated.
    sign = page.locator("a[href^='/vitals/urn:ngsi-ld:VitalSign:environment:aqi']").first
    expect(sign).to_be_visible()
    visitor.go(str(sign.get_attribute("href")))

    # Why: the value, its threshold and where the threshold comes from.
    expect(page.locator("main")).to_contain_text("370")
    expect(page.locator("main")).to_contain_text("HJ 633")
    expect(page.locator("main")).to_contain_text(words["act"])

    page.locator("a[href^='/cases/urn:ngsi-ld:CityCase']").first.click()
    for step in ("dispatch", "handle", "verify"):
        button = page.get_by_role("button", name=words[step], exact=True)
        if step == "handle":
            page.locator("#note-handle").fill("Factories reduced their output")
        button.click()
        page.wait_for_load_state()
        expect(page.locator("#log")).to_contain_text(words[step].split("，")[0].split(",")[0])
    expect(page.get_by_role("button", name=words["dispatch"], exact=True)).to_have_count(0)

    visitor.go("/cases")
    expect(page.locator("main")).not_to_contain_text("CityCase:")
    assert visitor.complaints == []


def test_another_reading_in_the_file_makes_another_level_and_no_case(
    house: Callable[..., House], visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    hour = recording.recorded_hour(NOW)
    seen = {}
    for name, pm25 in (("calm", 30.0), ("smoggy", 320.0)):
        folder = recording.write(tmp_path / f"recorded-{name}", {hour: pm25})
        city = house(name=name, source_data=folder)
        visitor = visit(city.url)
        visitor.sign_in()
        visitor.go("/vitals?pack=environment")
        card = visitor.page.locator("a[href*='environment:aqi']").first
        expect(card).to_be_visible()
        visitor.go(str(card.get_attribute("href")))
        text = visitor.page.locator("main").inner_text()
        cases = visitor.page.locator(".queue-item")
        visitor.go("/")
        if name == "smoggy":
            expect(cases).to_have_count(1)
        seen[name] = ("Normal" in text, "Act" in text and "370" in text, cases.count())
        city.close()

    assert seen == {"calm": (True, False, 0), "smoggy": (False, True, 1)}


def test_an_officer_opens_a_case_about_a_sign_that_opened_none(
    house: Callable[..., House], visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    hour = recording.recorded_hour(NOW)
    city = house(source_data=recording.write(tmp_path / "recorded", {hour: 100}))
    visitor = visit(city.url)
    visitor.sign_in()
    sign = visitor.page.locator("a[href*='environment:aqi']").first
    expect(sign).to_be_visible()
    visitor.go(str(sign.get_attribute("href")))

    visitor.page.get_by_role("button", name="Open a case").click()

    expect(visitor.page.locator("#log")).to_contain_text("Report")
    expect(visitor.page.locator("main")).to_contain_text("watch threshold")
    visitor.go("/")
    expect(visitor.page.locator(".queue-item")).to_have_count(1)
