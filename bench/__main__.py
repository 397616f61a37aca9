"""Measure, print, keep: `python -m bench --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import orjson
import uvloop

from bench.assess import assess
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
from bench.past import history
from bench.read import query, temporal
from bench.sizes import SIZES
from bench.soak import soak
from bench.start import start
from bench.vitals import vitals
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
    "vitals": vitals,
    "assess": assess,
    "kill": kill,
    "soak": soak,
}
LONG = frozenset({"soak"})
"""Only measured when it is named."""


def main(arguments: list[str]) -> int:
    """Run what is named, or everything; return the exit code."""
    parser = argparse.ArgumentParser(
        "python -m bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="environment:\n" + "\n".join(f"  {name:<20}{what}" for name, what in SIZES.items()),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--write", action="store_true", help="write docs/performance.md anew")
    parser.add_argument("--check", action="store_true", help="fail when a bound is exceeded")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.names if name not in BENCHES]:
        parser.error(f"no such measurement: {unknown[0]}; there are {', '.join(BENCHES)}")
    names = asked.names or [name for name in BENCHES if name not in LONG]
    found: list[str] = []
    for name in names:
        taken = conditions()
        rows = uvloop.run(_measured(BENCHES[name]))
        keep(name, rows, taken)
        found += beyond(rows)
        print(orjson.dumps({"bench": name, "rows": [asdict(row) for row in rows]}).decode())
        print(f"\n{name}\n{table(rows)}\n", flush=True)
    print(f"kept in {KEPT}")
    if asked.write:
        write_page()
        print(f"written to {PAGE}")
    if asked.check:
        print("\n".join(found), file=sys.stderr)
        return 1 if found else 0
    return 0


async def _measured(bench: Callable[[], Awaitable[list[Row]]]) -> list[Row]:
    return await bench()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
