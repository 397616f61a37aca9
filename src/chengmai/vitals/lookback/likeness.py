"""Comparing like with like: same kind of day, same hour, same weather where it is known. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal
from zoneinfo import ZoneInfo

from chengmai.kernel.instants import from_us
from chengmai.vitals.lookback.days import DayKind, DayKinds

Weather = Literal["dry", "wet"]
WeatherAt = Callable[[int], Weather | None]
"""The weather at an instant in µs, None where it is not known."""
Key = tuple[DayKind, int, Weather | None]


@dataclass(frozen=True)
class Group:
    """The values of one kind: how many now and before, and their means."""

    day: DayKind
    weather: Weather | None
    now: float
    before: float | None
    n_now: int
    n_before: int


@dataclass(frozen=True)
class Likeness:
    """A comparison in which each value has only its like before it.

    `now` and `before` are means over the values that have one; `unmatched` have none and are left out.
    `certain` is False when days of a year are among them whose holidays are not announced.
    """

    now: float | None
    before: float | None
    matched: int
    unmatched: int
    past_values: int
    past_days: int
    uses_weather: bool
    certain: bool
    groups: tuple[Group, ...] = ()

    @property
    def change(self) -> float | None:
        """Return how much the period differs from its like."""
        return None if self.now is None or self.before is None else self.now - self.before


def compare(
    now: Sequence[tuple[int, float]],
    past: Sequence[tuple[int, float]],
    kinds: DayKinds,
    zone: ZoneInfo,
    weather: WeatherAt | None = None,
) -> Likeness:
    """Return how values compare with those of the past of the same kind of day, hour and weather.

    Each value is set against the mean of all its like; with `weather` values whose weather is unknown are like
    others whose weather is unknown.
    """
    certain = True

    def key_of(at_us: int) -> Key:
        nonlocal certain
        local = from_us(at_us).astimezone(zone)
        day = kinds(local.date())
        certain = certain and day.is_known
        return day.kind, local.hour, weather(at_us) if weather else None

    before: dict[Key, list[tuple[int, float]]] = {}
    for at_us, value in past:
        before.setdefault(key_of(at_us), []).append((at_us, value))
    pairs: list[tuple[Key, float, float]] = []
    used: set[Key] = set()
    unmatched = 0
    for at_us, value in now:
        key = key_of(at_us)
        like = before.get(key)
        if not like:
            unmatched += 1
            continue
        used.add(key)
        pairs.append((key, value, fmean(v for _, v in like)))
    found = [at for key in used for at, _ in before[key]]
    return Likeness(
        now=fmean(value for _, value, _ in pairs) if pairs else None,
        before=fmean(like for _, _, like in pairs) if pairs else None,
        matched=len(pairs),
        unmatched=unmatched,
        past_values=len(found),
        past_days=len({from_us(at).astimezone(zone).date() for at in found}),
        uses_weather=weather is not None,
        certain=certain,
        groups=_groups(pairs, before, used),
    )


def _groups(
    pairs: Sequence[tuple[Key, float, float]],
    before: dict[Key, list[tuple[int, float]]],
    used: set[Key],
) -> tuple[Group, ...]:
    """Return the comparison by kind of day and weather, hours together."""
    sorts = sorted({(key[0], key[2] or "") for key, _, _ in pairs})
    groups = []
    for day, sky in sorts:
        own = [(now, like) for key, now, like in pairs if (key[0], key[2] or "") == (day, sky)]
        count = sum(len(before[key]) for key in used if (key[0], key[2] or "") == (day, sky))
        groups.append(
            Group(
                day,
                "dry" if sky == "dry" else "wet" if sky == "wet" else None,
                fmean(now for now, _ in own),
                fmean(like for _, like in own),
                len(own),
                count,
            )
        )
    return tuple(groups)
