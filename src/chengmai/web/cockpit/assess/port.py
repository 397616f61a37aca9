"""What the screens of the assessment need from the room behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol

from chengmai.assess.countries import CountryPackage
from chengmai.assess.frameworks.model import Framework
from chengmai.assess.frameworks.service import Board
from chengmai.assess.frameworks.whatif import WhatIf
from chengmai.assess.live.model import Live
from chengmai.assess.model import Place
from chengmai.assess.outlook.model import Report
from chengmai.assess.outlook.service import Stored
from chengmai.assess.panel.columns import Columns
from chengmai.assess.registry import Assessed, DataSet
from chengmai.assess.service import Taken
from chengmai.assess.surveys.model import Survey
from chengmai.assess.surveys.service import Standing
from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text
from chengmai.web.cockpit.views import Point


class AssessRoom(Protocol):
    """Port: what data sets say on a day. `assess.service.AssessService` is it."""

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
        """Return what a data set says on a day, compared with an earlier one."""
        ...

    async def import_table(self, by: Actor, kind: str, text: str) -> Taken:
        """Take in a CSV table, all of it or nothing."""
        ...

    async def move(self, by: Actor, code: str, parent: str, on: date) -> Place:
        """Let a place belong to another one from a day on."""
        ...

    async def take_in_country(self, by: Actor, text: str) -> CountryPackage:
        """Take in the JSON package of a country."""
        ...

    async def columns(self, actor: Actor, data: DataSet = "own") -> Columns:
        """Return all values of indicators."""
        ...


class OutlookRoom(Protocol):
    """Port: reports. `assess.outlook.service.OutlookService` is it."""

    @property
    def own_place(self) -> tuple[str, Text]:
        """Code and name of the city itself."""
        ...

    async def report(
        self,
        actor: Actor,
        *,
        place: str | None = None,
        group: str | None = None,
        on: date | None = None,
        level: str | None = None,
        peers: str | None = None,
        data: DataSet = "own",
    ) -> Report:
        """Return the outlook of a place or a group."""
        ...

    async def keep(self, by: Actor, report: Report) -> Stored:
        """Keep the forecasts of a report."""
        ...


class FrameworkRoom(Protocol):
    """Port: frameworks and scores. `assess.frameworks.service.FrameworkService` is it."""

    async def frameworks(self, actor: Actor) -> list[Framework]:
        """Return the frameworks."""
        ...

    async def take_in(self, by: Actor, text: str) -> Framework:
        """Take in a JSON package."""
        ...

    async def board(self, actor: Actor, framework_id: str, on: date) -> Board:
        """Return the scores of all places that have values on a day."""
        ...

    async def tried(
        self,
        actor: Actor,
        board: Board,
        place: str,
        *,
        changed: Mapping[str, float] | None = None,
        weights: Mapping[str, Decimal] | None = None,
    ) -> WhatIf:
        """Return what would happen to a place; nothing is kept."""
        ...


class SurveyRoom(Protocol):
    """Port: surveys of citizens. `assess.surveys.service.SurveyService` is it."""

    async def surveys(self, actor: Actor) -> list[Standing]:
        """Return all surveys, the newest first."""
        ...

    async def survey(self, actor: Actor, survey_id: str) -> Standing:
        """Return a survey with what is known of it."""
        ...

    async def define(self, by: Actor, text: str) -> Survey:
        """Take in a survey as a JSON package."""
        ...

    async def import_counts(self, by: Actor, survey_id: str, text: str) -> Standing:
        """Take in counts of answers, and publish what they say."""
        ...

    async def publish(self, by: Actor, survey_id: str) -> Standing:
        """Publish what the answers to an open survey say."""
        ...

    async def open_surveys(self, actor: Actor) -> list[Survey]:
        """Return the surveys that anybody may answer today."""
        ...

    async def to_answer(self, actor: Actor, survey_id: str) -> tuple[Survey, Standing | None]:
        """Return an open survey, with its result once that is published."""
        ...

    async def answer(
        self,
        actor: Actor,
        survey_id: str,
        choices: Mapping[str, str],
        *,
        stratum: str = "",
        who: str,
        address: str,
    ) -> None:
        """Count one answer."""
        ...


class IndicatorRoom(Protocol):
    """Port: indicators, worked out from what the platform holds."""

    async def all(self, actor: Actor) -> Sequence[Live]:
        """Return the whole catalogue."""
        ...

    async def one(self, actor: Actor, indicator: str) -> Live:
        """Return one indicator; raises `IndicatorUnknown`."""
        ...

    async def past(self, actor: Actor, indicator: str) -> Sequence[Point]:
        """Return what it was, a value a day, the oldest first."""
        ...
