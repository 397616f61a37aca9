"""Numbers, instants and spans are written as each language writes them, in the city's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chengmai.kernel.texts import Lang
from tests.unit.web.builders import formats
from tests.unit.web.fake_signs import NOW

LATE = datetime(2026, 11, 21, 23, 43, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lang", "text"), [("zh-CN", "2026年11月22日 07:43"), ("en", "22 Nov 2026 07:43")]
)
def test_an_instant_is_full_date_and_24_hours_in_the_zone_of_the_city(
    lang: Lang, text: str
) -> None:
    assert formats(lang).instant(LATE) == text


def test_an_instant_of_another_day_keeps_its_day_when_written_short() -> None:
    assert formats().near(NOW) == "15:43"
    assert formats().near(NOW - timedelta(days=1)) == "21 Nov 15:43"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1234.56, 1, "1,234.6"), (-3.0, 0, "\N{MINUS SIGN}3"), (-0.01, 1, "0.0"), (None, 2, "–")],
)
def test_a_number_is_grouped_and_has_a_true_minus(
    value: float | None, decimals: int, text: str
) -> None:
    assert formats().number(value, decimals) == text


def test_a_unit_stands_apart_except_the_percent_sign() -> None:
    assert formats().quantity(38.24, "km/h", 1) == "38.2 km/h"
    assert formats().quantity(61, "%") == "61%"
    assert formats().quantity(None, "km/h", 1) == "–"


@pytest.mark.parametrize(
    ("gone", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=3, seconds=50), "3 min ago"),
        (timedelta(hours=2, minutes=5), "2 h 5 min ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=5), "5 d ago"),
    ],
)
def test_an_age_is_told_in_its_largest_useful_unit(gone: timedelta, text: str) -> None:
    assert formats().age(NOW - gone) == text


def test_what_was_never_seen_has_no_age() -> None:
    assert formats("zh-CN").age(None) == "从未"


def test_a_deadline_tells_what_is_left_and_what_is_over() -> None:
    assert formats().remaining(NOW + timedelta(minutes=40)) == "40 min left"
    assert formats("zh-CN").remaining(NOW - timedelta(hours=2)) == "超时 2 小时"
    assert formats().remaining(None) == "no deadline"
