"""View model of the duty desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from chengmai.web.cockpit.cases.lines import CaseLine, case_line
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.incidents.shown import WorkItem, WorkList, waiting_level
from chengmai.web.cockpit.incidents.view import IncidentLine, incident_line
from chengmai.web.cockpit.svg.citymap import RANK, city_map
from chengmai.web.cockpit.tiles import Tile, strip
from chengmai.web.cockpit.views import (
    AbnormalPlace,
    BaseMap,
    FeedView,
    Handover,
    HandoverLine,
    Level,
    VitalCard,
)
from chengmai.web.cockpit.visit import link

PLACES_LISTED = 8
LINES_TOLD = 6


@dataclass(frozen=True)
class QueueLine:
    """A place in the queue: a case, or an incident told once with the first of its `cases` that wait."""

    case: CaseLine | None
    level: Level
    number: str
    incident: IncidentLine | None = None
    cases: int = 1


@dataclass(frozen=True)
class QueueView:
    """`held` waits for the alarm budget, whose use stands in `budget` (empty for whoever has none)."""

    lines: tuple[QueueLine, ...]
    total: int
    held: tuple[QueueLine, ...]
    more: int
    budget: str
    is_spent: bool
    open_incidents: int


@dataclass(frozen=True)
class StripView:
    """`counts` is how many signs stand at each level, worst first."""

    tiles: tuple[Tile, ...]
    counts: tuple[tuple[Level, int], ...]


@dataclass(frozen=True)
class PlaceLine:
    href: str
    title: str
    area: str
    level: Level
    kind: str


@dataclass(frozen=True)
class MapView:
    """The map and its twin. `more` counts the places that the short list leaves out."""

    svg: Markup
    places: tuple[PlaceLine, ...]
    more: int
    attribution: str
    approval: str


@dataclass(frozen=True)
class HandoverItem:
    at: str
    text: str
    href: str | None


@dataclass(frozen=True)
class LinesView:
    """What changed since the shift began, and how the feeds are."""

    since: str
    summary: str
    items: tuple[HandoverItem, ...]
    feed_summary: str
    feed_troubles: tuple[tuple[str, str, str], ...]


def queue_view(work: WorkList, formats: Formats) -> QueueView:
    """Return the queue in the order of the deadlines, as the desk gave it."""
    spent = work.used is not None and work.budget is not None and work.used >= work.budget
    used = ""
    if work.used is not None and work.budget is not None:
        used = formats.words("queue.budget", used=work.used, budget=work.budget)
    return QueueView(
        lines=tuple(_queue_line(item, formats) for item in work.items),
        total=work.total,
        held=tuple(_queue_line(item, formats) for item in work.held),
        more=max(0, work.total - len(work.items) - len(work.held)),
        budget=used,
        is_spent=spent,
        open_incidents=work.open_incidents,
    )


def _queue_line(item: WorkItem, formats: Formats) -> QueueLine:
    first = case_line(item.cases[0], formats) if item.cases else None
    incident = incident_line(item.incident, formats) if item.incident else None
    return QueueLine(
        case=first,
        level=waiting_level(item),
        number=incident.number if incident else first.number if first else "",
        incident=incident,
        cases=len(item.cases),
    )


def strip_view(cards: Sequence[VitalCard], formats: Formats) -> StripView:
    """Return the tiles and the counts of all signs by level."""
    counted = Counter(card.level for card in cards)
    counts = tuple((level, counted[level]) for level in RANK if counted[level])
    return StripView(tuple(strip(cards, formats)), counts)


def place_href(place: AbnormalPlace) -> str:
    """Return the page of what lies at a place."""
    return link("cases" if place.kind == "case" else "vitals", place.id)


def map_view(base: BaseMap, places: Sequence[AbnormalPlace], formats: Formats) -> MapView:
    """Return the map of what is abnormal with its list, worst first."""
    words = formats.words
    ranked = sorted(places, key=lambda p: (RANK[p.level], p.kind, p.area, p.title.en))
    lines = tuple(
        PlaceLine(
            place_href(place),
            words.pick(place.title),
            place.area,
            place.level,
            words(f"place.{place.kind}"),
        )
        for place in ranked
    )
    return MapView(
        svg=city_map(base, places, formats, place_href),
        places=lines[:PLACES_LISTED],
        more=max(0, len(lines) - PLACES_LISTED),
        attribution=words.pick(base.attribution) if base.attribution else "",
        approval=base.approval or "",
    )


def lines_view(handover: Handover, feeds: Sequence[FeedView], formats: Formats) -> LinesView:
    """Return the handover line and the feed line."""
    words = formats.words
    states = Counter(feed.state for feed in feeds)
    troubles = [feed for feed in feeds if feed.state in ("late", "silent", "failed")]
    return LinesView(
        since=formats.near(handover.since),
        summary=words(
            "handover.summary",
            opened=handover.opened,
            closed=handover.closed,
            worsened=handover.worsened,
            recovered=handover.recovered,
        ),
        items=tuple(_item(line, formats) for line in handover.lines[:LINES_TOLD]),
        feed_summary=words(
            "feeds.summary", live=states["live"], total=len(feeds), trouble=len(troubles)
        ),
        feed_troubles=tuple(
            (words.pick(f.name), words(f"feed_state.{f.state}"), formats.age(f.last_seen))
            for f in troubles[:4]
        ),
    )


def _item(line: HandoverLine, formats: Formats) -> HandoverItem:
    href = None
    if line.kind == "feed":
        href = "/feeds"
    elif line.kind and line.id:
        href = link(f"{line.kind}s", line.id)
    return HandoverItem(formats.near(line.at), formats.words.pick(line.text), href)


def map_data(base: BaseMap, places: Sequence[AbnormalPlace], formats: Formats) -> dict[str, object]:
    """Return what the browser's map draws: the same shapes and the same places as GeoJSON."""
    words = formats.words
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": list(place.position)},
            "properties": {
                "title": words.pick(place.title),
                "area": place.area,
                "level": place.level,
                "word": words(f"level.{place.level}"),
                "rank": RANK[place.level],
                "href": place_href(place),
            },
        }
        for place in places
    ]
    return {
        "base": {"type": "FeatureCollection", "features": list(base.features)},
        "places": {"type": "FeatureCollection", "features": features},
    }
