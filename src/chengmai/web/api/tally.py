"""Answers of the machine API, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from chengmai.kernel.measures import Durations


@dataclass
class RequestTally:
    """How many answers by method and status, and how long they took."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    durations: Durations = field(default_factory=Durations)

    def note(self, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.answers[method, status] += 1
        self.durations.note(seconds)
