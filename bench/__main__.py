"""`python -m bench [name …] [--write] [--check] [--observations N]`: measure, print, keep.

With --write also the page in docs; with --check the end is a failure when something is beyond its bound;
N is how many observations `history` takes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import orjson
import uvloop

from bench.bounds import beyond
from bench.crowd import crowd
from bench.fanout import fanout, fanout_large
from bench.inner import expand
from bench.kill import kill
from bench.knee import knee
from bench.map import city_map
from bench.match import match
from bench.measure import Row, table
from bench.page import KEPT, PAGE, conditions, keep, write_page
from bench.past import COUNT as OBSERVATIONS
from bench.past import history
from bench.read import query, temporal
from bench.soak import soak
from bench.start import start
from bench.write import batch, write

BENCHES: dict[str, Callable[[], Awaitable[list[Row]]]] = {
    "expand": expand,
    "write": write,
    "batch": batch,
    "match": match,
    "fanout": fanout,
    "knee": knee,
    "crowd": crowd,
    "fanout-large": fanout_large,
    "query": query,
    "temporal": temporal,
    "map": city_map,
    "start": start,
    "history": history,
    "kill": kill,
    "soak": soak,
}
LONG = frozenset({"soak"})
"""Only measured when it is named."""


def main(arguments: list[str]) -> int:
    """Run what is named, or everything; return the exit code."""
    if "--observations" in arguments:
        place = arguments.index("--observations")
        os.environ[OBSERVATIONS] = arguments[place + 1]
        arguments = arguments[:place] + arguments[place + 2 :]
    names = [name for name in arguments if name not in ("--write", "--check")] or [
        name for name in BENCHES if name not in LONG
    ]
    found: list[str] = []
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"no such measurement: {unknown[0]}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in names:
        taken = conditions()
        rows = uvloop.run(_measured(BENCHES[name]))
        keep(name, rows, taken)
        found += beyond(rows)
        print(orjson.dumps({"bench": name, "rows": [asdict(row) for row in rows]}).decode())
        print(f"\n{name}\n{table(rows)}\n", flush=True)
    print(f"kept in {KEPT}")
    if "--write" in arguments:
        write_page()
        print(f"written to {PAGE}")
    if "--check" in arguments:
        print("\n".join(found), file=sys.stderr)
        return 1 if found else 0
    return 0


async def _measured(bench: Callable[[], Awaitable[list[Row]]]) -> list[Row]:
    return await bench()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
