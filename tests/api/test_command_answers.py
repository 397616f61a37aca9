"""What commands answer when there is nothing to show, or no such thing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner

from chengmai.cli.main import app
from tests.api.house import PACK, a_house


async def _a_city(folder: Path) -> None:
    async with a_house(folder):
        pass


def _asked(folder: Path, *words: str) -> tuple[int, str]:
    asyncio.run(_a_city(folder))
    env = {"CHENGMAI_PACKS": json.dumps([str(PACK)]), "CHENGMAI_DATA": str(folder)}
    done = CliRunner().invoke(app, list(words), env=env)
    return done.exit_code, done.output + str(done.exception)


def test_forecast_quality_of_an_unknown_pack_names_those_there_are(tmp_path: Path) -> None:
    code, said = _asked(tmp_path, "forecast", "quality", "nosuch")

    assert code == 1
    assert "there is no pack nosuch" in said


def test_figures_without_a_registry_say_so(tmp_path: Path) -> None:
    code, said = _asked(tmp_path, "assess", "figures")

    assert code == 0
    assert "Nothing is registered yet" in said
