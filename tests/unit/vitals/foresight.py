"""Foresight that says what a test wants to hear."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chengmai.kernel.instants import format_us
from chengmai.vitals.ports import Points


@dataclass(kw_only=True)
class FakeForesight:
    """Implements `vitals.ports.Foresight`; counts what it was asked."""

    looks: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    faults_told: dict[str, dict[str, Any]] = field(default_factory=dict)
    median_ahead: Sequence[float] = (50.0,)
    shown: bool = True
    forecasts_made: int = 0
    trained: dict[str, int] = field(default_factory=dict)
    restored: list[str] = field(default_factory=list)
    beside: Mapping[str, Mapping[str, Points]] | None = None

    def span_s(self, step_s: int, season_s: int) -> int:
        return 2 * season_s

    def look_back(
        self,
        key: str,
        load: Callable[[int, int], Points],
        *,
        tick_us: int,
        value: float,
        step_s: int,
        season_s: int,
    ) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        past = [v for _, v in load(tick_us - season_s * 1_000_000, tick_us)]
        self.looks.setdefault(key, []).append((tick_us, value))
        band = {"low": min(past), "high": max(past), "n": len(past)} if past else None
        score = {
            "score": 0.1,
            "is_anomaly": False,
            "kind": None,
            "sentence": {"zh": "无", "en": "no"},
        }
        return band, score

    def faults(
        self, keys: Mapping[str, str], due: Mapping[str, Any], **_: Any
    ) -> dict[str, dict[str, Any] | None]:
        return {area: self.faults_told.get(area) for area in due}

    def forecasts(
        self, key: str, points: Mapping[str, Points], *, step_s: int, **_: Any
    ) -> dict[str, dict[str, Any]]:
        self.forecasts_made += 1
        self.beside = _.get("beside")
        self.trained[key] = max(some[-1][0] for some in points.values() if some)
        return {area: self._ahead(some[-1][0], step_s) for area, some in points.items() if some}

    def _ahead(self, origin: int, step_s: int) -> dict[str, Any]:
        return {
            "origin": format_us(origin),
            "shown": self.shown,
            "points": [
                {"at": format_us(origin + (i + 1) * step_s * 1_000_000), "median": value}
                for i, value in enumerate(self.median_ahead)
            ],
        }

    def judge(
        self, points: Mapping[str, Points], *, step_s: int, **_: Any
    ) -> dict[str, dict[str, Any]]:
        return {area: self._ahead(some[-1][0], step_s) for area, some in points.items() if some}

    def fit_span_s(self, step_s: int, season_s: int) -> int:
        return 4 * season_s

    def is_fit_due(self, key: str, last_us: int) -> bool:
        return key not in self.trained

    def wants_beside(self, key: str, last_us: int) -> bool:
        return key not in self.trained

    def trained_us(self, key: str) -> int | None:
        return self.trained.get(key)

    def model_state(self, key: str) -> dict[str, Any] | None:
        return {"trained": self.trained[key]} if key in self.trained else None

    def restore_model(self, key: str, state: Mapping[str, Any]) -> bool:
        self.trained[key] = state["trained"]
        self.restored.append(key)
        return True
