"""The page on which anybody answers a survey: no sign-in, both languages, nothing lost, nothing forged."""

from __future__ import annotations

import pytest

from chengmai.kernel.texts import LANGS
from tests.unit.web.builders import browser, token_of
from tests.unit.web.fake_city import FakeCity

PAGE = "/survey/open"
FORM = {"q.q1": "yes", "stratum": "east"}


@pytest.mark.parametrize("lang", LANGS)
def test_an_open_survey_is_shown_to_everybody(lang: str) -> None:
    client = browser(FakeCity(), lang)
    for path in ("/survey", PAGE):
        answer = client.get(path)
        assert answer.status_code == 200
        assert f'<html lang="{lang}"' in answer.text
    assert browser(FakeCity(empty=True), lang).get("/survey").status_code == 200
    assert client.get("/survey/nothing").status_code == 404


def test_an_answer_is_counted_and_thanked_for() -> None:
    city = FakeCity()
    client = browser(city)
    form = FORM | {"csrf": token_of(client.get(PAGE).text)}
    answer = client.post(PAGE, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=1")
    assert "Thank you" in client.get(f"{PAGE}?done=1").text
    (kept,) = city.surveys.answers
    assert (kept["q1"], kept["stratum"]) == ("yes", "east")
    assert kept["who"].startswith("browser ")


def test_what_was_chosen_comes_back_where_something_is_missing() -> None:
    city = FakeCity()
    client = browser(city)
    form = {"csrf": token_of(client.get(PAGE).text), "q.q1": "no", "stratum": ""}
    answer = client.post(PAGE, data=form)
    assert answer.status_code == 400
    assert 'value="no" required checked' in answer.text
    assert city.surveys.answers == []


def test_a_forged_answer_is_refused() -> None:
    city = FakeCity()
    client = browser(city)
    client.get(PAGE)
    assert client.post(PAGE, data=FORM).status_code == 403
    assert city.surveys.answers == []


def test_hostile_words_of_a_survey_stay_words() -> None:
    text = browser(FakeCity(hostile="<script>alert(1)</script>"), "zh-CN").get(PAGE).text
    assert "<script>alert" not in text
