"""The map without tiles: graticule, the city's own shapes, and what is abnormal."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.svg.draw import element, group, line_path
from chengmai.web.cockpit.svg.scale import Span, ticks
from chengmai.web.cockpit.views import AbnormalPlace, BaseMap, Level, Position

RANK: dict[Level, int] = {"act": 0, "watch": 1, "unknown": 2, "normal": 3}
CLUSTER_ABOVE = 200
"""More markers than this are gathered by cells: an unreadable heap of marks says nothing."""
_KINDS = ("district", "park", "water", "river", "road", "rail")
_LIMIT = 85.0


@dataclass(frozen=True)
class View:
    """An equirectangular view that keeps shapes true at its middle latitude."""

    width: int
    height: int
    west: float
    south: float
    east: float
    north: float

    def xy(self, position: Position) -> tuple[float, float]:
        """Return the pixel of a position."""
        x = (position[0] - self.west) / (self.east - self.west) * self.width
        y = (self.north - position[1]) / (self.north - self.south) * self.height
        return x, y


@dataclass(frozen=True)
class Mark:
    """One mark: a single place, or the worst of several with their count."""

    place: AbnormalPlace
    count: int = 1


def fit(positions: Sequence[Position], width: int, height: int) -> View:
    """Return the view that shows all `positions` with a margin; a single one gets about 10 km around."""
    if not positions:
        positions = [(0.0, 0.0)]
    longitudes = [p[0] for p in positions]
    latitudes = [max(-_LIMIT, min(_LIMIT, p[1])) for p in positions]
    middle = ((min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2)
    squeeze = math.cos(math.radians(middle[1]))
    wide = max((max(longitudes) - min(longitudes)) * squeeze, 0.05) * 1.12
    high = max(max(latitudes) - min(latitudes), 0.05) * 1.12
    scale = max(wide / width, high / height)
    half_x, half_y = scale * width / 2 / squeeze, scale * height / 2
    west, east = middle[0] - half_x, middle[0] + half_x
    return View(width, height, west, middle[1] - half_y, east, middle[1] + half_y)


def city_map(
    base: BaseMap,
    places: Sequence[AbnormalPlace],
    formats: Formats,
    href: Callable[[AbnormalPlace], str],
    width: int = 560,
    height: int = 430,
) -> Markup:
    """Return the map as SVG, hidden from screen readers: the list beside it says the same in words."""
    corners = [p for feature in base.features for p in positions(feature.get("geometry"))]
    view = fit(corners or [place.position for place in places], width, height)
    language = "zh" if formats.words.lang == "zh-CN" else "en"
    return element(
        "svg",
        _graticule(view, formats),
        group(_shapes(base, view)),
        group(_names(base, view, language)),
        group(_mark(mark, view, formats, href) for mark in gather(places, view)),
        class_="citymap",
        viewBox=f"0 0 {width} {height}",
        aria_hidden="true",
        focusable="false",
    )


def gather(places: Sequence[AbnormalPlace], view: View) -> list[Mark]:
    """Return the marks to draw, worst last so that they lie on top; gathered by cells when too many."""
    cells: dict[tuple[int, int], list[AbnormalPlace]] = defaultdict(list)
    crowded = len(places) > CLUSTER_ABOVE
    for index, place in enumerate(places):
        x, y = view.xy(place.position)
        cells[(int(x // 36), int(y // 36)) if crowded else (index, 0)].append(place)
    marks = [Mark(min(cell, key=lambda p: RANK[p.level]), len(cell)) for cell in cells.values()]
    return sorted(marks, key=lambda m: -RANK[m.place.level])


def positions(geometry: dict[str, Any] | None) -> Iterator[Position]:
    """Yield every position of a GeoJSON geometry (RFC 7946, section 3.1), whatever its kind."""
    if geometry is None:
        return
    for part in geometry.get("geometries", ()):
        yield from positions(part)
    stack = [geometry.get("coordinates", ())]
    while stack:
        item = stack.pop()
        if item and isinstance(item[0], int | float):
            yield (float(item[0]), float(item[1]))
        else:
            stack.extend(item)


def shape(level: Level, x: float, y: float, size: float = 8.0) -> Markup:
    """Return the fixed shape of a level: diamond act, triangle watch, hatched ring unknown, dot normal."""
    kind = f"mark is-{level}"
    if level == "act":
        corners = [(x, y - size), (x + size, y), (x, y + size), (x - size, y)]
        return element("path", d=line_path(corners) + "Z", class_=kind)
    if level == "watch":
        corners = [(x, y - size), (x + size, y + size * 0.75), (x - size, y + size * 0.75)]
        return element("path", d=line_path(corners) + "Z", class_=kind)
    if level == "unknown":
        third, most = size * 0.4, size * 0.7
        strokes = [[(x - most, y + third), (x + third, y - most)]]
        strokes.append([(x - third, y + most), (x + most, y - third)])
        path = "".join(line_path(stroke) for stroke in strokes)
        ring = element("circle", cx=x, cy=y, r=size * 0.85, class_=kind)
        return ring + element("path", d=path, class_="mark-hatch")
    return element("circle", cx=x, cy=y, r=size * 0.5, class_=kind)


def _mark(mark: Mark, view: View, formats: Formats, href: Callable[[AbnormalPlace], str]) -> Markup:
    x, y = view.xy(mark.place.position)
    title = f"{formats.words.pick(mark.place.title)} · {mark.place.area}"
    parts = [element("title", title), shape(mark.place.level, x, y)]
    if mark.count > 1:
        parts.append(element("text", str(mark.count), x=x + 10, y=y + 4, class_="map-count"))
    return element("a", *parts, href=href(mark.place), tabindex=-1)


def _graticule(view: View, formats: Formats) -> Markup:
    parts: list[Markup] = []
    for value in ticks(Span(view.west, view.east), 4)[0]:
        x = view.xy((value, view.south))[0]
        parts.append(element("line", x1=x, x2=x, y1=0, y2=view.height, class_="map-grid"))
        label = _degrees(value, "E", "W")
        if x < view.width - 60:
            parts.append(element("text", label, x=x + 3, y=view.height - 5, class_="map-degree"))
    for value in ticks(Span(view.south, view.north), 4)[0]:
        y = view.xy((view.west, value))[1]
        parts.append(element("line", x1=0, x2=view.width, y1=y, y2=y, class_="map-grid"))
        if 16 < y < view.height - 24:
            parts.append(
                element("text", _degrees(value, "N", "S"), x=3, y=y - 4, class_="map-degree")
            )
    return group(parts)


def _degrees(value: float, positive: str, negative: str) -> str:
    text = f"{abs(value):.3f}".rstrip("0").rstrip(".")
    return f"{text}°{positive if value >= 0 else negative}"


def _shapes(base: BaseMap, view: View) -> Iterator[Markup]:
    ranked = sorted(base.features, key=lambda f: _KINDS.index(_kind(f)))
    for feature in ranked:
        path = "".join(_paths(feature.get("geometry") or {}, view))
        if path:
            yield element("path", d=path, class_=f"map-{_kind(feature)}")


def _kind(feature: dict[str, Any]) -> str:
    kind = str((feature.get("properties") or {}).get("kind", ""))
    if kind in _KINDS:
        return kind
    return "district" if "Polygon" in str((feature.get("geometry") or {}).get("type")) else "road"


def _paths(geometry: dict[str, Any], view: View) -> Iterator[str]:
    kind, coordinates = geometry.get("type"), geometry.get("coordinates", [])
    if kind == "GeometryCollection":
        for part in geometry.get("geometries", []):
            yield from _paths(part, view)
    elif kind == "LineString":
        yield line_path(view.xy((c[0], c[1])) for c in coordinates)
    elif kind in ("MultiLineString", "Polygon"):
        for line in coordinates:
            closed = "Z" if kind == "Polygon" else ""
            yield line_path(view.xy((c[0], c[1])) for c in line) + closed
    elif kind == "MultiPolygon":
        for ring in (ring for polygon in coordinates for ring in polygon):
            yield line_path(view.xy((c[0], c[1])) for c in ring) + "Z"


def _names(base: BaseMap, view: View, language: str) -> Iterator[Markup]:
    for feature in base.features:
        properties = feature.get("properties") or {}
        name = properties.get(f"name:{language}") or properties.get("name")
        if _kind(feature) == "district" and name:
            corners = list(positions(feature.get("geometry")))
            middle = (
                sum(c[0] for c in corners) / max(len(corners), 1),
                sum(c[1] for c in corners) / max(len(corners), 1),
            )
            x, y = view.xy(middle)
            yield element("text", str(name), x=x, y=y, text_anchor="middle", class_="map-name")
