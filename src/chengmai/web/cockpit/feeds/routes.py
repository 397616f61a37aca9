"""Addresses of the feeds page."""

from __future__ import annotations

from starlette.responses import Response

from chengmai.web.cockpit.access import FEEDS
from chengmai.web.cockpit.feeds.view import feed_lines
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit


async def show(visit: Visit) -> Response:
    feeds = await visit.desk.feeds(visit.actor)
    return visit.page("feeds/page.html", feeds=feed_lines(feeds, visit.formats))


async def fragment(visit: Visit) -> Response:
    feeds = await visit.desk.feeds(visit.actor)
    return visit.page("feeds/_feeds.html", feeds=feed_lines(feeds, visit.formats))


async def data_json(visit: Visit) -> Response:
    return as_json(list(await visit.desk.feeds(visit.actor)))


async def data_csv(visit: Visit) -> Response:
    header = ("id", "name", "connector", "state", "last_seen", "received", "accepted", "rejected")
    pick = visit.words.pick
    rows = (
        (f.id, pick(f.name), f.connector, f.state, f.last_seen, f.received, f.accepted, f.rejected)
        for f in await visit.desk.feeds(visit.actor)
    )
    return as_csv(header, rows, "feeds")


SCREENS = (
    Screen("/feeds", show, FEEDS),
    Screen("/feeds.json", data_json, FEEDS, quiet=True),
    Screen("/feeds.csv", data_csv, FEEDS, quiet=True),
    Screen("/fragments/feeds", fragment, FEEDS, quiet=True),
)
