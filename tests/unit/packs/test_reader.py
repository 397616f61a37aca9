from __future__ import annotations

from pathlib import Path

import pytest

from chengmai.packs import PackInvalid, PackNotFound, read_pack, read_packs
from tests.unit.packs.builders import ENTITY, INFO, VITAL, a_folder


def findings(folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(PackInvalid) as problem:
        read_pack(folder)
    return [(finding.file, finding.key) for finding in problem.value.findings]


def test_a_folder_of_toml_is_a_pack(tmp_path: Path) -> None:
    pack = read_pack(a_folder(tmp_path))
    assert pack.info.id == "water"
    assert [vital.id for vital in pack.vitals] == ["depth"]
    assert [entity.view for entity in pack.entities] == ["gauge"]
    assert pack.cases.categories[0].responsible == "drainage"


def test_a_folder_of_packs_is_read_in_order(tmp_path: Path) -> None:
    a_folder(tmp_path / "b")
    a_folder(tmp_path / "a", {"pack.toml": INFO.replace('"water"', '"air"')})
    assert [pack.info.id for pack in read_packs([tmp_path])] == ["air", "water"]


def test_a_folder_without_packs_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(PackNotFound):
        read_packs([tmp_path])


def test_all_mistakes_of_a_pack_are_told_at_once(tmp_path: Path) -> None:
    folder = a_folder(
        tmp_path,
        {
            "pack.toml": INFO.replace('owner = "us"', ""),
            "entities/gauge.toml": ENTITY + "colour = 1\n",
            "vitals/depth.toml": VITAL.replace("above = 15", ""),
            "feeds/broken.toml": "id = [",
        },
    )
    found = findings(folder)
    assert ("pack.toml", "owner") in found
    assert ("entities/gauge.toml", "attributes.depth.colour") in found
    assert ("vitals/depth.toml", "bands.0") in found
    assert ("feeds/broken.toml", "") in found


def test_both_languages_are_needed(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, {"vitals/depth.toml": VITAL.replace('zh = "水深"', 'zh = ""', 1)})
    assert findings(folder) == [("vitals/depth.toml", "title.zh")]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('connector = "mqtt"', 'connector = "carrier-pigeon"'), ""),
        (("port = 1883", "port = 99999"), "source.port"),
        (('zone = "Asia/Shanghai"', 'zone = "Mars/Olympus"'), "time.zone"),
        (('period = "PT5M"', 'period = "P1M"'), "period"),
        (('value = "East"', ""), "map.area"),
    ],
)
def test_a_mistake_in_a_feed_is_named(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    from tests.unit.packs.builders import FEED

    folder = a_folder(tmp_path, {"feeds/gauges.toml": FEED.replace(*change)})
    assert findings(folder) == [("feeds/gauges.toml", key)]


def test_a_finding_names_the_line_when_there_is_only_one(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, {"pack.toml": INFO + "speed = 3\n"})
    with pytest.raises(PackInvalid) as problem:
        read_pack(folder)
    finding = problem.value.findings[0]
    line = (folder / "pack.toml").read_text().splitlines().index("speed = 3") + 1
    assert (finding.key, finding.line) == ("about.speed", line)
    assert "remove the key" in str(finding)
