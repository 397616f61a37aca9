"""The latest value of everything on the map, in one request; and a city that starts with all of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bench.fill import fill
from bench.load import Call, run
from bench.measure import Row, rss_mb
from bench.servers import a_city, http_reference
from bench.shapes import ENTITIES, entity
from bench.sizes import size

_BOX = "%5B%5B%5B115,39%5D,%5B118,39%5D,%5B118,60%5D,%5B115,60%5D,%5B115,39%5D%5D%5D"
_WITHIN = f"&georel=within&geometry=Polygon&coordinates={_BOX}"
_SHOWN = "&pick=id,location,temperature&format=simplified"
_MAPS = {
    "as GeoJSON, in a box": f"{_WITHIN}{_SHOWN}",
    "as GeoJSON, of a type": _SHOWN,
}


async def city_map() -> list[Row]:
    """Return the map of all entities of a type: the first time, and again when few have changed."""
    rows = [await http_reference("map", entity(0), 5000)]
    total = size("BENCH_ENTITIES", 100_000)
    async with a_city(partial(fill, total=total)) as (target, _):
        limit = min(total, 100_000)
        for shape, asked in _MAPS.items():
            for times, count in (("the first time", 1), ("again", 5)):
                calls = (
                    Call("GET", f"{ENTITIES}?type=Sensor&limit={limit}{asked}", accept=_GEO)
                    for _ in range(count)
                )
                name = f"map of {limit:,} entities {shape}, {times}"
                rows.append(await run(target, "map", name, calls, in_flight=1))
        rows[-1] = _noted(rows[-1], f"{rss_mb(target.process.pid):,.0f} MiB resident")
    return rows


_GEO = "application/geo+json"


def _noted(row: Row, note: str) -> Row:
    return replace(row, note=f"{row.note} {note}".strip())
