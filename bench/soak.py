"""Half an hour at half the knee: memory, write-ahead log and latency are to stay flat.

`SOAK_MINUTES` (30) and `SOAK_RATE` (half of the knee that was measured last) may say otherwise. A third of the
requests each creates an entity, updates a value, and deletes an entity, so that there are as many at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import orjson

from bench.fill import upsert
from bench.load import Call, Target
from bench.measure import Row, cpu_s, rss_mb
from bench.openloop import OpenLoop, Shot, row_of
from bench.page import KEPT
from bench.servers import a_city, http_reference
from bench.shapes import ENTITIES, entity, entity_id, number
from bench.sizes import size

_FILL, _FIRST, _BEHIND = 2000, 100_000, 1000
_PARTS = 10
_SLICE_S = 5.0
_PATIENCE_S = 10.0
KNEE = "1 × the knee"


async def soak() -> list[Row]:
    """Return a row for each tenth of the time and one that compares the last third with the second."""
    minutes = size("SOAK_MINUTES", 30)
    rate = size("SOAK_RATE", 0) or _half_the_knee()
    rows = [await http_reference("soak", entity(0), 5000)]
    async with a_city() as (target, folder):
        await upsert(target, _FILL)
        calls, loop = _mix(), OpenLoop(target.port)
        slices = max(1, round(minutes * 60 / _SLICE_S / _PARTS))
        parts = [
            await _part(target, folder, loop, calls, rate, slices, n, minutes)
            for n in range(_PARTS)
        ]
        await loop.close()
    return [*rows, *(part.row for part in parts), _compared(parts)]


@dataclass(frozen=True)
class _Part:
    row: Row
    rss_mb: float
    wal_mb: float
    disk_mb: float


def _mix() -> Iterator[Call]:
    for n in range(10**9):
        yield Call("POST", ENTITIES, entity(_FIRST + n))
        body = {"value": n % 97, "observedAt": number(0, n)["observedAt"]}
        yield Call("PATCH", f"{ENTITIES}/{entity_id(n % _FILL)}/attrs/pm25", body)
        if n >= _BEHIND:
            yield Call("DELETE", f"{ENTITIES}/{entity_id(_FIRST + n - _BEHIND)}")


async def _part(
    target: Target,
    folder: Path,
    loop: OpenLoop,
    calls: Iterator[Call],
    rate: float,
    slices: int,
    part: int,
    minutes: float,
) -> _Part:
    used, shots, wal = cpu_s(target.process.pid), list[Shot](), list[float]()
    for _ in range(slices):
        requests = [target.encode(next(calls)) for _ in range(int(rate * _SLICE_S))]
        shots += await loop.paced(requests, rate, patience_s=_PATIENCE_S)
        wal.append(_size_mb(folder, "*-wal"))
    used = cpu_s(target.process.pid) - used
    return _told(shots, used, rate, f"{part * minutes / _PARTS:g} min", target, folder, max(wal))


def _told(
    shots: Sequence[Shot],
    used: float,
    rate: float,
    when: str,
    target: Target,
    folder: Path,
    wal_mb: float,
) -> _Part:
    memory, disk = rss_mb(target.process.pid), _size_mb(folder, "*")
    failed = sum(not 200 <= shot.status < 300 for shot in shots)
    note = (
        f"{failed} failed; memory {memory:,.0f} MiB, log {wal_mb:,.1f} MiB, folder {disk:,.0f} MiB"
    )
    shape = f"from {when}, {rate:,.0f} a second"
    row = row_of("soak", shape, shots, rate, used, within_s=_PATIENCE_S)
    row = replace(row, note=note)
    return _Part(row, memory, wal_mb, disk)


def _compared(parts: Sequence[_Part]) -> Row:
    """Return the last third beside the second: 1.00 is as before. The first third warms up."""
    third = len(parts) // 3
    before, after = parts[third : 2 * third], parts[-third:]

    def grown(of: str) -> float:
        now, then = (median(float(getattr(p, of)) for p in some) for some in (after, before))
        return now / (then or 1.0)

    p95 = median(p.row.p95_ms for p in after) / (median(p.row.p95_ms for p in before) or 1)
    disk = (after[-1].disk_mb - before[0].disk_mb) * 2**20
    operations = sum(p.row.operations for p in parts[third:])
    note = (
        f"memory × {grown('rss_mb'):.2f}, log × {grown('wal_mb'):.2f}, p95 × {p95:.2f}; "
        f"{disk / operations:,.0f} bytes of disk an operation"
    )
    row = parts[-1].row
    return replace(row, shape="the last third beside the second", note=note)


def _half_the_knee() -> float:
    path = KEPT / "knee.json"
    rows = orjson.loads(path.read_bytes())["rows"] if path.exists() else []
    found = [row["per_second"] for row in rows if row["shape"] == KNEE]
    if not found:
        raise SystemExit(
            "measure the knee first (python -m bench knee), or set SOAK_RATE to requests a second"
        )
    return float(found[0]) / 2


def _size_mb(folder: Path, pattern: str) -> float:
    sizes = 0
    for path in folder.rglob(pattern):
        try:
            sizes += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return float(sizes / 2**20)
