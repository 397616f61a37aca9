"""The city that `chengmai demo` starts: how many indicators it computes from its own data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from chengmai.app import City
from chengmai.cli.serve import demo_settings
from tests.api.indicators import MANAGER


async def test_the_demo_computes_at_least_forty_indicators_from_its_own_data(
    tmp_path: Path,
) -> None:
    city = City(demo_settings(tmp_path, speed=60.0))
    await city.start()
    try:
        await city.feeds.filled()
        every = await city.indicators.all(MANAGER)
    finally:
        await city.stop()
    found = [one for one in every if one.is_computed]
    assert len(found) >= 40
    assert all(one.quality is not None and one.how is not None for one in found)
    assert len({one.indicator.domain for one in found}) >= 10
    states = Counter(one.state for one in every)
    assert sum(states.values()) == 97
    assert all(one.because is not None for one in every if not one.is_computed)
