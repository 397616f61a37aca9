"""The chart of one vital sign: what was, what was usual, what is expected, and where it becomes serious."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from markupsafe import Markup

from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.svg.axes import time_axis, value_axis
from chengmai.web.cockpit.svg.draw import band_path, element, group, line_path
from chengmai.web.cockpit.svg.plot import ChartData, Frame, Plot, value_span
from chengmai.web.cockpit.svg.scale import linear
from chengmai.web.cockpit.svg.series import runs, thin


def chart(data: ChartData, frame: Frame, formats: Formats, unit: str, description: str) -> Markup:
    """Return the chart as SVG with `description` as its accessible name."""
    span = value_span(data)
    plot = Plot(frame, data, span, linear(span, frame.y_end, frame.top))
    return element(
        "svg",
        value_axis(plot, formats, unit),
        time_axis(plot, formats),
        group(_other(plot)),
        *_doubt(plot),
        group(_past(plot)),
        group(_future(plot)),
        group(_thresholds(plot)),
        group(_marks(plot)),
        _now_line(plot, formats),
        class_="chart",
        viewBox=f"0 0 {frame.width} {frame.height}",
        role="img",
        aria_label=description,
        focusable="false",
    )


def _doubt(plot: Plot) -> list[Markup]:
    since = plot.data.doubtful_since
    if since is None or since >= plot.data.now:
        return []
    left, right = plot.x(max(since, plot.data.start)), plot.x(plot.data.now)
    top, height = plot.frame.top, plot.frame.y_end - plot.frame.top
    return [element("rect", x=left, y=top, width=right - left, height=height, class_="c-doubt")]


def _past(plot: Plot) -> list[Markup]:
    y = plot.y
    parts: list[Markup] = []
    baseline = [p for p in plot.data.baseline if plot.data.start <= p.at <= plot.data.end]
    if baseline:
        upper = [(plot.x(p.at), y(p.high)) for p in baseline]
        lower = [(plot.x(p.at), y(p.low)) for p in baseline]
        parts.append(element("path", d=band_path(upper, lower), class_="c-baseline"))
        middle = line_path((plot.x(p.at), y(p.mid)) for p in baseline)
        parts.append(element("path", d=middle, class_="c-usual"))
    stretches = runs([p for p in plot.data.points if p.at <= plot.data.end])
    for before, after in pairwise(stretches):
        parts.append(_silence(plot, before[-1].at, after[0].at))
    room = max(8, (plot.frame.width * 2 // 3) // max(len(stretches), 1))
    for run in stretches:
        path = line_path((plot.x(p.at), y(p.value or 0.0)) for p in thin(run, room))
        parts.append(element("path", d=path, class_="c-line"))
    if stretches:
        last = stretches[-1][-1]
        parts.append(
            element("circle", cx=plot.x(last.at), cy=y(last.value or 0.0), r=3.5, class_="c-dot")
        )
    return parts


def _other(plot: Plot) -> list[Markup]:
    inside = [p for p in plot.data.other if plot.data.start <= p.at <= plot.data.end]
    return [
        element(
            "path",
            d=line_path((plot.x(p.at), plot.y(p.value or 0.0)) for p in thin(run, 600)),
            class_="c-other",
        )
        for run in runs(inside)
    ]


def _marks(plot: Plot) -> list[Markup]:
    """Draw what happened as numbered lines; the table beside the chart says what each is."""
    parts: list[Markup] = []
    free_from = 0.0
    for mark in plot.data.marks:
        if not plot.data.start <= mark.at <= plot.data.end:
            continue
        x = plot.x(mark.at)
        line = {"x1": x, "x2": x, "y1": plot.frame.top, "y2": plot.frame.y_end}
        parts.append(element("line", **line, class_="c-mark"))
        at = max(x, free_from)
        free_from = at + 10.0 + 7.0 * len(mark.label)
        parts.append(
            element(
                "text",
                mark.label,
                x=at,
                y=plot.frame.top - 3,
                text_anchor="middle",
                class_="c-mark-label",
            )
        )
    return parts


def _silence(plot: Plot, start: datetime, end: datetime) -> Markup:
    left, right = plot.x(start), plot.x(end)
    return element(
        "rect",
        x=left,
        y=plot.frame.top,
        width=max(right - left, 1.0),
        height=plot.frame.y_end - plot.frame.top,
        class_="c-silence",
        fill="url(#hatch)",
    )


def _future(plot: Plot) -> list[Markup]:
    points = [p for p in plot.data.forecast if p.at <= plot.data.end]
    if not points:
        return []
    upper = [(plot.x(p.at), plot.y(p.high)) for p in points]
    lower = [(plot.x(p.at), plot.y(p.low)) for p in points]
    middle = line_path((plot.x(p.at), plot.y(p.median)) for p in points)
    return [
        element("path", d=band_path(upper, lower), class_="c-interval"),
        element("path", d=middle, class_="c-forecast"),
    ]


def _thresholds(plot: Plot) -> list[Markup]:
    """Draw each threshold with its words; words are pushed apart, lines stay where they belong."""
    inside = [t for t in plot.data.thresholds if plot.values.holds(t.value)]
    inside.sort(key=lambda t: plot.y(t.value))
    parts: list[Markup] = []
    free_from = plot.frame.top + 12.0
    for threshold in inside:
        at = plot.y(threshold.value)
        line = {"x1": plot.frame.left, "x2": plot.frame.x_end, "y1": at, "y2": at}
        parts.append(element("line", **line, class_=f"c-threshold is-{threshold.level}"))
        label_at = max(at - 5, free_from)
        free_from = label_at + 16
        parts.append(
            element(
                "text",
                threshold.label,
                x=plot.frame.left + 6,
                y=label_at,
                class_=f"c-label is-{threshold.level}",
            )
        )
    return parts


def _now_line(plot: Plot, formats: Formats) -> Markup:
    if not plot.data.start <= plot.data.now <= plot.data.end:
        return Markup("")
    x = plot.x(plot.data.now)
    near_end = x > plot.frame.x_end - 60
    label = element(
        "text",
        formats.words("chart.now"),
        x=x - 4 if near_end else x + 4,
        y=plot.frame.y_end - 6,
        text_anchor="end" if near_end else None,
        class_="c-tick",
    )
    line = element("line", x1=x, x2=x, y1=plot.frame.top, y2=plot.frame.y_end, class_="c-now")
    return line + label
