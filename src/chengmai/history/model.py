"""What the history is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

TimeProperty = Literal["observedAt", "modifiedAt", "createdAt", "deletedAt"]


@dataclass(frozen=True)
class Span:
    """A half-open stretch of time [start, end) in microseconds since 1970; None leaves a side open.

    `by` says which instant of an observation counts. Observations without `observedAt` are placed at the
    instant at which they were accepted, and are not found by `observedAt`.
    """

    start_us: int | None = None
    end_us: int | None = None
    by: TimeProperty = "observedAt"


@dataclass(frozen=True)
class Columns:
    """Numeric readings in long form; the arrays are of one length except `entities`, `areas`, `attributes`.

    Reading i is of `entities[entity[i]]`, attribute `attributes[attribute[i]]`, at `at_us[i]`, with
    `value[i]`. `areas[j]` is the area of `entities[j]` (empty when it has none).
    """

    entities: Sequence[str]
    areas: Sequence[str]
    attributes: Sequence[str]
    entity: NDArray[np.int32]
    attribute: NDArray[np.int32]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class PastRow:
    """One number of the past, as it is brought in by the block."""

    entity: str
    attribute: str
    at_us: int
    value: float
    unit: str = ""
