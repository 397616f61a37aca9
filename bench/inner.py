"""What one entity costs inside: JSON-LD expansion and compaction with compiled contexts."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import orjson

from bench.measure import Row
from bench.shapes import entity
from chengmai.ngsild.contexts import ContextCompiler, core_documents
from chengmai.ngsild.expand import expand_entity
from chengmai.ngsild.patch import created
from chengmai.ngsild.represent import compact_entity

_ROUNDS = 15
_TIMES = 400
_REFERENCE = "reference: JSON parse and dump"


async def expand() -> list[Row]:
    """Return µs for reading, stamping and showing one entity, beside bare JSON in the same run.

    The shapes take turns in rounds, and a shape's figure is the median of its rounds: what else the machine
    does then slows all of them alike, and the ratio to bare JSON stands.
    """
    context = ContextCompiler(core_documents(), None).core
    sent, expanded = entity(1), expand_entity(entity(1), context)
    body = orjson.dumps(sent)
    inner = created(expanded, "2026-11-22T08:00:00Z").entity
    shapes: dict[str, Callable[[], object]] = {
        _REFERENCE: lambda: orjson.dumps(orjson.loads(body)),
        "expand": lambda: expand_entity(sent, context),
        "stamp a new entity": lambda: created(expanded, "2026-11-22T08:00:00Z"),
        "compact, normalized": lambda: compact_entity(inner, context),
        "compact, concise": lambda: compact_entity(inner, context, form="concise"),
        "compact, keyValues": lambda: compact_entity(inner, context, form="simplified"),
    }
    taken: dict[str, list[float]] = {shape: [] for shape in shapes}
    for _ in range(_ROUNDS):
        for shape, work in shapes.items():
            taken[shape].append(_cpu_us(work))
    return [_row(shape, rounds, taken[_REFERENCE]) for shape, rounds in taken.items()]


def _cpu_us(work: Callable[[], object]) -> float:
    work()
    start = time.process_time()
    for _ in range(_TIMES):
        work()
    return (time.process_time() - start) / _TIMES * 1e6


def _row(shape: str, rounds: list[float], reference: list[float]) -> Row:
    ratio = median(mine / bare for mine, bare in zip(rounds, reference, strict=True))
    cpu_us = median(rounds)
    note = f"{ratio:.1f} × bare JSON" if rounds is not reference else ""
    return Row("expand", shape, _ROUNDS * _TIMES, cpu_us, 1e6 / cpu_us, note=note)
