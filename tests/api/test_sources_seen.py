"""What somebody who looks after the city sees of the sources that are registered."""

from __future__ import annotations

from pathlib import Path

from chengmai.cli.doctor import _sources
from tests.api.house import a_house

PARKING = {
    "id": "urn:ngsi-ld:ContextSourceRegistration:parking",
    "type": "ContextSourceRegistration",
    "information": [{"entities": [{"type": "OffStreetParking"}]}],
    "endpoint": "http://parking.example",
}


async def test_the_doctor_tells_of_a_source_that_failed_last_and_what_to_do(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert await _sources(house.city) == []
        await house.ask("POST", "/csourceRegistrations", PARKING)
        (check,) = await _sources(house.city)
        assert (check.well, check.seen) == (True, "not asked yet, 0 asked, 0 failed")
        one = house.city.registry.book.of("city")[0]
        house.city.registry.note_forward(one, at=house.clock.now(), failure="no answer")
        await house.city.registry.save_tallies()
        (check,) = await _sources(house.city)
        assert (check.name, check.well) == ("source parking", False)
        assert check.seen == "failed, 1 asked, 1 failed"
        assert "http://parking.example" in check.to_do
