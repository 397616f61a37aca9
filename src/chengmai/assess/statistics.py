"""Counts, growth, coverage, rankings and drill-down over a registry. Pure; the day is an argument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from chengmai.assess.figures import Figure, growth, share
from chengmai.assess.gazetteer import Gazetteer, Spot
from chengmai.assess.groups import Denominator, Frame, PlaceGroup, Tier, partition_of
from chengmai.assess.model import STATES, Programme, Source, State
from chengmai.assess.problems import DayInvalid, GroupUnknown, TierUnknown
from chengmai.kernel.texts import Text

_MOST_SOURCES = 3
FROM_NOTHING = Text(zh="上期为 0，不能计算增长率", en="there was none before: no rate of growth")
NO_PLACES = Text(zh="当日没有这样的地方", en="there was no such place on that day")


@dataclass(frozen=True)
class Rank:
    """One line of a ranking. Equal values share a place and the next place is left out (1, 2, 2, 4)."""

    place: int
    code: str
    name: Text
    value: float
    tied: bool


@dataclass(frozen=True)
class Branch:
    """One line of a drill-down: `total` is the place itself, if it builds, and all below it."""

    code: str
    name: Text
    level: str
    own: int
    total: int
    before: int
    places: int
    state: State


@dataclass(frozen=True)
class Cell:
    """A group and a tier: how many places build now and before, and how fast that grew."""

    group: PlaceGroup | None
    tier: Tier
    now: int
    before: int

    @property
    def growth(self) -> float | None:
        """In percent; None from nothing."""
        return growth(self.now, self.before)


def ranked(values: Mapping[str, float], names: Mapping[str, Text]) -> list[Rank]:
    """Return the values in falling order; equal ones share a place and are listed by code."""
    ordered = sorted(values.items(), key=lambda one: (-one[1], one[0]))
    often = Counter(values.values())
    made: list[Rank] = []
    for index, (code, value) in enumerate(ordered):
        is_same = bool(made) and made[-1].value == value
        place = made[-1].place if is_same else index + 1
        made.append(Rank(place, code, names[code], value, often[value] > 1))
    return made


class Snapshot:
    """A registry on one day: which places build, and where each stands."""

    def __init__(
        self,
        gazetteer: Gazetteer,
        programmes: Iterable[Programme],
        on: date,
        country: str | None = None,
    ) -> None:
        self.day = gazetteer.on(on, country)
        self.states: dict[str, State] = {}
        self.lost: list[Programme] = []
        """Programmes of places that were not there on the day and have no successor."""
        for programme in programmes:
            state = programme.state(on)
            if state == "none":
                continue
            code = self.day.standing_for(programme.place)
            if code is None:
                self.lost.append(programme)
            elif STATES.index(state) < STATES.index(self.states.get(code, "none")):
                self.states[code] = state

    @cached_property
    def builders(self) -> frozenset[str]:
        """Places with a programme that is being built or operating; each counts once."""
        return frozenset(
            c for c, state in self.states.items() if state in ("building", "operating")
        )

    def count(self, tier: Tier | None = None, group: PlaceGroup | None = None) -> int:
        """Return how many places of a tier and a group build."""
        return len(self.chosen(tier, group))

    def chosen(self, tier: Tier | None = None, group: PlaceGroup | None = None) -> list[Spot]:
        """Return the places of a tier and a group that build."""
        spots = (self.day.spots[code] for code in self.builders)
        return [
            spot
            for spot in spots
            if (tier is None or tier.holds(spot)) and (group is None or group.holds(spot))
        ]


class Statistics:
    """What a registry says on a day, compared with an earlier one. Every number is a `Figure`."""

    def __init__(
        self,
        gazetteer: Gazetteer,
        frame: Frame,
        programmes: Sequence[Programme],
        on: date,
        before: date,
    ) -> None:
        if before >= on:
            raise DayInvalid(
                Text(
                    zh=f"对比日 {before} 不早于截至日 {on}",
                    en=f"{before} does not come before {on}",
                ),
                param="before",
                fix="compare with an earlier day",
            )
        self.frame, self.on, self.before = frame, on, before
        ours = (frame.country, None)
        chosen = [one for one in programmes if gazetteer.country_of(one.place) in ours]
        self.now = Snapshot(gazetteer, chosen, on, frame.country)
        self.then = Snapshot(gazetteer, chosen, before, frame.country)
        self.programmes = [one for one in chosen if one.state(on) != "none"]

    @cached_property
    def source(self) -> Source | None:
        """Whose records these are; None when there are none."""
        if not self.programmes:
            return None
        names = [name for name, _ in Counter(p.source for p in self.programmes).most_common()]
        more = f" +{len(names) - _MOST_SOURCES}" if len(names) > _MOST_SOURCES else ""
        newest = max(one.source_date for one in self.programmes)
        return Source(name=("; ".join(names[:_MOST_SOURCES]) + more)[:400], dated=newest)

    def tier(self, tier_id: str) -> Tier:
        """Return a tier by its id; raises `TierUnknown`."""
        for tier in self.frame.tiers:
            if tier.id == tier_id:
                return tier
        raise TierUnknown(tier_id, [tier.id for tier in self.frame.tiers])

    def group(self, group_id: str) -> PlaceGroup:
        """Return a group by its id; raises `GroupUnknown`."""
        for group in self.frame.groups:
            if group.id == group_id:
                return group
        raise GroupUnknown(group_id, [group.id for group in self.frame.groups])

    def count(self, tier: Tier | None = None, group: PlaceGroup | None = None) -> Figure:
        """Return how many places build."""
        what = _scope(tier, group)
        return self._figure(
            f"count.{_ids(tier, group)}",
            Text(zh=f"开展建设的地方数（{what.zh}）", en=f"Places that build ({what.en})"),
            Text(
                zh="有至少一个在建或已运行计划的地方，每地只计一次",
                en="places with at least one programme being built or operating; each counts once",
            ),
            float(self.now.count(tier, group)),
            "places",
        )

    def growth(self, tier: Tier | None = None, group: PlaceGroup | None = None) -> Figure:
        """Return the growth in percent from the earlier day."""
        now, then = self.now.count(tier, group), self.then.count(tier, group)
        what = _scope(tier, group)
        value = growth(now, then)
        return self._figure(
            f"growth.{_ids(tier, group)}",
            Text(zh=f"同比增长（{what.zh}）", en=f"Growth ({what.en})"),
            Text(
                zh=f"（{self.on} 的数量 − {self.before} 的数量）÷ {self.before} 的数量",
                en=f"(number on {self.on} − number on {self.before}) ÷ number on {self.before}",
            ),
            value,
            "%",
            numerator=now - then,
            denominator=then,
            denominator_title=Text(zh=f"{self.before} 的数量", en=f"number on {self.before}"),
            because=FROM_NOTHING if value is None else None,
        )

    def coverage(self, of: Denominator) -> Figure:
        """Return the share of the places of a tier that build; the label names the denominator."""
        tier = self.tier(of.tier)
        over = of.counted or tier
        numerator = self.now.count(over)
        denominator = of.given if of.given is not None else len(over.places(self.now.day))
        value = share(numerator, denominator, of.title.en)
        return self._figure(
            f"coverage.{of.tier}.{denominator}",
            Text(zh=f"建设覆盖率（{tier.title.zh}）", en=f"Coverage ({tier.title.en})"),
            Text(
                zh="开展建设的地方数 ÷ 该层级的地方总数", en="places that build ÷ all of the tier"
            ),
            value,
            "%",
            numerator=numerator,
            denominator=denominator,
            denominator_title=Text(
                zh=f"分母 = {denominator}（{of.title.zh}）",
                en=f"of {denominator} ({of.title.en})",
            ),
            because=NO_PLACES if value is None else None,
        )

    def coverages(self) -> list[Figure]:
        """Return the coverage of each tier over each denominator that there is for it."""
        return [self.coverage(of) for of in self.denominators()]

    def denominators(self) -> list[Denominator]:
        """Return what coverage may be a share of on this day: a published number only near its year."""
        return [
            of
            for of in self.frame.denominators
            if of.source is None or 0 <= self.on.year - of.source.dated.year <= 1
        ]

    def share(self, tier: Tier) -> Figure:
        """Return the share of a tier in all places that build."""
        part, whole = self.now.count(tier), self.now.count()
        value = share(part, whole, tier.title.en)
        return self._figure(
            f"share.{tier.id}",
            Text(zh=f"占比（{tier.title.zh}）", en=f"Share ({tier.title.en})"),
            Text(zh="该层级开展建设的地方数 ÷ 全部", en="places of the tier that build ÷ all"),
            value,
            "%",
            numerator=part,
            denominator=whole,
            denominator_title=Text(zh="全部开展建设的地方", en="all places that build"),
            because=NO_PLACES if value is None else None,
        )

    def matrix(self, groups: Sequence[PlaceGroup | None], tiers: Sequence[Tier]) -> list[Cell]:
        """Return now, before and growth of every group in every tier."""
        return [
            Cell(group, tier, self.now.count(tier, group), self.then.count(tier, group))
            for group in groups
            for tier in tiers
        ]

    def summed(self, partition: str, tier: Tier) -> Cell:
        """Return the sum of the groups of a partition; raises `GroupsOverlap` where they share a place."""
        for snapshot in (self.now, self.then):
            groups = partition_of(self.frame.groups, partition, snapshot.day)
        return Cell(
            None,
            tier,
            sum(self.now.count(tier, group) for group in groups),
            sum(self.then.count(tier, group) for group in groups),
        )

    def fastest(self, tier: Tier, groups: Sequence[PlaceGroup]) -> list[Rank]:
        """Return groups by their growth in a tier; a group that began from nothing is not ranked."""
        rates = {cell.group.id: cell.growth for cell in self.matrix(groups, [tier]) if cell.group}
        known = {group: rate for group, rate in rates.items() if rate is not None}
        return ranked(known, {group.id: group.title for group in groups})

    def provinces(self, tier: Tier | None = None) -> list[Rank]:
        """Return the topmost places, such as provinces, by how many of their places build."""
        tops = {spot.code: spot.name for spot in self.now.day.children(None)}
        counts = Counter(spot.province for spot in self.now.chosen(tier))
        return ranked({code: float(counts.get(code, 0)) for code in tops}, tops)

    def newly(self) -> list[Spot]:
        """Return the places that build now and did not before, by code; a renamed place is not new."""
        heirs = {self.now.day.standing_for(code) for code in self.then.builders}
        codes = sorted(self.now.builders - heirs)
        return [self.now.day.spots[code] for code in codes]

    def newly_provinces(self) -> list[Spot]:
        """Return the provinces in which nothing was built before and something is now."""
        was = {self.then.day.spots[code].province for code in self.then.builders}
        found = {self.now.day.spots[code].province for code in self.now.builders} - was
        return [self.now.day.spots[code] for code in sorted(found)]

    def phases(self, tier: Tier | None = None) -> dict[State, int]:
        """Return in which state how many places stand; every place of the day in exactly one."""
        spots = self.now.day.spots.values() if tier is None else tier.places(self.now.day)
        counts = Counter(self.now.states.get(spot.code, "none") for spot in spots)
        return {state: counts.get(state, 0) for state in STATES}

    def branches(self, code: str | None) -> list[Branch]:
        """Return what is directly below a place; the totals, and the place itself, add up to its total."""
        totals, before = _totals(self.now), _totals(self.then)
        sizes = Counter(c for spot in self.now.day.spots.values() for c in spot.path)
        return [self._branch(spot, totals, before, sizes) for spot in self.now.day.children(code)]

    def branch(self, code: str) -> Branch:
        """Return one place with all below it; raises `PlaceUnknown`."""
        sizes = Counter(c for spot in self.now.day.spots.values() for c in spot.path)
        spot = self.now.day.spot(code)
        return self._branch(spot, _totals(self.now), _totals(self.then), sizes)

    def _branch(
        self, spot: Spot, totals: Counter[str], before: Counter[str], sizes: Counter[str]
    ) -> Branch:
        return Branch(
            spot.code,
            spot.name,
            spot.level,
            int(spot.code in self.now.builders),
            totals[spot.code],
            before[spot.code],
            sizes[spot.code],
            self.now.states.get(spot.code, "none"),
        )

    def _figure(
        self,
        figure_id: str,
        title: Text,
        definition: Text,
        value: float | None,
        unit: str,
        *,
        numerator: float | None = None,
        denominator: float | None = None,
        denominator_title: Text | None = None,
        because: Text | None = None,
    ) -> Figure:
        return Figure(
            figure_id,
            "computed",
            title,
            definition,
            value,
            unit,
            self.on,
            self.source,
            numerator=numerator,
            denominator=denominator,
            denominator_title=denominator_title,
            because=because,
        )


def _totals(snapshot: Snapshot) -> Counter[str]:
    return Counter(
        code for builder in snapshot.builders for code in snapshot.day.spots[builder].path
    )


def _scope(tier: Tier | None, group: PlaceGroup | None) -> Text:
    parts = [one.title for one in (group, tier) if one is not None]
    if not parts:
        return Text(zh="全部层级", en="all levels")
    return Text(zh="·".join(p.zh for p in parts), en=", ".join(p.en for p in parts))


def _ids(tier: Tier | None, group: PlaceGroup | None) -> str:
    return f"{group.id if group else 'all'}.{tier.id if tier else 'all'}"
