"""Axes of the chart."""

from __future__ import annotations

from datetime import datetime, timedelta

from markupsafe import Markup

from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.svg.draw import element, group
from chengmai.web.cockpit.svg.plot import Plot
from chengmai.web.cockpit.svg.scale import ticks, time_ticks

_TICK_ROOM = 86
"""Pixels a time tick needs for its words, in either language."""


def value_axis(plot: Plot, formats: Formats, unit: str) -> Markup:
    """Return horizontal grid lines with their values; the unit stands once, at the top."""
    frame = plot.frame
    values, decimals = ticks(plot.values, about=max(2, frame.height // 42))
    parts: list[Markup] = []
    for value in values:
        y = plot.y(value)
        parts.append(element("line", x1=frame.left, x2=frame.x_end, y1=y, y2=y, class_="c-grid"))
        text = formats.number(value, decimals)
        parts.append(
            element("text", text, x=frame.left - 6, y=y + 4, text_anchor="end", class_="c-tick")
        )
    if unit:
        parts.append(element("text", unit, x=2, y=frame.top - 2, class_="c-tick"))
    return group(parts)


def time_axis(plot: Plot, formats: Formats) -> Markup:
    """Return ticks at round local times; midnight shows the day, every other tick the hour."""
    frame, data = plot.frame, plot.data
    at_most = max(2, (frame.x_end - frame.left) // _TICK_ROOM)
    instants, step = time_ticks(data.start, data.end, formats.zone, at_most)
    parts: list[Markup] = []
    for at in instants:
        x = plot.x(at)
        parts.append(element("line", x1=x, x2=x, y1=frame.top, y2=frame.y_end + 4, class_="c-grid"))
        room = min(x - frame.left, frame.x_end - x)
        anchor = "middle" if room > 24 else ("start" if x < frame.width / 2 else "end")
        parts.append(
            element(
                "text",
                _tick_words(at, step, formats),
                x=x,
                y=frame.y_end + 20,
                text_anchor=anchor,
                class_="c-tick",
            )
        )
    return group(parts)


def _tick_words(at: datetime, step: timedelta, formats: Formats) -> str:
    local = formats.local(at)
    if step >= timedelta(days=1) or (local.hour == 0 and local.minute == 0):
        return formats.short_day(local.date())
    return formats.clock(at)
