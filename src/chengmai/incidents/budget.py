"""The alarm budget of a person: how many new alarms an hour, and what waits when it is spent. Pure.

EEMUA 191 and ANSI/ISA-18.2 (2016, clause 16) take about one alarm in ten minutes an operator, that is 6
an hour, as
very likely acceptable, and 12 an hour as the most that can be managed over time (figures from memory, to be
verified). What is beyond the budget is held back into a digest and shown when the hour has room again.
Nothing at level `act` is ever held back, and nothing is lost: it stands in the lists all the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
ACCEPTABLE, MANAGEABLE = 6, 12
"""Alarms an hour and operator: very likely acceptable, and the most that can be managed."""


@dataclass(frozen=True)
class Waiting:
    """Something that asks for a person: `alarm` names it and its level, so that a rise is a new alarm."""

    alarm: str
    level: str


@dataclass(frozen=True)
class Shown:
    """An alarm and a person: first shown at `at`, or None while it is held back since `held_at`."""

    person: str
    alarm: str
    level: str
    at: datetime | None
    held_at: datetime | None = None


@dataclass(frozen=True)
class Ration:
    """What a person is shown now and what waits. `used` counts the new alarms of the last hour."""

    shown: tuple[str, ...]
    held: tuple[str, ...]
    used: int
    budget: int
    news: tuple[Shown, ...] = ()
    """What is to be written down."""


@dataclass(frozen=True)
class Review:
    """How it went over a time: alarms that came, what they were folded to, what each hour of a person held."""

    days: float
    alarms: int
    incidents: int
    shown: int
    held: int
    held_now: int
    act_shown: int
    person_hours: int
    mean: float
    most: int
    above_acceptable: float
    """Share of the person-hours with more than 6 new alarms."""
    above_manageable: float
    """Share of those with more than 12."""


def ration(
    person: str,
    waiting: Sequence[Waiting],
    known: Iterable[Shown],
    used: int,
    *,
    budget: int,
    now: datetime,
) -> Ration:
    """Return what `person` is shown of what waits, given in the order of the desk.

    `known` is what the person was shown or kept from before; `used` how many new alarms the last hour brought.
    What was shown stays shown; `act` is always shown, and counted.
    """
    before = {one.alarm: one for one in known}
    shown, held, news = [], [], []
    # Act first: it takes its share of the budget before anything that can wait.
    for one in sorted(waiting, key=lambda one: one.level != "act"):
        kept = before.get(one.alarm)
        if kept is not None and kept.at is not None:
            shown.append(one.alarm)
            continue
        since = kept.held_at if kept is not None else None
        if one.level == "act" or used < budget:
            used += 1
            shown.append(one.alarm)
            news.append(Shown(person, one.alarm, one.level, now, since))
        else:
            held.append(one.alarm)
            if kept is None:
                news.append(Shown(person, one.alarm, one.level, None, now))
    order = [one.alarm for one in waiting]
    return Ration(
        tuple(name for name in order if name in shown),
        tuple(name for name in order if name in held),
        used,
        budget,
        tuple(news),
    )


def review(shown: Sequence[Shown], alarms: int, incidents: int, length: timedelta) -> Review:
    """Return the figures of a time: per person and clock hour in which anything was shown."""
    hours: dict[tuple[str, datetime], int] = {}
    told = [one for one in shown if one.at is not None]
    for one in told:
        assert one.at is not None
        hour = one.at.replace(minute=0, second=0, microsecond=0)
        hours[one.person, hour] = hours.get((one.person, hour), 0) + 1
    counts = list(hours.values())
    share = 1.0 / len(counts) if counts else 0.0
    return Review(
        days=length / timedelta(days=1),
        alarms=alarms,
        incidents=incidents,
        shown=len(told),
        held=sum(one.held_at is not None for one in shown),
        held_now=sum(one.at is None for one in shown),
        act_shown=sum(one.level == "act" for one in told),
        person_hours=len(counts),
        mean=sum(counts) * share,
        most=max(counts, default=0),
        above_acceptable=sum(count > ACCEPTABLE for count in counts) * share,
        above_manageable=sum(count > MANAGEABLE for count in counts) * share,
    )
