"""Drawings of a trial: the curve of one entity with its firings, and the firings of each day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from markupsafe import Markup

from chengmai.rules.trial import Curve
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.svg.axes import time_axis, value_axis
from chengmai.web.cockpit.svg.draw import element, group, line_path
from chengmai.web.cockpit.svg.plot import WIDE, ChartData, Frame, Plot, value_span
from chengmai.web.cockpit.svg.scale import linear
from chengmai.web.cockpit.views import Point

_DAYS = Frame(1140, 120, bottom=22)
_MOST_MARKS = 400


def curve_chart(
    curve: Curve, start: datetime, end: datetime, formats: Formats, description: str
) -> Markup:
    """Return the curve as SVG; a firing is a shaded stretch with a triangle where it begins."""
    points = tuple(Point(at, value) for at, value in curve.points)
    data = ChartData(start, end, end, points)
    span = value_span(data)
    plot = Plot(WIDE, data, span, linear(span, WIDE.y_end, WIDE.top))
    marks: list[Markup] = []
    for firing in curve.firings[:_MOST_MARKS]:
        left, right = plot.x(firing.start), plot.x(firing.end or end)
        height = WIDE.y_end - WIDE.top
        marks.append(
            element(
                "rect",
                x=left,
                y=WIDE.top,
                width=max(right - left, 1.5),
                height=height,
                class_="c-silence",
                fill="url(#hatch)",
            )
        )
        top = WIDE.top
        corner = f"M{left - 5:.1f} {top}L{left + 5:.1f} {top}L{left:.1f} {top + 9}Z"
        marks.append(element("path", d=corner, class_="c-dot"))
    line = line_path((plot.x(at), plot.y(value)) for at, value in curve.points)
    return element(
        "svg",
        value_axis(plot, formats, curve.attribute),
        time_axis(plot, formats),
        group(marks),
        element("path", d=line, class_="c-line"),
        class_="chart",
        viewBox=f"0 0 {WIDE.width} {WIDE.height}",
        role="img",
        aria_label=description,
        focusable="false",
    )


def day_bars(per_day: Mapping[date, int], formats: Formats, description: str) -> Markup:
    """Return one bar a day as SVG; the table beside it has the numbers."""
    most = max(per_day.values(), default=0) or 1
    room = (_DAYS.x_end - _DAYS.left) / max(len(per_day), 1)
    height = _DAYS.y_end - _DAYS.top
    parts: list[Markup] = []
    every = max(1, len(per_day) // 8)
    for number, (day, count) in enumerate(sorted(per_day.items())):
        x = _DAYS.left + number * room
        tall = height * count / most
        if count:
            parts.append(
                element(
                    "rect",
                    x=x + 1,
                    y=_DAYS.y_end - tall,
                    width=max(room - 2, 1.0),
                    height=tall,
                    class_="c-dot",
                )
            )
        if number % every == 0:
            words = formats.short_day(day)
            parts.append(element("text", words, x=x, y=_DAYS.y_end + 16, class_="c-tick"))
    parts.append(element("text", str(most), x=6, y=_DAYS.top + 8, class_="c-tick"))
    return element(
        "svg",
        group(parts),
        class_="chart",
        viewBox=f"0 0 {_DAYS.width} {_DAYS.height}",
        role="img",
        aria_label=description,
        focusable="false",
    )
