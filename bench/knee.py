"""Past the knee: a rate that rises until answers are late, then twice and four times of it.

Open loop: requests go out when they are due. Half of them create an entity, half update one value. Goodput is
what was answered well within a second of when it was due; what is turned away is no goodput, and no failure.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.load import Call, Target, run
from bench.measure import Row, cpu_s
from bench.openloop import GONE, OpenLoop, Shot
from bench.servers import a_city, http_reference
from bench.shapes import ENTITIES, entity, entity_id, number

_FILL = 2000
_UPSERT = "/ngsi-ld/v1/entityOperations/upsert"
_SECONDS = 5.0
_FIRST, _STEP, _MOST = 100.0, 1.25, 8000.0
_LATE_S, _USEFUL_S, _PATIENCE_S = 0.05, 1.0, 10.0
_TURNED_AWAY = (429, 503)


async def knee() -> list[Row]:
    """Return every rate up to the knee, and what is left of it at twice and four times that rate."""
    rows = [await http_reference("knee", entity(0), 5000)]
    async with a_city() as (target, _):
        fill = (
            Call("POST", _UPSERT, [entity(start + n) for n in range(250)])
            for start in range(0, _FILL, 250)
        )
        await run(target, "knee", "fill", fill, in_flight=2)
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
            rows.append(Row(**{**vars(row), "shape": f"{times} × the knee", "note": note}))
    return rows


def _mix() -> Iterator[Call]:
    n = 0
    while True:
        n += 1
        yield Call("POST", ENTITIES, entity(100_000 + n))
        body = {"value": n % 97, "observedAt": number(0, n)["observedAt"]}
        yield Call("PATCH", f"{ENTITIES}/{entity_id(n % _FILL)}/attrs/pm25", body)


async def _at_rate(target: Target, calls: Iterator[Call], rate: float) -> tuple[Row, bool]:
    requests = [target.encode(next(calls)) for _ in range(int(rate * _SECONDS))]
    loop = OpenLoop(target.port)
    before = cpu_s(target.process.pid)
    shots = await loop.paced(requests, rate, patience_s=_PATIENCE_S)
    used = cpu_s(target.process.pid) - before
    await loop.close()
    return _judged(shots, rate, used)


def _judged(shots: list[Shot], rate: float, used: float) -> tuple[Row, bool]:
    well = [shot for shot in shots if 200 <= shot.status < 300]
    useful = [shot for shot in well if shot.ended - shot.due <= _USEFUL_S]
    away = sum(shot.status in _TURNED_AWAY for shot in shots)
    gone = sum(shot.status == GONE for shot in shots)
    late = sorted(shot.ended - shot.due for shot in well)

    def at(share: float) -> float:
        return late[min(len(late) - 1, int(share * len(late)))] if late else 0.0

    failed = len(shots) - len(well)
    note = f"{len(useful) / len(shots):.0%} answered well in a second, {away} turned away, {gone} not answered"
    if failed - away - gone:
        note += f", {failed - away - gone} failed"
    row = Row(
        "knee",
        f"{rate:,.0f} a second",
        len(shots),
        cpu_us=used / len(shots) * 1e6,
        per_second=len(useful) / (len(shots) / rate),
        p50_ms=at(0.5) * 1000,
        p95_ms=at(0.95) * 1000,
        p99_ms=at(0.99) * 1000,
        note=note,
    )
    return row, at(0.99) <= _LATE_S and failed <= len(shots) / 1000
