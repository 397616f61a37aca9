"""What the screens of the assessment need from the room behind them."""

from __future__ import annotations

from datetime import date
from typing import Protocol

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
