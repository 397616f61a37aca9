"""Fitted models in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
