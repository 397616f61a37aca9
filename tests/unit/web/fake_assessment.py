"""An assessment behind the screens: the example, and an own registry that is empty or hostile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from chengmai.assess.model import Plan, Programme, Record
from chengmai.assess.service import Assessed, DataSet, Registry, Taken, assess, example_registry
from chengmai.assess.shipped import shipped_example, shipped_gazetteer
from chengmai.kernel.actors import Actor


@dataclass
class FakeAssessment:
    """`hostile` is the title of the one programme and the document of its plan."""

    today: date
    hostile: str = ""

    async def assessed(
        self,
        actor: Actor,
        *,
        data: DataSet = "own",
        on: date | None = None,
        before: date | None = None,
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

    async def import_table(self, by: Actor, kind: str, text: str) -> Taken:
        return Taken(kind, new=text.count("\n"), changed=0, same=0)
