from __future__ import annotations

from pathlib import Path

import pytest

from chengmai.packs import check_pack, check_packs, read_pack
from chengmai.packs.problems import PackInvalid
from tests.unit.packs.builders import CASES, ENTITY, EXPECT, FEED, VITAL, a_folder

LATER = """
[[bands]]
level = "watch"
above = 12
from = {begin}
source = {{ zh = "下一版", en = "next edition" }}
trust = "C"
"""


def found(tmp_path: Path, changes: dict[str, str]) -> list[tuple[str, str]]:
    pack = read_pack(a_folder(tmp_path, changes))
    return [(finding.file, finding.key) for finding in check_pack(pack)]


def test_a_whole_pack_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, {}) == []


@pytest.mark.parametrize(
    ("file", "text", "key"),
    [
        ("entities/gauge.toml", ENTITY.replace('"CMT"', '"CMX"'), "attributes.depth.unit"),
        ("entities/gauge.toml", ENTITY.replace('unit = "CMT"', ""), "attributes.depth"),
        ("entities/gauge.toml", ENTITY.replace("max = 500", ""), "attributes.depth"),
        ("entities/gauge.toml", ENTITY.replace("max = 500", "max = 0"), "attributes.depth"),
        ("feeds/gauges.toml", FEED.replace('"Gauge"', '"Gouge"'), "entity"),
        ("feeds/gauges.toml", FEED.replace('"MTR"', '"CEL"'), "map.attributes.depth.unit"),
        ("feeds/gauges.toml", FEED.replace("depth = {", "width = {"), "map.attributes.width"),
        ("feeds/gauges.toml", FEED.replace('licence = "own"', ""), "licence"),
        ("vitals/depth.toml", VITAL.replace('unit = "CMT"', 'unit = "CMX"'), "unit"),
        ("vitals/depth.toml", VITAL.replace("FROM gauge", "FROM sqlite_master"), "sql"),
        ("vitals/depth.toml", VITAL.replace('"flooding"', '"drought"'), "opens.category"),
        ("vitals/depth.toml", VITAL.replace('at = "watch"', 'at = "act"'), "opens.at"),
        ("vitals/depth.toml", VITAL.replace('"PT30M"', '"PT1M"'), "stale_after"),
        ("vitals/depth.toml", VITAL.replace('"list of signs"', '" "'), "bands.0.source"),
        (
            "cases/water.toml",
            CASES.replace('responsible = "drainage"', 'responsible = "nobody"'),
            "categories.flooding.responsible",
        ),
        ("expect/deep.toml", EXPECT.replace('"Gauge"', '"Gouge"'), "given.0.entity"),
        ("expect/deep.toml", EXPECT.replace("depth = 20", "width = 20"), "given.0.values.width"),
        ("expect/deep.toml", EXPECT.replace('sign = "depth"', 'sign = "width"'), "vitals.0.sign"),
        ("expect/deep.toml", EXPECT.replace('"flooding"', '"drought"'), "cases.0.category"),
    ],
)
def test_a_mistake_is_found_in_its_file_at_its_key(
    tmp_path: Path, file: str, text: str, key: str
) -> None:
    assert found(tmp_path, {file: text})[0] == (file, key)


def test_a_range_that_no_sensor_can_measure_betrays_the_wrong_unit(tmp_path: Path) -> None:
    warm = ENTITY.replace('"CMT"', '"CEL"').replace("max = 500", "max = 90000")
    feed = FEED.replace('"MTR"', '"CEL"')
    changes = {"entities/gauge.toml": warm, "feeds/gauges.toml": feed}
    assert found(tmp_path, changes) == [("entities/gauge.toml", "attributes.depth")]


@pytest.mark.parametrize(
    ("until", "begin", "count"),
    [
        ("2026-02-28", "2026-03-01", 0),
        ("2026-03-01", "2026-03-01", 1),
        ("2026-02-27", "2026-03-01", 1),
    ],
)
def test_bands_of_two_editions_must_meet(
    tmp_path: Path, until: str, begin: str, count: int
) -> None:
    vital = VITAL + f"until = {until}\n" + LATER.format(begin=begin)
    assert (
        found(tmp_path, {"vitals/depth.toml": vital})
        == [("vitals/depth.toml", "bands (watch, above)")] * count
    )


