"""Rules whose condition follows a link, in a running city: a pole is judged by what its cabinet says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from chengmai.kernel.instants import format_instant
from chengmai.rules.model import Firing, FiringFilter
from tests.api.house import NOON, House, a_house
from tests.unit.rules.builders import POLE, a_spec, manager

CABINET, STREET = "urn:ngsi-ld:Cabinet:c1", "urn:ngsi-ld:Street:s1"
OPEN = "refCabinet{Cabinet:open}==true"


async def tell(
    house: House, entity_id: str, links: dict[str, Any] | None = None, **values: Any
) -> None:
    """Move the clock by a second and tell values of a thing, and what it links to."""
    house.clock.advance(timedelta(seconds=1))
    observed = {"observedAt": format_instant(house.clock.now())}
    body: dict[str, Any] = {
        n: {"type": "Property", "value": v} | observed for n, v in values.items()
    }
    body |= {n: {"type": "Relationship", "object": to} for n, to in (links or {}).items()}
    sent = [{"id": entity_id, "type": entity_id.split(":")[2]} | body]
    answer = await house.ask("POST", "/entityOperations/upsert?options=update", sent)
    assert answer.status_code in (201, 204), answer.text


async def on(house: House, q: str, **more: Any) -> None:
    service, by = house.city.rules.service, manager()
    made = await service.make(by, a_spec(q=q, recovers={}, **more))
    await service.switch(by, made.id, on=True, expecting=1)


async def firings(house: House) -> list[Firing]:
    return await house.city.rules.service.firings(manager(), FiringFilter())


async def test_a_change_of_the_linked_thing_fires_and_recovers_and_its_silence_does_neither(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await tell(house, POLE, {"refCabinet": CABINET}, tilt=3)
        await tell(house, "urn:ngsi-ld:Pole:p2", tilt=3)
        await on(house, OPEN)
        await tell(house, CABINET, voltage=230)
        assert await firings(house) == []

        await tell(house, CABINET, open=True)
        await tell(house, CABINET, voltage=231)
        (fired,) = await firings(house)
        await tell(house, CABINET, open=False)
        (over,) = await firings(house)

        assert (fired.entity, fired.ended) == (POLE, None)
        assert "refCabinet.open" in str(fired.lines[0].text.en)
        assert over.ended == "recovered"


async def test_pointing_a_thing_elsewhere_is_a_change_too_and_links_of_links_lead_back(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await on(house, "refCabinet{refStreet{wet}}==true;tilt>2")
        await tell(house, STREET, wet=True)
        await tell(house, POLE, {"refCabinet": CABINET}, tilt=3)
        assert await firings(house) == []

        await tell(house, CABINET, {"refStreet": STREET})
        (fired,) = await firings(house)
        await tell(house, STREET, wet=False)
        (over,) = await firings(house)

        assert (fired.entity, fired.ended) == (POLE, None)
        assert over.ended == "recovered"


async def test_a_trial_and_a_preview_read_what_the_linked_thing_said(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await tell(house, POLE, {"refCabinet": CABINET}, tilt=3)
        for is_open in (False, True, False, True):
            await tell(house, CABINET, open=is_open)
        rooms, spec = house.city.rules, a_spec(q=OPEN, recovers={})
        seen = await rooms.service.preview(manager(), spec)
        end = house.clock.now() + timedelta(seconds=1)

        trial = await rooms.trying.run(manager(), spec, NOON, end)
        curve = await rooms.trying.curve(manager(), a_spec(q=OPEN + ";tilt>2"), POLE, NOON, end)

        assert (seen.selected, seen.holding) == (1, 1)
        assert [(one.start - NOON).total_seconds() for one in trial.firings] == [3, 5]
        assert (trial.fired, trial.entities) == (2, 1)
        assert trial.firings[0].end == NOON + timedelta(seconds=4)
        assert curve is not None
        assert curve.attribute == "tilt"
