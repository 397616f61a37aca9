"""A sparkline: a day of one vital sign, with its expected range behind it."""

from __future__ import annotations

from datetime import datetime, timedelta

from markupsafe import Markup

from chengmai.web.cockpit.svg.draw import element, group, line_path
from chengmai.web.cockpit.svg.scale import Span, linear
from chengmai.web.cockpit.svg.series import runs, thin
from chengmai.web.cockpit.views import VitalCard

WIDTH, HEIGHT = 132, 34
_PAD = 4


def sparkline(card: VitalCard, now: datetime, length: timedelta = timedelta(hours=24)) -> Markup:
    """Return the SVG of the last `length`; hidden from readers, since the value stands beside it."""
    points = [p for p in card.recent if p.at >= now - length and p.at <= now]
    values = [p.value for p in points if p.value is not None]
    bounds = [v for v in (card.expected_low, card.expected_high) if v is not None]
    if not values:
        return _frame(())
    y_span = Span(min(values + bounds), max(values + bounds)).padded(0.05)
    x = linear(Span(0, length.total_seconds()), _PAD, WIDTH - _PAD)
    y = linear(y_span, HEIGHT - _PAD, _PAD)

    def place(at: datetime, value: float | None) -> tuple[float, float]:
        return x((at - (now - length)).total_seconds()), y(value or 0.0)

    parts: list[Markup] = []
    if len(bounds) == 2:
        top, bottom = y(max(bounds)), y(min(bounds))
        parts.append(
            element(
                "rect", x=0, y=top, width=WIDTH, height=max(bottom - top, 1.0), class_="c-expected"
            )
        )
    for run in runs(points):
        path = line_path(place(p.at, p.value) for p in thin(run, WIDTH))
        parts.append(element("path", d=path, class_="c-line"))
    last = next(p for p in reversed(points) if p.value is not None)
    cx, cy = place(last.at, last.value)
    parts.append(element("circle", cx=cx, cy=cy, r=3.0, class_=f"c-dot is-{card.level}"))
    return _frame(parts)


def _frame(parts: tuple[Markup, ...] | list[Markup]) -> Markup:
    return element(
        "svg",
        group(parts),
        class_="spark",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        aria_hidden="true",
        focusable="false",
    )
