"""How large a measurement is: what the environment says, or what it usually is."""

from __future__ import annotations

import os

SIZES = {
    "BENCH_ENTITIES": "entities of start (1000000), fanout-large (1000000) and map (100000)",
    "BENCH_PLACES": "places of assess (3000)",
    "BENCH_VITALS_ENTITIES": "entities of vitals (10000)",
    "BENCH_OBSERVATIONS": "observations of history (10000000)",
    "BENCH_SECONDS": "seconds at each rate of fanout (10)",
    "SOAK_MINUTES": "length of soak (30)",
    "SOAK_RATE": "requests a second of soak (half of the knee that was measured last)",
}


def size(name: str, usual: int) -> int:
    """Return a size of `SIZES` from the environment; ends the program when it is no whole number above 0."""
    said = os.environ.get(name, "")
    if not said:
        return usual
    if not (said.isascii() and said.isdigit()) or int(said) == 0:
        raise SystemExit(f"{name}: give a whole number above 0, not {said!r}")
    return int(said)
