"""Which alarms are one incident. Pure: the same alarms give the same incidents in whatever order they came.

Two alarms are related when they are of one nature, no longer apart than a window, in places that belong
together, and

- of the same vital sign (it came again),
- of the same sign or the same category of case, in one area or near (`[folding]` of the pack), or
- cause and effect by a link of a chain of a pack.

An incident is a set of alarms connected by that relation. Alarms in one place at one time that nothing
connects stay apart: a lift that stops during a rainstorm is not the rain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chengmai.incidents.model import Nature
from chengmai.kernel.geo import metres_between
from chengmai.kernel.texts import WHOLE_CITY, Text
from chengmai.packs.chains import ChainLink, Folding, full_name
from chengmai.packs.model import Pack

_EARLY_US = 3600 * 1_000_000
"""How much earlier than its cause an effect may be seen: signs have steps of up to an hour."""
_USUAL = Folding()


@dataclass(frozen=True)
class Alarm:
    """An alarm as folding sees it: from `start_us` to `end_us` (None while it stands)."""

    vital: str
    sign: str
    group: str
    area: str
    start_us: int
    end_us: int | None = None
    place: tuple[float, float] | None = None
    nature: Nature = "event"


@dataclass(frozen=True)
class Chains:
    """What the packs say of causes and of nearness."""

    links: Mapping[tuple[str, str], ChainLink]
    folding: Mapping[str, Folding]

    @classmethod
    def of(cls, packs: Sequence[Pack]) -> Chains:
        """Return the chains of all packs; links to signs that are not there are left out."""
        signs = {full_name(pack.info.id, one) for pack in packs for one in pack.alarms}
        links = {
            (full_name(pack.info.id, link.cause), full_name(pack.info.id, link.effect)): link
            for pack in packs
            for chain in pack.chains
            for link in chain.links
        }
        return cls(
            {edge: link for edge, link in links.items() if signs.issuperset(edge)},
            {pack.info.id: pack.info.folding for pack in packs},
        )

    def window_us(self, sign: str) -> int:
        """Return how far apart alarms of one sign may lie, in µs."""
        return round(self._folding(sign).window.total_seconds() * 1e6)

    def reach_us(self, sign: str) -> int:
        """Return how long after an alarm was over one of `sign` may be related to it at the most, in µs."""
        windows = [self._folding(sign).window]
        windows += [link.within for edge, link in self.links.items() if sign in edge]
        return round(max(windows).total_seconds() * 1e6)

    def link(self, cause: Alarm, effect: Alarm) -> ChainLink | None:
        """Return the link by which `effect` follows from `cause`, or None."""
        found = self.links.get((cause.sign, effect.sign))
        if found is None or cause.nature != "event" or effect.nature != "event":
            return None
        if effect.start_us < cause.start_us - _EARLY_US:
            return None
        within_us = found.within.total_seconds() * 1e6
        return (
            found
            if gap_us(cause, effect) <= within_us and _in_place(found, cause, effect)
            else None
        )

    def related(self, one: Alarm, other: Alarm) -> bool:
        """Return whether two alarms belong together by themselves; the same either way round."""
        if one.nature != other.nature or not self._have_to_do(one, other):
            return False
        if self.link(one, other) or self.link(other, one):
            return True
        near_in_time = gap_us(one, other) <= min(
            self.window_us(one.sign), self.window_us(other.sign)
        )
        if not near_in_time:
            return False
        if one.vital == other.vital:
            return True
        if one.nature == "fault":
            # What fails in one pack at one time in one way is one feed or one network, not many sensors.
            return one.group == other.group and _pack(one) == _pack(other)
        return (one.sign == other.sign or one.group == other.group) and self._near(one, other)

    def _have_to_do(self, one: Alarm, other: Alarm) -> bool:
        """Return whether two alarms can be related wherever and whenever they are: most cannot."""
        if one.sign == other.sign or one.group == other.group or one.vital == other.vital:
            return True
        return (one.sign, other.sign) in self.links or (other.sign, one.sign) in self.links

    def _near(self, one: Alarm, other: Alarm) -> bool:
        if one.area == other.area:
            return True
        reach = min(self._folding(one.sign).distance_m, self._folding(other.sign).distance_m)
        return reach > 0 and _within(one, other, reach)

    def _folding(self, sign: str) -> Folding:
        return self.folding.get(sign.partition("/")[0], _USUAL)


def gap_us(one: Alarm, other: Alarm) -> int:
    """Return how long neither stood between the two, in µs; zero when they touch."""
    first, second = sorted((one, other), key=lambda alarm: (alarm.start_us, alarm.vital))
    return 0 if first.end_us is None else max(0, second.start_us - first.end_us)


def touching(alarm: Alarm, groups: Mapping[str, Sequence[Alarm]], chains: Chains) -> list[str]:
    """Return the names of the groups that hold an alarm related to this one, in the order of `groups`."""
    return [
        name
        for name, members in groups.items()
        if any(chains.related(alarm, member) for member in members)
    ]


def fold(alarms: Iterable[Alarm], chains: Chains) -> frozenset[frozenset[Alarm]]:
    """Return the incidents that alarms make up: the sets connected by `Chains.related`."""
    groups: dict[int, set[Alarm]] = {}
    for number, alarm in enumerate(dict.fromkeys(alarms)):
        named = {str(name): list(members) for name, members in groups.items()}
        joined = {alarm}
        for name in touching(alarm, named, chains):
            joined |= groups.pop(int(name))
        groups[number] = joined
    return frozenset(frozenset(members) for members in groups.values())


def cause_of(
    alarms: Sequence[Alarm], chains: Chains
) -> tuple[str | None, tuple[str, ...], tuple[Text, ...]]:
    """Return the vital sign at the root, those that follow from it, and why, one sentence a link.

    Of several roots the one that began first counts; without any link there is no cause, only togetherness.
    """
    ordered = sorted(alarms, key=lambda alarm: (alarm.start_us, alarm.vital))
    edges = [
        (one.vital, other.vital, link)
        for one in ordered
        for other in ordered
        if (one.sign, other.sign) in chains.links
        and one is not other
        and (link := chains.link(one, other)) is not None
    ]
    caused = {effect for _, effect, _ in edges}
    causing = {cause for cause, _, _ in edges}
    roots = [a.vital for a in ordered if a.vital in causing and a.vital not in caused]
    because = tuple(dict.fromkeys(link.because for _, _, link in edges))
    effects = tuple(alarm.vital for alarm in ordered if alarm.vital in caused)
    return (roots[0] if roots else None), effects, because


def _in_place(link: ChainLink, cause: Alarm, effect: Alarm) -> bool:
    if (
        link.place == "anywhere"
        or cause.area == effect.area
        or WHOLE_CITY in (cause.area, effect.area)
    ):
        return True
    return link.distance_m is not None and _within(cause, effect, link.distance_m)


def _within(one: Alarm, other: Alarm, metres: float) -> bool:
    if one.place is None or other.place is None:
        return False
    return metres_between(one.place, other.place) <= metres


def _pack(alarm: Alarm) -> str:
    return alarm.sign.partition("/")[0]
