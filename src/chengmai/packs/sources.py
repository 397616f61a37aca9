"""What the connectors of standard formats read: one model a format, the address common to all.

An address is where the data lie: `https://…`, `http://…`, or a path below the folder of feed files. A pack may
leave it out, as it does not know the city: the setting `CHENGMAI_FEED_ADDRESSES` names it by the feed's id,
and a feed without one is off.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from chengmai.packs.forms import Duration, Slug, Spec

MIB = 1024 * 1024


class AddressedSource(Spec):
    """A document that is fetched every `every`; an unchanged one is not read again."""

    address: str | None = Field(default=None, min_length=1)
    """`https://…`, `http://…`, or a path below `CHENGMAI_FEED_FILES`. Left out: `CHENGMAI_FEED_ADDRESSES` gives
    it by the feed's id; without one the feed is off."""
    every: Duration = timedelta(minutes=1)
    timeout: Duration = timedelta(seconds=20)
    max_bytes: int = Field(default=16 * MIB, gt=0)
    """Of one document as it is sent; what is longer is not read."""
    max_records: int = Field(default=200_000, gt=0)
    """Of one fetch; what follows is left out, and counted as `too_large`."""
    credentials: Slug | None = None

    @field_validator("every", "timeout")
    @classmethod
    def _takes_time(cls, length: timedelta) -> timedelta:
        if length < timedelta(seconds=1):
            raise ValueError("give at least one second: PT1S")
        return length


class GtfsSource(AddressedSource):
    """A GTFS timetable: a zip of tables. `take` is the table whose rows become readings."""

    take: Literal["stops", "routes", "trips", "calendar"]
    every: Duration = timedelta(days=1)
    max_bytes: int = Field(default=256 * MIB, gt=0)
    max_unpacked: int = Field(default=2048 * MIB, gt=0)
    """Bytes that the whole zip may hold unpacked."""


class GtfsRealtimeSource(AddressedSource):
    """A GTFS-realtime message. `take` says what of it becomes readings."""

    take: Literal["trips", "stop_times", "vehicles", "alerts", "routes", "headways"]
    """`routes`: punctuality of each route; `headways`: time between vehicles at each stop of a route."""
    every: Duration = timedelta(seconds=30)
    schedule: str | None = Field(default=None, min_length=1)
    """Address of the GTFS zip the message refers to, read once a day: it gives delays where the message tells
    times only, and the route of a trip; trips and stops that it does not know are refused."""
    early: Duration = timedelta(minutes=1)
    """How much before the timetable is still on time."""
    late: Duration = timedelta(minutes=5)
    """How much after the timetable is still on time."""
    horizon: Duration = timedelta(hours=1)
    """How far ahead arrivals count for headways."""


class TableSource(AddressedSource):
    """Files of rows: CSV, NDJSON, Parquet or Excel. A path may name several files: `meters/*.csv`."""

    format: Literal["csv", "ndjson", "parquet", "excel"] | None = None
    """Left out: told by the ending of the file's name."""
    every: Duration = timedelta(minutes=5)
    max_bytes: int = Field(default=256 * MIB, gt=0)
    max_records: int = Field(default=5_000_000, gt=0)
    delimiter: str = ","
    encoding: str = "utf-8"
    """Of CSV: `utf-8`, `gb18030`, `latin-1`, …"""
    sheet: str | None = None
    """Of Excel: the sheet's name. Left out: the first."""
    skip_rows: int = Field(default=0, ge=0, le=1000)
    """Lines before the header: a title, a note."""
    header_rows: int = Field(default=1, ge=1, le=5)
    """Of Excel: lines of the header. Columns are named by all of them, joined by ` / `; merged cells count for
    every column they span."""
    fill_down: tuple[str, ...] = ()
    """Columns whose empty cells mean the value above them: cells that are merged over several rows."""
    max_unpacked: int = Field(default=1024 * MIB, gt=0)
    """Of Excel: bytes that the file may hold unpacked."""
    missing: tuple[str, ...] = ("", "NA", "NaN", "nan", "null", "NULL", "-", "--", "—", "#N/A")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError:
            raise ValueError(
                f"the encoding {name!r} is not known; write utf-8 or gb18030"
            ) from None
        return name


class GbfsSource(AddressedSource):
    """A GBFS system, version 2 or 3: the address of its `gbfs.json`."""

    take: Literal["stations", "system"] = "stations"
    """`system`: one record with the sums over all stations."""
    language: str = "en"
    """Which of several languages of names to take, where the system has it."""


class PagedSource(AddressedSource):
    """A source that answers in pages, each with a link to the next."""

    max_pages: int = Field(default=1000, gt=0)
    """Of one fetch; a page that comes a second time ends it as well."""


class SensorThingsSource(PagedSource):
    """A SensorThings service, version 1.0 or 1.1: the address of its root, `…/v1.1`."""

    properties: tuple[str, ...] = ()
    """Names of the observed properties to take; empty means all."""
    latest: int = Field(default=10, ge=1, le=1000)
    """Observations of a datastream in one answer; were there more since the last one, further pages follow."""


class OcpiSource(PagedSource):
    """OCPI 2.2.1 or 2.1.1, the module Locations of a charge point operator: the address of its list."""

    take: Literal["locations", "evses"] = "locations"


class FhirSource(PagedSource):
    """FHIR R4, aggregates only: the address of a search for `Location` or `MeasureReport`."""

    take: Literal["beds", "measures"]
    """`beds`: places of type bed, counted by what they are part of; `measures`: summary reports."""
    every: Duration = timedelta(minutes=5)


class CityJsonSource(AddressedSource):
    """A CityJSON model, 1.0 to 2.0."""

    types: tuple[str, ...] = ("Building",)
    """Types of city objects; parts belong to the object they are parts of."""
    crs: str | None = Field(default=None, pattern=r"^EPSG:[0-9]{4,6}$")
    """The reference system where the model names none: `EPSG:28992`."""
    every: Duration = timedelta(days=1)
    max_bytes: int = Field(default=256 * MIB, gt=0)


class OsmSource(AddressedSource):
    """An OpenStreetMap extract: `.osm.pbf` or `.osm`."""

    tags: tuple[str, ...] = Field(min_length=1)
    """What to take: a key (`building`), or a key with its value (`amenity=hospital`)."""
    every: Duration = timedelta(days=1)
    max_bytes: int = Field(default=512 * MIB, gt=0)


class Register(Spec):
    """A value in registers of a Modbus device."""

    column: str
    """The name of the column it becomes."""
    address: int = Field(ge=0, le=65535)
    kind: Literal["holding", "input", "coil", "discrete"] = "holding"
    type: Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"] = (
        "uint16"
    )
    word_order: Literal["big", "little"] = "big"
    scale: float = 1.0
    """What the raw number is multiplied by."""
    scale_address: int | None = Field(default=None, ge=0, le=65535)
    """A register of the same kind whose int16 is the power of ten to multiply by as well, as in SunSpec."""
    offset: float = 0.0
    absent: tuple[int, ...] = ()
    """Raw numbers by which a device says that it has no value: `[32768]`, `[-32768]`, `[65535]`."""


class ModbusSource(AddressedSource):
    """Modbus TCP devices behind one address, `modbus://host:502`; every device has the same registers."""

    every: Duration = timedelta(seconds=10)
    timeout: Duration = timedelta(seconds=3)
    devices: dict[str, int] = Field(min_length=1)
    """The unit number of each device by its name, which becomes the column `device`."""
    registers: tuple[Register, ...] = Field(min_length=1, max_length=200)
