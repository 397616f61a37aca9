"""The assessment in a browser: an outlook from sheets to paper, with and without JavaScript, by keyboard."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.e2e.conftest import House, Visitor

pytestmark = pytest.mark.e2e
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CITIES = ("330100", "330200", "350200", "370100", "370200", "210100", "210200", "230100")
YEARS = range(2017, 2025)
HEADER = "id,place,on,evidence,source,source_date,E01,E05,L02\n"
PAGES = (
    "/assessment?data=example", "/assessment/places?data=example&code=330000", "/assessment/registry",
    "/assessment/outlook", "/assessment/outlook?place=330100", "/assessment/outlook?group=east",
    "/assessment/values?indicator=E01", "/assessment/values?indicator=E05&code=330100",
    "/assessment/frameworks?framework=nsc-2018", "/assessment/indicators",
)  # fmt: skip


def sheets(until: int = 2024) -> str:
    """Return the table: Hangzhou falls behind in E01, and leads and improves in E05 and L02."""
    lines = [HEADER]
    for index, code in enumerate(CITIES):
        for year in YEARS:
            if year <= until:
                past = year - 2017
                values = (60 + 2 * index + past, 30 - past + index, 20 + index)
                if code == "330100":
                    values = (60 - 2 * past, 20 - past, 15)
                told = ",".join(map(str, values))
                lines.append(
                    f"{code}-{year},{code},{year}-12-31,e,office,{year + 1}-02-01,{told}\n"
                )
    return "".join(lines)


@pytest.fixture
def city(house: Callable[..., House]) -> House:
    return house(feeds=False)


def take_in(visitor: Visitor, table: str) -> None:
    visitor.go("/assessment/registry")
    visitor.page.select_option("#kind", "sheets")
    visitor.page.fill("#table", table)
    visitor.page.get_by_role("button", name="Import").click()
    expect(visitor.page.locator(".message.is-good")).to_be_visible()


@pytest.mark.parametrize("java_script", [True, False])
def test_a_manager_takes_in_values_and_keeps_a_forecast_that_comes_true(
    city: House, visit: Callable[..., Visitor], java_script: bool
) -> None:
    visitor = visit(city.url, java_script_enabled=java_script)
    visitor.sign_in()
    page = visitor.page
    take_in(visitor, sheets(until=2023))
    visitor.go("/assessment/outlook")
    page.get_by_role("link", name="Hangzhou").click()
    expect(page.locator("h1")).to_contain_text("Outlook of Hangzhou")
    expect(page.locator("main")).to_contain_text("1 lag and get worse")
    expect(page.locator(".verdict.is-bad").first).to_contain_text("getting worse")

    page.get_by_role("button", name="Keep these forecasts").click()
    expect(page.locator(".message.is-good")).to_contain_text("9 forecasts kept")
    take_in(visitor, sheets())
    visitor.go("/assessment/outlook?place=330100")

    expect(page.locator("main")).to_contain_text("of 9 the value of 3 has come: 100%")
    assert visitor.complaints == []


def test_every_number_leads_to_a_note_and_from_there_to_its_record(
    city: House, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(city.url)
    visitor.sign_in()
    take_in(visitor, sheets())
    page = visitor.page
    visitor.go("/assessment/outlook?place=330100")
    references = page.locator("main sup a").evaluate_all("links => links.map(l => l.hash)")
    assert len(references) > 10
    assert all(page.locator(f"li{one}").count() == 1 for one in set(references))
    page.locator("#state ~ .table-wrap tbody sup a").first.click()
    note = page.locator(".notes li:target")
    expect(note).to_contain_text("urn:ngsi-ld:IndicatorSheet:330100-2024")
    note.get_by_role("link").click()
    expect(page.locator("main")).to_contain_text("urn:ngsi-ld:IndicatorSheet:330100-2017")


def test_a_report_is_fetched_as_paper_table_and_workbook(
    city: House, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(city.url, "zh")
    visitor.sign_in()
    city.run(_taken(city))
    got = {
        form: visitor.page.request.get(f"{city.url}/assessment/outlook.{form}?place=330100")
        for form in ("pdf", "html", "csv", "xlsx", "json")
    }
    assert {form: answer.status for form, answer in got.items()} == dict.fromkeys(got, 200)
    assert got["pdf"].body().startswith(b"%PDF-")
    assert "杭州市：展望报告" in got["html"].text()
    rows = list(csv.reader(io.StringIO(got["csv"].body().decode("utf-8-sig"))))
    assert rows[1][0] == "E01"
    assert [row[0] for row in rows if row[0].startswith("[")][:2] == ["[1]", "[2]"]
    book = load_workbook(io.BytesIO(got["xlsx"].body()))
    assert book.sheetnames == ["outlook", "notes"]
    assert book["outlook"]["C2"].value == 46
    assert got["json"].json()["notes"][0]["number"] == 1


async def _taken(city: House) -> None:
    from chengmai.kernel.actors import Actor

    by = Actor("usr_m", "city", frozenset({"manager"}), "Chen")
    await city.city.assess.import_table(by, "sheets", sheets())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pages_fit_a_phone_and_hold_to_the_rules_of_access(
    city: House, visit: Callable[..., Visitor], lang: str
) -> None:
    visitor = visit(city.url, lang, bypass_csp=True)
    visitor.sign_in()
    city.run(_taken(city))
    page, wrong = visitor.page, set[str]()
    for path in PAGES:
        page.set_viewport_size({"width": 1366, "height": 768})
        visitor.go(path)
        expect(page.locator("h1")).to_be_visible()
        if AXE.exists():
            page.add_script_tag(path=AXE)
            found = page.evaluate(
                "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"
            )
            wrong |= {
                f"{path}: {one['id']}: {one['nodes'][0]['html'][:120]}"
                for one in found["violations"]
            }
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    assert wrong == set()
    assert visitor.complaints == []


def test_a_report_is_chosen_by_keyboard_alone(city: House, visit: Callable[..., Visitor]) -> None:
    visitor = visit(city.url)
    visitor.sign_in()
    city.run(_taken(city))
    visitor.go("/assessment/outlook")
    page = visitor.page
    page.locator("input[name=place]").focus()
    page.keyboard.type("330200")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Outlook of Ningbo")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement !== document.body")


def test_a_wrong_place_is_named_with_what_to_do(city: House, visit: Callable[..., Visitor]) -> None:
    visitor = visit(city.url)
    visitor.sign_in()
    visitor.go("/assessment/outlook?place=999999")
    expect(visitor.page.get_by_role("alert")).to_contain_text(
        "There is no place with the code '999999'"
    )
    expect(visitor.page.locator("input[name=place]")).to_have_value("999999")
    visitor.go("/assessment/outlook?place=330100&group=east")
    expect(visitor.page.get_by_role("alert")).to_contain_text(
        "a report is about one place or one group"
    )
