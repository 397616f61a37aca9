"""What scoring one record costs: the product's detector on recorded hourly series, CPU of one thread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.foresight.events import series
from bench.foresight.report import Report
from chengmai.forecast import Detector

_RUNS, _RECORDS = 5, 8000


def run(data: Path) -> Report:
    """Return the median microseconds a record takes, scored and learnt, beside a reference of the same run."""
    values = next(iter(series(data)))[:_RECORDS].tolist()
    taken, reference = [], []
    for _ in range(_RUNS):
        detector = Detector(season=168, day=24)
        for value in values[:2000]:
            detector.observe(value)
        taken.append(_timed(values[2000:], detector.observe))
        reference.append(_timed(values[2000:], _reference))
    ratio = statistics.median(t / r for t, r in zip(taken, reference, strict=True))
    return Report(
        name="scoring",
        title="Cost of scoring",
        about=f"{len(values) - 2000:,} records, median of {_RUNS} runs; the reference adds up "
        "a list of fifty numbers.",
        columns=("", "µs a record", "× reference"),
        rows=[
            ["score and learn", f"{statistics.median(taken):.1f}", f"{ratio:.0f}"],
            ["reference", f"{statistics.median(reference):.2f}", "1"],
        ],
    )


def _timed(values: Sequence[float], call: Callable[[float], object]) -> float:
    start = time.process_time()
    for value in values:
        call(value)
    return 1e6 * (time.process_time() - start) / len(values)


_FIFTY = [float(n) for n in range(50)]


def _reference(_: float) -> float:
    return sum(_FIFTY)
