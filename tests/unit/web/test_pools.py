"""The screens of pools: forms that decide, numbers with their meaning, and nothing said that is not known."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from tests.unit.web.builders import KEY, signed_in, token_of
from tests.unit.web.fake_city import FakeCity
from tests.unit.web.fake_pools import OPEN, text

PAGE = "/pools/transport/parking"


def form(client: TestClient, **more: str) -> dict[str, str]:
    page = client.get(PAGE).text
    key = KEY.search(page)
    assert key is not None
    known = {"csrf": token_of(page), "key": key[1], "suggestion": OPEN, "units.1": "110"}
    return {**known, "decision": "accept", **more}


def test_accepting_sends_the_amounts_and_comes_back() -> None:
    city = FakeCity()
    client = signed_in(city)

    answer = client.post(
        f"{PAGE}/decide", data=form(client, **{"units.1": "60", "reason": " half "})
    )

    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=1#suggestion")
    order = city.pools.orders[0]
    assert (order.decision, order.reason, dict(order.amounts)) == ("accept", "half", {1: 60})


@pytest.mark.parametrize("units", ["", "many", "-5", "1.5", "٣", "9" * 400])
def test_units_that_are_no_number_are_told_and_nothing_is_decided(units: str) -> None:
    city = FakeCity()
    client = signed_in(city)

    answer = client.post(f"{PAGE}/decide", data=form(client, **{"units.1": units}))

    assert answer.status_code in (400, 422)
    assert "move 1 are no whole number" in answer.text
    assert city.pools.orders == []


def test_a_decision_that_comes_too_late_shows_the_pool_and_keeps_the_reason() -> None:
    client = signed_in()

    answer = client.post(f"{PAGE}/decide", data=form(client, decision="refuse", reason="too late"))

    assert answer.status_code == 409
    assert "decided or has lapsed" in answer.text
    assert 'value="too late"' in answer.text


@pytest.mark.parametrize("role", ["auditor", "citizen"])
def test_a_form_without_a_token_decides_nothing(role: str) -> None:
    city = FakeCity(roles=frozenset({role}))
    client = signed_in(city)

    answer = client.post(f"{PAGE}/decide", data={"suggestion": OPEN, "decision": "accept"})

    assert answer.status_code == 403
    assert city.pools.orders == []


def test_the_page_gives_every_number_its_meaning_and_what_was_read() -> None:
    page = signed_in().get(PAGE).text

    assert "310 unit-hours (spaces)" in page or "311 unit-hours (spaces)" in page
    assert "85% of what there is" in page
    assert "166 of 168 steps were read" in page
    assert "From the readings of 2 members: car parks (ParkingObserved)" in page
    assert "618 less" in page
    assert "the same hours of 5 earlier weeks" in page


def test_the_week_shows_numbers_beside_shades_and_gaps_as_gaps() -> None:
    page = signed_in().get(PAGE).text

    heat = page[page.index('class="heat"') :]
    assert len(re.findall(r'<td class="num heat-', heat)) == 168
    assert heat.count("heat-none") == 24
    assert '<td class="num heat-10">100</td>' in heat


def test_a_pool_of_which_nothing_is_known_shows_no_numbers() -> None:
    page = signed_in().get("/pools/transport/bikes").text

    assert "No member has a reading yet" in page
    assert "Nothing can be said of the demand ahead yet" in page


def test_the_list_of_signs_leads_to_the_pools_of_a_domain() -> None:
    client = signed_in()

    assert 'href="/pools?pack=power"' in client.get("/vitals?pack=power").text
    assert client.get("/pools?pack=nowhere").status_code == 200


def test_pools_that_are_looked_at_for_the_first_time_are_named() -> None:
    city = FakeCity()
    city.pools.first.append(text("Beds"))

    page = signed_in(city).get("/pools").text

    assert "Being worked out for the first time, reload in a moment: <b>Beds</b>" in page
