"""An assessment behind the screens: the example, and an own registry that is empty or hostile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from chengmai.assess.catalogue import Indicator, catalogue
from chengmai.assess.countries import CountryPackage, read_country
from chengmai.assess.frameworks.model import Framework, read_framework
from chengmai.assess.frameworks.service import Board, board_of
from chengmai.assess.frameworks.whatif import WhatIf, what_if
from chengmai.assess.live.grading import made, missing
from chengmai.assess.live.model import Live, Measured
from chengmai.assess.live.table import definitions
from chengmai.assess.live.working import NOTHING
from chengmai.assess.model import IndicatorValue, Place, Plan, Programme, Record
from chengmai.assess.outlook.lines import lines
from chengmai.assess.outlook.meanings import meanings
from chengmai.assess.outlook.model import Kept, Promise, scores_of
from chengmai.assess.outlook.model import Report as OutlookReport
from chengmai.assess.outlook.service import Stored, report_of
from chengmai.assess.outlook.subjects import subject_of
from chengmai.assess.panel.columns import Columns, no_columns
from chengmai.assess.panel.model import Entry, Ref
from chengmai.assess.panel.reading import entry_of_value
from chengmai.assess.problems import IndicatorUnknown
from chengmai.assess.registry import Assessed, DataSet, Registry, assess, example_registry
from chengmai.assess.service import Taken
from chengmai.assess.shipped import (
    shipped_example,
    shipped_frame,
    shipped_frameworks,
    shipped_gazetteer,
)
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.texts import Text
from chengmai.web.cockpit.views import Point
from tests.unit.web.fake_surveys import FakeSurveys


@dataclass
class FakeAssessment:
    """`hostile` is the title of the one programme and the document of its plan."""

    today: date
    hostile: str = ""
    empty: bool = False

    async def assessed(
        self,
        actor: Actor,
        *,
        data: DataSet = "own",
        on: date | None = None,
        before: date | None = None,
        country: str | None = None,
        place: str | None = None,
        group: str | None = None,
        known: date | None = None,
    ) -> Assessed:
        if data == "example":
            return assess(example_registry(), data, on or shipped_example().on, before)
        records: dict[str, list[Record]] = {}
        if self.hostile:
            begun = date(2020, 1, 1)
            said: dict[str, Any] = {
                "source": self.hostile,
                "source_date": begun,
                "title": self.hostile,
            }
            records = {
                "programmes": [Programme(id="p", place="330000", started_on=begun, **said)],
                "plans": [
                    Plan(id="n", programme="p", document=self.hostile, adopted_on=begun, **said)
                ],
            }
        return assess(Registry(shipped_gazetteer(), records), data, on or self.today, before)

    async def columns(self, actor: Actor, data: str = "own") -> Columns:
        return some_columns(self.hostile or "s", self.empty)

    async def import_table(self, by: Actor, kind: str, text: str) -> Taken:
        return Taken(kind, new=text.count("\n"), changed=0, same=0)

    async def take_in_country(self, by: Actor, text: str) -> CountryPackage:
        return read_country(text)

    async def move(self, by: Actor, code: str, parent: str, on: date) -> Place:
        return shipped_gazetteer().place(code)


@dataclass
class FakeFrameworks:
    """The shipped frameworks; two places with a value each, unless there are none."""

    empty: bool = False

    async def frameworks(self, actor: Actor) -> list[Framework]:
        return list(shipped_frameworks())

    async def take_in(self, by: Actor, text: str) -> Framework:
        return read_framework(text)

    async def board(self, actor: Actor, framework_id: str, on: date) -> Board:
        (framework,) = (one for one in shipped_frameworks() if one.id == framework_id)
        found = [] if self.empty else [self._values(code, framework) for code in TWO]
        entries = (entry_of_value(one, f"urn:{one.place}:{one.id}") for of in found for one in of)
        return board_of(framework, no_columns().replaced((), entries), on)

    async def tried(
        self,
        actor: Actor,
        board: Board,
        place: str,
        *,
        changed: Mapping[str, float] | None = None,
        weights: Mapping[str, Decimal] | None = None,
    ) -> WhatIf:
        return what_if(board.framework, board.numbers(place), changed=changed, weights=weights)

    def _values(self, code: str, framework: Framework) -> list[IndicatorValue]:
        said: dict[str, Any] = {"evidence": "e", "source": "s", "source_date": date(2024, 1, 1)}
        said |= {"place": code, "on": date(2024, 1, 1), "value": TWO[code], "sample": 400}
        names = [leaf.indicator or "" for leaf in framework.leaves() if not leaf.deduction]
        return [IndicatorValue(id=name, indicator=name, **said) for name in names]


INDICATORS = (
    "/assessment/indicators",
    "/assessment/indicators?state=not_held",
    "/assessment/indicators?domain=none",
    "/assessment/indicators/L11",
    "/assessment/indicators/T05",
    "/assessment/indicators/C06",
)
INDICATORS_JSON = ("/assessment/indicators.json", "/assessment/indicators/L11/data.json")
INDICATORS_CSV = ("/assessment/indicators.csv", "/assessment/indicators/L11/data.csv")
VALUES = ("code=330100&level=sub_provincial", "code=330000&group=east&on=2024-01-01")
AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
DAY_US = to_us(datetime(2026, 11, 20, 16, tzinfo=UTC))
SIGN = "urn:ngsi-ld:VitalSign:carbon:pue:a"
FOUND = {
    "L11": Measured(2.6, 2.0, [SIGN], 2, 1, areas={"<b>East": (1.3, 1.0)}, links=["/x"]),
    "T05": Measured(
        30.0,
        40.0,
        [f"urn:ngsi-ld:BusServiceObserved:{n}" for n in range(60)],
        60,
        60,
        since_us=DAY_US,
        days={DAY_US: (10.0, 20.0), DAY_US + 86_400_000_000: (20.0, 20.0)},
        parts=[(Text(zh="甲", en="part"), 50.0)],
    ),
}
TWO = {"330100": 81.5, "330200": 62.0}


def some_columns(source: str = "s", empty: bool = False) -> Columns:
    """Return five years of two indicators at eight cities; of one day two sources speak."""
    made = []
    for index, code in enumerate(CITIES if not empty else ()):
        for year in range(2019, 2024):
            ref = Ref(f"urn:ngsi-ld:IndicatorSheet:{code}-{year}", code, source, source, NEW_YEAR)
            values = {"E01": 60.0 + index + (year - 2019) * (3 - index), "E05": 20.0 - index}
            made.append(Entry(ref, date(year, 12, 31), values, {"E01": (3.0, 5.0, None)}))
    if not empty:
        other = Ref(
            "urn:ngsi-ld:IndicatorSheet:other", CITIES[0], source, source, date(2023, 12, 31)
        )
        made.append(Entry(other, date(2023, 12, 31), {"E01": 33.0}, {}))
    return no_columns().replaced((), made)


NEW_YEAR = date(2024, 1, 1)
CITIES = ("330100", "330200", "210100", "210200", "220100", "230100", "350200", "370100")


@dataclass
class FakeOutlook:
    """Reports over `some_columns`; one forecast was kept, and has come true or not."""

    today: date
    hostile: str = ""
    empty: bool = False

    @property
    def own_place(self) -> tuple[str, Text]:
        return "own", Text(zh="样城", en="Sample")

    async def report(
        self,
        actor: Actor,
        *,
        place: str | None = None,
        group: str | None = None,
        on: date | None = None,
        level: str | None = None,
        peers: str | None = None,
        data: str = "own",
    ) -> OutlookReport:
        columns, day = some_columns(self.hostile or "s", self.empty), on or self.today
        spots, frame = shipped_gazetteer().on(day), shipped_frame()
        known = columns.book.places.numbers
        subject = subject_of(
            spots, frame, known, place=place, group=group, level=level, peers=peers
        )
        listed = shipped_frameworks()
        (framework,) = (one for one in listed if one.id == "nsc-2016")
        board = board_of(framework, columns, day)
        meant = meanings(listed, columns.indicators)
        made = report_of(lines(columns, subject, meant, day), subject, board, day)
        days = (date(2023, 3, 1), date(2022, 12, 31), date(2023, 12, 31))
        promise = Promise(
            place or "", "E01", *days, "year", 66.0, 60.0, 72.0, 0.8, "drift", 64.0, 4, "urn:f"
        )
        kept = (Kept(promise), Kept(promise, 67.0, days[2], "urn:r")) if made.lines else ()
        return replace(made, kept=kept, scores=scores_of(kept))

    async def keep(self, by: Actor, report: OutlookReport) -> Stored:
        return Stored(len(report.lines), 1, 2)


@dataclass
class FakeIndicators:
    """The catalogue: two indicators have a value, unless there is none; one of a sign, one with days."""

    empty: bool = False

    async def all(self, actor: Actor) -> Sequence[Live]:
        return tuple(self._of(one) for one in catalogue())

    async def one(self, actor: Actor, indicator: str) -> Live:
        for one in await self.all(actor):
            if one.indicator.id == indicator:
                return one
        raise IndicatorUnknown(indicator, [one.id for one in catalogue()])

    async def past(self, actor: Actor, indicator: str) -> Sequence[Point]:
        return [] if self.empty else [Point(AT + timedelta(days=n), 1.3 + n) for n in range(3)]

    def _of(self, one: Indicator) -> Live:
        definition = definitions().get(one.id)
        if definition is None or self.empty or one.id not in FOUND:
            return missing(one, NOTHING, AT, definition)
        return made(one, definition, FOUND[one.id], AT, ZoneInfo("Asia/Shanghai"))


class FakeScores:
    """What a city shows of frameworks, indicators and surveys."""

    empty: bool
    hostile: str
    clock: Clock

    @property
    def outlook(self) -> FakeOutlook:
        return FakeOutlook(self.clock.now().date(), self.hostile, self.empty)

    @property
    def frameworks(self) -> FakeFrameworks:
        return FakeFrameworks(self.empty)

    @cached_property
    def surveys(self) -> FakeSurveys:
        return FakeSurveys(self.hostile, self.empty)

    def passer_by(self) -> Actor:
        return Actor("public", "city", frozenset({"public"}), "public")

    @property
    def indicators(self) -> FakeIndicators:
        return FakeIndicators(self.empty)
