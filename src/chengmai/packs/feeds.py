"""feeds/*.toml: where readings come from and which column becomes which attribute. Never in code.

A feed names its connector; `[source]` is what that connector reads, `[time]` says when a record was
observed, `[map]` turns a record into readings of one entity type. Secrets never stand in a pack:
`credentials` names a setting of the city that holds them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, TypeAdapter, field_validator, model_validator

from chengmai.kernel.texts import Text
from chengmai.packs.forms import Duration, Slug, Spec
from chengmai.packs.sources import (
    MIB,
    AddressedSource,
    CityJsonSource,
    FhirSource,
    GbfsSource,
    GtfsRealtimeSource,
    GtfsSource,
    ModbusSource,
    OcpiSource,
    OsmSource,
    SensorThingsSource,
    TableSource,
)


class ReplaySource(Spec):
    """A recording in files below the data folder."""

    files: tuple[str, ...] = Field(min_length=1)
    """Paths or globs, relative to the data folder."""
    format: Literal["csv", "ndjson", "parquet"] | None = None
    """Left out: told by the ending of the file's name."""
    delimiter: str = ","
    missing: tuple[str, ...] = ("", "NA", "NaN", "nan", "null", "NULL")
    backfill: Duration = timedelta(0)
    """How much of the recording before the cursor becomes history at the first start."""


class SimulateSource(Spec):
    """A part of the simulated city."""

    generator: Slug
    backfill: Duration = timedelta(0)


class MqttSource(Spec):
    """Topics of an MQTT broker. Parts of the topic are columns `topic.0`, `topic.1`, …"""

    host: str
    port: int = Field(default=1883, ge=1, le=65535)
    topics: tuple[str, ...] = Field(min_length=1)
    qos: Literal[0, 1] = 1
    tls: bool = False
    records: str = "$"
    credentials: Slug | None = None


class HttpSource(Spec):
    """A JSON document that is fetched every `every`; `records` is the path to its list of records."""

    url: str = Field(pattern=r"^https?://")
    records: str = "$"
    every: Duration
    timeout: Duration = timedelta(seconds=20)
    max_bytes: int = Field(default=16 * MIB, gt=0)
    credentials: Slug | None = None


class TimeSpec(Spec):
    """When a record was observed: in one column, in several, or counted from `start` by row."""

    column: str | None = None
    columns: tuple[str, ...] = ()
    """Joined by one blank, then read with `format`."""
    format: str = "iso"
    """`iso`, `unix`, `unix_ms`, `excel` (days since 1899-12-30), or a `strptime` format."""
    zone: str = "UTC"
    """The zone of a time that carries none."""
    start: datetime | None = None
    every: Duration | None = None

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError):
            raise ValueError(f"time zone {zone!r} is not known; write Asia/Shanghai") from None
        return zone

    @model_validator(mode="after")
    def _one_way(self) -> TimeSpec:
        counted = self.start is not None or self.every is not None
        if [self.column is not None, bool(self.columns), counted].count(True) != 1:
            raise ValueError("give 'column', or 'columns', or 'start' with 'every'")
        if counted and (self.start is None or not self.every):
            raise ValueError("'start' and 'every' belong together")
        return self


class ColumnRule(Spec):
    """An attribute's source: a column with its unit, or a constant."""

    column: str | None = None
    value: float | str | bool | None = None
    unit: str | None = None
    """Left out: the unit the attribute is declared with."""
    unit_column: str | None = None
    """The column that holds the unit code of each record."""

    @model_validator(mode="after")
    def _one_source(self) -> ColumnRule:
        if (self.column is None) == (self.value is None):
            raise ValueError("give exactly one of 'column' and 'value'")
        return self


class Box(Spec):
    """A rectangle in degrees (WGS 84) that is an area; west and south are inside, east and north not."""

    area: str
    west: float
    south: float
    east: float
    north: float


