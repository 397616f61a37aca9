"""What a sign's query may say."""

from __future__ import annotations

import pytest

from chengmai.vitals import SqlRefused, check_sql

VIEWS = {"air_quality": ("pm25", "no2"), "weather": ("temperature",)}
MEAN = "SELECT area, tick, avg(pm25) AS value FROM air_quality GROUP BY area, tick"


@pytest.mark.parametrize(
    "sql",
    [
        MEAN,
        MEAN + ";",
        (
            "WITH h AS (SELECT area, tick, avg(pm25) AS v FROM air_quality GROUP BY area, tick)"
            " SELECT area, tick, avg(v) OVER (PARTITION BY area ORDER BY tick RANGE BETWEEN"
            " INTERVAL 23 HOURS PRECEDING AND CURRENT ROW) AS value FROM h"
        ),
        (
            "SELECT area, tick, 100.0 * count(*) FILTER (WHERE pm25 > 60) / count(*) AS value"
            " FROM air_quality GROUP BY area, tick HAVING count(*) >= 3"
        ),
        (
            "SELECT a.area, a.tick, max(a.pm25 / nullif(w.temperature, 0)) AS value FROM air_quality a"
            " JOIN weather w ON w.area = a.area AND w.tick = a.tick GROUP BY a.area, a.tick"
        ),
        "SELECT area, tick, quantile_cont(pm25, 0.85) AS value FROM air_quality GROUP BY area, tick",
        (
            "SELECT 'city' AS area, tick, median(CASE WHEN pm25 > 0 THEN pm25 END) AS value"
            " FROM air_quality GROUP BY tick"
        ),
    ],
)
def test_one_select_over_the_views_is_allowed(sql: str) -> None:
    assert "air_quality" in check_sql(sql, VIEWS).views


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("", "0 statements"),
        ("sel ect", "not a SELECT"),
        ("SELECT area FROM", "cannot be read"),
        (MEAN + "; DROP TABLE entity", "2 statements"),
        ("DROP TABLE air_quality", "DROP"),
        ("PRAGMA database_list", "PRAGMA"),
        ("ATTACH 'x.db' AS x", "ATTACH"),
        ("COPY air_quality TO 'x.csv'", "COPY"),
        ("INSERT INTO air_quality SELECT 1", "INSERT"),
        ("SELECT area, tick, pm25 AS value FROM read_csv('secrets.csv')", "read_csv"),
        ("SELECT area, tick, pm25 AS value FROM 'secrets.csv'", "secrets.csv"),
        ("SELECT area, tick, pm25 AS value FROM main.air_quality", "main.air_quality"),
        ("SELECT area, tick, pm25 AS value FROM entity", "entity"),
        ("SELECT area, tick, getenv('HOME') AS value FROM air_quality", "getenv"),
        ("SELECT area, tick, abs(read_text('x')) AS value FROM air_quality", "read_text"),
        ("SELECT area, tick, random() AS value FROM air_quality", "rand"),
        ("SELECT area, tick, now() AS value FROM air_quality", "now"),
        ("SELECT * FROM air_quality", "gives"),
        ("SELECT area, tick, pm25 FROM air_quality", "pm25"),
        ("SELECT area, tick, pm25 AS value, no2 FROM air_quality", "no2"),
        ("SELECT area, tick, ozone AS value FROM air_quality", "ozone"),
        ("SELECT area, tick, 1 AS value FROM range(10)", "generate_series"),
        ("SELECT area, tick, CAST(pm25 AS JSON) AS value FROM air_quality", "JSON"),
        ("SELECT area, tick, $1 AS value FROM air_quality", "placeholder"),
        ("SELECT 'a' AS area, 1 AS tick, 2 AS value", "no view"),
        (
            (
                "WITH RECURSIVE r AS (SELECT area, tick, pm25 AS value FROM air_quality UNION ALL"
                " SELECT area, tick, value FROM r) SELECT area, tick, value FROM r"
            ),
            "RECURSIVE",
        ),
        ("WITH weather AS (SELECT 1) SELECT area, tick, pm25 AS value FROM air_quality", "weather"),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "longer"),
        (
            "SELECT area, tick, " + "(" * 2000 + "1" + ")" * 2000 + " AS value FROM air_quality",
            "read",
        ),
    ],
)
def test_everything_else_is_refused_by_name_with_a_fix(sql: str, named: str) -> None:
    with pytest.raises(SqlRefused) as problem:
        check_sql(sql, VIEWS, param="environment/vitals/pm25.sql")
    assert named.lower() in problem.value.detail.lower()
    assert problem.value.fix
    assert problem.value.param == "environment/vitals/pm25.sql"


def test_the_columns_a_query_needs_are_known() -> None:
    assert check_sql(MEAN, VIEWS).views == {"air_quality": ("pm25",)}


def test_a_query_is_said_in_the_words_of_each_engine() -> None:
    sql = "SELECT area, tick, count_if(pm25 > 60) AS value FROM air_quality GROUP BY area, tick"
    checked = check_sql(sql, VIEWS)
    assert "COUNT_IF" in checked.sql_for("duckdb")
    assert "CASE WHEN" in checked.sql_for("postgres")


LIMITS = {"limit_of": ("day", "night")}
OVER = (
    "SELECT a.area, a.tick, max(a.pm25 - l.day) AS value FROM air_quality a"
    " JOIN limit_of l ON l.name = '1' AND a.at >= l.since AND a.at < l.until GROUP BY a.area, a.tick"
)


def test_a_query_joins_the_tables_of_packs() -> None:
    checked = check_sql(OVER, VIEWS, tables=LIMITS)
    assert checked.tables == {"limit_of"}
    assert checked.views == {"air_quality": ("pm25",)}


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        (OVER.replace("l.day", "l.dusk"), "dusk"),
        ("SELECT name AS area, since AS tick, day AS value FROM limit_of", "no view"),
    ],
)
def test_a_table_has_its_own_columns_and_is_not_enough(sql: str, named: str) -> None:
    with pytest.raises(SqlRefused, match=named):
        check_sql(sql, VIEWS, tables=LIMITS)
