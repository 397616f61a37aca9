"""`python -m bench.foresight PROTOCOL … [--data FOLDER] [--write]`: run protocols and print their tables.

`etth1` also takes a file of its form as FOLDER.

With --write each table also takes its place in `docs/foresight.md`. A protocol is a module here with a function
`run(data: Path) -> Report`; it reads below FOLDER only, and what it does is in its docstring.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from bench.foresight.report import write_section

PROTOCOLS: tuple[str, ...] = (
    "nab",
    "events",
    "scoring",
    "faults",
    "etth1",
    "losloop",
    "dayahead",
    "intervals",
    "scale",
)
"""Modules of this package; add yours here in the order in which the page should show them."""
MADE_UP = frozenset({"faults"})
"""Those that read nothing: the simulated city and a seed are all their data."""


def main(arguments: list[str]) -> int:
    """Run the protocols that are named; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.foresight", description=__doc__)
    parser.add_argument("protocol", nargs="+", choices=PROTOCOLS)
    parser.add_argument("--data", type=Path, help="the folder of recorded data")
    parser.add_argument("--write", action="store_true", help="also write docs/foresight.md")
    asked = parser.parse_args(arguments)
    if asked.data is None and not MADE_UP.issuperset(asked.protocol):
        parser.error("--data is required: say where the recorded data are")
    if asked.data is not None and not asked.data.is_dir():
        print(f"--data {asked.data}: no such folder", file=sys.stderr)
        return 2
    for name in asked.protocol:
        report = importlib.import_module(f"bench.foresight.{name}").run(asked.data)
        print(f"{report.markdown()}\n", flush=True)
        if asked.write:
            write_section(report)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
