"""Looking back and changing a threshold in a real browser: without scripts, by keyboard, in both languages."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from chengmai.kernel.actors import Actor
from tests.e2e import recording
from tests.e2e.conftest import NOW, PASSWORD, House, Visitor

pytestmark = pytest.mark.e2e


@pytest.fixture
def city(house: Callable[..., House], tmp_path: Path) -> House:
    hour = recording.recorded_hour(NOW)
    made = house(source_data=recording.write(tmp_path / "recorded", {hour: 320}))

    async def another_manager() -> None:
        accounts = made.city.trust.accounts
        by = Actor("sys:test", roles=frozenset({"admin"}))
        await accounts.add_account("second", ("manager",), by=by, password=PASSWORD)

    async def watched() -> bool:
        views = await made.city.board.board("city")
        return {"air_online", "pm25_1h"} <= {view.sign for view in views}

    made.run(another_manager())
    # A page without scripts does not refresh: it is opened when the signs are there.
    until = time.monotonic() + 120
    while not made.run(watched()) and time.monotonic() < until:
        time.sleep(0.5)
    return made


def a_sign(visitor: Visitor) -> str:
    """Return the address of the sign of air quality."""
    link = visitor.page.locator("a[href*='environment:pm25_1h']").first
    visitor.go("/vitals?pack=environment")
    expect(link).to_be_visible()
    return str(link.get_attribute("href"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pages_that_look_back_are_whole_and_ask_nobody_else(
    city: House, visit: Callable[..., Visitor], lang: str
) -> None:
    visitor = visit(city.url, lang)
    visitor.sign_in()
    sign = a_sign(visitor)
    pages = (f"{sign}/back", f"{sign}/back?length=week", f"{sign}/forecasts", f"{sign}/thresholds")
    for path in (*pages, "/domains/environment", "/forecasts?pack=environment", "/thresholds"):
        visitor.go(path)
        expect(visitor.page.locator("main h1")).to_be_visible()
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 1366, path
    hosts = {urlsplit(url).hostname for url in visitor.asked if url.startswith("http")}
    assert hosts == {"127.0.0.1"}
    assert visitor.complaints == []


def test_a_note_is_written_on_the_curve_without_scripts(
    city: House, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(city.url, java_script_enabled=False)
    visitor.sign_in()
    visitor.go(a_sign(visitor) + "/back")
    expect(visitor.page.locator("main svg.chart").first).to_be_visible()
    visitor.page.fill("input[name=note]", "a fire upwind")
    visitor.page.press("input[name=note]", "Enter")
    expect(visitor.page.locator("#marks")).to_contain_text("a fire upwind")
    expect(visitor.page.locator("#marks")).to_contain_text("officer")


def test_a_threshold_takes_two_people(city: House, visit: Callable[..., Visitor]) -> None:
    first = visit(city.url, java_script_enabled=False)
    first.sign_in()
    first.go("/domains/environment")
    first.page.get_by_text("Each threshold with its source").click()
    first.page.locator("a[href$='/thresholds'][href*='air_online']").first.click()
    day = (NOW + timedelta(days=3)).date().isoformat()
    first.page.fill("input[name=value]", "90")
    first.page.fill("input[name=from]", day)
    first.page.fill("input[name=reason]", "hills in winter")
    first.page.press("input[name=value]", "Enter")
    expect(first.page.locator("#trial-title")).to_be_visible()
    first.page.get_by_role("button", name="Propose this change").click()
    expect(first.page.get_by_text("It waits for another manager.")).to_be_visible()
    expect(first.page.get_by_role("button", name="Approve")).to_have_count(0)

    second = visit(city.url)
    second.sign_in("second")
    second.go("/thresholds")
    second.page.get_by_role("link", name="Air stations online").click()
    second.page.get_by_role("button", name="Approve").click()
    expect(second.page.locator("main")).to_contain_text("approved")
    second.go("/thresholds")
    expect(second.page.locator("main")).to_contain_text("hills in winter")
