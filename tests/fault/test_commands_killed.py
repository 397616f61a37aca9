"""A server killed while a command is on its way: nothing is lost, and nothing is sent under another id."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fault.processes import a_server, a_token, environment, kill
from tests.loopback import HANGS, Reply, Request, a_listener

pytestmark = pytest.mark.fault
PACK = """
id = "poles"
version = "0.1.0"
owner = "tests"
licence = "Apache-2.0"
title = { zh = "杆", en = "Poles" }
about = { zh = "杆", en = "Poles" }
"""
RULE = """
id = "tilt"
q = "tilt>15"
trust = "C"
title = { zh = "倾斜", en = "Tilt" }
about = { zh = "倾斜", en = "Tilt" }
source = { zh = "测试", en = "a test" }
on = { type = "Pole" }

[command]
id = "light"
title = { zh = "亮灯", en = "Light" }
channel = "lamps"
to = "poles/{key}"
high_impact = false
acknowledged_within = "PT30S"
"""
POLES = 5


def a_pack(folder: Path) -> Path:
    (folder / "rules").mkdir(parents=True)
    (folder / "pack.toml").write_text(PACK)
    (folder / "rules" / "tilt.toml").write_text(RULE)
    return folder


async def until(holds: Any) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.02)


async def test_kill_between_sent_and_acknowledged_sends_again_under_the_same_id(
    tmp_path: Path,
) -> None:
    heard: list[str] = []
    answers = False

    async def device(request: Request) -> Reply | None:
        heard.append(json.loads(request.body)["commandId"])
        return Reply(204, {}) if answers else HANGS

    packs, data = a_pack(tmp_path / "poles"), tmp_path / "data"
    token = await a_token(data, packs, "manager")
    async with a_listener(device) as port:
        env = environment(
            packs,
            command_channels=json.dumps({"lamps": f"http://127.0.0.1:{port}"}),
            private_egress="true",
        )
        async with a_server(data, env, token=token) as (process, client):
            for number in range(POLES):
                answer = await client.post("/ngsi-ld/v1/entities", json=a_pole(number))
                assert answer.status_code == 201, answer.text
            await until(lambda: len(heard) == POLES)
            kill(process)
        first = list(heard)
        answers = True
        async with a_server(data, env, token=token) as (_, client):
            await until(lambda: len(heard) >= 2 * POLES)
            states = await acknowledged(client)

    assert len(set(first)) == POLES
    assert set(heard) == set(first), "the same commands, under the same ids"
    assert {one: state for one, state in states.items() if state != "acknowledged"} == {}
    assert set(states) == set(first)


def a_pole(number: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    tilt = {"type": "Property", "value": 20, "observedAt": now}
    return {"id": f"urn:ngsi-ld:Pole:{number}", "type": "Pole", "tilt": tilt}


async def acknowledged(client: Any) -> dict[str, str]:
    """Return the state of every command, once none is on its way."""
    for _ in range(300):
        got = await client.get(
            "/ngsi-ld/v1/entities?type=DeviceCommand&options=keyValues&limit=100"
        )
        states = {one["id"]: one["commandState"] for one in got.json()}
        if not {"pending", "sent"} & set(states.values()):
            return states
        await asyncio.sleep(0.1)
    return states
