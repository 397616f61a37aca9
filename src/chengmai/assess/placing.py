"""Where places belong: nothing lies below itself, and a place moves from a day on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from chengmai.assess.model import Place, Standing
from chengmai.assess.problems import MoveInvalid, RecordInvalid
from chengmai.assess.records import unknown_target
from chengmai.kernel.texts import Text

_DEEPEST = 12
Find = Callable[[str], Place | None]


def check_places(places: Iterable[Place], find: Find) -> None:
    """Let places pass whose parents and successors there are; else raise `RecordInvalid` with the first.

    Nothing lies below itself, on any day.
    """
    for line, place in enumerate(places, 2):
        for code in [*(one.parent for one in place.standings), place.successor]:
            if code is not None and find(code) is None:
                raise RecordInvalid(line, "parent", unknown_target("place", code))
        for standing in place.standings:
            if is_below_itself(place.code, standing, find):
                why = Text(
                    zh=f"{place.code} 会成为自己的下级", en=f"{place.code} would lie below itself"
                )
                raise RecordInvalid(line, "parent", why)


def is_below_itself(code: str, standing: Standing, find: Find) -> bool:
    """Return whether a place is among its own parents, or too deep, on the first or last day of a standing."""
    last = standing.valid_until - timedelta(days=1) if standing.valid_until else date.max
    return any(
        _leads_back(code, standing, day, find) for day in (standing.valid_from or date.min, last)
    )


def _leads_back(code: str, standing: Standing, day: date, find: Find) -> bool:
    above, steps = standing.parent, 0
    while above is not None:
        steps += 1
        if above == code or steps > _DEEPEST:
            return True
        place = find(above)
        held = place.on(day) if place is not None else None
        above = held.parent if held is not None else None
    return False


def moved(place: Place, parent: str, on: date, find: Find) -> Place:
    """Return the place with another parent from a day on; what it was before stays. Raises `MoveInvalid`."""
    held = place.on(on)
    if held is None:
        raise MoveInvalid(
            Text(zh=f"{on} 没有 {place.code} 这个地方", en=f"there is no {place.code} on {on}"),
            param="on",
            fix="name a day on which the place is there",
        )
    above = find(parent)
    if above is None or above.on(on) is None:
        raise MoveInvalid(
            Text(zh=f"{on} 没有代码为 {parent} 的地方", en=f"there is no place {parent} on {on}"),
            param="to",
            fix="name a place that is there on the day, or import it first",
        )
    if held.parent == parent:
        raise MoveInvalid(
            Text(
                zh=f"{place.code} 当日已属 {parent}", en=f"{place.code} is below {parent} already"
            ),
            param="to",
            fix="name another place",
        )
    after = held.model_copy(update={"parent": parent, "valid_from": on})
    if is_below_itself(place.code, after, find):
        raise MoveInvalid(
            Text(zh=f"{place.code} 会成为自己的下级", en=f"{place.code} would lie below itself"),
            param="to",
            fix="name a place that is not below it",
        )
    before = [] if held.valid_from == on else [held.model_copy(update={"valid_until": on})]
    rest = [one for one in place.standings if one is not held]
    ordered = sorted([*rest, *before, after], key=lambda one: one.valid_from or date.min)
    return Place(
        code=place.code,
        standings=tuple(ordered),
        successor=place.successor,
        country=place.country,
    )
