"""What a city tells of itself to those who run it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from chengmai.cli.main import app
from chengmai.web.metrics import STATUS_FILE
from tests.api.house import House, a_house, a_station, created


async def _figures(house: House, *roles: str) -> dict[str, float]:
    bearer = await house.token(*(roles or ("auditor",)))
    answer = await house.client.get("/metrics", headers={"Authorization": f"Bearer {bearer}"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_figures_follow_what_happens(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        before = await _figures(house)
        for n in range(5):
            await created(house, a_station(f"urn:x:{n}"))
        await house.ask("GET", "/entities/urn:x:none")
        after = await _figures(house)
        assert after["chengmai_answers_total[POST][201]"] == 5
        assert after["chengmai_answers_total[GET][404]"] == 1
        assert after["chengmai_answer_seconds_count"] == 6
        assert after["chengmai_units_total"] >= before["chengmai_units_total"] + 5
        assert after["chengmai_commit_seconds_count"] == after["chengmai_commits_total"]
        assert after["chengmai_history_rows_to_seal"] > before["chengmai_history_rows_to_seal"]
        assert after["chengmai_memory_bytes"] > 10_000_000
        while await house.city.store.history.seal():
            pass
        assert (await _figures(house))["chengmai_history_rows_to_seal"] == 0


async def test_figures_are_not_for_everybody(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert (await house.client.get("/metrics")).status_code == 401
        worker = {"Authorization": f"Bearer {await house.token('worker')}"}
        assert (await house.client.get("/metrics", headers=worker)).status_code == 403
        assert (await house.client.post("/metrics", headers=worker)).status_code == 405


async def test_the_doctor_shows_what_a_running_city_said_last(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.web.meter.start()
        async with asyncio.timeout(60):
            while not (tmp_path / STATUS_FILE).exists():
                await asyncio.sleep(0.05)
        said = orjson.loads((tmp_path / STATUS_FILE).read_bytes())
        assert said["writes_waiting"] == 0
        seen = await asyncio.to_thread(
            CliRunner().invoke, app, ["doctor", "--json", "--data", str(tmp_path)]
        )
        (running,) = [
            check for check in orjson.loads(seen.stdout)["checks"] if check["name"] == "running"
        ]
        assert "0 writes waiting" in running["seen"]
        await house.web.meter.stop()
    assert not (tmp_path / STATUS_FILE).exists()
