"""SVG elements as escaped text."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Attribute = str | float | int | None


def element(name: str, *children: str, **attributes: Attribute) -> Markup:
    """Return one element. `class_` becomes `class`, `stroke_width` `stroke-width`; None is left out.

    Children that are not `Markup` are escaped.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(str(escape(child)) for child in children)
    whole = f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"
    return Markup(whole)  # noqa: S704  every part was escaped above


def group(children: Iterable[Markup], **attributes: Attribute) -> Markup:
    """Return a `g` of `children`, or nothing at all when there are none."""
    inner = Markup("").join(children)
    return element("g", inner, **attributes) if inner else Markup("")


def number(value: Attribute) -> str:
    """Return a coordinate with at most one decimal: a tenth of a pixel is enough for any screen."""
    if isinstance(value, float):
        return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
    return str(value)


def line_path(points: Iterable[tuple[float, float]]) -> str:
    """Return path data through `points`."""
    steps = [f"{number(x)} {number(y)}" for x, y in points]
    return "M" + "L".join(steps) if steps else ""


def band_path(upper: list[tuple[float, float]], lower: list[tuple[float, float]]) -> str:
    """Return path data of the area between two lines over the same x."""
    return line_path([*upper, *reversed(lower)]) + "Z" if upper else ""
