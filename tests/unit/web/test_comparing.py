"""Comparing places in a framework, and tiles: nothing is left out in silence or said by colour alone."""

from __future__ import annotations

import re

import pytest

from chengmai.web.cockpit.assess import scores
from tests.unit.web.builders import signed_in

PAGE = "/assessment/frameworks?framework=nsc-2018"


def columns(page: str) -> list[str]:
    table = page[page.rindex("<thead>") : page.rindex("</thead>")]
    return re.findall(r'<th scope="col" class="right">([^<]+)</th>', table)[1:]


def test_a_place_named_twice_is_compared_once() -> None:
    page = signed_in().get(f"{PAGE}&place=330100&place=330200&place=330100").text
    assert len(columns(page)) == 2
    assert 'role="alert"' not in page


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "not compared: zzz, &lt;b&gt;"), ("zh-CN", "未列入比较：zzz, &lt;b&gt;")],
)
def test_a_place_without_values_is_named_and_not_left_out_in_silence(lang: str, said: str) -> None:
    client = signed_in(lang=lang)
    page = client.get(f"{PAGE}&place=330100&place=zzz&place=%3Cb%3E").text
    assert said in page
    assert len(columns(page)) == 1
    assert "zzz" in client.get(PAGE.replace("?", ".csv?") + "&place=330100&place=zzz").text


def test_more_places_than_are_compared_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "COMPARED", 1)
    page = signed_in().get(f"{PAGE}&place=330100&place=330200").text
    assert "At most 1 places are compared; left out: " in page
    assert len(columns(page)) == 1


@pytest.mark.parametrize(
    ("lang", "label"), [("en", "Zhejiang: 31, place 1"), ("zh-CN", "浙江省：31 个，排第 1")]
)
def test_a_tile_is_a_link_that_says_its_number_and_shade(lang: str, label: str) -> None:
    page = signed_in(lang=lang).get("/assessment?data=example").text
    (tile,) = re.findall(rf'<a class="shade-5"[^>]*aria-label="{label}">.*?</a>', page)
    assert "code=330000" in tile
    assert "●" * 5 in tile
