"""The list of forecast quality comes a page at a time."""

from __future__ import annotations

from chengmai.web.cockpit.forecasts.view import PAGE, list_view
from chengmai.web.cockpit.reviewing import Standing
from tests.unit.web.builders import formats
from tests.unit.web.fake_signs import NOW, SIGNS, card


def test_a_long_list_is_cut_into_pages_and_says_how_many_there_are() -> None:
    every = [Standing(card(SIGNS[0], 0, NOW), None, None, None)] * 250

    pages = [list_view(every, [], "", first, formats()) for first in (0, PAGE, 2 * PAGE)]

    assert [len(page.lines) for page in pages] == [100, 100, 50]
    assert [len(page.hidden) for page in pages] == [100, 100, 50]
    assert [(page.previous, page.next) for page in pages] == [(None, 100), (0, 200), (100, None)]
    assert {page.total for page in pages} == {250}
