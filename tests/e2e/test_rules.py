"""A manager makes a rule, tries it on the past and switches it on; it fires, and a second person decides."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from chengmai.kernel.actors import Actor, system
from chengmai.ngsild.entity import entity, prop
from tests.e2e.conftest import NOW, PASSWORD, House, Visitor

pytestmark = pytest.mark.e2e
PACKS = Path(__file__).parents[2] / "packs" / "sensing"
SEEN = os.environ.get("CHENGMAI_LOOK", "")
"""A folder for pictures, for whoever wants to look."""


def picture(visitor: Visitor, name: str) -> None:
    if SEEN:
        visitor.page.screenshot(path=f"{SEEN}/{name}.png", full_page=True)


def tell(city: House, ago_s: float, tilt: float) -> None:
    """Let a pole tell its tilt as of some seconds ago."""
    at = NOW - timedelta(seconds=ago_s)
    pole = entity(
        "urn:ngsi-ld:PoleObserved:p7",
        "PoleObserved",
        tilt=prop(tilt, unit="DD", at=at),
        areaServed=prop("Testfield"),
    )

    async def put() -> None:
        work, model = city.city.store.work, city.city.model
        await work.write(lambda tx: model.put(tx, pole, by=system("test")))

    city.run(put())


def second_officer(city: House) -> None:
    async def add() -> Any:
        by = Actor("sys:test", roles=frozenset({"admin"}))
        accounts = city.city.trust.accounts
        await accounts.add_account("second", ("duty_officer",), by=by, password=PASSWORD)

    city.run(add())


def fill(visitor: Visitor, **fields: str) -> None:
    for name, value in fields.items():
        visitor.page.locator(f"#{name}").fill(value)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_make_try_switch_on_fire_and_decide(
    house: Callable[..., House], visit: Callable[..., Visitor], lang: str
) -> None:
    city = house(packs=(PACKS,), feeds=False)
    second_officer(city)
    for ago, tilt in ((9000, 4), (6000, 28), (5000, 3), (3000, 29), (2900, 31), (1000, 5)):
        tell(city, ago, tilt)
    visitor = visit(city.url, lang)
    visitor.sign_in()
    visitor.go("/rules")
    page = visitor.page
    expect(page.locator("main")).to_contain_text("sensing/pole_tilt")
    picture(visitor, f"list-{lang}")

    page.locator('a[href="/rules/new"]').click()
    fill(
        visitor,
        id="lean",
        title_zh="电杆歪了",
        title_en="A pole leans",
        about_zh="可能被撞",
        about_en="It may have been hit",
        type="PoleObserved",
        q="tilt>>25",
    )
    page.locator('button[value="check"]').click()
    expect(page.locator("#q-mistake mark")).to_have_text(">")
    picture(visitor, f"mistake-{lang}")
    fill(visitor, q="tilt>25", recovers_q="tilt<10")
    page.locator("#rule-form summary").click()
    fill(
        visitor,
        command_id="light",
        command_zh="亮灯",
        command_en="Light the lamp",
        channel="lamps",
        to="poles/{key}/set",
        effect_q="lit==true",
    )
    expect(page.locator("#preview")).to_contain_text("1")
    page.locator('button[value="save"]').click()
    expect(page.locator("h1")).to_have_text("A pole leans" if lang == "en" else "电杆歪了")

    page.locator('form[action$="/try"] button').click()
    expect(page.locator("p.lead")).to_contain_text("2", timeout=90_000)
    expect(page.locator("svg.chart")).to_have_count(2)
    picture(visitor, f"trial-{lang}")
    page.go_back()

    page.locator('form[action$="/switch"] button').click()
    expect(page.locator('form[action$="/switch"] input[name="on"]')).to_have_value("")
    picture(visitor, f"rule-{lang}")
    tell(city, 0, 33)
    visitor.go("/rules")
    page.locator('a[href^="/rules/commands/"]').first.click()
    page.locator("#reason").fill("seen on the camera")
    page.locator('button[value="approve"]').click()
    expect(page.get_by_role("alert")).to_be_visible()

    other = visit(city.url, lang)
    other.sign_in("second")
    other.go("/")
    other.page.locator('a[href^="/rules/commands?state=waiting"]').click()
    other.page.locator('tbody a[href^="/rules/commands/"]').first.click()
    picture(other, f"command-{lang}")
    other.page.locator("#reason").fill("seen on the camera")
    other.page.locator('button[value="approve"]').click()
    expect(other.page.locator("main")).to_contain_text("seen on the camera")
    other.page.locator('a[href^="/rules/firings/"]').click()
    expect(other.page.locator("main")).to_contain_text("tilt = 33")
    picture(other, f"firing-{lang}")
    assert visitor.complaints == []
