"""Sensor faults and real incidents in the simulated city: what is found, how soon, and what is called wrongly.

Eight measures in eight districts, hourly, ten weeks of the simulated city; the first five only teach. Into each
series two faults are put, a week and more apart, of kinds in turn: stuck (24 h), drift (to eight times
the usual
difference to the hour before in five days, then off for two), gap (12 h without readings), spike (one
value, ten times), level shift (six times, 48 h). The city's own incidents (storms, inversions, accidents,
overloads, voltage)
and its own faults (stations stuck, detectors silent) go on beside them. Everything is judged by the product's
functions, step by step, nothing later than the step in view. A fault is found when its name is told from
its start
to 24 h after its end; a level shift where areas do not share one field is an event by design, and found
when the
detector calls it unusual. A real incident is found by the detector; that it is called a fault is counted
as wrong.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from bench.foresight.report import Report
from chengmai.connect.simulate.city import SimulatedCity
from chengmai.forecast import Detector
from chengmai.forecast.faults import FaultKind, verdict
from chengmai.forecast.model import Floats

SEEDS = (11, 12)
KINDS = ("stuck", "drift", "gap", "spike", "level shift")
WEEKS, WARM_WEEKS, DAY = 10, 5, 24
GRACE = 24
_MONTH = 720
_ORIGIN = datetime(2026, 3, 2, tzinfo=UTC)
_MEASURES: tuple[tuple[str, str, str, bool], ...] = (
    # generator, attribute, its own incidents (by comma), whether all areas see one field
    ("road_detectors", "averageSpeed", "rainstorm,accident", False),
    ("air_stations", "pm25", "inversion", False),
    ("air_stations", "no2", "inversion", False),
    ("weather_stations", "temperature", "rainstorm", True),
    ("transformers", "activePower", "overload", False),
    ("transformers", "oilTemperature", "overload", False),
    ("grid_points", "voltage", "voltage", False),
    ("grid_points", "frequency", "", True),
)
_OWN_FAULTS = {"air_stations": "stuck", "road_detectors": "silent"}


@dataclass(frozen=True)
class Happening:
    """Something in a series from a step to another (one past the last)."""

    kind: str
    first: int
    end: int


@dataclass(frozen=True, eq=False)
class Bundle:
    """One measure: steps by districts, what was put into each district's series, and what the city did
    there."""

    name: str
    one_field: bool
    values: Floats
    faults: Sequence[Sequence[Happening]]
    incidents: Sequence[Sequence[Happening]]
    own_faults: Sequence[Sequence[Happening]]


def bundles(seed: int, measures: int = len(_MEASURES), weeks: int = WEEKS) -> list[Bundle]:
    """Return the measures of a city with `seed`, faults put in; the seed decides everything."""
    city = SimulatedCity(seed, _ORIGIN - timedelta(days=30), ZoneInfo("Asia/Shanghai"))
    rng = np.random.default_rng(seed)
    made = []
    for number, (generator, attribute, kinds, one_field) in enumerate(_MEASURES[:measures]):
        things, signal = city.generator(generator)
        districts = list(dict.fromkeys(thing.district.id for thing in things))
        values = np.full((weeks * 7 * DAY, len(districts)), np.nan)
        for at in range(len(values)):
            now = _ORIGIN + timedelta(hours=at)
            for column, district in enumerate(districts):
                read = [signal(t, now) for t in things if t.district.id == district]
                known = [float(r[attribute]) for r in read if r is not None]
                values[at, column] = float(np.mean(known)) if known else np.nan
        faults = [
            _inject(values[:, column], column + number, rng) for column in range(len(districts))
        ]
        wanted, own = frozenset(kinds.split(",")), _OWN_FAULTS.get(generator, "")
        made.append(
            Bundle(
                f"{attribute}",
                one_field,
                values,
                faults,
                [_happenings(city, d, wanted, weeks) for d in districts],
                [_happenings(city, d, frozenset({own}), weeks) for d in districts],
            )
        )
    return made


def _happenings(
    city: SimulatedCity, district: str, kinds: frozenset[str], weeks: int
) -> list[Happening]:
    found = city.labels(_ORIGIN, _ORIGIN + timedelta(weeks=weeks))
    return [
        Happening(one.kind, max(0, _step(one.start)), _step(one.end) + 1)
        for one in found
        if one.district == district and one.kind in kinds
    ]


def _step(at: datetime) -> int:
    return int((at - _ORIGIN) // timedelta(hours=1))


def _inject(values: Floats, turn: int, rng: np.random.Generator) -> list[Happening]:
    """Put two faults into a series, one in each half of the judged part; return them."""
    warm = WARM_WEEKS * 7 * DAY
    half = (len(values) - warm) // 2
    size = 1.4826 * float(np.nanmedian(np.abs(np.diff(values)))) or float(np.nanstd(values)) / 4
    made = []
    for part in range(2):
        kind = KINDS[(turn + 2 * part) % len(KINDS)]
        at = warm + part * half + int(rng.integers(24, half - 9 * DAY))
        sign = 1.0 if rng.random() < 0.5 else -1.0
        made.append(Happening(kind, at, at + _put(values, kind, at, sign * size)))
    return made


def _put(values: Floats, kind: str, at: int, size: float) -> int:
    if kind == "stuck":
        values[at : at + 24] = values[at]
        return 24
    if kind == "drift":
        values[at : at + 5 * DAY] += 8 * size * np.linspace(0, 1, 5 * DAY)
        values[at + 5 * DAY : at + 7 * DAY] += 8 * size
        return 7 * DAY
    if kind == "gap":
        values[at : at + 12] = np.nan
        return 12
    if kind == "spike":
        values[at] += 10 * size
        return 1
    values[at : at + 48] += 6 * size
    return 48


@dataclass(eq=False)
class Told:
    """What was said of one series, step by step from the end of the warm part on."""

    faults: list[FaultKind | None]
    unusual: list[bool]


def judge(bundle: Bundle, column: int, warm: int = WARM_WEEKS * 7 * DAY) -> Told:
    """Return what the product says of one series, with the other districts beside it."""
    own = bundle.values[:, column]
    others = np.delete(bundle.values, column, axis=1)
    detector = Detector(season=168, day=DAY)
    for value in own[:warm].tolist():
        detector.learn(value)
    told = Told([], [])
    held: FaultKind | None = None
    for at in range(warm, len(own)):
        found = verdict(
            own[: at + 1], others[: at + 1], day=DAY, one_field=bundle.one_field, held=held
        )
        held = found.kind if found else None
        told.faults.append(held)
        score = detector.observe(float(own[at]))
        told.unusual.append(score.is_anomaly and score.kind != "missing")
    return told


_NAMES: dict[str, tuple[FaultKind, ...]] = {
    "stuck": ("stuck",),
    "drift": ("drift", "implausible"),
    "gap": ("silent", "gap"),
    "spike": ("spike",),
    "level shift": ("implausible", "drift"),
}


@dataclass
class Tally:
    """How it went: delays of what was found, how many there were, and what was said where nothing was."""

    delays: dict[str, list[int]]
    there: Counter[str]
    called_fault: int = 0
    false: Counter[str] = field(default_factory=Counter)
    false_unusual: int = 0
    quiet_steps: int = 0


def tally(of: Sequence[Bundle], warm: int = WARM_WEEKS * 7 * DAY) -> Tally:
    """Return what was found and what was false over all series."""
    total = Tally({}, Counter())
    for bundle in of:
        for column in range(bundle.values.shape[1]):
            _count(total, bundle, column, judge(bundle, column, warm), warm)
    return total


def _count(total: Tally, bundle: Bundle, column: int, told: Told, warm: int) -> None:
    quiet = np.ones(len(told.faults), dtype=bool)
    for happening in bundle.faults[column]:
        name = happening.kind
        if name == "level shift":
            name = "level shift, one field" if bundle.one_field else "level shift, as an event"
        as_event = name == "level shift, as an event"
        names = _NAMES[happening.kind]
        said = told.unusual if as_event else [fault in names for fault in told.faults]
        _note(total, name, happening, said, warm)
        # A drift that is over and a shift that ends change what is usual for days.
        quiet[happening.first - warm : max(0, happening.end - warm) + 3 * DAY] = False
    for happening in bundle.own_faults[column]:
        quiet[max(0, happening.first - warm) : max(0, happening.end - warm) + GRACE] = False
    for happening in bundle.incidents[column]:
        first, end = happening.first - warm, happening.end - warm
        if first < 0 or not quiet[max(0, first) : end + GRACE].all():
            continue
        _note(total, "real incident", happening, told.unusual, warm)
        during = told.faults[first : end + 3]
        total.called_fault += any(f in ("stuck", "drift", "implausible") for f in during)
    for happening in bundle.incidents[column]:
        quiet[max(0, happening.first - warm) : max(0, happening.end - warm) + GRACE] = False
    total.quiet_steps += int(quiet.sum())
    before: FaultKind | None = None
    for at, fault in enumerate(told.faults):
        if fault is not None and fault != before and quiet[at]:
            total.false[fault] += 1
        before = fault
        total.false_unusual += (
            told.unusual[at] and quiet[at] and not any(told.unusual[max(0, at - 24) : at])
        )


def _note(total: Tally, name: str, what: Happening, said: Sequence[bool], warm: int) -> None:
    total.there[name] += 1
    first = what.first - warm
    for at in range(max(0, first), min(len(said), what.end - warm + GRACE)):
        if said[at]:
            total.delays.setdefault(name, []).append(at - first)
            return


def run(data: Path | None = None) -> Report:
    """Return detection, delay and false alarms by kind; reads nothing, the seeds decide everything."""
    start = time.process_time()
    every = [bundle for seed in SEEDS for bundle in bundles(seed)]
    found = tally(every)
    months = found.quiet_steps / _MONTH
    order = ("stuck", "drift", "gap", "spike", "level shift, one field", "level shift, as an event")
    false = {
        "stuck": found.false["stuck"],
        "drift": found.false["drift"],
        "gap": found.false["gap"] + found.false["silent"],
        "spike": found.false["spike"],
        "level shift, one field": found.false["implausible"],
        "level shift, as an event": found.false_unusual,
        "real incident": found.false_unusual,
    }
    rows = [_row(name, found, false[name] / months) for name in (*order, "real incident")]
    wrong = found.called_fault / max(1, found.there["real incident"])
    return Report(
        name="faults",
        title="Sensor faults and real incidents in the simulated city",
        about=f"{sum(b.values.shape[1] for b in every)} hourly series of {WEEKS} weeks, of which {WARM_WEEKS}"
        f" only teach; {months:.0f} series-months with nothing put in or going on, on which false alarms are"
        " counted (one a stretch; the last two rows share theirs, one a day). Delay in hours from the start to"
        f" the first telling. {found.called_fault} of {found.there['real incident']} real incidents"
        f" ({100 * wrong:.0f} %) were called stuck, drifting or implausible. The simulated city is tidier"
        " than a real one: read this as an upper bound.",
        columns=("what", "there", "found", "rate", "median delay, h", "false a series-month"),
        rows=rows,
        facts=(
            ("seeds", " and ".join(map(str, SEEDS))),
            ("CPU s", f"{time.process_time() - start:.0f}"),
        ),
        reads=False,
    )


def _row(name: str, found: Tally, false: float) -> list[str]:
    there, delays = found.there[name], found.delays.get(name, [])
    rate = f"{len(delays) / there:.2f}" if there else "–"
    delay = f"{np.median(delays):.0f}" if delays else "–"
    return [name, str(there), str(len(delays)), rate, delay, f"{false:.3f}"]
