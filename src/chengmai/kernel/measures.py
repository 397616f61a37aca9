"""Durations counted in buckets: cheap enough to note every one."""

from __future__ import annotations

from bisect import bisect_left

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Durations:
    """How often something took how long. One thread notes; others may read meanwhile."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.total_s = 0.0

    def note(self, seconds: float) -> None:
        """Count one duration in seconds."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    def buckets(self) -> list[tuple[str, int]]:
        """Return (upper bound in seconds, how many took at most that), the last bound "+Inf"."""
        found, sum_so_far = [], 0
        bounds = [*(str(bound) for bound in BOUNDS_S), "+Inf"]
        for bound, count in zip(bounds, self.counts, strict=True):
            sum_so_far += count
            found.append((bound, sum_so_far))
        return found

    def quantile(self, share: float) -> float | None:
        """Return a bound in seconds that at least `share` (0 to 1) of all did not exceed; None without any."""
        wanted = share * sum(self.counts)
        if not wanted:
            return None
        for (_, count), bound in zip(self.buckets(), (*BOUNDS_S, float("inf")), strict=True):
            if count >= wanted:
                return bound
        return float("inf")
