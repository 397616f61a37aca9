"""What the linter finds wrong in pools, and what cannot be read as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from chengmai.packs import PackInvalid, check_pack, read_pack
from tests.unit.packs.builders import EXPECT, a_folder

PUMPS = """
type = "PumpStore"
view = "pumps"
title = { zh = "泵库", en = "Pump store" }
[attributes.lent]
title = { zh = "借出", en = "Lent" }
unit = "C62"
min = 0
max = 500
[attributes.pumps]
title = { zh = "总数", en = "Pumps" }
unit = "C62"
min = 1
max = 500
[attributes.weight]
title = { zh = "重量", en = "Weight" }
unit = "KGM"
min = 1
max = 500
static = true
"""
POOL = """
id = "pumps"
entity = "PumpStore"
use = "lent"
capacity = "pumps"
unit = { zh = "台", en = "pumps" }
areas = ["East", "West"]
opens = "flooding"
title = { zh = "抽水泵", en = "Pumps" }
about = { zh = "共用", en = "Shared" }
source = { zh = "本市选择", en = "a city's choice" }
trust = "C"
[move]
kind = "capacity"
[[routes]]
from = "East"
to = "West"
"""


def a_pack(folder: Path, pool: str = POOL, pumps: str = PUMPS, **more: str) -> Path:
    files = {"entities/pumps.toml": pumps, "pools/pumps.toml": pool, **more}
    return a_folder(folder, files)


def found(folder: Path, pool: str = POOL, pumps: str = PUMPS) -> list[tuple[str, str]]:
    findings = check_pack(read_pack(a_pack(folder, pool, pumps)))
    return [(finding.file, finding.key) for finding in findings]


def test_a_whole_pool_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"PumpStore"', '"PumpShop"', "entity"),
        ('"lent"', '"borrowed"', "use"),
        ('"lent"', '"weight"', "use"),
        ('capacity = "pumps"', 'capacity = "room"', "capacity"),
        ('opens = "flooding"', 'opens = "drought"', "opens"),
        ('to = "West"', 'to = "North"', "routes.0"),
        ('to = "West"', 'to = "East"', "routes.0"),
    ],
)
def test_a_mistake_is_found_where_it_is(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert ("pools/pumps.toml", key) in found(tmp_path, POOL.replace(old, new))


def test_what_moves_cannot_be_static(tmp_path: Path) -> None:
    still = PUMPS.replace('en = "Pumps" }', 'en = "Pumps" }\nstatic = true')

    assert found(tmp_path / "a", pumps=still) == [("pools/pumps.toml", "capacity")]
    led = POOL.replace('"capacity"\n[[', '"use"\n[[')
    assert found(tmp_path / "b", led, still) == []


def test_a_route_that_is_there_twice_is_found(tmp_path: Path) -> None:
    twice = POOL + '[[routes]]\nfrom = "East"\nto = "West"\n'

    assert found(tmp_path, twice) == [("pools/pumps.toml", "routes.1")]


def test_an_expectation_of_a_pool_that_is_not_there_is_found(tmp_path: Path) -> None:
    more = EXPECT + '\n[[pools]]\npool = "boats"\nat = "2026-11-02T00:00:00Z"\n'
    folder = a_pack(tmp_path, **{"expect/deep.toml": more})

    assert "pools.0.pool" in {finding.key for finding in check_pack(read_pack(folder))}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('areas = ["East"', 'horizon = "P2D"\nareas = ["East"', "1 to 24 steps"),
        ('areas = ["East"', 'season = "PT90M"\nareas = ["East"', "whole number of steps"),
        ('areas = ["East"', 'step = "P1D"\nareas = ["East"', "shorter than a day"),
        ('areas = ["East"', 'reserve = 1.0\nareas = ["East"', "less than 1"),
        ('kind = "capacity"', 'kind = "people"', "'use' or 'capacity'"),
        ('kind = "capacity"', 'kind = "capacity"\nlot = 5\nmost = 4', "less than one lot"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(PackInvalid) as wrong:
        read_pack(a_pack(tmp_path, POOL.replace(old, new)))

    assert said in str(wrong.value.findings[0])
