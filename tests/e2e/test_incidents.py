"""A duty officer finds an incident once on the desk, looks into its room, decides, and takes it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from chengmai.kernel.events import VitalCrossed
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from tests.e2e.conftest import House, Visitor

pytestmark = pytest.mark.e2e
WORDS = {"rain_3h": ("三小时雨量", "Rain in 3 hours"), "ponding": ("积水", "Ponding")}


def storm(city: House, area: str = "Testfield") -> None:
    """Let rain and then water on the road cross their thresholds in one area."""

    def cross(sign: str, minutes: int) -> None:
        zh, en = WORDS[sign]
        event = VitalCrossed(
            tenant="city",
            at=city.clock.now() + timedelta(minutes=minutes),
            kind="real",
            vital_id=urn("VitalSign", "environment", sign, area),
            sign=sign,
            pack="environment",
            area=area,
            level="watch",
            previous_level="normal",
            value=80.0,
            unit="mm",
            title=Text(zh=zh, en=en),
            reason=Text(zh="80 毫米，超过阈值。", en="80 mm is above the threshold."),
            category="rainstorm" if sign == "rain_3h" else "ponding",
        )

        def tell(tx: Tx) -> None:
            city.city.events.emit(tx, event)

        async def do() -> None:
            await city.city.store.work.write(tell)

        city.run(do())

    cross("rain_3h", 0)
    cross("ponding", 10)


@pytest.mark.parametrize(
    ("lang", "title", "raise_", "spreading", "undo"),
    [
        ("en", "Rain in 3 hours, Testfield → Ponding", "Raise level", "Spreading", "Undo"),
        ("zh", "Testfield 三小时雨量 → 积水", "提级", "正在扩大", "撤销"),
    ],
)
def test_an_incident_is_found_decided_and_taken_back(
    house: Callable[..., House],
    visit: Callable[..., Visitor],
    lang: str,
    title: str,
    raise_: str,
    spreading: str,
    undo: str,
) -> None:
    city = house(feeds=False)
    visitor = visit(city.url, lang)
    visitor.sign_in()
    storm(city)
    visitor.go("/")
    page = visitor.page
    told = page.locator("[data-queue] a.queue-title", has_text=title)
    expect(told).to_have_count(1)

    told.click()
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator("ul.members > li")).to_have_count(2)
    form = page.locator("form", has=page.get_by_role("button", name=raise_, exact=True))
    form.locator("select[name=reason]").select_option(label=spreading)
    form.get_by_role("button", name=raise_, exact=True).click()
    expect(page.locator("#log")).to_contain_text(spreading)

    page.get_by_role("button", name=undo, exact=True).click()
    expect(page.locator("#log")).to_contain_text(undo if lang == "zh" else "Undone")
    assert visitor.complaints == []
