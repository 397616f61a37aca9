"""GTFS timetables: stops, routes, trips and calendars as records; rows that refer to nothing are refused.

Columns are those of the GTFS reference, and some of ours: `mode`, `agency`, `stops`, `first_departure` … A
timetable has no time of observation; its rows are as of the moment they were fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chengmai.connect.formats.archives import Archive
from chengmai.connect.formats.gtfs_tables import (
    ask,
    count,
    engine,
    item_of,
    must,
    rows,
    scan,
    seconds,
    table,
)
from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item, fault
from chengmai.connect.tables import Row
from chengmai.packs.sources import GtfsSource

_MODES = {
    0: "tram",
    1: "metro",
    2: "rail",
    3: "bus",
    4: "ferry",
    5: "cableTram",
    6: "cableway",
    7: "funicular",
    11: "trolleybus",
    12: "monorail",
}
"""The basic route types; the extended ones are told by their hundreds."""
_EXTENDED = {1: "rail", 2: "coach", 4: "metro", 7: "bus", 8: "trolleybus", 9: "tram", 10: "ferry"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LONGEST_CALENDAR = timedelta(days=40_000)


class GtfsFormat:
    """Implements `formats.ports.Format` for a GTFS zip at `address`."""

    timed = False

    def __init__(self, source: GtfsSource, address: str) -> None:
        self._source = source
        self._address = address

    async def gather(self, get: Get) -> Sequence[Document]:
        return [await get(self._address)]

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        with TemporaryDirectory(prefix="chengmai-gtfs-") as folder:
            archive = Archive(documents[0].path, self._source.max_unpacked)
            reader = _READERS[self._source.take]
            for item in reader(archive, Path(folder)):
                if item.record is not None:
                    item = Item(item.where, {**item.record, OBSERVED: now.timestamp()})
                yield item

    def close(self) -> None:
        pass


def _stops(archive: Archive, folder: Path) -> Iterator[Item]:
    stops = must(table(archive, "stops.txt", folder, needed=("stop_id",)), "stops.txt")
    known = {str(row.record["stop_id"]) for row in rows(stops) if row.record}
    for row in rows(stops):
        if row.record is None:
            yield item_of(row)
            continue
        parent = row.record.get("parent_station")
        if parent and parent not in known:
            yield fault(row.where, "unknown_id", f"no station {parent!r}", str(row.record))
            continue
        # Only places where one boards must have a name.
        yield Item(
            row.where,
            {**row.record, "stop_name": row.record.get("stop_name") or row.record["stop_id"]},
        )


def _routes(archive: Archive, folder: Path) -> Iterator[Item]:
    needed = ("route_id", "route_type")
    routes = must(table(archive, "routes.txt", folder, needed=needed), "routes.txt")
    agencies = table(archive, "agency.txt", folder, needed=("agency_name",))
    named = {
        str(row.record.get("agency_id", "")): row.record["agency_name"]
        for row in (rows(agencies) if agencies else ())
        if row.record
    }
    trips = table(archive, "trips.txt", folder, needed=("route_id", "trip_id"))
    counts = count(trips, "route_id") if trips else {}
    for row in rows(routes):
        record = row.record
        if record is None:
            yield item_of(row)
            continue
        agency = str(record.get("agency_id", ""))
        if agency and agency not in named:
            yield fault(row.where, "unknown_id", f"no agency {agency!r}", str(record))
            continue
        more = {
            "mode": mode_of(str(record["route_type"])),
            "agency": named.get(agency) or next(iter(named.values()), ""),
            "name": record.get("route_short_name")
            or record.get("route_long_name")
            or record["route_id"],
            "trips": counts.get(str(record["route_id"]), 0),
        }
        yield Item(row.where, {**record, **more})


def mode_of(route_type: str) -> str:
    """Return the word for a GTFS route type, basic or extended; empty when it is neither."""
    try:
        number = int(route_type)
    except ValueError:
        return ""
    return _MODES.get(number) or _EXTENDED.get(number // 100, "")


def _trips(archive: Archive, folder: Path) -> Iterator[Item]:
    needed = ("route_id", "service_id", "trip_id")
    trips = must(table(archive, "trips.txt", folder, needed=needed), "trips.txt")
    routes = must(table(archive, "routes.txt", folder, needed=("route_id",)), "routes.txt")
    known = {str(row.record["route_id"]): row.record for row in rows(routes) if row.record}
    times = _trip_times(archive, folder)
    for row in rows(trips):
        record = row.record
        if record is None:
            yield item_of(row)
            continue
        route = known.get(str(record["route_id"]))
        if route is None:
            detail = f"no route {record['route_id']!r}"
            yield fault(row.where, "unknown_id", detail, str(record))
            continue
        name = route.get("route_short_name") or route.get("route_long_name") or ""
        found = times.get(str(record["trip_id"]), {})
        yield Item(row.where, {**record, "route_name": name, **found})


def _trip_times(archive: Archive, folder: Path) -> dict[str, dict[str, Any]]:
    """Return by trip its number of stops, first departure and last arrival (seconds of the service day)."""
    needed = ("trip_id", "stop_id", "arrival_time", "departure_time")
    made = table(archive, "stop_times.txt", folder, needed=needed)
    if made is None:
        return {}
    with engine() as db:
        found = ask(
            db,
            f"SELECT trip_id, count(*), min({seconds('departure_time')}),"
            f" max({seconds('arrival_time')}) FROM {scan(made.path)} GROUP BY trip_id",
            made.path,
        )
    return {
        str(trip): {"stops": stops, "first_departure": first, "last_arrival": last}
        for trip, stops, first, last in found
    }


def _calendar(archive: Archive, folder: Path) -> Iterator[Item]:
    weekly = table(archive, "calendar.txt", folder, needed=("service_id", *_DAYS))
    dated = table(
        archive, "calendar_dates.txt", folder, needed=("service_id", "date", "exception_type")
    )
    if weekly is None and dated is None:
        raise Broken("the zip holds neither calendar.txt nor calendar_dates.txt")
    changes: dict[str, dict[date, bool]] = {}
    for row in rows(dated) if dated else ():
        if (made := _change(row)) is not None:
            yield made
        elif row.record is not None:
            on = changes.setdefault(str(row.record["service_id"]), {})
            on[_day(row.record["date"])] = str(row.record["exception_type"]).strip() == "1"
    for row in rows(weekly) if weekly else ():
        yield _service(row, changes.pop(str((row.record or {}).get("service_id")), {}))
    for service, days in changes.items():
        record = {"service_id": service, "weekdays": "", **_span(set(), days)}
        yield Item(f"calendar_dates.txt {service}", record)


def _change(row: Row) -> Item | None:
    """Return what is wrong with a row of `calendar_dates.txt`, None when nothing is."""
    if row.record is None:
        return item_of(row)
    try:
        _day(row.record["date"])
    except ValueError as error:
        return fault(row.where, "bad_time", str(error), str(row.record))
    return None


def _service(row: Row, changes: Mapping[date, bool]) -> Item:
    record = row.record
    if record is None:
        return item_of(row)
    try:
        first, last = _day(record["start_date"]), _day(record["end_date"])
    except (KeyError, ValueError) as error:
        return fault(row.where, "bad_time", f"no dates: {error}", str(record))
    if not timedelta(0) <= last - first <= _LONGEST_CALENDAR:
        return fault(row.where, "bad_time", f"from {first} to {last}", str(record))
    runs = [str(record.get(day, "")).strip() == "1" for day in _DAYS]
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    days = {day for day in every if runs[day.weekday()]}
    weekdays = " ".join(day[:2].capitalize() for day, on in zip(_DAYS, runs, strict=True) if on)
    return Item(row.where, {**record, "weekdays": weekdays, **_span(days, changes)})


def _span(days: set[date], changes: Mapping[date, bool]) -> dict[str, Any]:
    added = {day for day, on in changes.items() if on}
    removed = set(changes) - added
    served = (days | added) - removed
    return {
        "days": len(served),
        "days_added": len(added - days),
        "days_removed": len(removed & days),
        "first_day": min(served).isoformat() if served else "",
        "last_day": max(served).isoformat() if served else "",
    }


def _day(raw: object) -> date:
    return datetime.strptime(str(raw).strip(), "%Y%m%d").date()  # noqa: DTZ007 - a day of the timetable


_READERS: Mapping[str, Callable[[Archive, Path], Iterator[Item]]] = {
    "stops": _stops,
    "routes": _routes,
    "trips": _trips,
    "calendar": _calendar,
}
