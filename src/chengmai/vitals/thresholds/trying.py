"""What a threshold would have meant: the levels of a recorded past under other thresholds. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from chengmai.packs.model import Band, VitalSpec
from chengmai.vitals.bands import bands_on
from chengmai.vitals.model import LEVEL_RANK, Level, Standing
from chengmai.vitals.rules import Rule, advance

_HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Tally:
    """Hours at each level, and how often a case would have opened."""

    normal: float = 0.0
    watch: float = 0.0
    act: float = 0.0
    unknown: float = 0.0
    cases: int = 0

    def plus(self, other: Tally) -> Tally:
        """Return both together."""
        return Tally(
            self.normal + other.normal,
            self.watch + other.watch,
            self.act + other.act,
            self.unknown + other.unknown,
            self.cases + other.cases,
        )


@dataclass(frozen=True)
class AreaTrial:
    """One area: what was read, and what came of it under both sets of thresholds."""

    area: str
    ticks: int
    since_us: int
    until_us: int
    now: Tally
    then: Tally


@dataclass(frozen=True)
class Trial:
    """The past of all areas under the thresholds as they will be without and with the change."""

    areas: tuple[AreaTrial, ...]

    @property
    def now(self) -> Tally:
        """Return all areas as they would be without the change."""
        return _sum([area.now for area in self.areas])

    @property
    def then(self) -> Tally:
        """Return all areas as they would be with it."""
        return _sum([area.then for area in self.areas])

    def to_json(self) -> dict[str, Any]:
        """Return it as kept with the change."""
        return {
            "now": asdict(self.now),
            "then": asdict(self.then),
            "areas": [asdict(area) for area in self.areas],
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Trial:
        """Return what `to_json` wrote."""
        return cls(
            tuple(
                AreaTrial(**{**one, "now": Tally(**one["now"]), "then": Tally(**one["then"])})
                for one in kept["areas"]
            )
        )


def try_change(
    before: VitalSpec,
    after: VitalSpec,
    on: date,
    pasts: Mapping[str, Sequence[tuple[int, float]]],
    zone: ZoneInfo,
) -> Trial:
    """Return what a change would have meant on the recorded past of each area.

    `before` and `after` are the sign without and with it. Both sets of thresholds, those of the day on which
    the change begins, are taken as if they had held all the time.
    """
    areas = []
    for area, ticks in sorted(pasts.items()):
        if ticks:
            now = tally_of(before, _timeless(bands_on(before.bands, on)), ticks, zone)
            then = tally_of(after, _timeless(bands_on(after.bands, on)), ticks, zone)
            areas.append(AreaTrial(area, len(ticks), ticks[0][0], ticks[-1][0], now, then))
    return Trial(tuple(areas))


def tally_of(
    spec: VitalSpec, bands: tuple[Band, ...], ticks: Sequence[tuple[int, float]], zone: ZoneInfo
) -> Tally:
    """Return hours a level and cases of a past under some bands.

    Debounce and hysteresis are those of the sign; a gap longer than it may be silent is unknown.
    """
    rule = replace(Rule.of(spec, zone), bands=bands)
    step_us = spec.step // timedelta(microseconds=1)
    limit_us = step_us + spec.stale_after // timedelta(microseconds=1)
    opens = LEVEL_RANK[spec.opens.at] if spec.opens else None
    hours: dict[Level, float] = {"normal": 0.0, "watch": 0.0, "act": 0.0, "unknown": 0.0}
    standing, known, cases = Standing("unknown"), False, 0
    ends = [later - at for (at, _), (later, _) in pairwise(ticks)] + [step_us]
    for (at_us, value), gap_us in zip(ticks, ends, strict=True):
        standing = advance(standing, at_us, value, rule)
        is_open = opens is not None and LEVEL_RANK[standing.level] >= opens
        cases += is_open and not known
        known = is_open
        held_us = gap_us if gap_us <= limit_us else step_us
        hours[standing.level] += held_us / _HOUR_US
        if gap_us > limit_us:
            hours["unknown"] += (gap_us - step_us) / _HOUR_US
            standing = Standing("unknown", at_us + step_us)
    return Tally(**hours, cases=cases)


def _timeless(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    return tuple(band.model_copy(update={"from_": None, "until": None}) for band in bands)


def _sum(tallies: list[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total = total.plus(tally)
    return total
