"""What kind of day it is, for comparing like with like. Pure.

China's public holidays are announced year by year together with the weekend days worked in exchange (调休): a
Saturday made up for is a working day, and a holiday on a Tuesday is not.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from chengmai.kernel.instants import from_us
from chengmai.kernel.texts import Text

_MOST_KEPT = 200_000

DayKind = Literal["workday", "rest", "holiday"]
DAY_WORDS: dict[DayKind, Text] = {
    "workday": Text(zh="工作日", en="working day"),
    "rest": Text(zh="休息日", en="day of rest"),
    "holiday": Text(zh="法定节假日", en="public holiday"),
}


class Days(Protocol):
    """Port: the working calendar of the city."""

    @property
    def holidays(self) -> Collection[date]: ...
    @property
    def makeup_days(self) -> Collection[date]: ...

    def is_workday(self, day: date) -> bool:
        """Return whether people work on `day`."""
        ...

    def is_known(self, day: date) -> bool:
        """Return whether the holidays around `day` have been announced."""
        ...


@dataclass(frozen=True)
class Day:
    """A day: its kind, whether it was worked in exchange, and whether the calendar of its year is known."""

    on: date
    kind: DayKind
    is_made_up: bool
    is_known: bool


def day_of(on: date, days: Days) -> Day:
    """Return what kind of day it is; a year that is not announced yet is judged by the weekday alone."""
    if on in days.holidays:
        return Day(on, "holiday", is_made_up=False, is_known=days.is_known(on))
    kind: DayKind = "workday" if days.is_workday(on) else "rest"
    return Day(on, kind, is_made_up=on in days.makeup_days, is_known=days.is_known(on))


class DayKinds:
    """The kinds of days in the zone of a city, each worked out once."""

    def __init__(self, days: Days, zone: ZoneInfo) -> None:
        self._days, self._zone = days, zone
        self._known: dict[date, Day] = {}
        self._quarters: dict[int, DayKind] = {}

    def __call__(self, on: date) -> Day:
        """Return what kind of day it is."""
        found = self._known.get(on)
        if found is None:
            found = self._known[on] = day_of(on, self._days)
        return found

    def kind_at(self, at_us: int) -> DayKind:
        """Return the kind of the day at an instant in µs."""
        # Zones change their offset on the quarter of an hour at the finest.
        quarter = at_us // 900_000_000
        kind = self._quarters.get(quarter)
        if kind is None:
            if len(self._quarters) >= _MOST_KEPT:
                self._quarters.clear()
            kind = self._quarters[quarter] = self(from_us(at_us).astimezone(self._zone).date()).kind
        return kind
