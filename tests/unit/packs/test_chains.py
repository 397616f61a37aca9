from __future__ import annotations

from pathlib import Path

import pytest

from chengmai.packs import check_packs, read_pack
from chengmai.packs.problems import PackInvalid
from chengmai.packs.reader import read_packs, shipped_packs
from tests.unit.packs.builders import INFO, VITAL, a_folder

CHAIN = """
id = "flood"
source = { zh = "常识", en = "practice" }
trust = "D"
[title]
zh = "内涝"
en = "Flood"
[[links]]
cause = "depth"
effect = "deep"
within = "PT3H"
because = { zh = "水涨", en = "it rises" }
"""
DEEP = VITAL.replace('id = "depth"', 'id = "deep"')


def found(tmp_path: Path, chain: str, **more: str) -> list[tuple[str, str]]:
    files = {"vitals/deep.toml": DEEP, "chains/flood.toml": chain, **more}
    return [(f.file, f.key) for f in check_packs([read_pack(a_folder(tmp_path, files))])]


def test_a_chain_of_two_signs_of_the_pack_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, CHAIN) == []


@pytest.mark.parametrize(
    ("chain", "file", "key"),
    [
        (CHAIN.replace('"deep"', '"dep"'), "chains/flood.toml", "links.0.effect"),
        (CHAIN.replace('"depth"', '"water/dep"'), "chains/flood.toml", "links.0.cause"),
        (CHAIN.replace('en = "practice"', 'en = " "'), "chains/flood.toml", "source"),
        (CHAIN + CHAIN.partition('Flood"')[2], "chains/flood.toml", "links.1"),
        (
            CHAIN.replace('"depth"', '"air/a"').replace('"deep"', '"air/b"'),
            "chains/flood.toml",
            "links.0",
        ),
        (CHAIN.replace('"deep"', '"depth"'), "chains/", "links"),
    ],
)
def test_a_mistake_in_a_chain_is_found(tmp_path: Path, chain: str, file: str, key: str) -> None:
    assert found(tmp_path, chain)[0] == (file, key)


def test_a_link_to_a_pack_that_is_not_there_is_no_mistake(tmp_path: Path) -> None:
    assert found(tmp_path, CHAIN.replace('"deep"', '"roads/delay"')) == []


def test_a_circle_over_two_links_is_found(tmp_path: Path) -> None:
    back = (
        CHAIN.partition('Flood"')[2]
        .replace("depth", "x")
        .replace("deep", "depth")
        .replace('"x"', '"deep"')
    )
    assert found(tmp_path, CHAIN + back) == [("chains/", "links")] * 2


@pytest.mark.parametrize(
    ("chain", "key"),
    [
        (CHAIN.replace('"PT3H"', '"P8D"'), "links.0"),
        (CHAIN + 'place = "near"\n', "links.0"),
        (CHAIN + "distance_m = 10\n", "links.0"),
        (CHAIN + 'place = "beside"\n', "links.0.place"),
        (CHAIN + 'colour = "red"\n', "links.0.colour"),
    ],
)
def test_a_link_that_cannot_be_is_refused_when_read(tmp_path: Path, chain: str, key: str) -> None:
    with pytest.raises(PackInvalid) as told:
        read_pack(a_folder(tmp_path, {"chains/flood.toml": chain}))
    assert key in [finding.key for finding in told.value.findings]


def test_a_pack_says_how_near_its_alarms_must_lie(tmp_path: Path) -> None:
    folding = INFO + '[folding]\nwindow = "PT3H"\ndistance_m = 500\n'
    assert read_pack(a_folder(tmp_path, {"pack.toml": folding})).info.folding.distance_m == 500


def test_the_shipped_chains_lead_from_rain_to_the_roads() -> None:
    packs = {pack.info.id: pack for pack in read_packs([shipped_packs()])}
    edges = {
        (link.cause, link.effect) for chain in packs["environment"].chains for link in chain.links
    }
    assert {("rain_3h", "ponding"), ("ponding", "transport/delay_index")} <= edges
