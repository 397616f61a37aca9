"""What holds for every screen: no request leaves, strict policy, no JavaScript needed, news arrive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from chengmai.kernel.actors import system
from chengmai.ngsild.entity import entity, geo, prop
from tests.e2e import recording
from tests.e2e.conftest import NOW, House, Visitor

pytestmark = pytest.mark.e2e
PAGES = (
    "/",
    "/vitals",
    "/cases",
    "/cases/new",
    "/feeds",
    "/help",
    "/pools",
    "/pools/transport/parking",
)
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def city(house: Callable[..., House], tmp_path: Path) -> House:
    hour = recording.recorded_hour(NOW)
    return house(source_data=recording.write(tmp_path / "recorded", {hour: 320}))


def read_air(city: House, pm25: float, area: str = "Testfield") -> None:
    """Let a station of its own area tell a reading."""
    station = entity(
        "urn:ngsi-ld:AirQualityObserved:test",
        "AirQualityObserved",
        pm25=prop(pm25, unit="GQ", at=NOW),
        areaServed=prop(area),
        location=geo({"type": "Point", "coordinates": [116.4, 39.9]}),
    )

    async def put() -> None:
        work, model = city.city.store.work, city.city.model
        await work.write(lambda tx: model.put(tx, station, by=system("test")))

    city.run(put())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_request_leaves_and_nothing_breaks_the_policy(
    city: House, visit: Callable[..., Visitor], lang: str
) -> None:
    visitor = visit(city.url, lang)
    visitor.sign_in()
    for path in PAGES:
        visitor.go(path)
        expect(visitor.page.locator("main h1, main h2").first).to_be_visible()

    hosts = {urlsplit(url).hostname for url in visitor.asked if url.startswith("http")}
    assert hosts == {"127.0.0.1"}
    assert visitor.complaints == []


def test_a_stranger_sees_the_sign_in_page_only(city: House, visit: Callable[..., Visitor]) -> None:
    visitor = visit(city.url)
    for path in PAGES:
        visitor.go(path)
        expect(visitor.page.locator("#password")).to_be_visible()


def test_a_wrong_password_is_told_without_saying_what_was_wrong(
    city: House, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(city.url)
    visitor.sign_in(password="not this one")

    expect(visitor.page.locator("#password")).to_be_visible()
    expect(visitor.page.get_by_role("alert").first).to_be_visible()


def test_news_reach_the_desk_without_a_reload(city: House, visit: Callable[..., Visitor]) -> None:
    visitor = visit(city.url)
    visitor.sign_in()
    page = visitor.page
    expect(page.locator("a[href*='environment:aqi']").first).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("Testfield")
    before = len([url for url in visitor.asked if urlsplit(url).path == "/"])

    read_air(city, 600.0)

    expect(page.locator("main")).to_contain_text("Testfield")
    assert len([url for url in visitor.asked if urlsplit(url).path == "/"]) == before


def test_the_page_says_so_when_the_news_stop(city: House, visit: Callable[..., Visitor]) -> None:
    visitor = visit(city.url)
    visitor.sign_in()
    state = visitor.page.locator("[data-live-state]")
    expect(state).to_contain_text("Live")

    city.close()

    expect(state).to_contain_text("not live since", timeout=90_000)


def test_a_case_can_be_moved_without_javascript(city: House, visit: Callable[..., Visitor]) -> None:
    first = visit(city.url)
    first.sign_in()
    expect(first.page.locator("a[href^='/cases/urn:']").first).to_be_visible()
    visitor = visit(city.url, java_script_enabled=False)
    visitor.sign_in()
    visitor.go("/cases")
    visitor.page.locator("main a[href^='/cases/urn:']").first.click()
    expect(visitor.page.locator("main svg").first).to_be_visible()

    visitor.page.get_by_role("button", name="Dispatch", exact=True).click()

    expect(visitor.page.locator("#log")).to_contain_text("Dispatch")


def test_refused_records_are_shown_with_their_reason(
    house: Callable[..., House], visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    folder = recording.write(tmp_path / "recorded")
    file = folder / recording.FILE
    lines = file.read_text().splitlines()
    where = next(
        number
        for number, line in enumerate(lines)
        if recording.row_hour(line) == recording.recorded_hour(NOW)
    )
    lines[where - 3] = lines[where - 3].replace('"Dongsi"', '"Dongsi')
    lines[where - 5] = lines[where - 5].replace(",40,5,", ",forty,5,")
    file.write_text("\n".join(lines) + "\n")
    visitor = visit(house(source_data=folder).url)
    visitor.sign_in()
    visitor.go("/feeds")

    air = visitor.page.locator("section", has_text="Air quality (recorded").first
    air.locator("details.twin summary").click()
    expect(air.locator("ul.samples")).to_contain_text("forty")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessibility_rules_find_nothing(
    city: House, visit: Callable[..., Visitor], theme: str
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run npm ci")
    visitor = visit(city.url, bypass_csp=True, color_scheme=theme)
    visitor.sign_in()
    page = visitor.page
    expect(page.locator("a[href*='environment:aqi']").first).to_be_visible()
    vital = str(page.locator("a[href*='environment:aqi']").first.get_attribute("href"))
    case = str(page.locator("a[href^='/cases/urn:']").first.get_attribute("href"))
    found: dict[str, list[str]] = {}
    for path in (*PAGES, vital, case):
        visitor.go(path)
        page.add_script_tag(path=str(AXE))
        report = page.evaluate(
            "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"
        )
        if report["violations"]:
            found[path] = [
                f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in report["violations"]
            ]
    assert found == {}
