"""The query of a sign, run over readings in DuckDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from chengmai.kernel.instants import parse_us
from chengmai.packs.model import TableSpec
from chengmai.store.duckdb.analysis import DuckAnalysis
from chengmai.vitals.instants import instants_of
from chengmai.vitals.ports import ViewRows
from chengmai.vitals.problems import EvaluationFailed
from chengmai.vitals.sql import check_sql

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
VIEWS = {"air": ("pm25", "no2", "capacity")}
T8 = parse_us("2026-11-22T08:00:00Z")


@dataclass(frozen=True)
class Rows:
    entities: list[str]
    areas: list[str]
    attributes: list[str]
    entity: NDArray[np.int32]
    attribute: NDArray[np.int32]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]


def readings(*rows: tuple[int, int, int, float]) -> ViewRows:
    """Return rows of (entity, attribute, minutes after 08:00, value) of two stations and one without area."""
    table = Rows(
        ["urn:a", "urn:b", "urn:c"],
        ["东城区", "Haidian", ""],
        ["pm25", "no2"],
        np.array([row[0] for row in rows], dtype=np.int32),
        np.array([row[1] for row in rows], dtype=np.int32),
        np.array([T8 + row[2] * 60_000_000 for row in rows], dtype=np.int64),
        np.array([row[3] for row in rows], dtype=np.float64),
    )
    return ViewRows("air", instants_of(table), {"capacity": {"urn:a": 400.0}})


def run(
    sql: str,
    view: ViewRows,
    *,
    start_us: int = T8,
    hours: int = 24,
    step: timedelta = HOUR,
    analysis: DuckAnalysis | None = None,
) -> list[tuple[str, int, float]]:
    return (analysis or DuckAnalysis(memory_limit="128MB")).evaluate(
        check_sql(sql, VIEWS),
        [view],
        start_us=start_us,
        end_us=start_us + hours * 3_600_000_000,
        step=step,
        zone=SHANGHAI,
    )


MEAN = "SELECT area, tick, avg(pm25) AS value FROM air GROUP BY area, tick"


def test_mean_is_taken_by_area_and_tick() -> None:
    view = readings((0, 0, 0, 10.0), (0, 0, 30, 30.0), (1, 0, 10, 5.0), (0, 0, 60, 7.0))
    assert run(MEAN, view) == [
        ("Haidian", T8, 5.0),
        ("东城区", T8, 20.0),
        ("东城区", T8 + 3_600_000_000, 7.0),
    ]


def test_attributes_of_one_instant_stand_in_one_row() -> None:
    sql = "SELECT area, tick, max(pm25 - no2) AS value FROM air GROUP BY area, tick"
    view = readings((0, 0, 0, 10.0), (0, 1, 0, 4.0), (0, 0, 5, 99.0))
    assert run(sql, view) == [("东城区", T8, 6.0)]


def test_constant_columns_are_there_in_every_row_and_null_where_unknown() -> None:
    sql = "SELECT area, tick, 100 * max(pm25 / capacity) AS value FROM air GROUP BY area, tick"
    assert run(sql, readings((0, 0, 0, 100.0), (1, 0, 0, 100.0))) == [("东城区", T8, 25.0)]


def test_entities_without_area_give_no_sign() -> None:
    assert run(MEAN, readings((2, 0, 0, 10.0))) == []


def test_no_readings_give_no_values() -> None:
    assert run(MEAN, readings()) == []


def test_look_back_is_read_and_not_answered() -> None:
    sql = (
        "WITH hourly AS (SELECT area, tick, avg(pm25) AS v FROM air GROUP BY area, tick)"
        " SELECT area, tick, avg(v) OVER (PARTITION BY area ORDER BY tick RANGE BETWEEN"
        " INTERVAL 23 HOURS PRECEDING AND CURRENT ROW) AS value FROM hourly"
    )
    view = readings((0, 0, 0, 10.0), (0, 0, 60, 20.0))
    assert run(sql, view, start_us=T8 + 3_600_000_000) == [("东城区", T8 + 3_600_000_000, 15.0)]


def test_a_day_begins_at_local_midnight() -> None:
    view = readings((0, 0, 0, 1.0), (0, 0, 9 * 60, 3.0))
    midnight = parse_us("2026-11-21T16:00:00Z")
    assert run(MEAN, view, start_us=midnight, hours=48, step=timedelta(days=1)) == [
        ("东城区", midnight, 1.0),
        ("东城区", midnight + 86_400_000_000, 3.0),
    ]


def test_values_that_are_no_numbers_are_left_out() -> None:
    sql = "SELECT area, tick, avg(pm25) / 0 AS value FROM air GROUP BY area, tick"
    assert run(sql, readings((0, 0, 0, 10.0))) == []


def test_two_values_for_one_tick_are_refused_with_a_fix() -> None:
    view = readings((0, 0, 0, 10.0), (0, 0, 1, 11.0))
    with pytest.raises(EvaluationFailed) as problem:
        run("SELECT area, tick, pm25 AS value FROM air", view)
    assert "东城区" in problem.value.detail
    assert "GROUP BY" in (problem.value.fix or "")


def test_a_query_that_fails_says_why() -> None:
    sql = "SELECT area, tick, CAST(area AS DOUBLE) AS value FROM air"
    with pytest.raises(EvaluationFailed, match="Could not convert"):
        run(sql, readings((0, 0, 0, 10.0)))


def test_a_query_that_takes_too_long_is_stopped() -> None:
    sql = (
        "SELECT a.area, a.tick, sum(a.pm25 * b.pm25 * c.pm25) AS value"
        " FROM air a JOIN air b ON a.pm25 <> b.pm25 JOIN air c ON c.pm25 <> b.pm25"
        " GROUP BY a.area, a.tick"
    )
    view = readings(*[(0, 0, i, float(i)) for i in range(6000)])
    with pytest.raises(EvaluationFailed, match=r"(?i)interrupt"):
        run(sql, view, analysis=DuckAnalysis(memory_limit="256MB", timeout_s=0.05))


def test_both_engines_get_the_query_in_their_words() -> None:
    sql = "SELECT area, tick, quantile_cont(pm25, 0.85) AS value FROM air GROUP BY area, tick"
    checked = check_sql(sql, VIEWS)
    assert "QUANTILE_CONT" in checked.sql_for("duckdb")
    assert "WITHIN GROUP" in checked.sql_for("postgres")


LIMITS = TableSpec.model_validate(
    {
        "id": "noise_limit",
        "title": {"zh": "限值", "en": "Limits"},
        "columns": {
            "day": {"title": {"zh": "昼", "en": "day"}, "unit": "2N"},
            "night": {"title": {"zh": "夜", "en": "night"}, "unit": "2N"},
        },
        "source": {"zh": "标准", "en": "standard"},
        "trust": "S",
        "rows": [
            {"name": "1", "until": "2026-11-22", "values": {"day": 55, "night": 45}},
            {"name": "1", "from": "2026-11-23", "values": {"day": 50, "night": 40}},
            {"name": "4a", "values": {"day": 70, "night": 55}},
        ],
    }
)
OVER = """
SELECT a.area AS area, a.tick AS tick, max(a.pm25 - l.day) AS value FROM air AS a
JOIN noise_limit AS l ON l.name = a.zone_class AND a.at >= l.since AND a.at < l.until
GROUP BY a.area, a.tick
"""


def over_the_limit(view: ViewRows) -> list[tuple[str, int, float]]:
    views, tables = {"air": ("pm25", "zone_class")}, {"noise_limit": ("day", "night")}
    return DuckAnalysis(memory_limit="128MB").evaluate(
        check_sql(OVER, views, tables=tables),
        [view],
        start_us=T8,
        end_us=T8 + 24 * 3_600_000_000,
        step=HOUR,
        zone=SHANGHAI,
        tables=[LIMITS],
    )


def test_a_text_that_does_not_change_chooses_the_row_of_a_table() -> None:
    view = readings((0, 0, 0, 60.0), (1, 0, 0, 60.0), (2, 0, 0, 60.0))
    classes = {"zone_class": {"urn:a": "1", "urn:b": "4a"}}
    view = replace(view, constants=classes, texts=frozenset(classes))
    assert over_the_limit(view) == [("Haidian", T8, -10.0), ("东城区", T8, 5.0)]


def test_the_row_that_holds_on_the_local_day_of_the_reading_counts() -> None:
    view = readings((0, 0, 479, 60.0), (0, 0, 480, 60.0))
    classes = {"zone_class": {"urn:a": "1"}}
    view = replace(view, constants=classes, texts=frozenset(classes))
    # 16:00 UTC is midnight in Shanghai.
    assert [value for _, _, value in over_the_limit(view)] == [5.0, 10.0]


def test_a_class_that_nobody_gave_is_no_row() -> None:
    view = readings((0, 0, 0, 60.0))
    assert (
        over_the_limit(replace(view, constants={"zone_class": {}}, texts=frozenset({"zone_class"})))
        == []
    )


def test_calls_that_run_side_by_side_see_their_own_readings_only() -> None:
    analysis = DuckAnalysis(memory_limit="128MB")

    def mean(value: float) -> list[tuple[str, int, float]]:
        return run(MEAN, readings((1, 0, 0, value)), analysis=analysis)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(mean, range(20)))
    assert found == [[("Haidian", T8, float(value))] for value in range(20)]
