"""What the platform computes counts in frameworks at the city's own place; what was entered stands beside."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tests.api.house import House, a_house
from tests.api.indicators import MANAGER, packs_with, tell, told

CATALOGUE = "ServiceCatalogueObserved"
TODAY = date(2026, 11, 22)
VALUES = "id,place,indicator,on,value,evidence,source,source_date\n"
ENTERED = VALUES + "1,330100,E01,2026-11-22,90,报告,市政府,2026-11-22\n"
ENTERED += "2,330200,E01,2026-11-22,70,报告,市政府,2026-11-22\n"


async def catalogue(house: House, licences: int) -> None:
    await tell(house, told(CATALOGUE, matters=100, mattersWithLicence=licences))


async def test_a_computed_value_counts_and_an_entered_one_of_the_day_stands_beside(
    tmp_path: Path,
) -> None:
    packs = packs_with(CATALOGUE)
    async with a_house(tmp_path, packs=packs, place="330100") as house:
        await house.city.assess.import_table(MANAGER, "values", ENTERED)
        await catalogue(house, 40)
        board = await house.city.frameworks.board(MANAGER, "nsc-2016", TODAY)
        own = board.values["330100"]["E01"]
        assert own.value == 40
        assert own.ref.entity_id == "urn:ngsi-ld:CityIndicator:E01"
        assert "computed" in own.source
        assert board.overlay.aside["330100"]["E01"].value == 90
        assert board.values["330200"]["E01"].value == 70
        assert [rank.code for rank in board.ranks] == ["330200", "330100"]
        before = board.scores["330100"].total
        await catalogue(house, 80)
        board = await house.city.frameworks.board(MANAGER, "nsc-2016", TODAY)
        assert board.scores["330100"].total > before
        assert [rank.code for rank in board.ranks] == ["330100", "330200"]
        kept = [one.value for one in await house.city.assess.values(MANAGER)]
        assert sorted(kept) == [70, 90]


async def test_an_earlier_day_is_scored_by_what_was_written_down_then(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=packs_with(CATALOGUE)) as house:
        await catalogue(house, 40)
        await house.city.indicators.record("city")
        house.clock.advance(timedelta(days=2))
        await catalogue(house, 80)
        await house.city.indicators.record("city")
        room = house.city.frameworks
        days = {TODAY: 40, TODAY + timedelta(days=1): 40, TODAY + timedelta(days=2): 80}
        for on, value in days.items():
            board = await room.board(MANAGER, "nsc-2016", on)
            assert board.values["own"]["E01"].value == value
        assert "own" not in (await room.board(MANAGER, "nsc-2016", date(2026, 11, 1))).values
