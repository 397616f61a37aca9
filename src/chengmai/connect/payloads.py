"""Records out of one JSON payload, whether it came by MQTT or HTTP. Pure."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from chengmai.connect.mapping import Mapper, Record, flatten
from chengmai.connect.reading import Reading, Reject, shorten
from chengmai.kernel.problems import Invalid

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def parse_path(path: str) -> tuple[str | int, ...]:
    """Return the steps of a path such as `$.data.items` or `$[0].records`; raises `Invalid`."""
    steps: list[str | int] = []
    position = 1
    while path.startswith("$") and position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            break
        steps.append(match[1] if match[1] is not None else int(match[2]))
        position = match.end()
    if not path.startswith("$") or position != len(path):
        raise Invalid(
            f"{path!r} is not a path to records",
            code="feed.path",
            param="source.records",
            fix="write $ for the whole document, or $.data.items",
        )
    return tuple(steps)


def readings_of(
    raw: bytes,
    path: tuple[str | int, ...],
    mapper: Mapper,
    where: str,
    now: datetime,
    extra: Record | None = None,
) -> tuple[list[Reading], list[Reject]]:
    """Return what a payload says: its records are a list, or one object; `extra` columns go to each."""
    try:
        found = _at(json.loads(raw), path)
    except (ValueError, RecursionError) as error:
        sample = shorten(raw[:400].decode("utf-8", "replace"))
        return [], [Reject("bad_json", where, f"not valid JSON: {error}", sample, now)]
    except LookupError:
        sample = shorten(raw[:400].decode("utf-8", "replace"))
        return [], [Reject("bad_json", where, "the path to the records leads nowhere", sample, now)]
    records = found if isinstance(found, list) else [found]
    readings: list[Reading] = []
    rejects: list[Reject] = []
    for number, record in enumerate(records):
        place = f"{where}[{number}]" if isinstance(found, list) else where
        if not isinstance(record, dict):
            sample = shorten(json.dumps(record, ensure_ascii=False)[:400])
            rejects.append(Reject("bad_json", place, "the record is not an object", sample, now))
            continue
        for made in mapper.readings({**flatten(record), **(extra or {})}, place, now):
            if isinstance(made, Reading):
                readings.append(made)
            else:
                rejects.append(made)
    return readings, rejects


def _at(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        fits = isinstance(document, dict if isinstance(step, str) else list)
        if not fits:
            raise LookupError(step)
        document = document[step]
    return document
