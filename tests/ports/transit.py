"""An invented town's buses, as GTFS and GTFS-realtime: two routes, three stops, four trips in the morning."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.transit import gtfs_realtime_pb2

AT = int(datetime(2026, 11, 22, 0, 0, tzinfo=UTC).timestamp())
"""08:00 in the town."""

TABLES: dict[str, str] = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nx,河口公交,https://bus.example,Asia/Shanghai\n",
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon,parent_station,location_type\n"
        "s1,码头,30.00,120.00,,0\ns2,学校,30.01,120.01,,0\ns3,医院,30.02,120.02,,0\n"
    ),
    "routes.txt": (
        "route_id,agency_id,route_short_name,route_long_name,route_type\n"
        "r1,x,1,环线,3\nr2,x,2,快线,700\n"
    ),
    "trips.txt": (
        "route_id,service_id,trip_id,trip_headsign,direction_id\n"
        "r1,daily,t1,医院,0\nr1,daily,t2,医院,0\nr1,daily,t3,医院,0\nr2,sunday,t4,码头,1\n"
    ),
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    + "".join(
        f"{trip},{8 + (m + n * 5) // 60:02}:{(m + n * 5) % 60:02}:00,"
        f"{8 + (m + n * 5) // 60:02}:{(m + n * 5) % 60:02}:30,{stop},{n + 1}\n"
        for trip, m in (("t1", 0), ("t2", 10), ("t3", 30), ("t4", 0))
        for n, stop in enumerate(("s1", "s2", "s3"))
    ),
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,1,1,1,1,1,1,20261101,20261130\nsunday,0,0,0,0,0,0,1,20261101,20261130\n"
    ),
    "calendar_dates.txt": "service_id,date,exception_type\ndaily,20261124,2\nholiday,20261201,1\n",
}


def a_timetable(**changes: str | None) -> bytes:
    """Return the zip; `stops="…"` changes a table, None leaves it out."""
    tables: Mapping[str, str | None] = {**TABLES, **{f"{k}.txt": v for k, v in changes.items()}}
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in tables.items():
            if text is not None:
                archive.writestr(name, text)
    return raw.getvalue()


def a_message(*entities: Mapping[str, Any], at: int = AT) -> bytes:
    """Return a message of the entities, each written as the fields of its kind."""
    from google.protobuf.json_format import ParseDict

    told = {
        "header": {"gtfsRealtimeVersion": "2.0", "timestamp": at},
        "entity": [{"id": str(number), **entity} for number, entity in enumerate(entities)],
    }
    raw: bytes = ParseDict(told, gtfs_realtime_pb2.FeedMessage()).SerializeToString()
    return raw


def a_trip(
    trip_id: str, delays: Mapping[str, int], route_id: str = "r1", **more: Any
) -> dict[str, Any]:
    """Return an update that tells a delay at each stop of `delays`."""
    calls = [{"stopId": stop, "arrival": {"delay": delay}} for stop, delay in delays.items()]
    trip = {"tripId": trip_id, "startDate": "20261122", "routeId": route_id, **more}
    return {"tripUpdate": {"trip": trip, "stopTimeUpdate": calls}}


def a_trip_in_times(trip_id: str, times: Mapping[str, int], **more: Any) -> dict[str, Any]:
    """Return an update that tells when the vehicle is at each stop, in seconds after 08:00."""
    calls = [{"stopId": stop, "arrival": {"time": AT + s}} for stop, s in times.items()]
    trip = {"tripId": trip_id, "startDate": "20261122", **more}
    return {"tripUpdate": {"trip": trip, "stopTimeUpdate": calls}}
