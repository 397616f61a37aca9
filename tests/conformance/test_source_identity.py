"""Who this broker is to others (clauses 5.2.40, 5.15.1 and 6.33)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.kernel.instants import format_duration
from tests.api.house import a_house

LOCAL: dict[str, Any] = {"token": "", "Host": "localhost:9090"}


@pytest.mark.clause("5.15.1", "5.2.40", "6.33")
async def test_alias_uptime_and_time_are_told(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.clock.advance(timedelta(days=1, seconds=90.5))
        told = await house.get("/info/sourceIdentity")
        assert told["type"] == "ContextSourceIdentity"
        assert told["id"].startswith("urn:")
        assert told["contextSourceAlias"] == house.city.alias.of("city")
        assert told["contextSourceUptime"] == "P1DT90.5S"
        assert told["contextSourceTimeAt"] == "2026-11-23T08:01:30.5Z"


@pytest.mark.clause("5.2.40", "4.14")
async def test_each_tenant_has_an_alias_of_its_own_that_stays(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        async with a_house(tmp_path, open_access=True) as house:
            answers = [
                await house.ask("GET", "/info/sourceIdentity", **(LOCAL | {"NGSILD_Tenant": name}))
                for name in ("city", "north", "south")
            ]
            seen.append([one.json()["contextSourceAlias"] for one in answers])
    assert len(set(seen[0])) == 3
    assert seen[0] == seen[1]


@pytest.mark.clause("5.2.40")
@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(seconds=1.25), "PT1.25S"),
        (timedelta(days=3, seconds=10), "P3DT10S"),
    ],
)
def test_lengths_are_written_as_iso_8601(length: timedelta, text: str) -> None:
    assert format_duration(length) == text
