"""Runs the screens over the fake city, to be looked at: `python -m tests.unit.web.look`.

Sign in with any name and the pass phrase of `fake_city`.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from datetime import UTC, datetime

from chengmai.kernel.clock import CityClock, SystemClock
from chengmai.web.cockpit.build import build_cockpit
from chengmai.web.cockpit.live_hub import LiveHub
from chengmai.web.cockpit.visit import CockpitSettings
from chengmai.web.server import serve
from tests.unit.web.fake_city import FakeCity
from tests.unit.web.fake_signs import NOW


async def main(port: int, roles: frozenset[str]) -> None:
    """Serve until interrupted; every four seconds something changes."""
    clock = CityClock(SystemClock(), datetime.now(UTC), NOW, rate=30)
    city, hub = FakeCity(clock, roles=roles), LiveHub("look")
    app = build_cockpit(city, city, hub, CockpitSettings(b"x" * 32), strict_texts=True)
    serving = asyncio.ensure_future(serve(app, "127.0.0.1", port, asyncio.Event()))
    for topic in itertools.cycle(("vitals", "cases", "feeds")):
        await asyncio.sleep(4)
        hub.publish("city", topic, {})
        if serving.done():
            return


if __name__ == "__main__":
    chosen = frozenset(sys.argv[2:]) or frozenset({"admin"})
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8765, chosen))
