"""The package of a country: groups of its places, tiers, what coverage is a share of, names of its levels.

China's comes with the program; that of any other country is taken in and becomes an entity with its past. A
country of which there are places and no package is looked at level by level.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from chengmai.assess.gazetteer import Day
from chengmai.assess.groups import Denominator, Frame, PlaceGroup, Tier, check_exclusive
from chengmai.assess.model import LEVELS, Code, Country, Level, Named, Source
from chengmai.assess.problems import CountryInvalid, GroupsOverlap
from chengmai.assess.reasons import RANK, Said, first_wrong, not_json
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, entity, opaque, prop, value_of, words

TYPE = "CountryFrame"
MOST_CHARACTERS = 1_000_000
Ranks = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=RANK)], ...],
    Field(min_length=1, max_length=100),
]


class LevelName(Named):
    """What a level is called in the country."""

    level: Level


class TierPart(Named):
    """Places of one rank, written `level/kind`; a kind `*` is any."""

    id: Code
    ranks: Ranks
    covered: bool = True
    compared: bool = True


class GroupPart(Named):
    """Codes of places, each with all below it. Groups of one `partition` share no place and are summed."""

    id: Code
    members: Annotated[tuple[Code, ...], Field(min_length=1, max_length=5000)]
    partition: Code | None = None
    compared: bool = True

    @field_validator("members", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return given.split() if isinstance(given, str) else given


class DenominatorPart(Named):
    """What the coverage of a tier is a share of: its places, those of other `ranks`, or a `given` number."""

    tier: Code
    ranks: Ranks | None = None
    given: Annotated[int, Field(gt=0, le=10_000_000)] | None = None
    source: Source | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        if self.given is not None and self.source is None:
            raise Said(
                f"分母 {self.given}（{self.tier}）没有来源：写明由谁、截至哪一天",
                f"the denominator {self.given} of {self.tier} has no source: say who says so, as of which day",
            )
        if self.given is not None and self.ranks is not None:
            raise Said(
                f"{self.tier} 的分母：given 与 ranks 二者填一",
                f"the denominator of {self.tier} has either given or ranks",
            )
        return self


class CountryPackage(Named):
    """A country by its code of ISO 3166-1, with how its places are looked at."""

    id: Country
    source: Source
    places_dated: date
    top: Named = Named(zh="一级地方", en="topmost places")
    levels: tuple[LevelName, ...] = ()
    tiers: Annotated[tuple[TierPart, ...], Field(min_length=1, max_length=50)]
    groups: Annotated[tuple[GroupPart, ...], Field(max_length=500)] = ()
    denominators: Annotated[tuple[DenominatorPart, ...], Field(max_length=200)] = ()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _once((one.id for one in self.tiers), "层级组", "tier")
        _once((one.id for one in self.groups), "分组", "group")
        _once((one.level for one in self.levels), "层级名称", "name of level")
        known = {one.id for one in self.tiers}
        for one in self.denominators:
            if one.tier not in known:
                raise Said(
                    f"分母指向的层级组 {one.tier} 不存在，可用：{'、'.join(sorted(known))}",
                    f"a denominator is of tier {one.tier}, which there is not: {', '.join(sorted(known))}",
                )
        return self

    def frame(self) -> Frame:
        """Return how the places of the country are looked at."""
        return Frame(
            groups=tuple(
                PlaceGroup(one.id, one.title, frozenset(one.members), one.partition, one.compared)
                for one in self.groups
            ),
            tiers=tuple(
                Tier(one.id, one.title, _ranks(one.ranks), one.covered, one.compared)
                for one in self.tiers
            ),
            denominators=tuple(self._denominator(one) for one in self.denominators),
            source=self.source,
            places_dated=self.places_dated,
            country=self.id,
            title=self.title,
            top=self.top.title,
            levels={one.level: one.title for one in self.levels},
        )

    def _denominator(self, one: DenominatorPart) -> Denominator:
        over = Tier(one.tier, one.title, _ranks(one.ranks)) if one.ranks else None
        return Denominator(one.tier, one.title, counted=over, given=one.given, source=one.source)


def read_country(text: str) -> CountryPackage:
    """Return a country from its JSON package; raises `CountryInvalid` with what is wrong where."""
    if len(text) > MOST_CHARACTERS:
        why = Text(
            zh=f"包超过 {MOST_CHARACTERS} 个字符",
            en=f"the package is longer than {MOST_CHARACTERS} characters",
        )
        raise CountryInvalid(why, "country")
    try:
        made = CountryPackage.model_validate(json.loads(text))
        for partition in (frame := made.frame()).partitions():
            check_exclusive([one for one in frame.groups if one.partition == partition])
    except ValidationError as error:
        where, why = first_wrong(error)
        raise CountryInvalid(why, where or "country") from None
    except (ValueError, RecursionError) as error:
        raise CountryInvalid(not_json(error), "country") from None
    except GroupsOverlap as problem:
        raise CountryInvalid(overlapping(problem), "groups") from None
    return made


def check_places(package: CountryPackage, day: Day) -> None:
    """Let a package pass whose groups name places of the country, exclusive where they say so.

    Raises `CountryInvalid` with the first that does not. `day` are the places of the country on a day.
    """
    frame = package.frame()
    for group in package.groups:
        for code in group.members:
            if code not in day.spots and code not in day.heirs:
                why = Text(
                    zh=f"分组 {group.id} 的成员 {code} 不是该国的地方；请先导入地方表，国家栏写 {package.id}",
                    en=f"group {group.id} has the member {code}, which is no place of the country:"
                    f" import its places first, with {package.id} as their country",
                )
                raise CountryInvalid(why, f"groups.{group.id}")
    for partition in frame.partitions():
        try:
            check_exclusive([one for one in frame.groups if one.partition == partition], day)
        except GroupsOverlap as problem:
            raise CountryInvalid(overlapping(problem), "groups") from None


def overlapping(problem: GroupsOverlap) -> Text:
    """Return which groups of a partition share which places."""
    first, second = problem.facts["first"], problem.facts["second"]
    shared = problem.facts["shared"][:5]
    return Text(
        zh=f"同一划分的分组 {first} 与 {second} 都含 {'、'.join(shared)}；改成员，或不要写 partition",
        en=f"groups {first} and {second} of one partition share {', '.join(shared)}:"
        " change their members, or leave the partition out",
    )


def to_entity(package: CountryPackage) -> Entity:
    """Return the NGSI-LD entity of a package."""
    return entity(
        urn(TYPE, package.id),
        TYPE,
        country=prop(package.id),
        name=words(package.title.as_language_map()),
        source=prop(package.source.name),
        package=opaque(package.model_dump(mode="json", exclude_defaults=True)),
    )


def from_entity(found: Entity) -> CountryPackage:
    """Return the package that an entity is; raises `CountryInvalid`."""
    return read_country(json.dumps(value_of(found, "package")))


def plain_frame(title: Text, day: Day, source: Source, country: str) -> Frame:
    """Return how a country without a package is looked at: a tier a level, each a share of all its places."""
    counts = Counter(spot.level for spot in day.spots.values())
    tiers = tuple(
        Tier(level, _level_title(level), frozenset({(level, "*")}))
        for level in LEVELS
        if counts.get(level)
    )
    denominators = tuple(Denominator(tier.id, tier.title, counted=tier) for tier in tiers)
    top = Text(zh="一级地方", en="topmost places")
    return Frame((), tiers, denominators, source, source.dated, country, title, top)


def _level_title(level: Level) -> Text:
    return _LEVELS[level]


_LEVELS: dict[Level, Text] = {
    "provincial": Text(zh="省级", en="provincial level"),
    "sub_provincial": Text(zh="副省级", en="sub-provincial level"),
    "prefecture": Text(zh="地级", en="prefecture level"),
    "county": Text(zh="县级", en="county level"),
    "district": Text(zh="市辖区级", en="district level"),
    "town": Text(zh="乡镇级", en="town level"),
    "park": Text(zh="园区", en="parks"),
    "community": Text(zh="社区", en="communities"),
}


def _ranks(told: Iterable[str]) -> frozenset[tuple[str, str]]:
    pairs = (rank.split("/") for rank in told)
    return frozenset((level, kind) for level, kind in pairs)


def _once(ids: Iterable[str], zh: str, en: str) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise Said(f"{zh} {one} 出现两次", f"{en} {one} is there twice")
        seen.add(one)
