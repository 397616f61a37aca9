"""The room of an incident over HTTP: decisions as forms, and the desk that tells an incident once."""

from __future__ import annotations

import re

import pytest

from tests.unit.web.builders import KEY, signed_in, token_of
from tests.unit.web.fake_city import FakeCity
from tests.unit.web.fake_incidents import INCIDENT

ROOM = f"/incidents/{INCIDENT}"


def decided(city: FakeCity, **fields: str) -> tuple[int, str]:
    client = signed_in(city)
    page = client.get(ROOM).text
    key = KEY.search(page)
    assert key is not None
    form = {"csrf": token_of(page), "key": key[1], "version": "4"} | fields
    answer = client.post(f"{ROOM}/decisions", data=form)
    return answer.status_code, answer.text


def test_a_decision_is_taken_with_its_reason_and_leads_back_to_the_room() -> None:
    city = FakeCity()
    status, _ = decided(city, step="raise_level", reason="spreading", note="wind turned")
    assert status == 303
    (order,) = city.incidents.orders
    assert (order.step, order.reason, order.note) == ("raise_level", "spreading", "wind turned")


def test_the_members_to_split_off_are_those_that_were_ticked() -> None:
    city = FakeCity()
    decided(city, step="split", reason="other_cause", **{"member.1": "v1", "member.2": "v2"})
    assert city.incidents.orders[0].members == ("v1", "v2")


def test_a_decision_on_what_has_changed_shows_the_room_and_keeps_the_note() -> None:
    status, page = decided(
        FakeCity(), step="merge", reason="same_cause", note="keep me", version="3"
    )
    assert status == 409
    assert "The incident has just changed" in page
    assert 'value="keep me"' in page


def test_the_room_offers_a_reason_for_every_decision() -> None:
    page = signed_in().get(ROOM).text
    forms = re.findall(r"<fieldset>(.*?)</fieldset>", page, re.S)
    assert len(forms) == 3
    assert all('name="reason" required' in form for form in forms)


def test_the_room_says_what_is_expected_in_the_next_two_hours() -> None:
    page = signed_in().get(ROOM).text
    assert "The next 2 hours" in page
    assert 'class="chart"' in page


def test_the_desk_tells_an_incident_once_and_its_budget() -> None:
    page = signed_in(FakeCity(roles=frozenset({"duty_officer"}))).get("/").text
    assert page.count("Rain, East Lake → ponding") == 1
    assert "No case is open about it." in page
    assert "New alarms in the last hour: 6 of 6" in page
    assert "held back, beyond the budget of the hour" in page


@pytest.mark.parametrize("role", ["citizen", "worker"])
def test_the_review_is_for_the_desk(role: str) -> None:
    assert signed_in(FakeCity(roles=frozenset({role}))).get("/incidents/review").status_code == 403


def test_an_unknown_incident_is_404() -> None:
    answer = signed_in().get("/incidents/urn:ngsi-ld:Incident:none")
    assert answer.status_code == 404
    assert "No such incident" in answer.text


def test_a_suspected_sensor_is_named_on_its_sign_and_shaded_on_the_curve() -> None:
    page = signed_in().get("/vitals/urn:ngsi-ld:VitalSign:environment:pm25:East-Lake").text
    assert "Sensor suspected (stuck):" in page
    assert "The value has not moved for nine hours." in page
    assert 'class="c-doubt"' in page
