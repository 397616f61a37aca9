"""`chengmai load`: files into a city, what was refused, and in which forms."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from chengmai.cli.main import app
from tests.api.house import STATION, a_house, a_station

TERMS = "https://terms.test/air.jsonld"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of an empty city."""

    async def make() -> None:
        async with a_house(tmp_path / "city"):
            pass

    asyncio.run(make())
    return tmp_path / "city"


def shown(folder: Path, entity_id: str = STATION) -> Any:
    """Return what the city in `folder` says of an entity."""

    async def ask() -> Any:
        async with a_house(folder) as house:
            return await house.get(f"/entities/{entity_id}")

    return asyncio.run(ask())


def load(folder: Path, *arguments: Any) -> Result:
    return CliRunner().invoke(app, ["load", "--data", str(folder), *map(str, arguments)])


def a_file(folder: Path, text: str, name: str = "sent.json") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(a_station()),
        json.dumps(a_station(), indent=2),
        json.dumps([a_station()], indent=2),
        "\n" + json.dumps(a_station()) + "\n\n",
    ],
)
def test_one_entity_a_list_and_lines_are_read(folder: Path, text: str) -> None:
    result = load(folder, a_file(folder, text))
    assert result.exit_code == 0, result.output
    assert "1 created, 0 updated, 0 failed" in result.output
    assert shown(folder) == a_station()


def test_several_files_are_loaded_and_each_refusal_names_its_file(folder: Path) -> None:
    good = a_file(folder, json.dumps(a_station()), "good.json")
    bad = a_file(folder, json.dumps([a_station("no uri"), {"id": "urn:a:b"}]), "bad.json")
    broken = a_file(folder, '{\n "id": "urn:a:b",\n]', "broken.json")
    report = folder / "refused.ndjson"
    result = load(folder, good, bad, broken, "--json", "--refused", report)
    assert result.exit_code == 1
    outcome = json.loads(result.stdout)
    assert (outcome["created"], outcome["failed"]) == (1, 3)
    told = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    assert told == outcome["failures"]
    assert [Path(one["where"].partition(",")[0]).name for one in told] == [
        "bad.json",
        "bad.json",
        "broken.json",
    ]


def test_a_line_that_is_not_json_does_not_hold_up_the_rest(folder: Path) -> None:
    lines = a_file(folder, "{nothing}\n" + json.dumps(a_station()), "sent.ndjson")
    result = load(folder, lines)
    assert "1 created, 0 updated, 1 failed" in result.output
    assert "line 1: not JSON" in result.output


def test_key_values_are_read_where_that_is_asked_for(folder: Path) -> None:
    values = {
        "id": STATION,
        "type": "AirQualityObserved",
        "address": {"type": "PostalAddress", "postalCode": "310000"},
        "pm25": 42.5,
        "location": {"type": "Point", "coordinates": [116.417, 39.929]},
    }
    file = a_file(folder, json.dumps(values, indent=1))
    assert load(folder, file).exit_code == 1
    assert load(folder, file, "--key-values").exit_code == 0
    stored = shown(folder)
    assert stored["address"] == {"type": "Property", "value": values["address"]}
    assert stored["location"]["type"] == "GeoProperty"


def test_the_context_of_an_entity_names_its_terms(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = a_file(folder, '{"@context": {"pm25": "urn:terms:pm25"}}', "air.jsonld")
    monkeypatch.setenv("CHENGMAI_CONTEXTS", json.dumps({TERMS: str(document)}))
    sent = a_file(folder, json.dumps(a_station() | {"@context": [TERMS]}))
    assert load(folder, sent).exit_code == 0
    assert "urn:terms:pm25" in shown(folder)


def test_a_context_that_is_not_to_be_had_is_told_and_nothing_is_fetched(folder: Path) -> None:
    sent = a_file(folder, json.dumps(a_station() | {"@context": "https://nowhere.test/c.jsonld"}))
    result = load(folder, sent)
    assert result.exit_code == 1
    assert "https://nowhere.test/c.jsonld is not known here" in result.output
