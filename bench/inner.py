"""What one entity costs inside: JSON-LD expansion and compaction with compiled contexts."""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson

from bench.measure import Row
from bench.shapes import entity
from chengmai.ngsild.contexts import ContextCompiler, core_documents
from chengmai.ngsild.expand import expand_entity
from chengmai.ngsild.patch import created
from chengmai.ngsild.represent import compact_entity

_TIMES = 5000


async def expand() -> list[Row]:
    """Return µs for reading, stamping and showing one entity, beside bare JSON in the same run."""
    context = ContextCompiler(core_documents(), None).core
    body = orjson.dumps(entity(1))
    inner = created(expand_entity(entity(1), context), "2026-11-22T08:00:00Z").entity
    shapes: dict[str, Callable[[], object]] = {
        "reference: JSON parse and dump": lambda: orjson.dumps(orjson.loads(body)),
        "expand": lambda: expand_entity(entity_1, context),
        "stamp a new entity": lambda: created(expanded, "2026-11-22T08:00:00Z"),
        "compact, normalized": lambda: compact_entity(inner, context),
        "compact, keyValues": lambda: compact_entity(inner, context, form="simplified"),
    }
    entity_1, expanded = entity(1), expand_entity(entity(1), context)
    return [_measured(shape, work) for shape, work in shapes.items()]


def _measured(shape: str, work: Callable[[], object]) -> Row:
    for _ in range(_TIMES // 10):
        work()
    used, start = time.process_time(), time.perf_counter()
    for _ in range(_TIMES):
        work()
    used, wall = time.process_time() - used, time.perf_counter() - start
    return Row("expand", shape, _TIMES, used / _TIMES * 1e6, _TIMES / wall)
