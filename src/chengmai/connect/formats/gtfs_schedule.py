"""The timetable that GTFS-realtime messages refer to: routes of trips, stops, and when a trip is due at one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from chengmai.connect.formats.archives import Archive
from chengmai.connect.formats.gtfs_tables import ask, engine, must, rows, scan, seconds, table
from chengmai.connect.formats.ports import Broken

MOST_UNPACKED = 4096 * 1024 * 1024
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """A stop of a trip: its place in the order, and when it is due, in seconds of the service day."""

    stop_id: str
    arrival: int | None
    departure: int | None


@dataclass(frozen=True)
class Trip:
    """A trip of the timetable; `stops` by their place in the order."""

    route_id: str
    direction_id: str
    stops: Mapping[int, Due] = field(default_factory=dict)

    def at(self, sequence: int | None, stop_id: str) -> Due | None:
        """Return the stop of that place, or the first of that id."""
        if sequence is not None and sequence in self.stops:
            return self.stops[sequence]
        return next((due for due in self.stops.values() if due.stop_id == stop_id), None)


class Schedule:
    """A GTFS zip in an index on disk, so that a large timetable takes little memory.

    Raises `Broken` when the zip cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._folder = TemporaryDirectory(prefix="chengmai-schedule-")
        folder = Path(self._folder.name)
        try:
            archive = Archive(path, MOST_UNPACKED)
            self.zone = _zone(archive, folder)
            self.stops = _ids(archive, folder, "stops.txt", "stop_id")
            self.routes = _ids(archive, folder, "routes.txt", "route_id")
            self._db = engine(folder / "index.duckdb")
            self._index(archive, folder)
        except BaseException:
            self._folder.cleanup()
            raise

    def trips(self, ids: Iterable[str]) -> dict[str, Trip]:
        """Return those of the trips that the timetable holds, with their stops."""
        wanted = list(set(ids))
        found = ask(
            self._db, "SELECT trip_id, route_id, direction FROM trip WHERE trip_id = ANY(?)", wanted
        )
        stops: dict[str, dict[int, Due]] = {trip: {} for trip, _, _ in found}
        for trip, sequence, stop, arrival, departure in ask(
            self._db, "SELECT * FROM due WHERE trip_id = ANY(?) ORDER BY trip_id, sequence", wanted
        ):
            if trip in stops:
                stops[trip][sequence] = Due(stop, arrival, departure)
        return {trip: Trip(route, direction, stops[trip]) for trip, route, direction in found}

    def instant(self, due_s: int, start_date: str, near: datetime) -> datetime:
        """Return the instant of `due_s` on the service day `start_date`, else that nearest to `near`."""
        try:
            day = datetime.strptime(start_date, "%Y%m%d").replace(tzinfo=self.zone)
        except ValueError:
            today = near.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
            choice = [_service_time(today + n * _DAY, due_s) for n in (-1, 0, 1)]
            return min(choice, key=lambda at: abs(at - near))
        return _service_time(day, due_s)

    def close(self) -> None:
        """Delete the index."""
        self._db.close()
        self._folder.cleanup()

    def _index(self, archive: Archive, folder: Path) -> None:
        trips = must(
            table(archive, "trips.txt", folder, needed=("trip_id", "route_id")), "trips.txt"
        )
        needed = ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time")
        times = must(table(archive, "stop_times.txt", folder, needed=needed), "stop_times.txt")
        direction = "coalesce(direction_id, '')" if _has(trips.path, "direction_id") else "''"
        ask(
            self._db,
            f"CREATE TABLE trip AS SELECT trip_id, route_id, {direction} AS direction"
            f" FROM {scan(trips.path)} WHERE trip_id IS NOT NULL AND route_id IS NOT NULL",
            trips.path,
        )
        ask(
            self._db,
            "CREATE TABLE due AS SELECT trip_id, try_cast(stop_sequence AS INTEGER) AS sequence, stop_id,"
            f" {seconds('arrival_time')} AS arrival, {seconds('departure_time')} AS departure"
            f" FROM {scan(times.path)} WHERE trip_id IS NOT NULL AND stop_id IS NOT NULL"
            " AND try_cast(stop_sequence AS INTEGER) IS NOT NULL ORDER BY trip_id",
            times.path,
        )
        trips.path.unlink()
        times.path.unlink()


def _service_time(day: datetime, due_s: int) -> datetime:
    """Return an instant of a service day: GTFS counts from twelve hours before its noon."""
    noon = day.replace(hour=12).astimezone(UTC)
    return noon - timedelta(hours=12) + timedelta(seconds=due_s)


def _zone(archive: Archive, folder: Path) -> ZoneInfo:
    made = must(table(archive, "agency.txt", folder, needed=("agency_timezone",)), "agency.txt")
    for row in rows(made):
        if row.record is not None:
            name = str(row.record["agency_timezone"]).strip()
            try:
                return ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                raise Broken(f"agency.txt names the time zone {name!r}, which is none") from None
    raise Broken("agency.txt holds no agency")


def _ids(archive: Archive, folder: Path, name: str, column: str) -> frozenset[str]:
    made = must(table(archive, name, folder, needed=(column,)), name)
    return frozenset(str(row.record[column]) for row in rows(made) if row.record)


def _has(path: Path, column: str) -> bool:
    with path.open("rb") as file:
        return column in file.readline(65536).decode("utf-8", "replace")
