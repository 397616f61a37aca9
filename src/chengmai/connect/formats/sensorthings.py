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

from shapely.errors import ShapelyError
from shapely.geometry import shape

from chengmai.connect.formats.pages import pages, read_json
from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item, fault
from chengmai.kernel.units import UNITS
from chengmai.packs.sources import SensorThingsSource

NEXT = "@iot.nextLink"
_OBSERVATIONS_NEXT = "Observations@iot.nextLink"
_CODES = {unit.symbol: code for code, unit in UNITS.items() if unit.symbol}
_CODES |= dict.fromkeys(("ug/m3", "μg/m³", "ug/m³", "μg/m3", "µg/m3", "ug/m^3"), "GQ")
_CODES |= dict.fromkeys(("degC", "C", "Cel", "C°", "deg C"), "CEL") | {"percent": "P1"}
_CODES |= {"mg/l": "M1", "mg/m3": "GP", "mbar": "A97", "deg": "DD", "dB(A)": "2N", "m3": "MTQ"}
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
        wanted = self._source.properties
        taken = {n: one for n, one in streams.items() if not wanted or _property(one) in wanted}
        if streams and not taken:
            there = ", ".join(sorted({_property(one) or "nothing" for one in streams.values()}))
            detail = f"none of its datastreams observes {', '.join(wanted)}; they observe {there}"
            yield fault("Datastreams", "bad_document", detail[:300])
        for name, stream in taken.items():
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
    told = observation if isinstance(observation, dict) else {}
    start, _, end = str(told.get("phenomenonTime") or told.get("resultTime")).partition("/")
    for raw in (end, start):
        try:
            at = datetime.fromisoformat(raw)
        except ValueError:
            continue
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return None


def _part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = told.get(name)
    return part if isinstance(part, dict) else {}


def _property(stream: Mapping[str, Any]) -> str:
    return str(_part(stream, "ObservedProperty").get("name", ""))


def _unit_code(unit: Mapping[str, Any], symbol: str) -> str:
    """Return the Rec 20 code of a unit by its symbol, else by its UCUM definition; else the symbol."""
    definition = str(unit.get("definition") or "").removeprefix("ucum:")
    return _CODES.get(symbol) or _CODES.get(definition) or symbol


def _fixed(stream: Mapping[str, Any]) -> dict[str, Any]:
    thing, unit = _part(stream, "Thing"), _part(stream, "unitOfMeasurement")
    symbol = str(unit.get("symbol") or "").strip()
    longitude, latitude = _place(stream, thing)
    return {
        "thing_id": str(thing.get("@iot.id", "")),
        "thing": str(thing.get("name") or thing.get("@iot.id", "")),
        "datastream_id": _id(stream),
        "datastream": str(stream.get("name", "")),
        "property": _property(stream) or "result",
        "definition": str(_part(stream, "ObservedProperty").get("definition", "")),
        "unit": symbol,
        "unit_code": _unit_code(unit, symbol),
        "lon": longitude,
        "lat": latitude,
    }


def _place(stream: Mapping[str, Any], thing: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return where the thing is, else where the datastream observes; of an area a point inside it."""
    shapes: list[Any] = [
        _part(one, "location") for one in thing.get("Locations") or [] if isinstance(one, dict)
    ]
    for told in (*shapes, _part(stream, "observedArea")):
        geometry = told.get("geometry", told)
        if not isinstance(geometry, dict):
            continue
        found = geometry.get("coordinates")
        if geometry.get("type") == "Point" and isinstance(found, list) and len(found) > 1:
            return found[0], found[1]
        try:
            inside = shape(geometry).representative_point()
        except (ShapelyError, ValueError, TypeError, AttributeError, KeyError, IndexError):
            continue
        if not inside.is_empty:
            return round(inside.x, 7), round(inside.y, 7)
    return None, None
