"""What every measurement shares: CPU of a process from /proc, percentiles, and one row of the table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Row:
    """One measured shape. `cpu_us` is CPU of the serving process for one operation; latencies in ms.

    `ratio` is that CPU as a multiple of what a bare HTTP answer took in the same run; 0 where there is none.
    """

    bench: str
    shape: str
    operations: int
    cpu_us: float
    per_second: float
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    note: str = ""
    ratio: float = 0.0


@dataclass
class Timed:
    """Seconds each operation took, and how many did not succeed."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def percentile_ms(self, share: float) -> float:
        """Return the latency that `share` of the operations did not exceed."""
        if not self.seconds:
            return 0.0
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    def row(self, bench: str, shape: str, cpu_s: float, wall_s: float, each: int = 1) -> Row:
        """Return the row; `each` is how many operations one timed request carried."""
        count = len(self.seconds) * each
        return Row(
            bench,
            shape,
            count,
            cpu_us=cpu_s / max(1, count) * 1e6,
            per_second=count / wall_s,
            p50_ms=self.percentile_ms(0.50),
            p95_ms=self.percentile_ms(0.95),
            p99_ms=self.percentile_ms(0.99),
            note=f"{self.failed} failed" if self.failed else "",
        )


def against(reference: Row, rows: Sequence[Row]) -> list[Row]:
    """Return the rows with their CPU as a multiple of that of `reference`."""
    return [replace(row, ratio=row.cpu_us / (reference.cpu_us or 1)) for row in rows]


def cpu_s(pid: int) -> float:
    """Return user and system seconds a process has used, with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    lines = [
        "| shape | operations | CPU µs each | × bare HTTP | per second | p50 ms | p95 ms | p99 ms | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        times = f"{row.p50_ms:.1f} | {row.p95_ms:.1f} | {row.p99_ms:.1f}" if row.p50_ms else " | | "
        lines.append(
            f"| {row.shape} | {row.operations:,} | {row.cpu_us:,.1f} "
            f"| {f'{row.ratio:.1f}' if row.ratio else ''} | {row.per_second:,.0f} "
            f"| {times} | {row.note} |"
        )
    return "\n".join(lines)
