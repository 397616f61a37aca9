"""View models: what a screen says, without a browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Lang
from chengmai.web.cockpit.access import RAIL, home_of, rail_of
from chengmai.web.cockpit.cases.lines import case_line
from chengmai.web.cockpit.cases.report import check_report, read_position
from chengmai.web.cockpit.desk.view import map_data, map_view, strip_view
from chengmai.web.cockpit.feeds.view import feed_lines
from chengmai.web.cockpit.tiles import STRIP_LENGTH, strip, trend_of, worst_first
from chengmai.web.cockpit.views import CategoryChoice, FeedView, Point
from chengmai.web.cockpit.vitals.listing import ListFilter, list_view
from chengmai.web.cockpit.vitals.view import chart_data, page_view, range_named, summary
from tests.unit.web.builders import formats
from tests.unit.web.fake_cases import case_rows
from tests.unit.web.fake_city import FakeCity
from tests.unit.web.fake_signs import NOW, SIGNS, card, text

HOUR = timedelta(hours=1)
VIEWER = Actor("usr_1", roles=frozenset({"admin"}))
PM25 = "urn:ngsi-ld:VitalSign:environment:pm25:East-Lake"
NOISE = "urn:ngsi-ld:VitalSign:environment:noise:Old-Port"


def series(*values: float | None) -> list[Point]:
    return [Point(NOW - timedelta(minutes=30) * n, v) for n, v in enumerate(reversed(values))][::-1]


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        ((1, 2, 3, 4, 5, 6), "rising"),
        ((6, 5, 4, 3, 2, 1), "falling"),
        ((1, 9, 5, 5, 5, 5, 5, 5, 5, 5, 5), "steady"),
        ((5, 5, 5, 5), "steady"),
        ((5, None, None), "none"),
        ((), "none"),
    ],
)
def test_a_trend_compares_the_ends_of_three_hours_with_the_spread_of_the_day(
    values: tuple[float | None, ...], trend: str
) -> None:
    assert trend_of(series(*values), NOW) == trend


def test_an_old_series_has_no_trend() -> None:
    assert trend_of(series(1, 2, 3, 4), NOW + 6 * HOUR) == "none"


def cards() -> list:  # type: ignore[type-arg]
    return [card(sign, area, NOW) for sign in SIGNS for area in range(3)]


def test_the_strip_shows_each_sign_once_by_its_worst_area_worst_first() -> None:
    tiles = strip(cards(), formats())
    assert len(tiles) == len({tile.title for tile in tiles}) == STRIP_LENGTH
    order = ["act", "watch", "unknown", "normal"]
    ranks = [order.index(tile.level) for tile in tiles]
    assert ranks == sorted(ranks)
    pm25 = next(tile for tile in tiles if tile.title.startswith("PM2.5"))
    assert (pm25.level, pm25.others) == ("act", 1)


def test_the_strip_counts_signs_by_level() -> None:
    assert dict(strip_view(cards(), formats()).counts) == {
        "act": 2,
        "watch": 3,
        "unknown": 1,
        "normal": 30,
    }


def test_an_unknown_sign_has_no_value_and_no_unit() -> None:
    tiles = {tile.level: tile for tile in strip(cards(), formats())}
    assert (tiles["unknown"].value, tiles["unknown"].unit) == ("–", "")


def test_the_list_keeps_what_the_filter_keeps() -> None:
    view = list_view(cards(), ListFilter(pack="power", level="act"), 0, formats())
    assert [tile.title for tile in view.tiles] == ["Transformer oil temperature"]
    assert list_view(cards(), ListFilter(text="变压器"), 0, formats()).total == 6
    assert worst_first(cards())[0].level == "act"


def test_the_domains_of_the_list_lead_to_their_signs_and_back_and_count_what_is_abnormal() -> None:
    found = list_view(cards(), ListFilter(pack="power", level="act"), 0, formats()).domains
    power = next(line for line in found if line.is_chosen)
    others = [line for line in found if not line.is_chosen]
    assert power.href == "/vitals?pack=&level=act&q="
    assert all("pack=" in line.href and "pack=&" not in line.href for line in others)
    told = [pair for line in found for pair in line.abnormal]
    assert sum(count for level, count in told if level == "act") == 2
    assert sum(count for level, count in told if level == "watch") == 3
    assert sum(line.signs for line in found) == len(SIGNS)
    assert dict(found[0].abnormal)["act"] >= 1


def test_the_list_has_pages() -> None:
    many = [replace(c, id=f"{c.id}-{n}") for n in range(5) for c in cards()]
    first, second = (list_view(many, ListFilter(), start, formats()) for start in (0, 100))
    assert (first.previous, first.next, len(second.tiles), second.next) == (None, 100, 80, None)


async def test_a_vital_sign_is_told_in_whole_sentences_in_both_languages() -> None:
    vital = await FakeCity().vital(VIEWER, PM25)
    english, chinese = summary(vital, formats("en")), summary(vital, formats("zh-CN"))
    assert english[0].startswith("PM2.5, hourly mean in East Lake is 139.2 µg/m³: act.")
    assert chinese[0] == "East Lake PM2.5 小时均值为 139.2 µg/m³，需要处置。"
    assert len(english) == len(chinese)
    assert "80% interval" in english[-1]


async def test_a_forecast_that_is_not_shown_says_why_and_draws_nothing() -> None:
    city, f = FakeCity(), formats()
    vital = await city.vital(VIEWER, NOISE)
    history = await city.vital_history(VIEWER, NOISE, NOW - 24 * HOUR, NOW)
    view = page_view(vital, history, "24h", f)
    assert view.forecast is not None
    assert not view.forecast.shown
    assert "did not beat" in view.forecast.because
    assert view.forecast.rows == ()
    assert chart_data(vital, history, "24h", f).forecast == ()
    assert view.forecast.mae != "–"


async def test_thresholds_show_source_dates_and_what_is_unverified() -> None:
    city = FakeCity()
    vital = await city.vital(VIEWER, PM25)
    history = await city.vital_history(VIEWER, PM25, NOW - 24 * HOUR, NOW)
    watch, act, old = page_view(vital, history, "24h", formats()).bands
    assert (watch.condition, watch.dates, watch.unverified) == (
        "above 75.0 µg/m³",
        "in force since 1 Jan 2016",
        False,
    )
    assert act.unverified
    assert (old.in_force, old.dates) == (False, "until 31 Dec 2015")


async def test_the_chart_looks_no_further_ahead_than_back() -> None:
    city = FakeCity()
    vital = await city.vital(VIEWER, PM25)
    history = await city.vital_history(VIEWER, PM25, NOW - 6 * HOUR, NOW)
    found = chart_data(vital, history, "6h", formats())
    assert 0 < len(found.forecast) <= 6
    assert found.end > NOW


def test_an_unknown_range_is_the_usual_one() -> None:
    assert [range_named(name) for name in ("6w", "9y", "")] == ["6w", "24h", "24h"]


@pytest.mark.parametrize(
    ("lang", "proposal"), [("en", "Proposed: Dispatch to"), ("zh-CN", "建议：派遣至")]
)
def test_a_case_line_says_what_is_proposed(lang: Lang, proposal: str) -> None:
    line = case_line(case_rows(NOW)[1], formats(lang))
    assert line.proposal.startswith(proposal)
    assert line.step is not None
    assert line.step.action == "/cases/urn:ngsi-ld:CityCase:2026-000131/steps"


def test_a_case_past_its_deadline_is_red_whatever_it_was_told() -> None:
    row = replace(case_rows(NOW)[1], due_at=NOW - HOUR, light="green")
    line = case_line(row, formats())
    assert (line.light, line.light_word, line.due) == ("red", "Overdue", "by 1 h")


def test_a_case_line_says_why_the_case_exists() -> None:
    row = replace(case_rows(NOW)[0], reason=text("超过阈值", "Beyond the threshold"))
    assert case_line(row, formats("zh-CN")).reason == "超过阈值"
    assert case_line(case_rows(NOW)[0], formats()).reason == ""


def test_a_closed_case_has_no_deadline() -> None:
    assert case_line(replace(case_rows(NOW)[0], closed=True), formats()).due == ""


async def test_the_map_and_its_list_show_the_same_places() -> None:
    city, f = FakeCity(), formats()
    places = await city.abnormal_places(VIEWER)
    view = map_view(await city.base_map(), places, f)
    drawn = map_data(await city.base_map(), places, f)
    assert len(view.places) + view.more == len(places)
    assert len(drawn["places"]["features"]) == len(places)  # type: ignore[index]
    assert view.places[0].level == "act"


def test_feeds_in_trouble_come_first_and_silence_is_unknown() -> None:
    names = (("a", "live"), ("b", "silent"), ("c", "failed"))
    feeds = [FeedView(n, text(n, n), "mqtt", s, None, 0, 0, 0) for n, s in names]  # type: ignore[arg-type]
    lines = feed_lines(feeds, formats())
    assert [(line.id, line.mark) for line in lines] == [
        ("c", "act"),
        ("b", "unknown"),
        ("a", "normal"),
    ]


CHOICES = (CategoryChoice("dust", text("扬尘", "Dust")),)


def filled(**more: str) -> dict[str, str]:
    return {"category": "dust", "area": "East", "description": "A lot of dust", "key": "k"} | more


def test_a_good_report_passes_with_its_position() -> None:
    report, mistakes = check_report(filled(position="31.2, 121.4"), CHOICES, formats().words)
    assert mistakes == {}
    assert report is not None
    assert report.position == (121.4, 31.2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": "x"},
        {"area": " "},
        {"position": "here"},
        {"description": "ab"},
        {"description": "a" * 2001},
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, str]) -> None:
    report, mistakes = check_report(filled(**wrong), CHOICES, formats("zh-CN").words)
    assert report is None
    assert mistakes.keys() == wrong.keys()


@pytest.mark.parametrize("bad", ["", "1", "1,2,3", "91,0", "0,181", "nan,0", "inf,1", "a,b"])
def test_what_is_no_position_is_none(bad: str) -> None:
    assert read_position(bad) is None


def test_a_position_may_have_a_full_width_comma() -> None:
    assert read_position("31.2，121.4") == (121.4, 31.2)


@pytest.mark.parametrize(
    ("role", "keys"),
    [
        ("duty_officer", ["desk", "vitals", "cases", "report", "feeds"]),
        ("auditor", ["desk", "vitals", "cases", "feeds", "audit"]),
        ("citizen", ["report"]),
        ("nobody", []),
    ],
)
def test_the_rail_shows_what_the_role_may_open(role: str, keys: list[str]) -> None:
    actor = Actor("usr_1", roles=frozenset({role}))
    assert [entry.key for entry in rail_of(actor)] == keys
    assert home_of(actor) == (rail_of(actor)[0].path if keys else "/help")


def test_the_rail_never_has_more_than_six_entries() -> None:
    assert len(RAIL) <= 6
