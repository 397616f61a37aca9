"""`docs/performance.md`: the newest figures of each measurement and the conditions they were taken under."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import duckdb
import orjson

from bench.measure import Row, table

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "var" / "bench"
PAGE = ROOT / "docs" / "performance.md"
_TITLES = {
    "write": "Writing, one at a time",
    "batch": "Writing in batches",
    "match": "Changes in front of many subscriptions",
    "fanout": "Notifications: 10,000 subscriptions in eight classes",
    "fanout-large": "The same over a million entities",
    "knee": "Past the knee",
    "crowd": "A crowd of connections",
    "query": "Querying",
    "temporal": "The past of an entity",
    "map": "The map",
    "start": "A city that starts with a million entities",
    "history": "The sealed history",
    "vitals": "Vital signs: a pass over all of them",
    "assess": "The assessment over three million values",
    "expand": "Inside: one entity read and shown",
    "soak": "Long at a steady rate",
    "kill": "Kills",
}
_INTRO = """\
# Performance

Written by `make bench` (`python -m bench --write`). Figures for the record, not promises: on a busy machine
wall figures vary by 2 to 4 times and CPU by 1.3 to 2 times. **Compare CPU per operation, and only with the
references of the same run**: a bare HTTP answer on the same server stack, and a bare durable write in the
same store. `× bare HTTP` is that ratio; `python -m bench write batch match --check` fails when it grows beyond
`bench/bounds.py`.

CPU is that of the serving process, all its threads, from `/proc`. Every write is answered after its commit
is on disk (`synchronous=FULL`, encrypted pages), with its history, its audit line and its due notifications
in the same transaction. Requests travel over real HTTP on loopback; the client shares the machine.
"""


def keep(name: str, rows: list[Row], taken: dict[str, Any]) -> None:
    """Write the rows of one measurement, with its conditions, to `var/bench/<name>.json`."""
    KEPT.mkdir(parents=True, exist_ok=True)
    document = {"conditions": taken, "rows": [asdict(row) for row in rows]}
    (KEPT / f"{name}.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def conditions() -> dict[str, Any]:
    """Return when and on what it was measured."""
    return {
        "on": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "duckdb": duckdb.__version__,
    }


def write_page() -> None:
    """Write the page from everything kept."""
    parts = [_INTRO]
    for name, title in _TITLES.items():
        path = KEPT / f"{name}.json"
        if not path.exists():
            continue
        document = orjson.loads(path.read_bytes())
        told = ", ".join(
            f"{key.replace('_', ' ')} {v}" for key, v in document["conditions"].items()
        )
        rows = [Row(**row) for row in document["rows"]]
        shown = _kills(rows) if name == "kill" else table(rows)
        parts.append(f"## {title}\n\n{shown}\n\n`make bench BENCH={name}` · {told}\n")
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def _kills(rows: list[Row]) -> str:
    return "\n".join(f"- {row.shape}: {row.note}" for row in rows)
