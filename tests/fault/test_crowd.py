"""More clients that say nothing than there are places: whoever has something to say is heard all the same."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from tests.fault.crowd import a_crowd
from tests.fault.processes import a_server, a_token, environment
from tests.fault.replayed import PACK

pytestmark = pytest.mark.fault


async def test_idle_half_open_and_slow_clients_keep_nobody_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    token = await a_token(data, PACK, "manager")
    env = environment(PACK, feeds="false", most_connections=200)
    async with a_server(data, env, token=token) as (_, known):
        port = known.base_url.port
        assert port is not None
        async with a_crowd(port, 450):
            for n in range(30):
                # Each is a client that comes new, and finds all places taken.
                async with httpx2.AsyncClient(base_url=known.base_url, trust_env=False) as client:
                    made = await client.post(
                        "/ngsi-ld/v1/entities",
                        json={"id": f"urn:x:{n}", "type": "Thing"},
                        headers=dict(known.headers),
                    )
                    assert made.status_code == 201, made.text
        found = await known.get("/ngsi-ld/v1/entities", params={"type": "Thing", "limit": 100})
        assert len(found.json()) == 30