class AreaRule(Spec):
    """The area a record belongs to: a constant, a column (with a table), or a box by its place."""

    value: str | None = None
    column: str | None = None
    table: dict[str, str] = Field(default_factory=dict)
    boxes: tuple[Box, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> AreaRule:
        ways = [self.value is not None, self.column is not None, bool(self.boxes)]
        if ways.count(True) != 1:
            raise ValueError("give exactly one of 'value', 'column' and 'boxes'")
        return self


class LocationRule(Spec):
    """The place of an entity: two columns, or a table of `[longitude, latitude]` by a column.

    `geometry` names a column with a GeoJSON geometry, which is the place where a record has it.
    """

    longitude: str | None = None
    latitude: str | None = None
    geometry: str | None = None
    column: str | None = None
    table: dict[str, tuple[float, float]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> LocationRule:
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("'longitude' and 'latitude' belong together")
        if (self.longitude is None) == (self.column is None):
            raise ValueError("give 'longitude' and 'latitude', or 'column' with 'table'")
        return self


class Unpivot(Spec):
    """A wide table: every column that is not kept becomes a record of its own."""

    name: str
    """The new column that holds the old column's name."""
    value: str
    """The new column that holds its value."""
    keep: tuple[str, ...] = ()


class Join(Spec):
    """A side table (CSV below the data folder) whose columns are added to every record."""

    file: str
    key: str
    """Its column that must equal the record's column `on`."""
    on: str


class MapSpec(Spec):
    """How one record becomes readings. `{column}` in a template is the record's value."""

    id: str
    name: str | None = None
    area: AreaRule
    location: LocationRule | None = None
    unpivot: Unpivot | None = None
    join: Join | None = None
    attributes: dict[str, ColumnRule] = Field(min_length=1)


class FeedSpec(Spec):
    """What every feed says, whatever its connector."""

    id: Slug
    title: Text
    connector: str
    entity: str
    period: Duration
    """How often a reading is due; silence of three periods makes the feed late, of ten silent."""
    note: Text | None = None
    licence: str | None = None


class ReplayFeed(FeedSpec):
    connector: Literal["replay"]
    source: ReplaySource
    time: TimeSpec
    map: MapSpec


class SimulateFeed(FeedSpec):
    connector: Literal["simulate"]
    source: SimulateSource


class MqttFeed(FeedSpec):
    connector: Literal["mqtt"]
    source: MqttSource
    time: TimeSpec
    map: MapSpec


class HttpFeed(FeedSpec):
    connector: Literal["http"]
    source: HttpSource
    time: TimeSpec
    map: MapSpec


class AddressedFeed(FeedSpec):
    """What the feeds of standard formats share: the format tells the time of each record."""

    source: AddressedSource
    time: TimeSpec = TimeSpec(column="observed_at", format="unix")
    map: MapSpec


class GtfsFeed(AddressedFeed):
    connector: Literal["gtfs"]
    source: GtfsSource


class GtfsRealtimeFeed(AddressedFeed):
    connector: Literal["gtfs_realtime"]
    source: GtfsRealtimeSource


class GbfsFeed(AddressedFeed):
    connector: Literal["gbfs"]
    source: GbfsSource


class TableFeed(AddressedFeed):
    connector: Literal["table"]
    source: TableSource
    time: TimeSpec


class SensorThingsFeed(AddressedFeed):
    connector: Literal["sensorthings"]
    source: SensorThingsSource


class OcpiFeed(AddressedFeed):
    connector: Literal["ocpi"]
    source: OcpiSource


class FhirFeed(AddressedFeed):
    connector: Literal["fhir"]
    source: FhirSource


class CityJsonFeed(AddressedFeed):
    connector: Literal["cityjson"]
    source: CityJsonSource


class OsmFeed(AddressedFeed):
    connector: Literal["osm"]
    source: OsmSource


class ModbusFeed(AddressedFeed):
    connector: Literal["modbus"]
    source: ModbusSource


FormatFeed = (
    GtfsFeed
    | GtfsRealtimeFeed
    | GbfsFeed
    | TableFeed
    | SensorThingsFeed
    | OcpiFeed
    | FhirFeed
    | CityJsonFeed
    | OsmFeed
    | ModbusFeed
)
"""Feeds of standard formats: they run where an address is set."""
EveryFeed = ReplayFeed | SimulateFeed | MqttFeed | HttpFeed | FormatFeed
AnyFeed = Annotated[EveryFeed, Field(discriminator="connector")]
ANY_FEED: TypeAdapter[EveryFeed] = TypeAdapter(AnyFeed)
FEEDS: dict[str, type[FeedSpec]] = {
    get_args(kind.model_fields["connector"].annotation)[0]: kind for kind in get_args(EveryFeed)
}
"""Every kind of feed by its connector."""
