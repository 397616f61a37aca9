"""OCPI, module Locations: places to charge, and the state of their charge points (EVSE).

Version 2.2.1, and 2.1.1, which names the voltage and current of a connector otherwise; also the bare list of
locations, which some publish as a file. What its operator keeps from being published is refused.

Columns of `locations`: `location_id` `name` `address` `city` `operator` `lat` `lon` `points` `available`
`charging` `reserved` `blocked` `out_of_order` `unknown` `power_kw` (the sum of what the points can give;
empty where one does not say it) `last_updated`. Of `evses`: `location_id` `evse_id` `name` `lat` `lon`
`status` `connectors` `power_kw` `last_updated`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chengmai.connect.formats.pages import pages, read_json
from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item, fault
from chengmai.packs.sources import OcpiSource

_NEXT = re.compile(r"<([^>]+)>\s*;\s*rel=\"?next\"?")
_STATUS = {
    "AVAILABLE": "available",
    "CHARGING": "charging",
    "RESERVED": "reserved",
    "BLOCKED": "blocked",
    "OUTOFORDER": "out_of_order",
    "INOPERATIVE": "out_of_order",
}
_NOT_COUNTED = ("PLANNED", "REMOVED")
_SUCCESS = range(1000, 2000)


class OcpiFormat:
    """Implements `formats.ports.Format` for the list of locations at `address`."""

    timed = True

    def __init__(self, source: OcpiSource, address: str) -> None:
        self._source = source
        self._address = address

    async def gather(self, get: Get) -> Sequence[Document]:
        return await pages(get, self._address, _next, most=self._source.max_pages)

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        seen: set[str] = set()
        for document in documents:
            page = read_json(document)
            at = _instant(page.get("timestamp") if isinstance(page, dict) else None, now)
            for number, location in enumerate(_listed(page)):
                where = f"locations[{number}]"
                refused = _refused(where, location)
                if refused is not None:
                    yield refused
                    continue
                name = str(location["id"])
                if name in seen:
                    yield fault(where, "duplicate", "the location was told before", name)
                    continue
                seen.add(name)
                yield from self._of(f"location {name}", location, at)

    def close(self) -> None:
        pass

    def _of(self, where: str, location: Mapping[str, Any], at: float) -> Iterator[Item]:
        points = [
            one
            for one in location.get("evses") or []
            if isinstance(one, dict) and one.get("status") not in _NOT_COUNTED
        ]
        if self._source.take == "locations":
            yield Item(where, {**_location(location, points), OBSERVED: at})
            return
        for point in points:
            if not point.get("uid"):
                yield fault(where, "missing_id", "a charge point without a uid", str(point))
                continue
            yield Item(f"{where} evse {point['uid']}", {**_evse(location, point), OBSERVED: at})


def _next(document: Document, page: Any) -> str | None:
    """Return the next page (header `Link`); raises `Broken` when the operator answers with an error."""
    _listed(page)
    match = _NEXT.search(document.headers.get("link", ""))
    return match[1] if match else None


def _listed(page: Any) -> list[Any]:
    """Return the locations of an answer, or of a file that is the bare list; raises `Broken`."""
    if isinstance(page, list):
        return page
    code = page.get("status_code") if isinstance(page, dict) else None
    if not isinstance(code, int) or code not in _SUCCESS:
        said = page.get("status_message", "") if isinstance(page, dict) else ""
        raise Broken(f"the operator answers with status {code}: {said}", sample=str(page))
    if not isinstance(page.get("data"), list):
        raise Broken("the answer holds no list of locations", sample=str(page))
    listed: list[Any] = page["data"]
    return listed


def _refused(where: str, location: Any) -> Item | None:
    """Return why something of the list is not taken as a location."""
    if not isinstance(location, dict) or not location.get("id"):
        return fault(where, "missing_id", "a location without an id", str(location))
    where = f"location {location['id']}"
    if not isinstance(location.get("coordinates"), dict):
        return fault(where, "bad_resource", "no location: it has no coordinates", str(location))
    if location.get("publish") is False:
        return fault(where, "not_published", "its operator says that it is not to be published")
    return None


def _instant(raw: object, now: datetime) -> float:
    try:
        at = datetime.fromisoformat(str(raw))
    except ValueError:
        return now.timestamp()
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _place(location: Mapping[str, Any]) -> dict[str, Any]:
    coordinates = location["coordinates"]
    return {
        "location_id": str(location["id"]),
        "name": str(location.get("name") or location.get("address") or location["id"]),
        "lat": coordinates.get("latitude"),
        "lon": coordinates.get("longitude"),
    }


def _location(location: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counts = Counter(_STATUS.get(str(point.get("status")), "unknown") for point in points)
    powers = [_power_kw(point) for point in points]
    return {
        **_place(location),
        "address": location.get("address"),
        "city": location.get("city"),
        "operator": (location.get("operator") or {}).get("name"),
        "points": len(points),
        **{name: counts[name] for name in (*dict.fromkeys(_STATUS.values()), "unknown")},
        "power_kw": None if None in powers else sum(power for power in powers if power),
        "last_updated": location.get("last_updated"),
    }


def _evse(location: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_place(location),
        "evse_id": str(point.get("evse_id") or point["uid"]),
        "status": point.get("status"),
        "connectors": len(point.get("connectors") or []),
        "power_kw": _power_kw(point),
        "last_updated": point.get("last_updated"),
    }


def _power_kw(point: Mapping[str, Any]) -> float | None:
    """Return the most that a charge point gives, one connector at a time; None when one does not say it."""
    powers = [_connector_kw(one) for one in point.get("connectors") or []]
    told = [power for power in powers if power is not None]
    return max(told) if told and len(told) == len(powers) else None


def _connector_kw(connector: Any) -> float | None:
    """Return the power that is told, else volts (line to neutral) × amperes × phases; None without both."""
    if not isinstance(connector, dict):
        return None
    told = connector.get("max_electric_power")
    if isinstance(told, int | float):
        return float(told) / 1000
    volts = connector.get("max_voltage", connector.get("voltage"))
    amperes = connector.get("max_amperage", connector.get("amperage"))
    if not isinstance(volts, int | float) or not isinstance(amperes, int | float):
        return None
    phases = 3 if connector.get("power_type") == "AC_3_PHASE" else 1
    return float(volts) * float(amperes) * phases / 1000
