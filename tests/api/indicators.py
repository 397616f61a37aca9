"""Telling a city what things show, and asking for indicators: what the tests of indicators share."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from chengmai.app.published import published
from chengmai.assess.live.model import Live
from chengmai.kernel.actors import Actor, system
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import entity as inner
from chengmai.ngsild.entity import name_iri
from chengmai.packs.reader import shipped_packs
from tests.api.house import House

MANAGER = Actor("usr_m", "city", frozenset({"manager"}), "Chen")
TODAY = "2026-11-22T07:00:00Z"


def packs_with(*entity_types: str) -> tuple[Path, ...]:
    """Return the folders of the shipped packs that have some types: all of them would take seconds to read."""
    wanted = {f'type = "{one}"' for one in entity_types}
    files = sorted(shipped_packs().glob("*/entities/*.toml"))
    return tuple(
        dict.fromkeys(
            file.parents[1] for file in files if wanted & set(file.read_text().splitlines())
        )
    )


def told(
    entity_type: str, at: Any = TODAY, *, name: Any = "a", area: Any = "East", **values: Any
) -> Any:
    """Return what a client says of a thing: numbers observed at an instant, texts without one."""
    attributes = {
        key: {"type": "Property", "value": value}
        | ({"observedAt": at} if isinstance(value, int | float) else {})
        for key, value in values.items()
    }
    return {
        "id": f"urn:ngsi-ld:{entity_type}:{name}",
        "type": entity_type,
        "areaServed": {"type": "Property", "value": area},
        **attributes,
    }


async def tell(house: House, *entities: dict[str, Any]) -> None:
    """Send observations one after the other, as a feed would; what the platform publishes, its rooms write."""
    for entity in entities:
        house.clock.advance(timedelta(milliseconds=1))
        if name_iri(entity["type"]) in published():
            await house.city.store.work.write(partial(_publish, house, entity))
            continue
        path = "/entityOperations/upsert?options=update"
        answer = await house.ask("POST", path, [entity])
        assert answer.status_code in (201, 204), answer.text


def _publish(house: House, entity: dict[str, Any], tx: Tx) -> None:
    attributes = {key: value for key, value in entity.items() if key not in ("id", "type")}
    made = inner(entity["id"], entity["type"], **attributes)
    house.city.model.put(tx, made, by=system("tests", "city"))


async def found(house: House, indicator: str) -> Live:
    return await house.city.indicators.one(MANAGER, indicator)


async def value(house: House, indicator: str) -> float | None:
    return (await found(house, indicator)).value


def a_sign(pack: str, sign: str, area: str, number: float, level: str = "normal") -> Any:
    said = {"pack": pack, "sign": sign, "currentValue": number, "level": level}
    return told("VitalSign", name=f"{sign}:{area}", area=area, **said)
