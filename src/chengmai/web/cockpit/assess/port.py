"""What the screens of the assessment need from the room behind them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Protocol

from chengmai.assess.frameworks.model import Framework
from chengmai.assess.frameworks.service import Board
from chengmai.assess.frameworks.whatif import WhatIf
from chengmai.assess.outlook.model import Report
from chengmai.assess.outlook.service import Stored
from chengmai.assess.panel.columns import Columns
from chengmai.assess.service import Assessed, DataSet, Taken
from chengmai.kernel.actors import Actor


class AssessRoom(Protocol):
    """Port: what data sets say on a day. `assess.service.AssessService` is it."""

    async def assessed(
        self,
        actor: Actor,
        *,
        data: DataSet = "own",
        on: date | None = None,
        before: date | None = None,
    ) -> Assessed:
        """Return what a data set says on a day, compared with an earlier one."""
        ...

    async def import_table(self, by: Actor, kind: str, text: str) -> Taken:
        """Take in a CSV table, all of it or nothing."""
        ...

    async def columns(self, actor: Actor) -> Columns:
        """Return all values of indicators."""
        ...


class OutlookRoom(Protocol):
    """Port: reports. `assess.outlook.service.OutlookService` is it."""

    async def report(
        self,
        actor: Actor,
        *,
        place: str | None = None,
        group: str | None = None,
        on: date | None = None,
        level: str | None = None,
        peers: str | None = None,
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
