"""GTFS-realtime messages: trips, stops of trips, vehicles, alerts, and what follows for routes and headways.

Columns: those of the message in snake case; delays in seconds, late is positive. With a timetable beside it a
message that tells times only gets delays, and what it says of unknown trips and stops is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from chengmai.connect.formats.gtfs_punctuality import headway_items, route_items
from chengmai.connect.formats.gtfs_schedule import Schedule
from chengmai.connect.formats.gtfs_trips import Call, TripRun, told_trips
from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item, fault
from chengmai.packs.sources import GtfsRealtimeSource

_LARGEST_SCHEDULE = 512 * 1024 * 1024
_SCHEDULE_EVERY_S = 86_400.0
_STATUS = {0: "incomingAt", 1: "stoppedAt", 2: "inTransitTo"}


class GtfsRealtimeFormat:
    """Implements `formats.ports.Format` for the message at `address`; the timetable is read when it changes."""

    timed = True

    def __init__(self, source: GtfsRealtimeSource, address: str) -> None:
        self._source = source
        self._address = address
        self._schedule: Schedule | None = None
        self._schedule_digest = ""
        self._schedule_due = 0.0

    async def gather(self, get: Get) -> Sequence[Document]:
        documents = [await get(self._address)]
        now = time.monotonic()
        if self._source.schedule is not None and now >= self._schedule_due:
            documents.append(await get(self._source.schedule, most=_LARGEST_SCHEDULE))
            self._schedule_due = now + _SCHEDULE_EVERY_S
        return documents

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        message = parsed(documents[0].path.read_bytes())
        if len(documents) > 1 and documents[1].digest != self._schedule_digest:
            self._forget()
            self._schedule = Schedule(documents[1].path)
            self._schedule_digest = documents[1].digest
        at = int(message.header.timestamp) or int(now.timestamp())
        match self._source.take:
            case "vehicles":
                yield from _vehicles(message, at, self._schedule)
            case "alerts":
                yield from _alerts(message, at)
            case take:
                yield from self._of_trips(take, message, at)

    def _of_trips(self, take: str, message: Any, at: int) -> Iterator[Item]:
        runs: list[TripRun] = []
        for told in told_trips(message, at, self._schedule):
            if isinstance(told, TripRun):
                runs.append(told)
            else:
                yield told
        source = self._source
        if take == "routes":
            yield from route_items(runs, at, source.early, source.late)
        elif take == "headways":
            yield from headway_items(runs, at, source.horizon)
        else:
            for run in runs:
                yield from _TAKES[take](run)

    def close(self) -> None:
        self._forget()
        self._schedule_due = 0.0

    def _forget(self) -> None:
        if self._schedule is not None:
            self._schedule.close()
        self._schedule, self._schedule_digest = None, ""


def parsed(raw: bytes) -> Any:
    """Return a message; raises `Broken` when the bytes are none."""
    # Protobuf is read only where a city has such a feed.
    from google.protobuf.message import DecodeError
    from google.transit import gtfs_realtime_pb2

    message = gtfs_realtime_pb2.FeedMessage()
    try:
        message.ParseFromString(raw)
    except (DecodeError, ValueError, RecursionError) as error:
        raise Broken(
            f"not a GTFS-realtime message: {error}", sample=raw[:100].decode("latin-1")
        ) from error
    return message


def _trip_items(run: TripRun) -> Iterator[Item]:
    call = run.next_call
    yield Item(
        run.where,
        {
            **_run(run),
            "delay": run.delay,
            "stop_id": call.stop_id if call else "",
            "stops_told": len(run.calls),
        },
    )


def _stop_time_items(run: TripRun) -> Iterator[Item]:
    for number, call in enumerate(run.calls):
        yield Item(f"{run.where}[{number}]", {**_run(run), **_call(call)})


_TAKES: Mapping[str, Callable[[TripRun], Iterator[Item]]] = {
    "trips": _trip_items,
    "stop_times": _stop_time_items,
}


def _run(run: TripRun) -> dict[str, Any]:
    return {
        "trip_id": run.trip_id,
        "route_id": run.route_id,
        "direction_id": run.direction_id,
        "start_date": run.start_date,
        "vehicle_id": run.vehicle_id,
        "schedule_relationship": run.relationship,
        OBSERVED: run.at,
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "stop_id": call.stop_id,
        "stop_sequence": call.sequence,
        "arrival_delay": call.arrival_delay,
        "departure_delay": call.departure_delay,
        "delay": call.delay,
        "arrival": _iso(call.arrival),
        "departure": _iso(call.departure),
    }


def _vehicles(message: Any, at: int, schedule: Schedule | None) -> Iterator[Item]:
    trips = [e.vehicle.trip.trip_id for e in message.entity if e.HasField("vehicle")]
    known = schedule.trips(trips) if schedule else None
    for entity in message.entity:
        if not entity.HasField("vehicle"):
            continue
        told = entity.vehicle
        where = f"vehicle {entity.id}"
        trip = known.get(told.trip.trip_id) if known is not None else None
        if known is not None and told.trip.trip_id and trip is None:
            detail = f"the timetable has no trip {told.trip.trip_id!r}"
            yield fault(where, "unknown_id", detail, str(told.trip))
            continue
        placed = told.HasField("position")
        yield Item(
            where,
            {
                "vehicle_id": told.vehicle.id or entity.id,
                "label": told.vehicle.label or told.vehicle.id or entity.id,
                "trip_id": told.trip.trip_id,
                "route_id": told.trip.route_id or (trip.route_id if trip else ""),
                "direction_id": _optional(told.trip, "direction_id"),
                "stop_id": told.stop_id,
                "current_status": _STATUS.get(told.current_status, ""),
                "latitude": _degrees(told.position.latitude) if placed else None,
                "longitude": _degrees(told.position.longitude) if placed else None,
                "bearing": _optional(told.position, "bearing"),
                "speed": _optional(told.position, "speed"),
                "occupancy_percentage": _optional(told, "occupancy_percentage"),
                OBSERVED: int(told.timestamp) or at,
            },
        )


def _degrees(single: float) -> float:
    """Return a 32-bit coordinate without the digits that it does not have."""
    return float(str(np.float32(single)))


def _optional(message: Any, name: str) -> Any:
    return getattr(message, name) if message.HasField(name) else None


def _alerts(message: Any, at: int) -> Iterator[Item]:
    for entity in message.entity:
        if not entity.HasField("alert"):
            continue
        alert = entity.alert
        informed = alert.informed_entity
        periods = alert.active_period
        starts = [int(p.start) for p in periods if p.start]
        ends = [int(p.end) for p in periods if p.end]
        yield Item(
            f"alert {entity.id}",
            {
                "alert_id": entity.id,
                "cause": _enum_name(alert, "cause"),
                "effect": _enum_name(alert, "effect"),
                "severity": _enum_name(alert, "severity_level"),
                "header": _words(alert.header_text),
                "description": _words(alert.description_text),
                "url": _words(alert.url),
                "start": _iso(min(starts, default=None)),
                "end": _iso(max(ends, default=None)) if len(ends) == len(periods) else "",
                "active": any((p.start or 0) <= at < (p.end or 2**62) for p in periods)
                or not periods,
                "route_ids": _joined(
                    one.route_id or (one.trip.route_id if one.HasField("trip") else "")
                    for one in informed
                ),
                "stop_ids": _joined(one.stop_id for one in informed),
                OBSERVED: at,
            },
        )


def _enum_name(message: Any, name: str) -> str:
    field = message.DESCRIPTOR.fields_by_name[name]
    value = field.enum_type.values_by_number.get(getattr(message, name))
    return str(value.name) if value else ""


def _words(text: Any) -> str:
    return str(text.translation[0].text)[:2000] if text.translation else ""


def _joined(ids: Iterator[str]) -> str:
    return ",".join(sorted({one for one in ids if one}))[:2000]


def _iso(at: int | None) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z") if at else ""
