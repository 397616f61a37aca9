"""Somebody answers a survey on a telephone, without signing in, without JavaScript, in their language; once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from chengmai.kernel.actors import Actor
from tests.e2e.conftest import NOW, House, Visitor
from tests.unit.assess.surveys import EAST, SCALE, WEST, a_question, a_survey

pytestmark = pytest.mark.e2e
MANAGER = Actor("usr_m", "city", frozenset({"manager"}), "Chen")
THANKS = {"zh": "谢谢，您的回答已计入。", "en": "Thank you, your answer was counted."}
TWICE = {"zh": "您已经回答过了", "en": "You have answered already"}


@pytest.fixture
def city(house: Callable[..., House]) -> House:
    """A city with a survey of two questions that anybody may answer today."""
    made = house(feeds=False)
    day = NOW.date()
    said: dict[str, Any] = {
        "id": "open",
        "mode": "online",
        "sampling": "self_selected",
        "is_open": True,
        "begins": str(day - timedelta(days=3)),
        "ends": str(day + timedelta(days=3)),
        "strata": [EAST, WEST],
        "population": None,
        "questions": [a_question(), a_question("q2", options=SCALE)],
    }
    made.run(made.city.surveys.define(MANAGER, a_survey(**said)))
    return made


def fill_in(visitor: Visitor) -> None:
    visitor.go("/survey")
    visitor.page.click('main a[href="/survey/open"]')
    visitor.page.check('input[name="q.q1"][value="yes"]')
    visitor.page.check('input[name="q.q2"][value="4"]')
    visitor.page.select_option("#stratum", "east")
    visitor.page.focus("main form button")
    visitor.page.keyboard.press("Enter")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_passer_by_answers_once(city: House, visit: Callable[..., Visitor], lang: str) -> None:
    visitor = visit(city.url, lang, java_script_enabled=False)
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    fill_in(visitor)
    expect(visitor.page.get_by_role("status")).to_have_text(THANKS[lang])
    fill_in(visitor)
    expect(visitor.page.get_by_role("alert")).to_have_text(TWICE[lang])
    assert city.run(city.city.surveys.survey(MANAGER, "open")).answers == 1
    assert visitor.complaints == []
