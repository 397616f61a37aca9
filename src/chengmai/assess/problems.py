"""What can be wrong with places, programmes and figures.

Invalid
├── RecordInvalid       a line of an import that cannot be taken: says which line, which field, and why
├── RecordRefused       an entity of the registry's types that is no such record: says which attribute, and why
├── TableInvalid        an import that is not a table of this kind
├── KindUnknown         a kind of record that there is not
├── SourceMissing       a number without source or date
├── PlaceUnknown        a code that no place has
├── TierUnknown         a tier of places that there is not
├── GroupUnknown        a group of places that there is not
├── GroupsOverlap       a sum over groups that share places
├── CountryInvalid      a package of a country that cannot be taken: says which part of it
├── CountryUnknown      a country of which there are no places
├── SourcesDiffer       a sum over figures of different sources or definitions
├── DenominatorInvalid  nothing, or less than the numerator
├── SubjectInvalid      a report on neither or both of a place and a group, or on a level that there is not
├── OptionUnknown       a choice that a list does not offer: says which there are
├── MoveInvalid         a move to where a place is already, to nowhere, or below itself
├── DayInvalid          not a day, or a comparison with a later one
├── FrameworkInvalid    a package that is no framework, or a change that it does not allow
│   └── WeightsDoNotSum children whose weights are not those of their parent: says which node
├── FrameworkUnknown    a framework that there is not
├── IndicatorUnknown    an indicator that the catalogue does not have
└── WeightsUnknown      a framework of which only the structure is known
TooLarge
└── TableTooLong
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chengmai.assess.reasons import Why, both
from chengmai.kernel.problems import Invalid, TooLarge
from chengmai.kernel.texts import Text

_WHOLE_ENTITY = Text(zh="整个实体", en="entity")
_WHOLE_LINE = Text(zh="整行", en="line")


class RecordInvalid(Invalid):
    code = "assess.record.invalid"
    title = "A line cannot be taken"

    def __init__(self, line: int, field: str, why: Why) -> None:
        said = both(why)
        super().__init__(
            f"line {line}, {field or _WHOLE_LINE.en}: {said.en}",
            param=f"line {line}, {field or _WHOLE_LINE.en}",
            fix="correct this line and send the whole table again; nothing of it was kept",
            line=line,
            field=field or _WHOLE_LINE,
            why=said,
        )


class RecordRefused(Invalid):
    code = "assess.record.refused"
    title = "This is no record of the registry"

    def __init__(self, entity_id: str, attribute: str, why: Why) -> None:
        said, where = both(why), attribute or _WHOLE_ENTITY.en
        super().__init__(
            f"{entity_id}, {where}: {said.en} / {said.zh}",
            param=where,
            fix="correct the entity and send it again; nothing of it was kept",
            entity=entity_id,
            where=attribute or _WHOLE_ENTITY,
            why=said,
        )


class TableInvalid(Invalid):
    code = "assess.table.invalid"
    title = "This is not such a table"

    def __init__(self, why: Why, *, param: str, fix: str, columns: Iterable[str]) -> None:
        said, listed = both(why), ", ".join(columns)
        super().__init__(said.en, param=param, fix=fix, where=param, why=said, columns=listed)


class KindUnknown(Invalid):
    code = "assess.kind.unknown"

    def __init__(self, kind: str, known: Iterable[str]) -> None:
        listed = ", ".join(sorted(known))
        super().__init__(
            f"there are no records of kind {kind!r}",
            param="kind",
            fix=f"use one of: {listed}",
            kind=kind,
            known=listed,
        )


class SourceMissing(Invalid):
    code = "assess.source.missing"
    title = "A number needs a source"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} has no source or no date",
            param="source",
            fix="say who published or counted it, and of which day it is",
            what=what,
        )


class PlaceUnknown(Invalid):
    code = "assess.place.unknown"
    title = "No such place"

    def __init__(self, code: str) -> None:
        super().__init__(
            f"no place has the code {code!r}",
            param="place",
            fix="use its code (in China six digits of GB/T 2260), or import the place first",
            place=code,
        )


class TierUnknown(Invalid):
    code = "assess.tier.unknown"

    def __init__(self, tier: str, known: Iterable[str]) -> None:
        listed = ", ".join(known)
        super().__init__(
            f"there is no tier {tier!r}",
            param="tier",
            fix=f"use one of: {listed}",
            tier=tier,
            known=listed,
        )


class GroupUnknown(Invalid):
    code = "assess.group.unknown"

    def __init__(self, group: str, known: Iterable[str]) -> None:
        listed = ", ".join(known)
        super().__init__(
            f"there is no group {group!r}",
            param="group",
            fix=f"use one of: {listed}",
            group=group,
            known=listed,
        )


class GroupsOverlap(Invalid):
    code = "assess.groups.overlap"
    title = "These groups share places"

    def __init__(self, first: str, second: str, shared: Iterable[str]) -> None:
        listed = sorted(shared)
        super().__init__(
            f"groups {first!r} and {second!r} share {', '.join(listed[:5])}",
            param="groups",
            fix="add up groups of one partition only",
            first=first,
            second=second,
            shared=listed,
        )


class CountryInvalid(Invalid):
    code = "assess.country.invalid"
    title = "This is no package of a country"

    def __init__(self, why: Why, where: str) -> None:
        said = both(why)
        super().__init__(
            f"{where}: {said.en}",
            param=where,
            fix="correct the package; nothing of it was kept",
            why=said,
            where=where,
        )


class CountryUnknown(Invalid):
    code = "assess.country.unknown"

    def __init__(self, country: str, known: Iterable[str]) -> None:
        listed = ", ".join(known)
        super().__init__(
            f"there are no places of the country {country!r}",
            param="country",
            fix=f"use one of: {listed}; or import its places first",
            country=country,
            known=listed,
        )


class SourcesDiffer(Invalid):
    code = "assess.sources.differ"
    title = "Figures of different sources are never added"

    def __init__(self, first: str, second: str) -> None:
        super().__init__(
            f"{first!r} and {second!r} do not count the same thing",
            param="figures",
            fix="show them beside each other, each with its definition",
        )


class DenominatorInvalid(Invalid):
    code = "assess.denominator.invalid"
    title = "This denominator does not fit"


class SubjectInvalid(Invalid):
    code = "assess.subject.invalid"
    title = "Name one place or one group"

    def __init__(self, why: Why, *, param: str, fix: str) -> None:
        said = both(why)
        super().__init__(said.en, param=param, fix=fix, why=said)


class DayInvalid(Invalid):
    code = "assess.day.invalid"
    title = "This day does not fit"

    def __init__(self, why: Why, *, param: str, fix: str) -> None:
        said = both(why)
        super().__init__(said.en, param=param, fix=fix, why=said, where=param)


class MoveInvalid(Invalid):
    code = "assess.move.invalid"
    title = "The place cannot move so"

    def __init__(self, why: Why, *, param: str, fix: str) -> None:
        said = both(why)
        super().__init__(said.en, param=param, fix=fix, why=said)


class OptionUnknown(Invalid):
    code = "assess.option.unknown"
    title = "There is no such choice"

    def __init__(self, param: str, given: str, known: Iterable[str]) -> None:
        listed = ", ".join(known)
        super().__init__(
            f"{given!r} is no choice of {param}",
            param=param,
            fix=f"use one of: {listed}",
            where=param,
            given=given,
            known=listed,
        )


class FrameworkInvalid(Invalid):
    code = "assess.framework.invalid"
    title = "This is no framework"

    def __init__(self, why: Why, *, param: str, fix: str, **facts: Any) -> None:
        said = both(why)
        super().__init__(said.en, param=param, fix=fix, why=said, where=param, **facts)


class WeightsDoNotSum(FrameworkInvalid):
    code = "assess.weights.sum"
    title = "The weights do not sum"

    def __init__(self, node: str, total: str, wanted: str) -> None:
        super().__init__(
            f"the weights below {node} sum to {total}, not to {wanted} or 100",
            param=node,
            fix="correct the weights below this node",
            node=node,
            total=total,
            wanted=wanted,
        )


class FrameworkUnknown(Invalid):
    code = "assess.framework.unknown"

    def __init__(self, framework: str, known: Iterable[str]) -> None:
        listed = ", ".join(known)
        super().__init__(
            f"there is no framework {framework!r}",
            param="framework",
            fix=f"use one of: {listed}",
            framework=framework,
            known=listed,
        )


class IndicatorUnknown(Invalid):
    code = "assess.indicator.unknown"
    title = "There is no such indicator"

    def __init__(self, indicator: str, known: Iterable[str]) -> None:
        super().__init__(
            f"there is no indicator {indicator!r}",
            param="indicator",
            fix=f"use one of: {', '.join(known)}",
            indicator=indicator,
        )


class WeightsUnknown(Invalid):
    code = "assess.weights.unknown"
    title = "Only the structure of this framework is known"

    def __init__(self, framework: str) -> None:
        super().__init__(
            f"{framework} has no weights",
            param="framework",
            fix="import the framework as a package with its weights",
        )


class TableTooLong(TooLarge):
    code = "assess.table.too_long"

    def __init__(self, what: str, found: int, most: int) -> None:
        super().__init__(
            f"the table has {found} {what}, {most} are taken at once",
            param="table",
            fix="send it in parts",
            found=found,
            most=most,
        )
