"""Past the knee: a rate that rises until answers are late, then twice and four times of it.

Open loop: requests go out when they are due. Half of them create an entity, half update one value. Goodput is
what was answered well within a second of when it was due; what is turned away is no goodput, and no failure.
A rate is judged by three windows, by the middle one of their p99: a disk that stalls once for 100 ms would end
the search at any rate. The bare echo at the first rate tells how dear a request is to this machine when it
sleeps between two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from bench.fill import upsert
from bench.load import Call, Target
from bench.measure import Row, cpu_s
from bench.openloop import GONE, OpenLoop, Shot, row_of
from bench.servers import a_city, an_echo, http_reference
from bench.shapes import ENTITIES, entity, entity_id, number

_FILL = 2000
_SECONDS, _WINDOWS = 5.0, 3
_FIRST, _STEP, _MOST = 100.0, 1.4, 8000.0
_LATE_MS, _USEFUL_S, _PATIENCE_S = 50.0, 1.0, 10.0
_TURNED_AWAY = (429, 503)
_SLEEPY = f"reference: bare HTTP at {_FIRST:,.0f} a second"


async def knee() -> list[Row]:
    """Return every rate up to the knee, and what is left of it at twice and four times that rate."""
    rows = [await http_reference("knee", entity(0), 5000), await _sleepy_reference()]
    async with a_city() as (target, _):
        await upsert(target, _FILL)
        calls, rate, best = _mix(), _FIRST, 0.0
        while rate < _MOST:
            row, is_well = await _at_rate(target, calls, rate)
            rows.append(row)
            if not is_well:
                break
            best, rate = row.per_second, rate * _STEP
        knee_rate = max(_FIRST, rate / _STEP)
        for times in (2, 4, 1):
            row, _ = await _at_rate(target, calls, knee_rate * times)
            share = (
                f"goodput {row.per_second / best:.0%} of the knee" if best else "no knee was found"
            )
            note = f"{row.note}; {share}"
            rows.append(replace(row, shape=f"{times} × the knee", note=note))
    return rows


def _mix() -> Iterator[Call]:
    n = 0
    while True:
        n += 1
        yield Call("POST", ENTITIES, entity(100_000 + n))
        body = {"value": n % 97, "observedAt": number(0, n)["observedAt"]}
        yield Call("PATCH", f"{ENTITIES}/{entity_id(n % _FILL)}/attrs/pm25", body)


async def _sleepy_reference() -> Row:
    async with an_echo() as target:
        shots, used = await _window(target, iter([]), _FIRST)
    return row_of("knee", _SLEEPY, shots, _FIRST, used, within_s=_USEFUL_S)


async def _at_rate(target: Target, calls: Iterator[Call], rate: float) -> tuple[Row, bool]:
    windows = [await _window(target, calls, rate) for _ in range(_WINDOWS)]
    return _judged([shots for shots, _ in windows], rate, sum(used for _, used in windows))


async def _window(target: Target, calls: Iterator[Call], rate: float) -> tuple[list[Shot], float]:
    bare = Call("POST", "/", entity(0))
    requests = [target.encode(next(calls, bare)) for _ in range(int(rate * _SECONDS))]
    loop = OpenLoop(target.port)
    before = cpu_s(target.process.pid)
    shots = await loop.paced(requests, rate, patience_s=_PATIENCE_S)
    used = cpu_s(target.process.pid) - before
    await loop.close()
    return shots, used


def _judged(windows: Sequence[list[Shot]], rate: float, used: float) -> tuple[Row, bool]:
    shape = f"{rate:,.0f} a second"
    shots = [shot for window in windows for shot in window]
    row = row_of("knee", shape, shots, rate, used, within_s=_USEFUL_S)
    p99_ms = median(
        row_of("knee", shape, window, rate, 0, within_s=_USEFUL_S).p99_ms for window in windows
    )
    away = sum(shot.status in _TURNED_AWAY for shot in shots)
    gone = sum(shot.status == GONE for shot in shots)
    failed = sum(not 200 <= shot.status < 300 for shot in shots)
    useful = row.per_second / rate
    note = f"{useful:.0%} answered well in a second, {away} turned away, {gone} not answered"
    note += f"; p99 of the middle window {p99_ms:.0f} ms"
    if failed - away - gone:
        note += f", {failed - away - gone} failed"
    return replace(row, note=note), p99_ms <= _LATE_MS and failed <= len(shots) / 1000
