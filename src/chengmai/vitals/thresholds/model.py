"""What a change of a threshold is: which one, to what, from when, who asked and who agreed."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chengmai.kernel.texts import Text
from chengmai.packs.model import Band, Grade
from chengmai.vitals.bands import side_of
from chengmai.vitals.model import Side


class ChangeState(StrEnum):
    """Where a change stands. Only an approved one ever decides a level."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class BandKey(BaseModel):
    """Which threshold of a sign: a level has at most one a side and colour on any day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Literal["watch", "act"]
    side: Side
    grade: Grade | None = None

    @classmethod
    def of(cls, band: Band) -> BandKey:
        """Return which threshold a band is."""
        return cls(level=band.level, side=side_of(band), grade=band.grade)

    @property
    def name(self) -> str:
        """Return `watch-above` or `watch-above-yellow`, as forms and files name it."""
        return "-".join([self.level, self.side, *([self.grade] if self.grade else [])])


class Change(BaseModel):
    """A threshold from a day on. Without `value` the pack's own thresholds hold again from that day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    sign: str
    """`pack/sign`."""
    key: BandKey
    value: float | None
    clear: float | None = None
    from_on: date
    reason: str = Field(min_length=1, max_length=500)
    state: ChangeState = ChangeState.PROPOSED
    proposed_by: str = ""
    proposed_by_name: str = ""
    proposed_at: datetime | None = None
    decided_by: str = ""
    decided_by_name: str = ""
    decided_at: datetime | None = None
    decision: str = ""
    trial: dict[str, Any] | None = None
    """What the trial on the past said when it was proposed."""
    version: int = 1

    @property
    def is_return(self) -> bool:
        """Return whether it gives the threshold back to the pack."""
        return self.value is None


def source_of_change(change: Change) -> Text:
    """Return what stands as the source of a threshold that the city has changed."""
    if change.decided_at is None:
        return Text(
            zh=f"本市阈值文件：{change.reason}",
            en=f"the city's file of thresholds: {change.reason}",
        )
    on, by = change.decided_at.date(), change.decided_by_name
    return Text(
        zh=f"本市 {on} 的决定（{by} 批准）：{change.reason}",
        en=f"the city's decision of {on}, approved by {by}: {change.reason}",
    )
