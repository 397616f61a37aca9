"""The format of each kind of feed."""

from __future__ import annotations

from chengmai.connect.formats.gbfs import GbfsFormat
from chengmai.connect.formats.gtfs import GtfsFormat
from chengmai.connect.formats.gtfs_realtime import GtfsRealtimeFormat
from chengmai.connect.formats.ports import Format
from chengmai.connect.formats.table_files import TableFormat
from chengmai.packs.feeds import FormatFeed, GbfsFeed, GtfsFeed, GtfsRealtimeFeed, TableFeed


def format_of(feed: FormatFeed, address: str) -> Format:
    """Return what reads the documents of `feed` at `address`."""
    match feed:
        case GtfsFeed():
            return GtfsFormat(feed.source, address)
        case GtfsRealtimeFeed():
            return GtfsRealtimeFormat(feed.source, address)
        case GbfsFeed():
            return GbfsFormat(feed.source, address)
        case TableFeed():
            return TableFormat(feed.source, address)
