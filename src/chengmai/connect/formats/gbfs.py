"""GBFS systems, versions 2 and 3: stations with what is there to hire; stations told twice become one.

Columns: `station_id`, `name`, `lat`, `lon`, `capacity`, `vehicles`, `docks`, `disabled`, `renting`,
`returning`, `installed`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item, fault
from chengmai.packs.sources import GbfsSource

_NEEDED = ("station_information", "station_status")


class GbfsFormat:
    """Implements `formats.ports.Format` for the system whose `gbfs.json` is at `address`."""

    timed = True

    def __init__(self, source: GbfsSource, address: str) -> None:
        self._source = source
        self._address = address

    async def gather(self, get: Get) -> Sequence[Document]:
        found = feeds_of(_data(await get(self._address)), self._source.language)
        missing = [name for name in _NEEDED if name not in found]
        if missing:
            raise Broken(f"the system has no {' and no '.join(missing)}", sample=str(found))
        return [await get(get.beside(self._address, found[name])) for name in _NEEDED]

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        information, status = documents
        known: dict[str, Mapping[str, Any]] = {}
        for _, station in _stations(information):
            if isinstance(station, Item):
                yield station
            else:
                known.setdefault(str(station["station_id"]), station)
        told = _newest(_stations(status), _instant(_whole(status).get("last_updated"), now))
        if self._source.take == "system":
            yield _system(told, known)
            return
        for where, station in told:
            if isinstance(station, Item):
                yield station
                continue
            name = str(station["station_id"])
            if name not in known:
                detail = f"station_information has no station {name!r}"
                yield fault(where, "unknown_id", detail, json.dumps(station, ensure_ascii=False))
                continue
            yield Item(where, _record(known[name], station, self._source.language))

    def close(self) -> None:
        pass


def feeds_of(data: Any, language: str) -> dict[str, str]:
    """Return the addresses of a system's documents by name; before version 3 they stand once a language."""
    if isinstance(data, dict) and "feeds" not in data:
        data = data.get(language) or next(iter(data.values()), None)
    feeds = data.get("feeds") if isinstance(data, dict) else None
    if not isinstance(feeds, list):
        raise Broken("gbfs.json names no feeds")
    return {
        str(one["name"]): str(one["url"]).removeprefix("file:")
        for one in feeds
        if isinstance(one, dict) and isinstance(one.get("url"), str) and "name" in one
    }


def _whole(document: Document) -> dict[str, Any]:
    raw = document.path.read_bytes()
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        sample = raw[:200].decode("utf-8", "replace")
        raise Broken(f"{document.address} is not valid JSON: {error}", sample=sample) from error
    if not isinstance(found, dict):
        raise Broken(f"{document.address} is not a JSON object")
    return found


def _data(document: Document) -> Any:
    data = _whole(document).get("data")
    if not isinstance(data, dict):
        raise Broken(f"{document.address} has no data")
    return data


def _stations(document: Document) -> list[tuple[str, dict[str, Any] | Item]]:
    """Return (place, station, or why it is none)."""
    stations = _data(document).get("stations")
    if not isinstance(stations, list):
        raise Broken(f"{document.address} holds no list of stations")
    name = document.address.rpartition("/")[2]
    found: list[tuple[str, dict[str, Any] | Item]] = []
    for number, station in enumerate(stations):
        where = f"{name}[{number}]"
        if not isinstance(station, dict) or station.get("station_id") in (None, ""):
            sample = json.dumps(station, ensure_ascii=False)
            found.append((where, fault(where, "missing_id", "no station_id", sample)))
        else:
            found.append((where, station))
    return found


def _newest(
    told: list[tuple[str, dict[str, Any] | Item]], updated: datetime
) -> list[tuple[str, dict[str, Any] | Item]]:
    """Return the stations, of each the newest word only; its `last_reported` is made an instant."""
    kept: dict[str, tuple[str, dict[str, Any] | Item]] = {}
    for where, station in told:
        if isinstance(station, Item):
            kept[where] = (where, station)
            continue
        at = _instant(station.get("last_reported"), updated)
        name = str(station["station_id"])
        before = kept.get(name, (where, None))[1]
        if isinstance(before, dict) and before[OBSERVED] > at.timestamp():
            continue
        kept[name] = (where, {**station, OBSERVED: at.timestamp()})
    return list(kept.values())


def _instant(raw: object, default: datetime) -> datetime:
    """Return a time: seconds since 1970 before version 3, then RFC 3339; `default` for anything else."""
    try:
        if isinstance(raw, str):
            at = datetime.fromisoformat(raw)
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        return datetime.fromtimestamp(float(raw), UTC)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        return default


def _record(known: Mapping[str, Any], told: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {
        "station_id": str(told["station_id"]),
        "name": _name(known.get("name"), language) or str(told["station_id"]),
        "lat": known.get("lat"),
        "lon": known.get("lon"),
        "capacity": known.get("capacity"),
        "vehicles": told.get("num_vehicles_available", told.get("num_bikes_available")),
        "docks": told.get("num_docks_available"),
        "disabled": told.get("num_vehicles_disabled", told.get("num_bikes_disabled")),
        "renting": told.get("is_renting"),
        "returning": told.get("is_returning"),
        "installed": told.get("is_installed"),
        "is_virtual": known.get("is_virtual_station"),
        OBSERVED: told[OBSERVED],
    }


def _name(raw: object, language: str) -> str:
    if isinstance(raw, list):
        texts = {t.get("language"): t.get("text") for t in raw if isinstance(t, dict)}
        return str(texts.get(language) or next(iter(texts.values()), "") or "")
    return str(raw or "")


def _system(
    told: Sequence[tuple[str, dict[str, Any] | Item]], known: Mapping[str, Mapping[str, Any]]
) -> Item:
    """Return one record with the sums over all stations that are known and installed."""
    stations = [
        (_record(known[str(s["station_id"])], s, ""))
        for _, s in told
        if isinstance(s, dict) and str(s["station_id"]) in known and s.get("is_installed", True)
    ]
    counts = {
        name: sum(int(s[name]) for s in stations if isinstance(s[name], int))
        for name in ("capacity", "vehicles", "docks", "disabled")
    }
    at = max((s[OBSERVED] for s in stations), default=None)
    renting = [s for s in stations if s["renting"] is not False]
    return Item(
        "system",
        {
            "station_id": "system",
            "stations": len(stations),
            "empty": sum(s["vehicles"] == 0 for s in renting),
            "full": sum(s["docks"] == 0 for s in stations if s["returning"] is not False),
            **counts,
            OBSERVED: at,
        },
    )
