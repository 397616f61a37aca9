"""The columns that each format gives: what `[map]` of its feeds may name."""

from __future__ import annotations

from collections.abc import Mapping

from chengmai.packs.feeds import AddressedFeed, ModbusFeed

_TRIP = "trip_id route_id direction_id start_date vehicle_id schedule_relationship delay stop_id"
_COLUMNS: Mapping[tuple[str, str], str] = {
    ("gtfs_realtime", "trips"): f"{_TRIP} stops_told",
    ("gtfs_realtime", "stop_times"): (
        f"{_TRIP} stop_sequence arrival_delay departure_delay arrival departure"
    ),
    ("gtfs_realtime", "vehicles"): (
        "vehicle_id label trip_id route_id direction_id stop_id current_status latitude longitude bearing"
        " speed occupancy_percentage"
    ),
    ("gtfs_realtime", "alerts"): (
        "alert_id cause effect severity header description url start end active route_ids stop_ids"
    ),
    ("gtfs_realtime", "routes"): (
        "route_id trips on_time late early cancelled mean_delay worst_delay"
    ),
    ("gtfs_realtime", "headways"): (
        "route_id direction_id stop_id vehicles headway shortest longest regularity next_in"
    ),
    ("gbfs", "stations"): (
        "station_id name lat lon capacity vehicles docks disabled renting returning installed is_virtual"
    ),
    ("ocpi", "locations"): (
        "location_id name address city operator lat lon points available charging reserved blocked"
        " out_of_order unknown power_kw last_updated"
    ),
    ("ocpi", "evses"): ("location_id evse_id name lat lon status connectors power_kw last_updated"),
    ("fhir", "beds"): "part_of name beds occupied free closed",
    ("gbfs", "system"): "station_id stations empty full capacity vehicles docks disabled",
}


def columns_of(feed: AddressedFeed) -> frozenset[str] | None:
    """Return the columns of a feed's records; None where the source itself chooses its columns."""
    if isinstance(feed, ModbusFeed):
        return frozenset(["observed_at", "device", *(one.column for one in feed.source.registers)])
    named = _COLUMNS.get((feed.connector, str(getattr(feed.source, "take", ""))))
    return None if named is None else frozenset(["observed_at", *named.split()])
