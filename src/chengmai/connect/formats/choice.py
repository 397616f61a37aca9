"""The format of each kind of feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chengmai.connect.formats.cityjson import CityJsonFormat
from chengmai.connect.formats.fhir import FhirFormat
from chengmai.connect.formats.gbfs import GbfsFormat
from chengmai.connect.formats.gtfs import GtfsFormat
from chengmai.connect.formats.gtfs_realtime import GtfsRealtimeFormat
from chengmai.connect.formats.modbus import ModbusFormat
from chengmai.connect.formats.ocpi import OcpiFormat
from chengmai.connect.formats.osm import OsmFormat
from chengmai.connect.formats.ports import Format
from chengmai.connect.formats.sensorthings import SensorThingsFormat
from chengmai.connect.formats.table_files import TableFormat
from chengmai.packs.feeds import FormatFeed

_FORMATS: Mapping[str, Callable[[Any, str], Format]] = {
    "cityjson": CityJsonFormat,
    "fhir": FhirFormat,
    "gbfs": GbfsFormat,
    "gtfs": GtfsFormat,
    "gtfs_realtime": GtfsRealtimeFormat,
    "modbus": ModbusFormat,
    "ocpi": OcpiFormat,
    "osm": OsmFormat,
    "sensorthings": SensorThingsFormat,
    "table": TableFormat,
}


def format_of(feed: FormatFeed, address: str) -> Format:
    """Return what reads the documents of `feed` at `address`."""
    return _FORMATS[feed.connector](feed.source, address)
