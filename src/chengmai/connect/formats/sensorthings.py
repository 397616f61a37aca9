"""SensorThings services: observations with their thing, place, property and unit; no observation twice.

Columns: `thing_id` `thing` `datastream_id` `datastream` `property` `definition` `result` `unit` (symbol)
`unit_code` (Rec 20, where the symbol is known) `lon` `lat`, and one named by the observed property that
holds the result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from chengmai.connect.formats.pages import pages, read_json
from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item, fault
from chengmai.kernel.units import UNITS
from chengmai.packs.sources import SensorThingsSource

NEXT = "@iot.nextLink"
_OBSERVATIONS_NEXT = "Observations@iot.nextLink"
_CODES = {unit.symbol: code for code, unit in UNITS.items() if unit.symbol}
_CODES |= {"ug/m3": "GQ", "μg/m³": "GQ", "ug/m³": "GQ", "degC": "CEL", "C": "CEL", "percent": "P1"}
_KEPT = 100_000
_FOLLOWED = 50
"""Further pages of one datastream in one fetch: what is older than that was missed for good."""


class SensorThingsFormat:
    """Implements `formats.ports.Format` and `Resumed` for the service at `address`.

    Of each datastream the time of the newest observation is remembered; what came since is read, page by page.
    """

    timed = True

    def __init__(self, source: SensorThingsSource, address: str) -> None:
        self._source = source
        self._address = address.rstrip("/")
        self._newest: dict[str, float] = {}

    def resume(self, state: Mapping[str, Any] | None) -> None:
        self._newest = dict((state or {}).get("newest", {}))

    def state(self) -> dict[str, Any]:
        return {"newest": dict(self._newest)}

    async def gather(self, get: Get) -> Sequence[Document]:
        expand = (
            "ObservedProperty,Thing($expand=Locations),"
            f"Observations($orderby=phenomenonTime desc;$top={self._source.latest})"
        )
        address = f"{self._address}/Datastreams?$expand={quote(expand, safe='$(),;=')}"
        found = await pages(get, address, lambda _, page: _next(page), most=self._source.max_pages)
        further: list[Document] = []
        for document in found:
            page = await asyncio.to_thread(read_json, document)
            for stream in _streams(page):
                if isinstance(stream, dict):
                    further += await self._older(get, document.address, stream)
        return [*found, *further]

    async def _older(self, get: Get, address: str, stream: dict[str, Any]) -> list[Document]:
        """Return further pages of a datastream until what was read before; none at the first fetch."""
        newest = self._newest.get(_id(stream))
        link, told = stream.get(_OBSERVATIONS_NEXT), stream.get("Observations") or []
        found: list[Document] = []
        while newest is not None and isinstance(link, str) and len(found) < _FOLLOWED:
            times = [t for t in map(_time, told) if t is not None]
            if not times or min(times) <= newest:
                break
            page = await get(get.beside(address, link))
            content = await asyncio.to_thread(read_json, page)
            told = content.get("value") if isinstance(content, dict) else None
            if not isinstance(told, list):
                raise Broken("a page of observations holds no list")
            if any(page.digest == one.digest for one in found):
                raise Broken("a page leads back to one that was read before", sample=link)
            found.append(Document(f"{_id(stream)}", page.path, page.digest))
            link = content.get(NEXT)
        return found

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        streams: dict[str, dict[str, Any]] = {}
        told: dict[str, list[tuple[str, Any]]] = {}
        for document in documents:
            page = read_json(document)
            if document.address in streams:
                told[document.address] += [(document.address, one) for one in page["value"]]
                continue
            for number, stream in enumerate(_streams(page)):
                where = f"Datastreams[{number}]"
                if not isinstance(stream, dict) or "@iot.id" not in stream:
                    yield fault(where, "missing_id", "a datastream without an id", str(stream))
                    continue
                streams[_id(stream)] = stream
                observations = stream.get("Observations") or []
                told[_id(stream)] = [(f"Datastream {_id(stream)}", one) for one in observations]
        for name, stream in streams.items():
            if not self._source.properties or _property(stream) in self._source.properties:
                yield from self._new(name, stream, told[name])

    def close(self) -> None:
        pass

    def _new(
        self, name: str, stream: Mapping[str, Any], told: Sequence[tuple[str, Any]]
    ) -> Iterator[Item]:
        newest = self._newest.get(name)
        fixed = _fixed(stream)
        timed = []
        for where, observation in told:
            at = _time(observation)
            if at is None:
                yield fault(
                    where, "bad_time", "no phenomenonTime that can be read", str(observation)
                )
            elif newest is None or at > newest:
                timed.append((at, where, observation))
        for at, where, observation in sorted(timed, key=lambda one: one[0]):
            result = observation.get("result")
            yield Item(where, {**fixed, "result": result, fixed["property"]: result, OBSERVED: at})
            self._newest[name] = at
        while len(self._newest) > _KEPT:
            del self._newest[next(iter(self._newest))]


def _next(page: Any) -> str | None:
    if not isinstance(page, dict):
        raise Broken("a page is not a JSON object")
    link = page.get(NEXT)
    return link if isinstance(link, str) and link else None


def _streams(page: Any) -> list[Any]:
    streams = page.get("value") if isinstance(page, dict) else None
    if not isinstance(streams, list):
        raise Broken("the service does not answer with a list of datastreams", sample=str(page))
    return streams


def _id(stream: Mapping[str, Any]) -> str:
    return str(stream.get("@iot.id", ""))


def _time(observation: Any) -> float | None:
    """Return the time of an observation, of an interval its end; None when it has none."""
    raw = observation.get("phenomenonTime") if isinstance(observation, dict) else None
    try:
        at = datetime.fromisoformat(str(raw).rpartition("/")[2])
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _property(stream: Mapping[str, Any]) -> str:
    return str((stream.get("ObservedProperty") or {}).get("name", ""))


def _fixed(stream: Mapping[str, Any]) -> dict[str, Any]:
    thing = stream.get("Thing") or {}
    unit = stream.get("unitOfMeasurement") or {}
    symbol = str(unit.get("symbol") or "").strip()
    place = next((one for one in thing.get("Locations") or [] if isinstance(one, dict)), {})
    longitude, latitude = _point(place.get("location"))
    return {
        "thing_id": str(thing.get("@iot.id", "")),
        "thing": str(thing.get("name") or thing.get("@iot.id", "")),
        "datastream_id": _id(stream),
        "datastream": str(stream.get("name", "")),
        "property": _property(stream) or "result",
        "definition": str((stream.get("ObservedProperty") or {}).get("definition", "")),
        "unit": symbol,
        "unit_code": _CODES.get(symbol, symbol),
        "lon": longitude,
        "lat": latitude,
    }


def _point(location: Any) -> tuple[Any, Any]:
    geometry = location.get("geometry", location) if isinstance(location, dict) else {}
    found = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if geometry.get("type") != "Point" or not isinstance(found, list) or len(found) < 2:
        return None, None
    return found[0], found[1]
