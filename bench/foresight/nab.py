"""The half of the Numenta Anomaly Benchmark that is here, through the product's detector, value by value.

One parameter set for all files; the length of the probation is told to every detector of the benchmark. The
score is worked out with the benchmark's own choice of the one threshold (on the same files, as published scores
are), with a threshold chosen on the other files (each file, and each fifth of the files, left out in turn), and
with the product's fixed bar. The weights of the parts were searched with these labels in view; the half of the
corpus that is not here has not been seen.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson

from bench.foresight.nab_scoring import Corpus, Scored, normalised, probation_rows
from bench.foresight.report import Report
from chengmai.forecast import Detector
from chengmai.forecast.anomaly import ALARM
from chengmai.forecast.model import DAY_S, Floats

_NEVER = 1e9


@dataclass(frozen=True, eq=False)
class Recording:
    """A file of the corpus: values, steps a day, and its windows of rows."""

    name: str
    values: Floats
    day: int
    windows: Sequence[tuple[int, int]]


def recordings(data: Path) -> Iterator[Recording]:
    """Return the files below `nab/` with their labels."""
    folder = data / "nab"
    windows = orjson.loads((folder / "labels" / "combined_windows.json").read_bytes())
    for path in sorted((folder / "data").glob("*/*.csv")):
        name = f"{path.parent.name}/{path.name}"
        with path.open(encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        at = [datetime.fromisoformat(row["timestamp"]) for row in rows]
        row_of = {instant: row for row, instant in enumerate(at)}
        step_s = float(np.median([(b - a).total_seconds() for a, b in pairwise(at)]))
        yield Recording(
            name,
            np.array([float(row["value"]) for row in rows]),
            max(1, round(DAY_S / step_s)),
            [
                (row_of[datetime.fromisoformat(a[:19])], row_of[datetime.fromisoformat(b[:19])])
                for a, b in windows[name]
            ],
        )


def scored(recording: Recording) -> Scored:
    """Return the alarms of the product's detector over a file."""
    detector = Detector(
        season=7 * recording.day,
        day=recording.day,
        probation=probation_rows(len(recording.values)),
    )
    alarms = np.array([detector.observe(value).alarm for value in recording.values.tolist()])
    return Scored(recording.name, alarms, recording.windows)


def run(data: Path) -> Report:
    """Return the scores, in total and by folder."""
    start = time.process_time()
    files = [scored(recording) for recording in recordings(data)]
    spent = time.process_time() - start
    found = np.unique(np.concatenate([file.scores[file.probation :] for file in files]))
    corpus = Corpus(files, [*found[found > 0][::2].tolist(), ALARM, _NEVER])
    names = [file.name for file in files]
    best = corpus.best(names)
    rows = [_row("whole half", corpus, names, best)]
    for folder in sorted({name.split("/")[0] for name in names}):
        rows.append(_row(folder, corpus, [n for n in names if n.startswith(folder)], best))
    records = sum(len(file.scores) for file in files)
    return Report(
        name="nab",
        title="Numenta Anomaly Benchmark, the half that is here",
        about=f"Standard profile, {len(files)} files, {records:,} records, one parameter set, streaming. "
        "`null` says nothing and scores 0, `perfect` 100. Published detectors on these same files, summed from "
        "their result tables in the benchmark's repository: ARTime 73.0, Numenta HTM 66.9. The weights of the "
        "parts were searched with the labels of these files in view: the other half is the honest test.",
        columns=(
            "files",
            "one threshold",
            "threshold from the other files",
            "threshold from the other fifths",
            "the product's bar",
            "windows",
        ),
        rows=rows,
        facts=(("threshold", f"{corpus.thresholds[best]:.3f}"), ("CPU s", f"{spent:.1f}")),
    )


def _row(title: str, corpus: Corpus, names: Sequence[str], best: int) -> list[str]:
    windows = corpus.windows(names)
    everyone = [file.name for file in corpus.files]
    total = corpus.totals(everyone)
    alone = sum(corpus.totals([n])[(total - corpus.totals([n])).argmax()] for n in names)
    fifths = 0.0
    for fold in range(5):
        left_out = everyone[fold::5]
        at = (total - corpus.totals(left_out)).argmax()
        fifths += sum(corpus.totals([n])[at] for n in left_out if n in names)
    fixed = corpus.totals(names)[corpus.thresholds.index(ALARM)]

    def told(raw: float) -> str:
        return f"{normalised(raw, windows):.1f}" if windows else f"{raw:+.2f} raw"

    return [
        title,
        told(corpus.totals(names)[best]),
        told(alone),
        told(fifths),
        told(fixed),
        str(windows),
    ]
