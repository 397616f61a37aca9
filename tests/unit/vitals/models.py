"""Fitted models and columns of readings in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chengmai.kernel.work import Tx


class FakeModels:
    """A store of models in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    def load(self, tx: Tx, tenant: str, key: str) -> dict[str, Any] | None:
        return self.kept.get(key)

    def save(
        self, tx: Tx, tenant: str, key: str, state: Mapping[str, Any], *, trained_us: int
    ) -> None:
        self.kept[key] = dict(state)


@dataclass(frozen=True)
class Columns:
    entities: list[str]
    areas: list[str]
    attributes: list[str]
    entity: NDArray[np.int32]
    attribute: NDArray[np.int32]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class KeptColumns(Columns):
    version: int
    about: int
    series_entity: NDArray[np.int32]
    series_attribute: NDArray[np.int32]
