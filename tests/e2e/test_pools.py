"""A manager decides on a suggestion in a browser: with wrong units, with a reason, without JavaScript."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import expect

from chengmai.kernel.actors import system
from chengmai.kernel.clock import FixedClock
from chengmai.ngsild.entity import entity, prop, words
from chengmai.packs.reader import shipped_packs
from tests.e2e.conftest import NOW, House, Visitor

pytestmark = pytest.mark.e2e
HOUR = timedelta(hours=1)
PAGE = "/pools/transport/parking"
FULL, EMPTY = "urn:ngsi-ld:ParkingObserved:full", "urn:ngsi-ld:ParkingObserved:empty"


def a_park(name: str, taken: float, at: Any) -> dict[str, Any]:
    return entity(
        name,
        "ParkingObserved",
        name=words({"zh": f"{name[-5:]}停车场", "en": f"{name[-5:]} car park"}),
        areaServed=prop("Testfield"),
        occupiedSpaces=prop(taken, unit="C62", at=at),
        spaces=prop(1000, unit="C62", at=at),
    )


@pytest.fixture
def city(house: Callable[..., House]) -> House:
    """A city with a full car park and one that has room, this hour and around this hour a week ago."""
    clock = FixedClock(NOW)
    made = house(clock=clock, feeds=False, packs=(shipped_packs() / "transport",))
    this_hour = NOW.replace(minute=0)
    hours = [this_hour - timedelta(days=7) + n * HOUR for n in range(-3, 12)]
    work, model = made.city.store.work, made.city.model

    async def put() -> None:
        for at in [*hours, this_hour - HOUR]:
            parks = (a_park(FULL, 950, at), a_park(EMPTY, 300, at))
            await work.write(partial(_put, model, parks))
        assert await made.city.pools.round("city") == []

    asyncio.run_coroutine_threadsafe(put(), made._loop).result(120)
    return made


def _put(model: Any, parks: Any, tx: Any) -> None:
    for one in parks:
        model.put(tx, one, by=system("test"))


@pytest.mark.parametrize("java_script", [True, False])
def test_a_change_needs_a_reason_and_becomes_a_case(
    city: House, visit: Callable[..., Visitor], java_script: bool
) -> None:
    visitor = visit(city.url, java_script_enabled=java_script)
    visitor.sign_in()
    page = visitor.page
    visitor.go("/pools")
    page.get_by_role("link", name="Decide").click()
    expect(page.locator("#suggestion")).to_contain_text("car park is expected to be asked for")
    page.locator("input[name='units.1']").fill("50")

    page.get_by_role("button", name="Accept").click()

    expect(page.get_by_role("alert")).to_contain_text("reason")
    expect(page.locator("input[name='units.1']")).to_have_value("50")
    page.locator("#pool-reason").fill("one entrance is closed")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("accepted with changes")
    page.locator(".pool-past a[href^='/cases/urn:']").first.click()
    expect(page.locator("h1")).to_contain_text("50 spaces")
    assert visitor.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pages_fit_a_phone_and_name_everything(
    city: House, visit: Callable[..., Visitor], lang: str
) -> None:
    visitor = visit(city.url, lang)
    visitor.sign_in()
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/pools", PAGE):
        visitor.go(path)
        expect(visitor.page.locator("h1")).to_be_visible()
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visitor.complaints == []


def test_an_auditor_sees_the_suggestion_and_cannot_decide(
    city: House, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(city.url)
    visitor.sign_in("auditor")
    visitor.go(PAGE)

    expect(visitor.page.locator("#suggestion")).to_contain_text(
        "A duty officer or a manager decides"
    )
    expect(visitor.page.get_by_role("button", name="Accept")).to_have_count(0)
