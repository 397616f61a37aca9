"""Trips of a GTFS-realtime message beside their timetable: what each says of its coming stops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chengmai.connect.formats.gtfs_schedule import Due, Schedule, Trip
from chengmai.connect.formats.ports import Item, fault

CANCELED = "CANCELED"
_SKIPPED, _NO_DATA = 1, 2
_LATEST = 253402300799  # the last second of the year 9999


@dataclass(frozen=True)
class Call:
    """A stop of a trip: times in seconds since 1970, delays in seconds (late is positive)."""

    stop_id: str
    sequence: int | None
    arrival: int | None
    departure: int | None
    arrival_delay: int | None
    departure_delay: int | None

    @property
    def delay(self) -> int | None:
        """The delay of the arrival, else of the departure."""
        return self.departure_delay if self.arrival_delay is None else self.arrival_delay

    @property
    def time(self) -> int | None:
        """When the vehicle is there."""
        return self.departure if self.arrival is None else self.arrival


@dataclass(frozen=True)
class TripRun:
    """A trip as the message tells it at `at`; `calls` are its stops in order, without skipped ones."""

    where: str
    trip_id: str
    route_id: str
    direction_id: str
    start_date: str
    vehicle_id: str
    relationship: str
    at: int
    told_delay: int | None
    calls: tuple[Call, ...]

    @property
    def next_call(self) -> Call | None:
        """The first stop that is still to come; the last one when all are past or none has a time."""
        for call in self.calls:
            if call.time is not None and call.time >= self.at:
                return call
        return self.calls[-1] if self.calls else None

    @property
    def delay(self) -> int | None:
        """What the message says of the trip, else the delay at the next stop that has one."""
        if self.told_delay is not None:
            return self.told_delay
        call = self.next_call
        if call is not None and call.delay is not None:
            return call.delay
        return next((c.delay for c in self.calls if c.delay is not None), None)


def told_trips(message: Any, at: int, schedule: Schedule | None) -> Iterator[TripRun | Item]:
    """Yield each trip of a message, or why it is refused; stops that the timetable lacks are refused alone."""
    updates = [(e.id, e.trip_update) for e in message.entity if e.HasField("trip_update")]
    known = schedule.trips(u.trip.trip_id for _, u in updates) if schedule else {}
    for entity_id, update in updates:
        where = f"trip_update {entity_id}"
        relationship = _relationship(update.trip)
        trip = known.get(update.trip.trip_id)
        added = relationship in ("ADDED", "NEW", "UNSCHEDULED", "DUPLICATED")
        if schedule is not None and trip is None and not added:
            detail = f"the timetable has no trip {update.trip.trip_id!r}"
            yield fault(where, "unknown_id", detail, str(update.trip))
            continue
        calls: list[Call] = []
        for number, told in enumerate(update.stop_time_update):
            if told.schedule_relationship in (_SKIPPED, _NO_DATA):
                continue
            made = _call(told, update.trip.start_date, trip, schedule, at)
            if isinstance(made, Call):
                calls.append(made)
            else:
                yield fault(f"{where}[{number}]", "unknown_id", made, str(told))
        yield TripRun(
            where,
            update.trip.trip_id or entity_id,
            update.trip.route_id or (trip.route_id if trip else ""),
            _direction(update.trip, trip),
            update.trip.start_date,
            update.vehicle.id,
            relationship,
            int(update.timestamp) or at,
            update.delay if update.HasField("delay") else None,
            tuple(calls),
        )


def _call(
    told: Any, start_date: str, trip: Trip | None, schedule: Schedule | None, at: int
) -> Call | str:
    """Return a stop of a trip, or what the timetable does not know of it."""
    sequence = told.stop_sequence if told.HasField("stop_sequence") else None
    if schedule is not None and told.stop_id and told.stop_id not in schedule.stops:
        return f"the timetable has no stop {told.stop_id!r}"
    due = trip.at(sequence, told.stop_id) if trip else None
    if trip is not None and due is None and trip.stops:
        return f"the trip has no stop {told.stop_id or sequence!r}"
    arrival, arrival_delay = _told(
        told, "arrival", due.arrival if due else None, start_date, schedule, at
    )
    departure, departure_delay = _told(
        told, "departure", due.departure if due else None, start_date, schedule, at
    )
    stop_id = told.stop_id or (due.stop_id if isinstance(due, Due) else "")
    return Call(stop_id, sequence, arrival, departure, arrival_delay, departure_delay)


def _told(
    told: Any, name: str, due_s: int | None, start_date: str, schedule: Schedule | None, at: int
) -> tuple[int | None, int | None]:
    """Return (time, delay) of an arrival or departure, the one from the other where there is a timetable."""
    if not told.HasField(name):
        return None, None
    event = getattr(told, name)
    time = int(event.time) if 0 < event.time <= _LATEST else None
    delay = event.delay if event.HasField("delay") else None
    if due_s is None or schedule is None or (time is None) == (delay is None):
        return time, delay
    near = datetime.fromtimestamp(time or at, UTC)
    due = int(schedule.instant(due_s, start_date, near).timestamp())
    return (due + int(delay or 0), delay) if time is None else (time, time - due)


def _relationship(trip: Any) -> str:
    field = trip.DESCRIPTOR.fields_by_name["schedule_relationship"]
    value = field.enum_type.values_by_number.get(trip.schedule_relationship)
    return str(value.name) if value else ""


def _direction(told: Any, trip: Trip | None) -> str:
    if told.HasField("direction_id"):
        return str(told.direction_id)
    return trip.direction_id if trip else ""