def test_a_sample_that_is_not_there_is_found(tmp_path: Path) -> None:
    expect = 'title = { zh = "样例", en = "sample" }\ngiven = [{ sample = "samples/a.ndjson" }]\n'
    assert found(tmp_path, {"expect/deep.toml": expect}) == [("expect/deep.toml", "given.0.sample")]


def test_names_that_with_defines_are_no_views(tmp_path: Path) -> None:
    sql = "WITH deep AS (SELECT * FROM gauge) SELECT area, tick, max(depth) AS value FROM deep GROUP BY 1, 2"
    old = VITAL[VITAL.index("sql = ") : VITAL.index("[opens]")]
    assert found(tmp_path, {"vitals/depth.toml": VITAL.replace(old, f'sql = "{sql}"\n')}) == []


def test_the_word_of_the_engine_on_sql_is_a_finding(tmp_path: Path) -> None:
    pack = read_pack(a_folder(tmp_path))
    findings = check_pack(pack, sql_check=lambda vital: [f"no value in {vital.id}"])
    assert [(f.key, f.message) for f in findings] == [("sql", "no value in depth")]


def test_an_id_in_two_packs_is_found(tmp_path: Path) -> None:
    packs = [read_pack(a_folder(tmp_path / name)) for name in ("one", "two")]
    messages = [finding.message for finding in check_packs(packs)]
    assert "pack 'water' is in two packs" in messages
    assert "category 'flooding' is in two packs" in messages


TABLE = """
id = "depth_limit"
title = { zh = "限值", en = "Limits" }
source = { zh = "标准", en = "standard" }
trust = "M"
columns = { most = { title = { zh = "上限", en = "most" }, unit = "CMT" } }
[[rows]]
name = "road"
until = 2027-12-31
values = { most = 15 }
[[rows]]
name = "road"
from = 2028-01-01
values = { most = 12 }
"""


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (TABLE.replace('"CMT"', '"CMX"'), "columns.most.unit"),
        (TABLE.replace("most = 12", "least = 12"), "rows.1.values"),
        (TABLE.replace("2028-01-01", "2027-06-01"), "rows (road)"),
        (TABLE.replace("from = 2028-01-01", "from = 2028-01-01\nuntil = 2027-12-31"), "rows.1"),
    ],
)
def test_a_mistake_in_a_table_is_found(tmp_path: Path, text: str, key: str) -> None:
    assert ("tables/limit.toml", key) in found(tmp_path, {"tables/limit.toml": text})


def test_a_query_may_join_the_tables_of_its_pack(tmp_path: Path) -> None:
    joined = VITAL.replace(
        "FROM gauge GROUP", "FROM gauge JOIN depth_limit ON depth_limit.name = 'road' GROUP"
    )
    assert found(tmp_path, {"tables/limit.toml": TABLE, "vitals/depth.toml": joined}) == []


def test_bands_of_one_level_may_differ_by_colour(tmp_path: Path) -> None:
    more = LATER.format(begin="2020-01-01").replace("[[bands]]", '[[bands]]\ngrade = "yellow"')
    assert found(tmp_path, {"vitals/depth.toml": VITAL + more}) == []
    assert found(tmp_path, {"vitals/depth.toml": VITAL + LATER.format(begin="2020-01-01")}) != []


FORMAT_FEED = """
id = "bikes"
title = { zh = "单车", en = "Bikes" }
connector = "gbfs"
entity = "Gauge"
period = "PT5M"
licence = "own"
source = { take = "stations" }
map = { id = "{ID}", area = { value = "East" }, attributes = { depth = { column = "COLUMN" } } }
"""


@pytest.mark.parametrize(
    ("name", "column", "key"),
    [
        ("station_id", "capacity", None),
        ("station", "capacity", "map.id"),
        ("station_id", "bikes", "map.attributes.depth"),
    ],
)
def test_a_column_that_a_format_does_not_give_is_found(
    tmp_path: Path, name: str, column: str, key: str | None
) -> None:
    text = FORMAT_FEED.replace("ID}", f"{name}}}").replace("COLUMN", column)
    expected = [] if key is None else [("feeds/bikes.toml", key)]
    assert found(tmp_path, {"feeds/bikes.toml": text}) == expected


def test_a_kind_of_feed_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    text = FORMAT_FEED.replace('"gbfs"', '"siri"')
    with pytest.raises(PackInvalid) as problem:
        found(tmp_path, {"feeds/bikes.toml": text})
    assert "gtfs_realtime" in problem.value.findings[0].fix
