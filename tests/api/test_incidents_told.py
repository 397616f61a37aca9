"""`chengmai incidents`: what the command line says of incidents, over a real city."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chengmai.cli.main import app
from tests.api.house import a_house
from tests.api.test_rules import TILTED, on, tell


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a city in which a rule has fired."""

    async def make() -> None:
        async with a_house(tmp_path) as house:
            await on(house, **TILTED)
            for tilt in (16, 17, 18):
                await tell(house, tilt=tilt)

    asyncio.run(make())
    return tmp_path


def asked(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["incidents", *arguments, "--data", str(folder)])


def test_an_open_incident_is_listed_and_shown_with_its_alarms_and_its_log(folder: Path) -> None:
    (listed,) = json.loads(asked(folder, "list", "--json").stdout)
    told = asked(folder, "show", listed["number"])
    assert told.exit_code == 0, told.output
    assert listed["title"]["en"] in told.stdout
    assert "stands" in told.stdout
    found = json.loads(asked(folder, "show", listed["id"], "--json").stdout)
    assert [line["step"] for line in found["log"]] == ["open", "case"]
    assert listed["number"] in asked(folder, "list").stdout


def test_where_nothing_is_found_it_says_so(folder: Path) -> None:
    assert "No incident is ended." in asked(folder, "list", "--state", "ended").stdout
    unknown = asked(folder, "show", "I202601010001")
    assert unknown.exit_code == 1
    assert "I202601010001" in str(unknown.exception)
